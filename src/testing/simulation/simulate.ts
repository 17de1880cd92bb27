import type { AnyModule } from '../../swarm/vocabulary/behaviour.ts'
import { checkSimulation } from './checkSimulation.ts'
import type { SimulatedNetwork } from './simulatedNetwork.ts'
import type { SimulateOptions } from './simulateOptions.ts'
import { VirtualNetwork } from './virtualNetwork.ts'

/**
 * A peer-to-peer network in virtual time, on which the same behaviour modules run as on libp2p.
 *
 * @param options See {@link SimulateOptions}.
 * @shape  The nodes are started, and know nobody. Nothing happens until the time is moved. Chance comes from the seed,
 *         split by node and by link, so that one node more changes nobody else's numbers.
 * @errors `ConfigError` with every problem of the options.
 * @source FoundationDB's simulation, and TigerBeetle's: one thread, one clock, one seed.
 */
export function simulate<const Modules extends readonly AnyModule[]>(
  options: SimulateOptions<Modules>,
): SimulatedNetwork<Modules> {
  return new VirtualNetwork(checkSimulation(options))
}
