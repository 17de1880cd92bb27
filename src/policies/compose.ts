import { Observable, type Subscriber } from 'rxjs'
import { ConfigError } from '../errors/errors.ts'
import { policy, type Layer, type Policy } from './policy.ts'

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
 *         ones.
 * @errors Those of the policies. `ConfigError` at construction for what is no operator.
 * @source cockatiel's `wrap`.
 */
export function compose(...policies: readonly (Policy | (<T>(source$: Observable<T>) => Observable<T>))[]): Policy {
  const layers = policies.map((one, index) => {
    if (typeof one === 'function') return 'layer' in one ? one.layer : layerOf(one)
    throw new ConfigError([
      { path: `compose[${index}]`, message: `must be a policy or an operator, not ${typeof one}` },
    ])
  })
  return policy((next) => layers.reduceRight((inner, layer) => layer(inner), next))
}

function layerOf(operator: <T>(source$: Observable<T>) => Observable<T>): Layer {
  return (next) => (source, call, out) => {
    try {
      operator(new Observable<unknown>((inner) => next(source, call, inner as Subscriber<never>))).subscribe(
        out as Subscriber<unknown>,
      )
    } catch (error) {
      out.error(error)
    }
  }
}
