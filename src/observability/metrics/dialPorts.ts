import type { Libp2p } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { transportOf } from '../../swarm/libp2p/connectionInfo.ts'
import { internalsOf } from '../../swarm/libp2p/createHost.ts'
import { errorName } from './effects.ts'
import type { MetricsProbe } from './metricsProbe.ts'

/** Counts the dials of a node, address by address, whoever wanted them. */
export function countDials(node: Libp2p, probe: MetricsProbe): void {
  const { meters } = probe
  const { transportManager } = internalsOf(node) as unknown as {
    readonly transportManager: { dial(address: Multiaddr, options?: unknown): Promise<unknown> }
  }
  const dial = transportManager.dial.bind(transportManager)
  const inFlight = meters.rxswarm_dials_in_flight.at()
  transportManager.dial = async (address, options) => {
    const transport = transportOf({ remoteAddr: address })
    const since = performance.now()
    const end = (outcome: string, result: string) => {
      inFlight.value--
      meters.rxswarm_dials_total.at(transport, outcome).value++
      meters.rxswarm_dial_duration_seconds.at(transport, result).observe((performance.now() - since) / 1_000)
    }
    inFlight.value++
    meters.rxswarm_dials_started_total.at(transport).value++
    try {
      const connection = await dial(address, options)
      end('connected', 'connected')
      return connection
    } catch (error) {
      end(classOf(error), 'failed')
      throw error
    }
  }
}

/** The class of an error of a transport: the code of the system, such as `ECONNREFUSED`, where there is one. */
function classOf(error: unknown): string {
  const { code } = Object(error) as { readonly code?: unknown }
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : errorName(error)
}
