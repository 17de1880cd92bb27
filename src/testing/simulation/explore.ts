import { z } from 'zod'
import { callable, some } from '../../errors/optionKinds.ts'
import { ConfigError } from '../../errors/errors.ts'
import { parseOptions } from '../../errors/parseOptions.ts'
import { drawFaults } from './drawFaults.ts'
import type { FaultSchedule } from './fault.ts'
import { faultSchedules, scheduleFields, type FaultSchedulesOptions } from './faultSchedules.ts'
import type { SimulatedNetwork } from './simulatedNetwork.ts'

/** What {@link explore} tries, and what has to hold. */
export interface ExploreOptions<Network extends SimulatedNetwork<never>> extends Omit<FaultSchedulesOptions, 'nodes'> {
  /** Which schedules are drawn, and which chance networks get. Default: 1. */
  readonly seed?: number
  /** How many schedules. Default: 100. */
  readonly runs?: number
  /** Makes the network anew; it gives both to `simulate`. */
  readonly network: (faults: FaultSchedule, seed: number) => Network
  /** Moves the time, and throws (or rejects) when something does not hold. */
  readonly holds: (network: Network) => void | Promise<void>
}

const schema = z.strictObject({
  seed: z.int('must be a whole number').default(1),
  runs: some.default(100),
  network: callable(),
  holds: callable(),
  ...scheduleFields,
})

/**
 * Looks for a fault schedule under which something does not hold, and makes it as small as it gets.
 *
 * @param options See {@link ExploreOptions}.
 * @shape  Resolves when everything held in every run. The same seed tries the same. Needs fast-check to be installed.
 * @errors An `Error` whose message has the seed and the smallest schedule, as code that can be pasted; its cause is what
 *         `holds` threw. `ConfigError` for options that can't be.
 * @source QuickCheck's shrinking, on the faults of FoundationDB's simulation.
 */
export async function explore<Network extends SimulatedNetwork<never>>(
  options: ExploreOptions<Network>,
): Promise<void> {
  const { seed, runs, frameMs, frames, faults, mostFaults } = parseOptions('explore', schema, options)
  const fc = await fastCheck()
  const sample = options.network([], seed)
  const nodes = sample.names
  sample.dispose()
  const schedules = faultSchedules(fc, { nodes, frameMs, frames, faults, mostFaults })
  const chance = fc.noShrink(fc.nat())
  const property = fc.asyncProperty(schedules, chance, async (schedule, networkSeed) => {
    const network = options.network(schedule, networkSeed)
    try {
      await options.holds(network)
    } finally {
      network.dispose()
    }
  })
  const result = await fc.check(property, { seed, numRuns: runs })
  if (!result.failed || result.counterexample === null) return
  const [schedule, networkSeed] = result.counterexample
  const cause = result.errorInstance
  const reason = cause instanceof Error ? cause.message : String(cause)
  const count = `${schedule.length} ${schedule.length === 1 ? 'fault' : 'faults'}`
  const code = `simulate({ seed: ${networkSeed}, …, faults: ${drawFaults(schedule, { frameMs })} })`
  const found = `run ${result.numRuns} of ${runs}, made smaller ${result.numShrinks} times`
  throw new Error(`explore: does not hold under ${count} (${found}):\n\n  ${code}\n\n${reason}`, { cause })
}

async function fastCheck() {
  try {
    return await import('fast-check')
  } catch (cause) {
    const message = 'needs fast-check 4 or later, which is not installed: npm install --save-dev fast-check'
    throw new ConfigError([{ path: 'explore', message }], { cause })
  }
}
