import { asyncScheduler, isObservable, type Observable, type SchedulerLike } from 'rxjs'
import { z } from 'zod'
import { callable, clock } from '../../errors/optionKinds.ts'
import type { BalanceEvent } from './balanceEvent.ts'

/** How a target is chosen. */
export type BalanceStrategy = 'p2c-ewma' | 'least-loaded' | 'weighted-round-robin' | 'rendezvous'

/** What `balance` takes. `targets$`, `idOf` and `random` are required. */
export interface BalanceOptions<Target> {
  /** The live set; the newest list counts. Subscribed while a call runs or `load$` is heard. */
  readonly targets$: Observable<readonly Target[]>
  /** What tells targets apart. Of two with the same id in one list, the later counts. */
  readonly idOf: (target: Target) => string
  /** The only chance, 0 (inclusive) to 1 (exclusive): candidates of `p2c-ewma`, ties of `least-loaded`. */
  readonly random: () => number
  /** Default: `p2c-ewma`. */
  readonly strategy?: BalanceStrategy
  /** A target's part of the calls beside the others, above 0: `weighted-round-robin` and `rendezvous`. Default: 1. */
  readonly weightOf?: (target: Target) => number
  /** Time constant of the latency average: after so long, an old latency counts 37 %. Default: 10 000. @unit milliseconds */
  readonly decayMs?: number
  /** A target is shed above so many times the median latency of the others, at least 1. Default: 3. */
  readonly shedAbove?: number
  /** How often a shed target is given a call, to see whether it has healed; not for `p2c-ewma`. Default: 1 000. @unit milliseconds */
  readonly probeEveryMs?: number
  /** The latency that an error counts as, at least. Default: 1 000. @unit milliseconds */
  readonly penaltyMs?: number
  /** How long a call waits for a first target while there is none. Default: 0, it fails at once. @unit milliseconds */
  readonly waitMs?: number
  /** Hears of targets that are shed, restored or refused, and of a call without a target. */
  readonly report?: (event: BalanceEvent) => void
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

const is = <T>(what: string, test: (value: unknown) => boolean) => z.custom<T>(test, `must be ${what}`)
const timeMs = z.number('must be a number of milliseconds')

/** The schema of {@link BalanceOptions}, with the defaults. */
export const balanceOptions = z.strictObject({
  targets$: is<Observable<readonly unknown[]>>('an Observable of lists', isObservable),
  idOf: callable<(target: unknown) => string>(),
  random: callable<() => number>(),
  strategy: z
    .enum(
      ['p2c-ewma', 'least-loaded', 'weighted-round-robin', 'rendezvous'],
      'must be p2c-ewma, least-loaded, weighted-round-robin or rendezvous',
    )
    .default('p2c-ewma'),
  weightOf: callable<(target: unknown) => number>().default(() => () => 1),
  decayMs: timeMs.positive('must be above 0').default(10_000),
  shedAbove: z.number('must be a number').min(1, 'must be at least 1').default(3),
  probeEveryMs: timeMs.positive('must be above 0').default(1_000),
  penaltyMs: timeMs.nonnegative('must not be below 0').default(1_000),
  waitMs: timeMs.nonnegative('must not be below 0').default(0),
  report: callable<(event: BalanceEvent) => void>().default(() => () => undefined),
  scheduler: clock.default(asyncScheduler),
})
