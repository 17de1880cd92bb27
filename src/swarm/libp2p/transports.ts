import { memory } from '@libp2p/memory'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Libp2pOptions } from 'libp2p'
import type { DialOutcome } from '../dialling/dialHistory.ts'
import { framedYamux, type Settle } from './framedYamux.ts'
import { quicTransport } from './quic/quicTransport.ts'

/** The transports that a swarm can use. */
export type TransportName = 'quic' | 'tcp' | 'memory'

/** How long an address may take of a dial that libp2p makes by itself. @unit milliseconds */
const IMPATIENT_MS = 1_000

/** How long a TCP listener waits, when it closes, for what is under way. @unit milliseconds */
const STOP_WITHIN_MS = 500

type TcpComponents = Parameters<ReturnType<typeof tcp>>[0]
type QuicComponents = Parameters<ReturnType<typeof quicTransport>>[0]

/** Hears how the dials that libp2p makes by itself end. */
type Note = (address: string, outcome: DialOutcome, tookMs: number) => void

const factories = {
  quic: (_: unknown, note: Note) => (components: QuicComponents) => bounded(quicTransport()(components), note),
  tcp: (settles: ReadonlySet<Settle>, note: Note) => (components: TcpComponents) =>
    bounded(gracefully(tcp()(components), settles), note),
  memory: () => memory(),
} satisfies Record<TransportName, (settles: ReadonlySet<Settle>, note: Note) => unknown>

/** Where a swarm listens on a transport unless told otherwise: every interface, a port that the system chooses. */
export const defaultListen: Readonly<Record<TransportName, readonly string[]>> = {
  quic: ['/ip4/0.0.0.0/udp/0/quic-v1'],
  tcp: ['/ip4/0.0.0.0/tcp/0'],
  memory: [],
}

/** The part of libp2p's options that carries bytes. */
export function transportOptions(names: readonly TransportName[], note: Note = () => undefined): Libp2pOptions {
  const settles = new Set<Settle>()
  return {
    transports: names.map((name) => factories[name](settles, note)),
    connectionEncrypters: [noise(), tls()],
    streamMuxers: [framedYamux(settles)],
  }
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
function bounded(transport: Transport, note: Note): Transport {
  const dial = transport.dial.bind(transport)
  transport.dial = async (address, given) => {
    const options = { ...given, upgrader: noting(address, given.upgrader) }
    options.signal.throwIfAborted()
    if (patient.has(address.toString())) return dial(address, options)
    // of its own, and never aborted afterwards: TCP keeps the signal, and would close the open connection
    const controller = new AbortController()
    const onAbort = () => controller.abort(options.signal.reason)
    const late = () => new DOMException(`no answer within ${IMPATIENT_MS} ms`, 'TimeoutError')
    const timer = setTimeout(() => controller.abort(late()), IMPATIENT_MS)
    options.signal.addEventListener('abort', onAbort)
    const beganAt = performance.now()
    const tell = (outcome: DialOutcome) => note(address.toString(), outcome, performance.now() - beganAt)
    try {
      const connection = await dial(address, { ...options, signal: controller.signal })
      tell('connected')
      return connection
    } catch (error) {
      if (!options.signal.aborted) tell('failed')
      throw error
    } finally {
      clearTimeout(timer)
      options.signal.removeEventListener('abort', onAbort)
    }
  }
  return transport
}

/** What was dialled to get a connection: with a DNS name in it, where the connection itself only knows the IP. */
const dialled = new WeakMap<MultiaddrConnection, string>()

/** The address that was dialled for a connection; none for one that came in. */
export function dialledAddress(connection: MultiaddrConnection): string | undefined {
  return dialled.get(connection)
}

/** The same upgrader, which notes what was dialled before libp2p's gater is asked about the connection. */
function noting(address: Multiaddr, upgrader: Upgrader): Upgrader {
  const upgradeOutbound: Upgrader['upgradeOutbound'] = (connection, options) => {
    dialled.set(connection, address.toString())
    return upgrader.upgradeOutbound(connection, options)
  }
  return Object.create(upgrader, { upgradeOutbound: { value: upgradeOutbound } }) as Upgrader
}

/** A listener destroys its sockets when it closes, while the node closes its connections; it lets them send what they have. */
function gracefully(transport: Transport, settles: ReadonlySet<Settle>): Transport {
  const createListener = transport.createListener.bind(transport)
  transport.createListener = (options) => {
    const listener = createListener(options)
    const close = listener.close.bind(listener)
    listener.close = async () => {
      const signal = AbortSignal.timeout(STOP_WITHIN_MS)
      await Promise.all([...settles].map((settle) => settle(signal)))
      await close()
    }
    return listener
  }
  return transport
}
