/** Which one of a list, what becomes of it, and how long the list may be. */
export interface Placing<T> {
  /** Tells the one that is meant. */
  readonly is: (one: T) => boolean
  /** What it becomes; the same object when nothing changes. @param before Nothing: it is new, and goes to the end. */
  readonly make: (before: T | undefined) => T
  /** How many there may be. */
  readonly most: number
  /** Those that make room first, the oldest before. Default: any. */
  readonly isMinor?: (one: T) => boolean
}

/** A list with one of its members changed or added; the same list when nothing changes. */
export function placed<T>(list: readonly T[], { is, make, most, isMinor }: Placing<T>): readonly T[] {
  const at = list.findIndex(is)
  if (at >= 0) {
    const after = make(list[at])
    return after === list[at] ? list : list.with(at, after)
  }
  return bounded([...list, make(undefined)], most, isMinor)
}

/** A list with one more at its end. */
export function appended<T>(list: readonly T[], one: T, most: number): readonly T[] {
  return bounded([...list, one], most)
}

/** A list without those that are meant; the same list when there are none. */
export function without<T>(list: readonly T[], is: (one: T) => boolean): readonly T[] {
  return list.some(is) ? list.filter((one) => !is(one)) : list
}

function bounded<T>(list: readonly T[], most: number, isMinor?: (one: T) => boolean): readonly T[] {
  if (list.length <= most) return list
  const minor = isMinor === undefined ? 0 : list.findIndex(isMinor)
  return list.toSpliced(Math.max(0, minor), 1)
}
