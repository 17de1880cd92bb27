import { map, type OperatorFunction, type SchedulerLike } from 'rxjs'

/** Something with the time at which it happened. @unit `at`: milliseconds of the scheduler */
export type Timed<T> = T & { readonly at: number }

/** Notes when each value came. */
export function timed<T extends object>(scheduler: SchedulerLike): OperatorFunction<T, Timed<T>> {
  return map((value) => ({ ...value, at: scheduler.now() }))
}
