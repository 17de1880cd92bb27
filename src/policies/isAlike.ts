/**
 * Whether what a breaker counted before a restart is of the kind that it counts now.
 *
 * @shape  Compares types, names of fields and lengths of lists: a configuration may have changed in between, and a breaker
 *         with a count of another kind would never trip.
 */
export function isAlike(present: unknown, past: unknown): boolean {
  if (typeof present !== 'object' || present === null) return typeof present === typeof past
  const [a, b] = [present, Object(past) as object].map((one) =>
    Object.entries(one).map(([name, value]) => (Array.isArray(value) ? `${name}[${value.length}]` : name)),
  )
  return a!.join() === b!.join()
}
