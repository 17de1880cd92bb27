import { lookup } from 'node:dns/promises'
import { quic, type QuicOptions } from '@chainsafe/libp2p-quic'
import type { Listener, Transport, Upgrader, UpgraderOptions } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { raceSignal } from 'race-signal'
import { everyIp } from './everyIp.ts'
import { nativeConnection } from './nativeConnection.ts'
import { QuicMuxer } from './quicMuxer.ts'

/** How long a listener or the transport waits, when it stops, for what is under way. @unit milliseconds */
const STOP_WITHIN_MS = 500

/**
 * What a connection may take.
 *
 * A peer that falls silent is noticed after `maxIdleTimeout`, so it stays within the default deadline of a command; the
 * keep-alive leaves room for one lost packet. The remote opens 1 024 streams at most, as many as may wait to be opened.
 * It sends 1 MiB on a stream that is not read, which is yamux's window here too, and 32 MiB on all of them: 32 stalled
 * streams, after which the whole connection stalls. @unit milliseconds; streams; bytes
 */
export const QUIC_OPTIONS = {
  maxIdleTimeout: 5_000,
  keepAliveInterval: 2_000,
  maxConcurrentStreamLimit: 1_024,
  maxStreamData: 1 << 20,
  maxConnectionData: 32 << 20,
} as const

/** What the transport is given by libp2p. */
type Components = Parameters<ReturnType<typeof quic>>[0]

/**
 * QUIC, with streams and a muxer of our own on the add-on's connections, and a dial that knows names and ends with its
 * signal; the add-on's own knows IPs only, and waits for a dead address until its idle timeout.
 *
 * @param options Over {@link QUIC_OPTIONS}.
 * @shape  A connection that arrives after its dial was aborted is closed. A stop waits 500 ms at most for what is under
 *         way, and not at all where nothing is.
 * @errors `UnexpectedError` at dial, and for each connection that comes in, when the add-on is not the one that is known.
 */
export function quicTransport(options: Partial<QuicOptions> = {}): (components: Components) => Transport {
  return (components) => {
    const transport: Transport & { stop?(): Promise<void> } = quic({ ...QUIC_OPTIONS, ...options })(components)
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    const stop = transport.stop?.bind(transport)
    const dialled = new Set<QuicMuxer>()
    transport.dial = (address, given) => {
      const { signal, upgrader } = given
      const options = { ...given, upgrader: withOwnMuxer(upgrader, dialled) }
      const dialling = resolved(address).then((at) => dial(at, options))
      dialling.then(
        (connection) => void (signal.aborted && connection.abort(new Error('the dial was aborted'))),
        () => undefined,
      )
      return raceSignal(dialling, signal)
    }
    transport.createListener = ({ upgrader }) => {
      const accepted = new Set<QuicMuxer>()
      return gracefully(everyIp(createListener({ upgrader: withOwnMuxer(upgrader, accepted) })), accepted)
    }
    transport.stop = async () => {
      await closeAll(dialled)
      await stop?.()
    }
    return transport
  }
}

/** The address with the IP in place of a DNS name. @errors those of the lookup, such as `ENOTFOUND` */
async function resolved(address: Multiaddr): Promise<Multiaddr> {
  const [{ name, value } = { name: '' }] = address.getComponents()
  const family = FAMILIES[name]
  if (family === undefined || value === undefined) return address
  const found = await lookup(value, { family })
  return multiaddr(address.toString().replace(/^\/\w+\/[^/]+/, `/ip${found.family}/${found.address}`))
}

/** Families of IP that a name may stand for; 0 is either. */
const FAMILIES: Readonly<Record<string, number>> = { dns: 0, dns4: 4, dns6: 6 }

/** The same upgrader, which gives each connection a muxer of ours. Those that are open are in `muxers`. */
function withOwnMuxer(upgrader: Upgrader, muxers: Set<QuicMuxer>): Upgrader {
  const own = <Options extends UpgraderOptions>(options: Options): Options => {
    options.signal.throwIfAborted()
    const native = nativeConnection(options.muxerFactory)
    const createStreamMuxer: QuicMuxerFactory['createStreamMuxer'] = (maConn) => {
      const muxer = new QuicMuxer(maConn, native)
      muxers.add(muxer)
      maConn.addEventListener('close', () => void muxers.delete(muxer))
      return muxer
    }
    return { ...options, muxerFactory: { protocol: 'quic', createStreamMuxer } }
  }
  return {
    upgradeOutbound: async (maConn, options: UpgraderOptions) => upgrader.upgradeOutbound(maConn, own(options)),
    upgradeInbound: async (maConn, options: UpgraderOptions) => upgrader.upgradeInbound(maConn, own(options)),
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  }
}

type QuicMuxerFactory = NonNullable<UpgraderOptions['muxerFactory']>

/** The add-on's listener drops its connections when it closes; this one first lets them send what they have. */
function gracefully(listener: Listener, muxers: ReadonlySet<QuicMuxer>): Listener {
  const close = listener.close.bind(listener)
  listener.close = async () => {
    await closeAll(muxers)
    await close()
  }
  return listener
}

async function closeAll(muxers: ReadonlySet<QuicMuxer>): Promise<void> {
  const signal = AbortSignal.timeout(STOP_WITHIN_MS)
  await Promise.all([...muxers].map((muxer) => raceSignal(muxer.close({ signal }), signal).catch(() => undefined)))
}
