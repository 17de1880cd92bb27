import type { Stopwatch, TimedPart } from './stopwatch.ts'

/** What is measured with now, in this process; nothing most of the time. */
export const timing: { current: Stopwatch | undefined } = { current: undefined }

/** Calls, and adds the time to a part while something measures. */
export function inPart<T>(part: TimedPart, call: () => T): T {
  const watch = timing.current
  if (watch === undefined) return call()
  watch.enter(part)
  try {
    return call()
  } finally {
    watch.leave()
  }
}
