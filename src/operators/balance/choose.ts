import type { BalanceStrategy } from './balanceOptions.ts'
import { hash32 } from './hash32.ts'
import { leastLoaded } from './leastLoaded.ts'
import { powerOfTwoChoices } from './powerOfTwoChoices.ts'
import { rendezvous } from './rendezvous.ts'
import type { Seat } from './seat.ts'
import { weightedRoundRobin } from './weightedRoundRobin.ts'

/** Among whom and by what {@link choose} chooses. */
export interface Choice<Target> {
  /** How. */
  readonly strategy: BalanceStrategy
  /** The whole set, at least one. */
  readonly all: readonly Seat<Target>[]
  /** Those of the set that are not shed, at least one. */
  readonly healthy: readonly Seat<Target>[]
  /** Those of the set that are shed. */
  readonly shed: readonly Seat<Target>[]
  /** How often a shed one is given a call. @unit milliseconds */
  readonly probeEveryMs: number
  /** The only chance. */
  readonly random: () => number
}

/**
 * The seat that gets a call.
 *
 * @param key What `rendezvous` goes by; the other strategies don't look at it.
 * @shape  `p2c-ewma` avoids a slow one by its cost and tries it again as that fades. The others skip who is shed but for one
 *         call in `probeEveryMs`; with `rendezvous` that call is one whose key is at home there.
 */
export function choose<Target>(choice: Choice<Target>, nowMs: number, key: string): Seat<Target> {
  const { strategy, all, healthy, shed, probeEveryMs, random } = choice
  const isDue = (one: Seat<Target>) => nowMs - one.probedAtMs >= probeEveryMs
  if (strategy === 'p2c-ewma') {
    return powerOfTwoChoices(all, ({ latency, inFlight }) => latency.cost(inFlight, nowMs), random)
  }
  if (strategy === 'rendezvous') {
    const keyHash = hash32(key)
    const home = rendezvous(all, keyHash)
    return home.status === 'healthy' || isDue(home) ? home : rendezvous(healthy, keyHash)
  }
  const probed = shed.find(isDue)
  if (probed !== undefined) return probed
  return strategy === 'least-loaded' ? leastLoaded(healthy, random) : weightedRoundRobin(healthy)
}
