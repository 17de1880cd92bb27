import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { writeHeapSnapshot } from 'node:v8'
import { Observable, type Subscriber } from 'rxjs'
import { OverloadedError, StorageError } from '../../errors/errors.ts'
import {
  CpuProfile,
  type CpuAsked,
  type CpuTaken,
  type HeapTaken,
  type LoopAsked,
  type LoopDelay,
  type ProfileKind,
  type ProfilingPorts,
  type ProfilingStarted,
} from './profilingVocabulary.ts'
import { Stopwatch } from './stopwatch.ts'
import { timing } from './timing.ts'
import type { TimingReport } from './timingReport.ts'

/** What is being taken: the engine, the heap and the stopwatch are the process's, whatever the number of its nodes. */
let taking: ProfileKind | undefined
let files = 0

/** Who may read a file: profiles have the names of files, heap snapshots have everything, keys included. */
const MODE = 0o600

/** Whether a heap snapshot or profile is one that nobody waits for any more. */
const unlessOver = (signal: AbortSignal): void => signal.throwIfAborted()

/** The real ones. */
export const profilingPorts: ProfilingPorts = {
  cpu: (asked) => alone('cpu', false, (signal) => cpu(asked, signal)),
  heap: (path) => alone('heap', true, (signal) => heap(path, signal)),
  timing: (durationMs) => alone('timing', false, (signal) => time(durationMs, signal)),
  loop,
}

/** One at a time; begins when the start has been said, and frees its place when it has really ended. */
function alone<T>(
  kind: ProfileKind,
  blocks: boolean,
  take: (signal: AbortSignal) => Promise<T>,
): Observable<ProfilingStarted | T> {
  return new Observable((out: Subscriber<ProfilingStarted | T>) => {
    if (taking !== undefined) {
      const message = `a profile is being taken already: ${taking}; wait until it is over, or cancel it`
      return out.error(new OverloadedError(message, { limit: 1 }))
    }
    taking = kind
    const leaving = new AbortController()
    out.add(() => leaving.abort())
    out.next({ kind, blocks })
    const finish = (last: () => void) => {
      taking = undefined
      last()
    }
    take(leaving.signal).then(
      (taken) =>
        finish(() => {
          out.next(taken)
          out.complete()
        }),
      (error: unknown) => finish(() => out.error(error)),
    )
  })
}

async function cpu({ durationMs, intervalUs, path }: CpuAsked, signal: AbortSignal): Promise<CpuTaken> {
  unlessOver(signal)
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: intervalUs })
    await session.post('Profiler.start')
    await setTimeout(durationMs, undefined, { signal })
    const { profile } = await session.post('Profiler.stop')
    const taken = new CpuProfile(profile as unknown as CpuProfile)
    const samples = taken.samples.length
    if (path === undefined) return { samples, profile: taken }
    await save(path, signal, (part) => writeFile(part, JSON.stringify(taken), { mode: MODE, flag: 'wx', signal }))
    return { samples, path }
  } finally {
    session.disconnect()
  }
}

async function heap(path: string, signal: AbortSignal): Promise<HeapTaken> {
  await setImmediate() // what was said of the start is heard before everything stands still
  let tookMs = 0
  const bytes = await save(path, signal, (part) => {
    const startedAt = performance.now()
    writeHeapSnapshot(part)
    tookMs = performance.now() - startedAt
  })
  return { path, bytes, tookMs }
}

async function time(durationMs: number, signal: AbortSignal): Promise<TimingReport> {
  const watch = new Stopwatch(() => performance.now())
  timing.current = watch
  try {
    await setTimeout(durationMs, undefined, { signal })
    return watch.report()
  } finally {
    timing.current = undefined
  }
}

/** Writes a file under another name first: whoever finds it by its name finds it whole. @returns its bytes */
async function save(path: string, signal: AbortSignal, write: (part: string) => void | Promise<void>): Promise<number> {
  const part = `${path}.${process.pid}-${++files}.part`
  try {
    unlessOver(signal)
    await write(part)
    unlessOver(signal)
    const { size } = await stat(part)
    await rename(part, path)
    return size
  } catch (cause) {
    await rm(part, { force: true }).catch(() => undefined)
    if (signal.aborted) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new StorageError(`the profile can't be written to ${path}: ${reason}`, { cause })
  }
}

/** @unit nanoseconds in a millisecond */
const NS = 1e6

function loop({ everyMs, resolutionMs }: LoopAsked): Observable<LoopDelay> {
  return new Observable((out) => {
    const seen = monitorEventLoopDelay({ resolution: resolutionMs })
    let before = performance.eventLoopUtilization()
    seen.enable()
    const report = () => {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, before)
      before = now
      const { count } = seen
      // what is measured is the time from one look to the next; what it should be is no delay
      const late = (ns: number) => (count === 0 ? 0 : Math.max(0, ns / NS - resolutionMs))
      out.next({
        count,
        minMs: late(seen.min),
        meanMs: late(seen.mean),
        p50Ms: late(seen.percentile(50)),
        p99Ms: late(seen.percentile(99)),
        maxMs: late(seen.max),
        utilization,
      })
      seen.reset()
    }
    const timer = setInterval(report, everyMs)
    out.add(() => {
      clearInterval(timer)
      seen.disable()
    })
  })
}
