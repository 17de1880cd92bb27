/** Delivered values are let go of in parcels of this many. */
const COMPACT_AT = 1_024

/**
 * Gives a listener one order: a value that is sent while another is being delivered waits until that one is done.
 *
 * @param deliver Hears every value, one after the other.
 * @shape  Returns the function to send with. Delivers before it returns, unless a delivery is under way. What waits is
 *         what one delivery sends: bounded by its listeners, kept in one array.
 * @errors What `deliver` throws reaches whoever sent first; what waited behind it is delivered before the next value.
 * @source ours; the trampoline of RxJS's `queueScheduler` without an action for each value.
 */
export function inOrder<T>(deliver: (value: T) => void): (value: T) => void {
  const waiting: T[] = []
  let delivering = false
  const drain = () => {
    let next = 0
    try {
      while (next < waiting.length) {
        if (next === COMPACT_AT) {
          waiting.splice(0, COMPACT_AT)
          next = 0
        }
        deliver(waiting[next++] as T)
      }
    } finally {
      waiting.splice(0, next)
    }
  }
  return (value) => {
    if (delivering || waiting.length > 0) waiting.push(value)
    if (delivering) return
    delivering = true
    try {
      if (waiting.length === 0) deliver(value)
      if (waiting.length > 0) drain()
    } finally {
      delivering = false
    }
  }
}
