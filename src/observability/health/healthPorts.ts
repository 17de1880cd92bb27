import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Observable } from 'rxjs'

/** How often the event loop is measured. @unit milliseconds */
const RESOLUTION_MS = 20

/** How often what was measured is told. @unit milliseconds */
const TOLD_MS = 1_000

/** How late the event loop is: its 99th percentile in each second. @unit milliseconds */
export const delay$ = new Observable<number>((out) => {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  const telling = setInterval(() => {
    // what it counts is from one measurement to the next
    const lateMs = histogram.count === 0 ? 0 : histogram.percentile(99) / 1e6 - RESOLUTION_MS
    histogram.reset()
    out.next(Math.max(0, lateMs))
  }, TOLD_MS)
  return () => {
    clearInterval(telling)
    histogram.disable()
  }
})
