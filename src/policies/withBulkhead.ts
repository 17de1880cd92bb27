import { Subscriber } from 'rxjs'
import { z } from 'zod'
import { OverloadedError } from '../errors/errors.ts'
import { parseOptions } from '../errors/parseOptions.ts'
import { policy, type Call, type Policy } from './policy.ts'
import type { PolicyListener } from './policyEvent.ts'
import { count, some } from '../errors/optionKinds.ts'
import { surroundings } from './schemas.ts'

/** The bounds of {@link withBulkhead}. */
export interface BulkheadOptions {
  /** Calls that run at once. */
  readonly concurrent: number
  /** Calls that wait for a place. Default: 0. */
  readonly maxWaiting?: number
  /** Hears of calls that were refused. */
  readonly onEvent?: PolicyListener
}

/** A bulkhead: the policy, and how full it is. */
export interface Bulkhead extends Policy {
  /** Calls that run now. */
  readonly running: number
  /** Calls that wait now. */
  readonly waiting: number
}

/** The part of {@link BulkheadOptions} that is plain data. */
export const bulkheadSpec = { concurrent: some, maxWaiting: count.default(0) }

const schema = z.strictObject({ ...bulkheadSpec, onEvent: surroundings.onEvent })

/**
 * Lets so many calls run at once, and so many wait.
 *
 * ```marble
 * calls   ab-----
 * result  --a--b-
 * ```
 *
 * @param options See {@link BulkheadOptions}.
 * @unit   A call is a subscription, from then until it ends or is let go of.
 * @shape  As the source, later when it had to wait; the longest waiting is next. Its places are shared by every source that
 *         is piped through it. Memory: what waits, at most `maxWaiting`.
 * @errors `OverloadedError` at once when nothing may wait any more; those of the source, unchanged. `ConfigError` at
 *         construction.
 * @source cockatiel's `bulkhead`.
 */
export function withBulkhead(options: BulkheadOptions): Bulkhead {
  return bulkheadPolicy(parseOptions('withBulkhead', schema, options))
}

/** A bulkhead of options that have been looked at. */
export function bulkheadPolicy({ concurrent, maxWaiting, onEvent }: z.output<typeof schema>): Bulkhead {
  const places = new Places(concurrent, maxWaiting)
  const refused = (call: Call) => {
    call.report({ type: 'policy:rejected', policy: 'bulkhead', reason: 'full' })
    const message = `${concurrent} calls run and ${maxWaiting} wait already; try again later`
    return new OverloadedError(message, { limit: concurrent + maxWaiting })
  }
  const own = policy((next) => {
    return (source, call, out) => {
      if (out.closed) return
      if (places.take()) return next(source, call, new Guest(out, places))
      const start = () => next(source, call, new Guest(out, places))
      if (places.wait(start)) return out.add(() => places.leave(start))
      try {
        out.error(refused(call))
      } catch (thrown) {
        out.error(thrown)
      }
    }
  }, onEvent)
  return Object.defineProperties(own, {
    running: { get: () => places.taken },
    waiting: { get: () => places.waiting },
  }) as Bulkhead
}

/** Places, and who waits for one. */
class Places {
  readonly #places: number
  readonly #maxWaiting: number
  readonly #queue = new Set<() => void>()
  #isFilling = false
  taken = 0

  constructor(places: number, maxWaiting: number) {
    this.#places = places
    this.#maxWaiting = maxWaiting
  }

  get waiting(): number {
    return this.#queue.size
  }

  take(): boolean {
    if (this.taken >= this.#places || this.#queue.size > 0) return false
    this.taken++
    return true
  }

  wait(start: () => void): boolean {
    if (this.#queue.size >= this.#maxWaiting) return false
    this.#queue.add(start)
    return true
  }

  leave(start: () => void): void {
    this.#queue.delete(start)
  }

  /** A loop and no recursion: calls that end at once would pile up the stack. */
  fill(): void {
    if (this.#isFilling || this.#queue.size === 0) return
    this.#isFilling = true
    try {
      for (const start of this.#queue) {
        if (this.taken >= this.#places) break
        this.#queue.delete(start)
        this.taken++
        start()
      }
    } finally {
      this.#isFilling = false
    }
  }
}

/** Subscribed to a call that has a place. */
class Guest<T> extends Subscriber<T> {
  readonly #places: Places
  #isIn = true

  constructor(out: Subscriber<T>, places: Places) {
    super(out)
    this.#places = places
  }

  protected override _error(error: unknown): void {
    this.#goOut()
    super._error(error)
  }

  protected override _complete(): void {
    this.#goOut()
    super._complete()
  }

  override unsubscribe(): void {
    if (this.closed) return
    try {
      super.unsubscribe()
    } finally {
      this.#goOut()
      this.#places.fill()
    }
  }

  /** Before the subscriber hears of the end: it may make its next call then. */
  #goOut(): void {
    if (this.#isIn) this.#places.taken--
    this.#isIn = false
  }
}
