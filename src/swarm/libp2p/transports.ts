import { memory } from '@libp2p/memory'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import type { Address, StreamMuxerFactory, Transport } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { QUIC_V1 } from '@multiformats/multiaddr-matcher'
import type { Libp2pOptions } from 'libp2p'
import { quicTransport } from './quic/quicTransport.ts'

/** The transports that a swarm can use. */
export type TransportName = 'quic' | 'tcp' | 'memory'

/**
 * Yamux grows its window to 16 MiB by default, but a paused stream is reset when its read buffer passes 4 MiB.
 * @unit bytes
 */
const YAMUX_WINDOW_BYTES = 1 << 20

/** How long an address may take of a dial that libp2p makes by itself. @unit milliseconds */
const IMPATIENT_MS = 1_000

/** What yamux implementations agree to take in one frame. @unit bytes */
const MOST_FRAME_BYTES = 64 * 1_024

const factories = {
  quic: () => (components: Parameters<ReturnType<typeof quicTransport>>[0]) => bounded(quicTransport()(components)),
  tcp: () => (components: Parameters<ReturnType<typeof tcp>>[0]) => bounded(tcp()(components)),
  memory: () => memory(),
} satisfies Record<TransportName, () => unknown>

/** Where a swarm listens on a transport unless told otherwise: every interface, a port that the system chooses. */
export const defaultListen: Readonly<Record<TransportName, readonly string[]>> = {
  quic: ['/ip4/0.0.0.0/udp/0/quic-v1'],
  tcp: ['/ip4/0.0.0.0/tcp/0'],
  memory: [],
}

/** The part of libp2p's options that carries bytes. */
export function transportOptions(names: readonly TransportName[]): Libp2pOptions {
  return {
    transports: names.map((name) => factories[name]()),
    connectionEncrypters: [noise(), tls()],
    streamMuxers: [framedYamux],
  }
}

/** Orders addresses: QUIC first, the rest as they came. */
export function quicFirst(a: Address, b: Address): -1 | 0 | 1 {
  const [first, second] = [QUIC_V1.matches(a.multiaddr), QUIC_V1.matches(b.multiaddr)]
  return first === second ? 0 : first ? -1 : 1
}

/** Addresses that somebody dials patiently now, and how many do. libp2p hands a transport nothing else to tell them by. */
const patient = new Map<string, number>()

/** Dials an address, for as long as whoever waits for it lets it. */
export async function patiently<T>(address: Multiaddr, dial: () => Promise<T>): Promise<T> {
  const name = address.toString()
  const add = (count: number) => {
    const waiting = (patient.get(name) ?? 0) + count
    if (waiting === 0) patient.delete(name)
    else patient.set(name, waiting)
  }
  add(1)
  try {
    return await dial()
  } finally {
    add(-1)
  }
}

/**
 * A transport on which one dead address does not hold up the next. A dial that libp2p makes by itself, for the DHT or to
 * keep a peer, tries addresses one after the other, so each has {@link IMPATIENT_MS}; one that is made {@link patiently}
 * has as long as its signal lets it.
 */
function bounded(transport: Transport): Transport {
  const dial = transport.dial.bind(transport)
  transport.dial = async (address, options) => {
    options.signal.throwIfAborted()
    if (patient.has(address.toString())) return dial(address, options)
    // of its own, and never aborted afterwards: TCP keeps the signal, and would close the open connection
    const controller = new AbortController()
    const onAbort = () => controller.abort(options.signal.reason)
    const late = () => new DOMException(`no answer within ${IMPATIENT_MS} ms`, 'TimeoutError')
    const timer = setTimeout(() => controller.abort(late()), IMPATIENT_MS)
    options.signal.addEventListener('abort', onAbort)
    try {
      return await dial(address, { ...options, signal: controller.signal })
    } finally {
      clearTimeout(timer)
      options.signal.removeEventListener('abort', onAbort)
    }
  }
  return transport
}

/** Bytes that can be cut without copying. */
interface Bytes {
  readonly byteLength: number
  sublist(start: number, end: number): Bytes
}

/** A yamux stream, by the part of it that sends. */
interface Sender {
  sendData(data: Bytes): { readonly sentBytes: number; readonly canSendMore: boolean }
}

/**
 * Yamux that keeps its frames small. The library sends one frame as large as the remote's window, and rust-yamux closes a
 * connection on which a frame is larger than 1 MiB.
 */
function framedYamux(): StreamMuxerFactory {
  const factory = yamux({ streamOptions: { maxStreamWindowSize: YAMUX_WINDOW_BYTES } })()
  return {
    protocol: factory.protocol,
    createStreamMuxer: (maConn) => {
      const muxer = factory.createStreamMuxer(maConn)
      const streams = muxer as unknown as { _newStream(...args: unknown[]): Sender }
      const open = streams._newStream.bind(muxer)
      streams._newStream = (...args) => withSmallFrames(open(...args))
      return muxer
    },
  }
}

function withSmallFrames(stream: Sender): Sender {
  const send = stream.sendData.bind(stream)
  stream.sendData = (data) => {
    let sentBytes = 0
    for (;;) {
      const frame = data.sublist(sentBytes, Math.min(sentBytes + MOST_FRAME_BYTES, data.byteLength))
      const sent = send(frame)
      sentBytes += sent.sentBytes
      const isDone = sentBytes >= data.byteLength
      if (isDone || !sent.canSendMore || sent.sentBytes < frame.byteLength) return { ...sent, sentBytes }
    }
  }
  return stream
}
