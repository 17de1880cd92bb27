import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { fair, fates, LOOPBACK, type LossyProxy, type LossyProxyOptions } from './lossyProxy.ts'
import { pause } from './wait.ts'

/** Of one direction of a TCP stream, on its way. More than what is under way at any sensible delay. */
const MOST_WAITING_BYTES = 1 << 20

/** Starts a proxy for TCP: it keeps the order, and lets a slow reader slow its writer. */
export async function lossyTcp({ to, seed = 1, ...rest }: LossyProxyOptions): Promise<LossyProxy> {
  const weather = fair(rest)
  const seen = { passed: 0, lost: 0 }
  const fate = fates(weather, seed, seen)
  const sockets = new Set<Socket>()

  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => undefined) // its other end hears of it
    socket.on('close', () => sockets.delete(socket))
    return socket
  }
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: to, host: LOOPBACK, allowHalfOpen: true })
    for (const [from, into] of [
      [keep(near), keep(far)],
      [far, near],
    ] as const) {
      pipe(from, into, fate)
    }
  })
  const listen = async (port: number) => {
    server.listen(port, LOOPBACK)
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const cut = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.resetAndDestroy()
    await closed
  }
  const port = await listen(0)
  return {
    port,
    weather,
    seen,
    cut,
    mend: async () => void (server.listening || (await listen(port))),
    [Symbol.asyncDispose]: cut,
  }
}

/** Each piece waits for its time, in order; while many do, the socket is not read, and so its sender waits. */
function pipe(from: Socket, into: Socket, fate: (isLate: boolean) => number | undefined): void {
  const waiting: { readonly piece: Buffer; readonly dueMs: number }[] = []
  let [bytes, lastDueMs, isPassing, isOver] = [0, 0, false, false]

  const passOn = async () => {
    if (isPassing) return
    isPassing = true
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const waitMs = next.dueMs - performance.now()
      if (waitMs > 0) await pause(waitMs)
      if (into.destroyed) return
      if (!into.write(next.piece)) await drained(into)
      bytes -= next.piece.byteLength
      if (bytes < MOST_WAITING_BYTES) from.resume()
    }
    isPassing = false
    if (isOver) into.end()
  }
  from.on('data', (piece: Buffer) => {
    const delayMs = fate(true)
    if (delayMs === undefined) return
    lastDueMs = Math.max(lastDueMs, performance.now() + delayMs)
    waiting.push({ piece, dueMs: lastDueMs })
    bytes += piece.byteLength
    if (bytes >= MOST_WAITING_BYTES) from.pause()
    void passOn()
  })
  from.on('end', () => {
    isOver = true
    void passOn()
  })
  from.on('close', () => {
    if (!isOver) into.destroy()
  })
}

const drained = (socket: Socket) =>
  new Promise<void>((resolve) => {
    for (const event of ['drain', 'close']) socket.once(event, () => resolve())
  })
