import { from, Subscriber, type ObservableInput } from 'rxjs'
import { z } from 'zod'
import { parseOptions } from '../errors/parseOptions.ts'
import { policy, type Policy } from './policy.ts'
import type { PolicyListener } from './policyEvent.ts'
import { callable } from '../errors/optionKinds.ts'
import { errorFilter, surroundings, type ErrorFilter } from './schemas.ts'

/** What {@link withFallback} does instead. */
export interface FallbackOptions<Instead> {
  /** Makes what takes the place of the rest of the source; may throw, and that is the error then. */
  readonly to: (error: unknown) => ObservableInput<Instead>
  /** Which errors have a substitute. Default: all. */
  readonly on?: ErrorFilter
  /** Hears of each substitution. */
  readonly onEvent?: PolicyListener
}

const schema = z.strictObject({
  to: callable<(error: unknown) => ObservableInput<unknown>>(),
  on: errorFilter.default(() => () => true),
  onEvent: surroundings.onEvent,
})

/**
 * Goes on with something else after an error.
 *
 * ```marble
 * source  -a-#
 * result  -a-(f|)
 * ```
 *
 * @param options See {@link FallbackOptions}. The outermost policy of a stack.
 * @shape  As the source, then as the substitute. No state.
 * @errors Those without a substitute, unchanged, and those of the substitute. `ConfigError` at construction.
 * @source RxJS `catchError`, cockatiel's `fallback`.
 */
export function withFallback<Instead>(options: FallbackOptions<Instead>): Policy {
  return fallbackPolicy(parseOptions('withFallback', schema, options))
}

/** A fallback of options that have been looked at. */
export function fallbackPolicy({ to, on, onEvent }: z.output<typeof schema>): Policy {
  return policy((next) => {
    return (source, call, out) => {
      const instead = (error: unknown) => {
        if (!on(error)) return out.error(error)
        call.report({ type: 'policy:fell-back', policy: 'fallback', error })
        if (!out.closed) from(to(error)).subscribe(out as Subscriber<unknown>)
      }
      next(source, call, new Failing(out, instead))
    }
  }, onEvent)
}

/** Subscribed to what may fail. */
class Failing<T> extends Subscriber<T> {
  readonly #out: Subscriber<T>
  readonly #instead: (error: unknown) => void

  constructor(out: Subscriber<T>, instead: (error: unknown) => void) {
    super(out)
    this.#out = out
    this.#instead = instead
  }

  protected override _error(error: unknown): void {
    this.unsubscribe()
    try {
      this.#instead(error)
    } catch (thrown) {
      this.#out.error(thrown)
    }
  }
}
