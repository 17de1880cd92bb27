import { filter, type OperatorFunction } from 'rxjs'

/**
 * Lets only values of the named types pass, and narrows to them.
 *
 * ```marble
 * source  -a-b-a-|
 * result  -a---a-|
 * ```
 *
 * @param types Values of the `type` field, at least one.
 * @shape  As the source, in order; a value passes in the same frame. No state.
 * @errors Those of the source, unchanged.
 * @source redux-observable's `ofType`, over any tagged union.
 */
export function ofType<T extends { readonly type: string }, Type extends T['type']>(
  ...types: readonly [Type, ...Type[]]
): OperatorFunction<T, Extract<T, { readonly type: Type }>> {
  type Narrowed = Extract<T, { readonly type: Type }>
  if (types.length === 1) {
    const [only] = types
    return filter((value): value is Narrowed => value.type === only)
  }
  const wanted: ReadonlySet<string> = new Set(types)
  return filter((value): value is Narrowed => wanted.has(value.type))
}
