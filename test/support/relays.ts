import {
  connections,
  createSwarm,
  identify,
  ping,
  relay,
  xstream,
  type RelayOptions,
  type Swarm,
  type SwarmOptions,
} from 'rxswarm'
import type { TransportName } from 'rxswarm'
import { listenAddress } from './swarms.ts'

/** The behaviours of the swarms of the tests of relays. */
export function relayed(options: RelayOptions = {}) {
  return [connections(), identify(), ping(), xstream(), relay(options)] as const
}

/** A swarm that uses relays, or is one. */
export type RelayedSwarm = Swarm<ReturnType<typeof relayed>>

/** Starts one; it listens on the loopback. */
export function startRelayed(
  transport: TransportName,
  options: RelayOptions = {},
  more: Omit<Partial<SwarmOptions<ReturnType<typeof relayed>>>, 'use'> = {},
): Promise<RelayedSwarm> {
  return createSwarm({
    use: relayed(options),
    transports: [transport],
    listen: [listenAddress(transport)],
    ...more,
  })
}

/** Starts one that nobody can reach unless by a relay: it does not listen. */
export const startHidden = (transport: TransportName, options: RelayOptions = {}): Promise<RelayedSwarm> =>
  startRelayed(transport, options, { listen: [] })
