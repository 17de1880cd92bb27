import {
  connections,
  createSwarm,
  gossipsub,
  identify,
  kad,
  ping,
  xauth,
  xstream,
  type TransportName,
  type XauthOptions,
} from 'rxswarm'
import type { Connection, Stream } from '@libp2p/interface'
import { echo } from './handGuest.ts'
import { listenAddress } from './swarms.ts'

type Handler = (stream: Stream, connection: Connection) => unknown

/** The part of libp2p that knows the handlers; not in its interface. */
interface Registrar {
  getHandler(protocol: string): { readonly handler: Handler; readonly options: object }
}

/** A stream whose handler was called. */
export interface Ran {
  readonly protocol: string
  readonly peer: string
}

/**
 * A node with everything behind its gate, and a record of every handler that libp2p calls, whoever registered it.
 *
 * @param own protocols that echo
 */
export async function startWatchedHub(transport: TransportName, own: readonly string[], options: XauthOptions) {
  const hub = await createSwarm({
    use: [
      connections(),
      identify(),
      ping(),
      kad({ protocol: '/ipfs/kad/1.0.0' }),
      gossipsub(),
      xauth({ timeoutMs: 5_000, ...options }),
      xstream(),
    ],
    transports: [transport],
    listen: [listenAddress(transport)],
  })
  const ran: Ran[] = []
  const limits = { maxInboundStreams: 1_024, runOnLimitedConnection: true }
  for (const protocol of own) await hub.node.handle(protocol, echo, limits)
  const { registrar } = (hub.node as unknown as { readonly components: { readonly registrar: Registrar } }).components
  const getHandler = registrar.getHandler.bind(registrar)
  registrar.getHandler = (protocol) => {
    const { handler, options: known } = getHandler(protocol)
    const watched: Handler = (stream, connection) => {
      ran.push({ protocol, peer: connection.remotePeer.toString() })
      return handler(stream, connection)
    }
    return { handler: watched, options: known }
  }
  return Object.assign(hub, { ran })
}

/** What {@link startWatchedHub} starts. */
export type WatchedHub = Awaited<ReturnType<typeof startWatchedHub>>
