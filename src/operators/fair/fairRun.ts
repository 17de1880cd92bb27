import {
  defer,
  from,
  interval,
  map,
  merge,
  Observable,
  of,
  Subscriber,
  Subscription,
  takeUntil,
  type ObservableInput,
  type SchedulerLike,
} from 'rxjs'
import { OverloadedError, SwarmError, UnexpectedError } from '../../errors/errors.ts'
import type { LaneReport } from './fairLane.ts'
import { FairQueue, type LaneClass } from '../fairQueue.ts'
import type { Offer, Ticket } from './fairTicket.ts'
import type { FairOptions } from '../mergeMapFairly.ts'

/** What `mergeMapFairly` was told, checked and with its defaults. */
export interface FairSettings<T, R> extends FairOptions<T, R> {
  /** Makes an item's stream. */
  readonly project: (item: T, index: number) => ObservableInput<R>
  /** The lanes as the queue takes them. */
  readonly classes: readonly LaneClass[]
  /** @unit milliseconds */
  readonly reportEveryMs: number
  /** @unit items */
  readonly strictBurst: number
  /** @unit that of the costs */
  readonly quantum: number
  /** The clock. */
  readonly scheduler: SchedulerLike
}

/** An item on its way. */
interface Task<T, R> {
  readonly item: T
  readonly id: unknown
  readonly inner: Subscriber<R>
  ticket: Ticket<Task<T, R>> | undefined
}

/**
 * One subscription of `mergeMapFairly`: what waits, what runs, and who hears of it.
 *
 * @shape  Keeps what its queue keeps and `concurrent` inner streams; unsubscribing `out` ends all.
 */
export class FairRun<T, R> {
  /** How the lanes are: at once, then every `reportEveryMs`, until the result is over. */
  readonly report$: Observable<readonly LaneReport[]>
  readonly #settings: FairSettings<T, R>
  readonly #out: Subscriber<R>
  readonly #hears: ConstructorParameters<typeof Subscriber<R>>[0]
  readonly #queue: FairQueue<Task<T, R>>
  readonly #byId = new Map<unknown, Task<T, R>>()
  #running = 0
  #speaking = 0
  #started = 0
  #isStarting = false
  #isSourceDone = false

  constructor(settings: FairSettings<T, R>, out: Subscriber<R>) {
    this.#settings = settings
    this.#out = out
    const { classes, strictBurst, quantum, reportEveryMs, scheduler } = settings
    this.#queue = new FairQueue({ classes, strictBurst, quantum })
    this.#hears = {
      next: (value) => out.next(value),
      error: (error: unknown) => out.error(error),
      complete: () => undefined,
    }
    const report = () => this.#queue.report(scheduler.now())
    this.report$ = merge(
      defer(() => of(report())),
      interval(reportEveryMs, scheduler).pipe(map(report)),
    ).pipe(takeUntil(endOf(out)))
  }

  /** Lets an item wait for its turn, or says why it can't. */
  offer(item: T): void {
    const { laneOf, flowOf, costOf, scheduler } = this.#settings
    let offer: Offer<Task<T, R>>
    try {
      const task = this.#task(item)
      offer = this.#queue.offer(task, laneOf(item), flowOf?.(item) ?? '', scheduler.now(), costOf?.(item))
      task.ticket = offer.ticket
    } catch (thrown) {
      return this.#say(item, asSwarmError(thrown))
    }
    const { ticket, refused } = offer
    if (ticket !== undefined && this.#settings.cancel$ !== undefined) this.#byId.set(ticket.item.id, ticket.item)
    if (refused !== undefined) {
      this.#forget(refused.item)
      this.#say(refused.item.item, this.#overloaded(refused.lane))
    }
    this.#settle()
  }

  /** Ends what waits or runs under this id, without a word. */
  cancel(id: unknown): void {
    const task = this.#byId.get(id)
    if (task?.ticket === undefined) return
    this.#forget(task)
    if (!this.#queue.cancel(task.ticket)) task.inner.unsubscribe()
  }

  /** No more items come. */
  end(): void {
    this.#isSourceDone = true
    this.#settle()
  }

  /** Starts whose turn it is, as far as there is room. What comes meanwhile waits until the loop gets to it. */
  #settle(): void {
    const { concurrent, scheduler } = this.#settings
    if (this.#isStarting) return
    this.#isStarting = true
    while (this.#running < concurrent && !this.#out.closed) {
      const ticket = this.#queue.take(scheduler.now())
      if (ticket === undefined) break
      this.#start(ticket.item)
    }
    this.#isStarting = false
    if (this.#isSourceDone && this.#running + this.#speaking + this.#queue.size === 0) this.#out.complete()
  }

  #start(task: Task<T, R>): void {
    const { item, inner } = task
    this.#running++
    const over = () => {
      this.#running--
      this.#forget(task)
      this.#settle()
    }
    try {
      this.#listen(inner, this.#settings.project(item, this.#started++), over)
    } catch (thrown) {
      if (!inner.closed) this.#say(item, asSwarmError(thrown))
      inner.unsubscribe()
      over()
    }
  }

  #say(item: T, error: SwarmError): void {
    if (this.#out.closed) return
    this.#speaking++
    const over = () => {
      this.#speaking--
      this.#settle()
    }
    try {
      this.#listen(new Subscriber<R>(this.#hears), this.#settings.refused(item, error), over)
    } catch (thrown) {
      this.#out.error(thrown)
    }
  }

  /** Hears `over` after the stream's own teardown: what it held is free when the next one starts. */
  #listen(inner: Subscriber<R>, input: ObservableInput<R>, over: () => void): void {
    const stream$ = from(input)
    this.#out.add(inner)
    if (!inner.closed) stream$.subscribe(inner)
    inner.add(over)
  }

  #task(item: T): Task<T, R> {
    const { cancel$, idOf } = this.#settings
    const id = cancel$ === undefined || idOf === undefined ? item : idOf(item)
    return { item, id, inner: new Subscriber<R>(this.#hears), ticket: undefined }
  }

  #forget(task: Task<T, R>): void {
    if (this.#byId.get(task.id) === task) this.#byId.delete(task.id)
  }

  #overloaded(lane: string): OverloadedError {
    const limit = this.#settings.classes.find(({ name }) => name === lane)?.maxWaiting ?? 0
    return new OverloadedError(`lane '${lane}' is full: ${limit} items wait in it; come again later`, { limit })
  }
}

/** Says when a subscriber is gone, however that came. */
function endOf(out: Subscriber<unknown>): Observable<void> {
  return new Observable((listener) => {
    const end = new Subscription(() => listener.next())
    out.add(end)
    return () => out.remove(end)
  })
}

function asSwarmError(thrown: unknown): SwarmError {
  if (thrown instanceof SwarmError) return thrown
  return new UnexpectedError(`an item could not be started: ${String(thrown)}`, { cause: thrown })
}
