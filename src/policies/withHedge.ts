import { asyncScheduler, Subscriber, type Observable, type SchedulerLike } from 'rxjs'
import { z } from 'zod'
import { parseOptions } from '../errors/parseOptions.ts'
import { Percentile } from './percentile.ts'
import { policy, type Call, type Policy, type Run } from './policy.ts'
import type { PolicyListener } from './policyEvent.ts'
import { retryBudget, type RetryBudget } from './retryBudget.ts'
import { count, share, some, someWaitMs } from '../errors/optionKinds.ts'
import { surroundings } from './schemas.ts'

/** When {@link withHedge} makes another attempt. */
export interface HedgeOptions {
  /** The other attempt starts when the first has been silent for longer than this share of the past ones. Default: 0.95. */
  readonly percentile?: number
  /** Past attempts that are looked at. Default: 128. */
  readonly samples?: number
  /** Before so many have been seen, `initialMs` counts. Default: 20. */
  readonly minSamples?: number
  /** Default: no other attempt before `minSamples`. @unit milliseconds */
  readonly initialMs?: number
  /** Other attempts beside the first, each after the same time. Default: 1. */
  readonly hedges?: number
  /** Other attempts are at most this share of the calls and one a second, so that a slow time does not double the load. Default: 0.1. */
  readonly share?: number
  /** Hears of each other attempt. */
  readonly onEvent?: PolicyListener
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

/** The part of {@link HedgeOptions} that is plain data. */
export const hedgeSpec = {
  percentile: share.default(0.95),
  samples: some.default(128),
  minSamples: count.default(20),
  initialMs: someWaitMs.optional(),
  hedges: some.default(1),
  share: share.default(0.1),
}

const schema = z.strictObject({ ...hedgeSpec, ...surroundings })

/**
 * Makes a second attempt beside the first when that one takes longer than nearly all before it; the first to emit wins, the
 * other is let go of.
 *
 * ```marble
 * first   ---------a|
 * second      ---b|
 * result  -------b|
 * ```
 *
 * @param options See {@link HedgeOptions}. For calls that may be made twice.
 * @unit   milliseconds until the first value or the completion, of the last `samples` attempts that won.
 * @shape  As the attempt that wins. The samples and a budget are shared by every source that is piped through it.
 * @errors When every attempt that was started has failed: the error of the last. `ConfigError` at construction.
 * @source J. Dean, L. Barroso: "The Tail at Scale"; gRPC's hedging.
 */
export function withHedge(options: HedgeOptions = {}): Policy {
  return hedgePolicy(parseOptions('withHedge', schema, options))
}

/** A hedge of options that have been looked at. */
export function hedgePolicy(decisions: z.output<typeof schema>): Policy {
  const { percentile, samples, minSamples, initialMs, hedges, scheduler = asyncScheduler, onEvent } = decisions
  const past = new Percentile(percentile, samples)
  const budget = retryBudget({ share: decisions.share, scheduler })
  const afterMs = () => (past.count >= Math.max(1, minSamples) ? past.value : initialMs)
  return policy((next) => {
    return (source, call, out) => {
      new Race({ out, source, call, next, past, budget, afterMs: afterMs(), hedges, scheduler }).start()
    }
  }, onEvent)
}

interface RaceOptions<T> {
  readonly out: Subscriber<T>
  readonly source: () => Observable<T>
  readonly next: Run
  readonly call: Call
  readonly past: Percentile
  readonly budget: RetryBudget
  readonly afterMs: number | undefined
  readonly hedges: number
  readonly scheduler: SchedulerLike
}

/** The attempts of one call. */
class Race<T> {
  readonly #o: RaceOptions<T>
  readonly #runners: Runner<T>[] = []
  #running = 0
  isWon = false

  constructor(options: RaceOptions<T>) {
    this.#o = options
  }

  start(): void {
    const { budget, afterMs, out } = this.#o
    budget.call()
    this.#run()
    if (afterMs === undefined || this.isWon || out.closed) return
    this.#later(afterMs)
  }

  #later(afterMs: number): void {
    const { budget, out, call, hedges, scheduler } = this.#o
    const hedge = () => {
      if (this.isWon || this.#running === 0 || !budget.spend()) return
      try {
        call.report({ type: 'policy:hedged', policy: 'hedge', afterMs: Math.round(afterMs) })
      } catch (thrown) {
        return out.error(thrown)
      }
      if (out.closed) return
      this.#run()
      if (this.#runners.length <= hedges && !out.closed) this.#later(afterMs)
    }
    out.add(scheduler.schedule(hedge, afterMs))
  }

  #run(): void {
    const { source, next, call, out, scheduler } = this.#o
    const runner = new Runner<T>(out, this, scheduler.now())
    this.#runners.push(runner)
    this.#running++
    next(source, call, runner)
  }

  /** The first to say something: the others are let go of. */
  won(winner: Runner<T>): void {
    const { past, scheduler } = this.#o
    this.isWon = true
    past.add(scheduler.now() - winner.startedAt)
    for (const runner of this.#runners) if (runner !== winner) runner.unsubscribe()
  }

  /** @returns whether others still run */
  lost(): boolean {
    return --this.#running > 0
  }
}

/** Subscribed to one attempt. */
class Runner<T> extends Subscriber<T> {
  readonly startedAt: number
  readonly #race: Race<T>

  constructor(out: Subscriber<T>, race: Race<T>, startedAt: number) {
    super(out)
    this.#race = race
    this.startedAt = startedAt
  }

  protected override _next(value: T): void {
    if (!this.#race.isWon) this.#race.won(this)
    super._next(value)
  }

  protected override _error(error: unknown): void {
    if (!this.#race.isWon && this.#race.lost()) return this.unsubscribe()
    super._error(error)
  }

  protected override _complete(): void {
    if (!this.#race.isWon) this.#race.won(this)
    super._complete()
  }
}
