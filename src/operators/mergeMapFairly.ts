import {
  asyncScheduler,
  Observable,
  Subscriber,
  type ObservableInput,
  type OperatorFunction,
  type SchedulerLike,
} from 'rxjs'
import { z } from 'zod'
import type { SwarmError } from '../errors/errors.ts'
import { callable, clock } from '../errors/optionKinds.ts'
import { parseOptions } from '../errors/parseOptions.ts'
import { fairFields } from './fair/fairFields.ts'
import type { LaneReport } from './fair/fairLane.ts'
import type { LaneClass } from './fairQueue.ts'
import { FairRun } from './fair/fairRun.ts'

/** A lane of {@link mergeMapFairly}: that of a `FairQueue`, of which at most 1 024 items wait unless it says otherwise. */
export type LaneShare = Partial<Omit<LaneClass, 'name'>>

/** Who goes first in {@link mergeMapFairly}, and what is said of those who can't go at all. */
export interface FairOptions<T, R> {
  /** How many inner streams run at once. @unit streams */
  readonly concurrent: number
  /** The lanes by name, plain data: `{ control: { strict: true }, normal: { weight: 4 }, bulk: {} }`. */
  readonly lanes: Readonly<Record<string, LaneShare>>
  /** The name of an item's lane. */
  readonly laneOf: (item: T) => string
  /** Whose an item is: within a lane, everybody gets the same. Default: all items are one flow. */
  readonly flowOf?: (item: T) => string
  /** What an item costs, above 0. Default: 1. @unit the caller's: items, bytes */
  readonly costOf?: (item: T) => number
  /** What the result says of an item that found no room, or at which a callback threw. */
  readonly refused: (item: T, error: SwarmError) => ObservableInput<R>
  /** An id that comes here cancels its item, whether it waits or runs; nothing is said of it. Default: never. */
  readonly cancel$?: Observable<unknown>
  /** The id by which an item is cancelled; of items with one id, the latest is. Default: the item itself. */
  readonly idOf?: (item: T) => unknown
  /** Gets, at each subscription, a stream of how its lanes are: at once, then every `reportEveryMs`, until the end. */
  readonly watch?: (report$: Observable<readonly LaneReport[]>) => void
  /** Default: 1 000. @unit milliseconds */
  readonly reportEveryMs?: number
  /** After this many strict items in a row one other is started, if one waits. Default: 64. @unit items */
  readonly strictBurst?: number
  /** What a flow may spend in one turn: about what an item costs. Default: 1. @unit that of the costs */
  readonly quantum?: number
  /** The clock, for the report only. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

const callback = callable<never>()
const name = z.string().min(1, 'must not be empty')
const lane = z
  .strictObject({ ...fairFields.lane, maxWaiting: fairFields.count.default(1_024) })
  .refine(fairFields.isStrictOrWeighs, fairFields.strictAndWeighs)
const schema = z.strictObject({
  concurrent: fairFields.count,
  lanes: z
    .record(name, lane, 'must be lanes by name')
    .refine((lanes) => Object.keys(lanes).length > 0, 'must have at least one lane'),
  laneOf: callback,
  flowOf: callback.optional(),
  costOf: callback.optional(),
  refused: callback,
  cancel$: z.custom<never>((value) => value instanceof Observable, 'must be an Observable').optional(),
  idOf: callback.optional(),
  watch: callback.optional(),
  reportEveryMs: fairFields.count.default(1_000),
  ...fairFields.queue,
  scheduler: clock.optional(),
})

/**
 * `mergeMap`, of which the items that wait wait in lanes: the urgent ones go first, the others share, and no flow of items
 * can crowd out another.
 *
 * ```marble
 * source  (xyc)-----|
 * result  --x--c--y-|
 * ```
 *
 * @param project Makes an item's stream; `index` counts those that were started.
 * @param options See {@link FairOptions}.
 * @shape  Cold; values pass at once, from at most `concurrent` inner streams. Completes when the source has, nothing waits
 *         and nothing runs. State belongs to the subscription: `maxWaiting` items for each lane, and `concurrent` that run.
 *         What `refused` says runs beside that bound, so let it be short.
 * @errors `ConfigError` at once for options that can't be used. Errors of the source, of an inner stream, of `cancel$` and
 *         of `refused` are the result's, unchanged, as in `mergeMap`. To `refused` goes an item that finds no room
 *         (`OverloadedError` with the `limit`), whose lane or cost is none (`ConfigError`), or at which one of its own
 *         callbacks threw: a `SwarmError` as it is, anything else as the cause of an `UnexpectedError`.
 * @source ours: RxJS's `mergeMap` over a `FairQueue`.
 */
export function mergeMapFairly<T, R>(
  project: (item: T, index: number) => ObservableInput<R>,
  options: FairOptions<T, R>,
): OperatorFunction<T, R> {
  const { lanes, concurrent, reportEveryMs, strictBurst, quantum } = parseOptions('mergeMapFairly', schema, options)
  const classes = Object.entries(lanes).map(([name, lane]) => ({ name, ...lane }))
  const { watch, cancel$, scheduler = asyncScheduler } = options
  const numbers = { concurrent, reportEveryMs, strictBurst, quantum }
  const settings = { ...options, ...numbers, project, classes, scheduler }
  return (source$) =>
    new Observable((out) => {
      const run = new FairRun<T, R>(settings, out)
      watch?.(run.report$)
      const error = (thrown: unknown) => out.error(thrown)
      if (cancel$) out.add(cancel$.subscribe({ next: (id) => run.cancel(id), error }))
      const source = new Subscriber<T>({ next: (item) => run.offer(item), error, complete: () => run.end() })
      out.add(source)
      source$.subscribe(source)
    })
}
