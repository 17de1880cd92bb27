import type { OperatorFunction } from 'rxjs'
import { partOf } from './stopwatch.ts'
import { timedNext } from './timedNext.ts'

/**
 * Names stages of a pipeline, so that `profiling.timing` tells the time that is spent in them.
 *
 * ```marble
 * source  -a-b-|
 * result  -a-b-|
 * ```
 *
 * @param name     What the stages are called in the report.
 * @param operator The stages: their own time is that of the row `operator`, what follows them that of the row `below`. Without
 *                 it, all that follows is the row `operator`.
 * @shape  As the operator. Costs one comparison for each value while nothing measures.
 * @errors As the operator.
 * @source ours. What an operator does later, by a timer or a promise, is not its own time any more; its values are counted.
 */
export function profiled<T>(name: string): OperatorFunction<T, T>
/** Names stages of a pipeline: those that are given. */
export function profiled<T, R>(name: string, operator: OperatorFunction<T, R>): OperatorFunction<T, R>
export function profiled<T, R>(name: string, operator?: OperatorFunction<T, R>): OperatorFunction<T, T | R> {
  const part = partOf('operator', name)
  if (operator === undefined) return (source$) => timedNext(part, source$)
  const below = partOf('below', name)
  return (source$) => timedNext(below, operator(timedNext(part, source$)))
}
