import type { Libp2p } from '@libp2p/interface'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { defer, interval, map, Observable, of } from 'rxjs'
import type { DashboardPorts } from './dashboardBehaviour.ts'
import type { DashboardWatch, Vitals } from './dashboardWatch.ts'

/** How often a sample is taken. @unit milliseconds */
const SAMPLE_MS = 1_000

/** How often the event loop is looked at. @unit milliseconds */
const LOOP_MS = 20

/** For how long commands take. @unit milliseconds */
export const preciseMs = () => performance.now()

/** The process and the node behind {@link DashboardWatch}. */
export function dashboardPorts(node: Libp2p, watch: DashboardWatch): DashboardPorts {
  return {
    sample$: vitals(node).pipe(map((now) => watch.sample(now))),
    event$: watch.said$,
    alert: (name) => defer(() => of(watch.history.view.alerts.find(({ alert }) => alert === name))),
  }

  function vitals(of: Libp2p): Observable<Vitals> {
    return new Observable((out) => {
      const loop = monitorEventLoopDelay({ resolution: LOOP_MS })
      loop.enable()
      let [cpu, cpuAt] = [process.cpuUsage(), performance.now()]
      out.add(() => loop.disable())
      const tick$ = interval(SAMPLE_MS, watch.probed.scheduler)
      out.add(
        tick$.subscribe(() => {
          const connections = of.getConnections()
          const { heapUsed, rss } = process.memoryUsage()
          const [used, usedAt] = [process.cpuUsage(), performance.now()]
          const usedMs = (used.user + used.system - cpu.user - cpu.system) / 1_000
          const now: Vitals = {
            connections: connections.length,
            streams: connections.reduce((sum, { streams }) => sum + streams.length, 0),
            loop: { meanMs: lateness(loop.mean), maxMs: lateness(loop.max) },
            heapBytes: heapUsed,
            rssBytes: rss,
            cpu: Math.round((usedMs / Math.max(1, usedAt - cpuAt)) * 1_000) / 1_000,
          }
          ;[cpu, cpuAt] = [used, usedAt]
          loop.reset()
          out.next(now)
        }),
      )
    })
  }
}

/** How late a tick was, of nanoseconds between ticks; none when there was no tick. @unit milliseconds */
function lateness(nanoseconds: number): number {
  const late = nanoseconds / 1e6 - LOOP_MS
  return Number.isFinite(late) ? Math.round(Math.max(0, late) * 100) / 100 : 0
}
