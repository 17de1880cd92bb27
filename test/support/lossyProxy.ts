import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { seeded } from '../../src/testing/simulation/seeded.ts'
import { pause } from './wait.ts'

/** What a proxy does to what goes through it, each way. Everything may change while it runs. */
export interface Weather {
  /** Of datagrams: lost. Of pieces of a TCP stream: late by {@link RETRANSMIT_MS}, and all behind them. @unit percent */
  lossPercent: number
  /** @unit milliseconds */
  delayMs: number
  /** Added to the delay, from 0 to this. Datagrams may overtake each other, TCP does not. @unit milliseconds */
  jitterMs: number
  /** Whether everything is swallowed, without a word. */
  blackHole: boolean
}

/** A port of the loopback that leads to another one through bad weather. */
export interface LossyProxy extends AsyncDisposable {
  /** Where to dial, in place of the port that it leads to. */
  readonly port: number
  /** To be changed at will. */
  readonly weather: Weather
  /** What came in so far. @unit datagrams, or pieces of a TCP stream */
  readonly seen: { readonly passed: number; readonly lost: number }
  /** Ends every connection and takes no new ones, as if nobody were there, until it is mended. */
  cut(): Promise<void>
  mend(): Promise<void>
}

/** Options of the proxies. */
export interface LossyProxyOptions extends Partial<Weather> {
  /** On the loopback: where everything goes. */
  readonly to: number
  /** The same seed has the same fate for the nth datagram. Default: 1. */
  readonly seed?: number
}

/** How long a TCP sender waits before it sends again what was lost. @source Linux: TCP_RTO_MIN */
const RETRANSMIT_MS = 200

/** Senders that a UDP proxy keeps apart. */
const MOST_SENDERS = 1_024

/** Of one direction of a TCP stream, on its way. More than what is under way at any sensible delay. */
const MOST_WAITING_BYTES = 1 << 20

const LOOPBACK = '127.0.0.1'

/** What a proxy decides for what comes in next: undefined when it is lost. @unit milliseconds of delay */
function fates(
  weather: Weather,
  seed: number,
  seen: { passed: number; lost: number },
): (isLate: boolean) => number | undefined {
  const random = seeded(seed)
  return (isLate) => {
    const [luck, shift] = [random() * 100, random()] // both, so that the nth has the same fate whatever the others'
    const delayMs = weather.delayMs + shift * weather.jitterMs
    const isLost = luck < weather.lossPercent
    if (weather.blackHole || (isLost && !isLate)) {
      seen.lost++
      return undefined
    }
    seen.passed++
    return isLost ? delayMs + RETRANSMIT_MS : delayMs
  }
}

const fair = ({ lossPercent = 0, delayMs = 0, jitterMs = 0, blackHole = false }: Partial<Weather>): Weather => ({
  lossPercent,
  delayMs,
  jitterMs,
  blackHole,
})

/** Starts a proxy for datagrams: each sender has a port of its own towards the target. */
export async function lossyUdp({ to, seed = 1, ...rest }: LossyProxyOptions): Promise<LossyProxy> {
  const weather = fair(rest)
  const seen = { passed: 0, lost: 0 }
  const fate = fates(weather, seed, seen)
  const senders = new Map<number, Promise<UdpSocket>>()
  const timers = new Set<NodeJS.Timeout>()
  let isCut = false
  let isClosed = false

  const front = await udpSocket()
  const { port } = front.address()
  const later = (send: () => void) => {
    const delayMs = isCut ? undefined : fate(false)
    if (delayMs === undefined) return
    if (delayMs === 0) return send()
    const timer = setTimeout(() => {
      timers.delete(timer)
      if (!isClosed) send()
    }, delayMs)
    timers.add(timer)
  }
  const towards = async (sender: number): Promise<UdpSocket> => {
    const back = await udpSocket()
    back.on('message', (data) => later(() => front.send(data, sender, LOOPBACK)))
    return back
  }
  front.on('message', (data: Buffer, { port: sender }: RemoteInfo) => {
    if (!senders.has(sender) && senders.size < MOST_SENDERS) senders.set(sender, towards(sender))
    void senders.get(sender)?.then((back) => later(() => back.send(data, to, LOOPBACK)))
  })
  return {
    port,
    weather,
    seen,
    cut: async () => void (isCut = true),
    mend: async () => void (isCut = false),
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      for (const timer of timers) clearTimeout(timer)
      await Promise.all([front, ...(await Promise.all(senders.values()))].map(closeUdp))
    },
  }
}

async function udpSocket(): Promise<UdpSocket> {
  const socket = createSocket('udp4')
  socket.on('error', () => undefined) // somebody has gone
  socket.bind(0, LOOPBACK)
  await once(socket, 'listening')
  return socket
}

async function closeUdp(socket: UdpSocket): Promise<void> {
  const closed = once(socket, 'close')
  socket.close()
  await closed
}

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
