/**
 * The median of a sorted list without one of its places; `undefined` if nothing else is in it.
 *
 * @param sorted In ascending order.
 * @param index  The place that is left out.
 * @shape  Constant work. With an even number of others, the mean of the two in the middle.
 */
export function medianOfOthers<Item>(
  sorted: readonly Item[],
  index: number,
  valueOf: (item: Item) => number,
): number | undefined {
  const others = sorted.length - 1
  if (others < 1) return undefined
  const other = (place: number) => valueOf(sorted[place < index ? place : place + 1] as Item)
  const middle = Math.floor(others / 2)
  return others % 2 === 1 ? other(middle) : (other(middle - 1) + other(middle)) / 2
}
