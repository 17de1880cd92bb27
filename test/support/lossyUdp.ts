import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { fair, fates, LOOPBACK, type LossyProxy, type LossyProxyOptions } from './lossyProxy.ts'

/** Senders that a UDP proxy keeps apart. */
const MOST_SENDERS = 1_024

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
