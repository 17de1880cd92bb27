import { catchError, type Observable, type ObservableInput } from 'rxjs'
import { z } from 'zod'
import { parseOptions } from '../errors/parseOptions.ts'
import { attemptOf, policy, type Call, type Layer, type Policy } from './policy.ts'
import type { PolicyListener } from './policyEvent.ts'
import { callable, errorFilter, surroundings, type ErrorFilter } from './schemas.ts'

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
  const instead: Layer = <T>(attempt: (call: Call) => Observable<T>, call: Call) =>
    attemptOf(attempt, call).pipe(
      catchError((error: unknown) => {
        if (!on(error)) throw error
        call.report({ type: 'policy:fell-back', policy: 'fallback', error })
        return to(error) as ObservableInput<T>
      }),
    )
  return policy(instead, onEvent)
}
