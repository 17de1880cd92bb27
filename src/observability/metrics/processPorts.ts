import { readdirSync } from 'node:fs'
import {
  constants,
  monitorEventLoopDelay,
  performance,
  PerformanceObserver,
  type PerformanceEntry,
} from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { MetricsProbe } from './metricsProbe.ts'

/** How closely the event loop is watched. @unit milliseconds */
const RESOLUTION_MS = 20

const SHARES = [0.5, 0.9, 0.99, 1]

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

/**
 * Watches the process that the node is in, until the swarm stops: its event loop, memory, collection of garbage.
 *
 * @shape  Each node watches for itself, so that one that stops takes nothing from the others; they all tell of the same
 *         process. What is watched keeps no process alive.
 */
export function watchProcess(probe: MetricsProbe): void {
  const { meters: m } = probe
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const collections = new PerformanceObserver((list) => {
    for (const { duration, detail } of list.getEntries() as readonly (PerformanceEntry & {
      detail?: { kind?: number }
    })[]) {
      m.nodejs_gc_duration_seconds.at(GC_KINDS[detail?.kind ?? -1] ?? 'unknown').observe(duration / 1_000)
    }
  })
  collections.observe({ entryTypes: ['gc'] })
  let last = performance.eventLoopUtilization()

  m.process_start_time_seconds.at().value = performance.timeOrigin / 1_000
  m.nodejs_version_info.at(process.version).value = 1
  m.nodejs_heap_size_limit_bytes.at().value = getHeapStatistics().heap_size_limit

  probe.read('process', () => {
    const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage()
    m.process_resident_memory_bytes.at().value = rss
    m.nodejs_heap_size_total_bytes.at().value = heapTotal
    m.nodejs_heap_size_used_bytes.at().value = heapUsed
    m.nodejs_external_memory_bytes.at().value = external
    m.nodejs_array_buffers_bytes.at().value = arrayBuffers
    const { user, system } = process.cpuUsage()
    m.process_cpu_user_seconds_total.at().value = user / 1e6
    m.process_cpu_system_seconds_total.at().value = system / 1e6
  })
  probe.read('event loop', () => {
    const now = performance.eventLoopUtilization()
    m.nodejs_eventloop_active_seconds_total.at().value = now.active / 1_000
    m.nodejs_eventloop_idle_seconds_total.at().value = now.idle / 1_000
    m.nodejs_eventloop_utilization_ratio.at().value = performance.eventLoopUtilization(now, last).utilization
    last = now
    if (delay.count === 0) return
    // the histogram holds the whole turn of its timer, of which only what is beyond the resolution is delay
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1_000)
    for (const share of SHARES)
      m.nodejs_eventloop_delay_seconds.at(String(share)).value = late(delay.percentile(share * 100))
    m.nodejs_eventloop_delay_mean_seconds.at().value = late(delay.mean)
    delay.reset()
  })
  probe.read('handles', () => {
    m.nodejs_active_resources.reset()
    for (const type of process.getActiveResourcesInfo()) m.nodejs_active_resources.at(type).value++
  })
  if (process.platform === 'linux') {
    probe.read('file descriptors', () => {
      m.process_open_fds.at().value = readdirSync('/proc/self/fd').length - 1 // the one that reads them
    })
  }
  probe.atEnd(() => {
    delay.disable()
    collections.disconnect()
  })
}
