/**
 * Runs a body in which `Date.now` shows another time: cockatiel's `SamplingBreaker` goes by it.
 *
 * @param now What it shows. @unit milliseconds
 */
export function virtualDate<T>(now: () => number, body: () => T): T {
  const { now: outer } = Date
  Date.now = now
  try {
    return body()
  } finally {
    Date.now = outer
  }
}
