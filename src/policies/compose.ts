import type { Observable } from 'rxjs'
import { attemptOf, policy, type Call, type Policy } from './policy.ts'

/**
 * Joins policies into one; the first is the outermost.
 *
 * ```marble
 * source  -#
 * result  ---(f|)
 * ```
 *
 * @param policies Policies of this room, or operators of any kind that keep the type of their source.
 * @shape  Calls pass the policies from the first to the last and back; a deadline of an outer one is known to the inner
 *         ones. Each call costs as many streams as there are policies.
 * @errors Those of the policies.
 * @source cockatiel's `wrap`.
 */
export function compose(...policies: readonly (Policy | (<T>(source$: Observable<T>) => Observable<T>))[]): Policy {
  const layers = policies.map((one) => ('layer' in one ? one.layer : policyOf(one).layer))
  if (layers.length === 1) return policy(layers[0]!)
  return policy((attempt, call) => {
    let inner = attempt
    for (let i = layers.length - 1; i > 0; i--) inner = nested(layers[i]!, inner)
    return layers[0] === undefined ? attemptOf(attempt, call) : layers[0](inner, call)
  })
}

function policyOf(operator: <T>(source$: Observable<T>) => Observable<T>): Policy {
  return policy((attempt, call) => operator(attemptOf(attempt, call)))
}

function nested<T>(layer: Policy['layer'], attempt: (call: Call) => Observable<T>): (call: Call) => Observable<T> {
  return (call) => layer(attempt, call)
}
