import type { Observable } from 'rxjs'
import type { Command } from '../../swarm/vocabulary/command.ts'
import type { TimingReport } from './timingReport.ts'

/** A CPU profile, as Chrome's tools and speedscope read it from a `.cpuprofile` file. A class, so that logs and pages show its name alone. */
export class CpuProfile {
  /** The call tree: functions, where they are, and whom they call. */
  readonly nodes: readonly object[]
  /** @unit microseconds */
  readonly startTime: number
  /** @unit microseconds */
  readonly endTime: number
  /** Which node each sample was in. */
  readonly samples: readonly number[]
  /** From each sample to the next. @unit microseconds */
  readonly timeDeltas: readonly number[]

  /** @param profile What the engine gave. */
  constructor(profile: Pick<CpuProfile, 'nodes' | 'startTime' | 'endTime' | 'samples' | 'timeDeltas'>) {
    this.nodes = profile.nodes
    this.startTime = profile.startTime
    this.endTime = profile.endTime
    this.samples = profile.samples
    this.timeDeltas = profile.timeDeltas
  }
}

/** How a CPU profile is taken. */
export interface CpuAsked {
  /** @unit milliseconds, at most the module's `maxDurationMs` */
  readonly durationMs: number
  /** From one sample to the next. @unit microseconds, 50 to 1 000 000 */
  readonly intervalUs: number
  /** Where it is written to, instead of being handed out. */
  readonly path?: string
}

/** A CPU profile that was taken. */
export interface CpuTaken {
  /** How many samples it has. */
  readonly samples: number
  /** The profile, unless it was written to a file. */
  readonly profile?: CpuProfile
  /** The file, if it was. */
  readonly path?: string
}

/** A heap snapshot that was written. */
export interface HeapTaken {
  /** The file. */
  readonly path: string
  /** Its size. */
  readonly bytes: number
  /** How long nothing else ran. @unit milliseconds */
  readonly tookMs: number
}

/** How the event loop is watched. */
export interface LoopAsked {
  /** From one report to the next. @unit milliseconds, 10 to 3 600 000 */
  readonly everyMs: number
  /** How often the loop is looked at. @unit milliseconds, 1 to 1 000 */
  readonly resolutionMs: number
}

/** How late timers were, because something else ran. @unit every `…Ms`: milliseconds */
export interface LoopDelay {
  /** How often the loop was looked at. */
  readonly count: number
  /** The least. */
  readonly minMs: number
  /** On average. */
  readonly meanMs: number
  /** Half of the times it was not later. */
  readonly p50Ms: number
  /** Of a hundred times, once it was later. */
  readonly p99Ms: number
  /** The most. */
  readonly maxMs: number
  /** Share of the time in which something ran. @unit 0 to 1 */
  readonly utilization: number
}

/** Take a CPU profile. */
export type TakeCpu = Command<'profiling/cpu', CpuAsked, CpuTaken>
/** Write a heap snapshot. */
export type TakeHeap = Command<'profiling/heap', { readonly path: string }, HeapTaken>
/** Watch the event loop. */
export type WatchLoop = Command<'profiling/loop', LoopAsked, LoopDelay>
/** Measure where time goes. */
export type TakeTiming = Command<'profiling/timing', { readonly durationMs: number }, TimingReport>

/** What can be asked of profiling. */
export type ProfilingCommand = TakeCpu | TakeHeap | WatchLoop | TakeTiming

/** What is taken one at a time, in the whole process. */
export type ProfileKind = 'cpu' | 'heap' | 'timing'

/** One of them begins. */
export interface ProfilingStarted {
  /** Which. */
  readonly kind: ProfileKind
  /** Whether nothing else runs meanwhile, for seconds where there is much in memory. */
  readonly blocks: boolean
}

/** What profiling says. */
export type ProfilingEvent =
  | ({ readonly type: 'profiling:started'; readonly cause?: string } & ProfilingStarted)
  | ({ readonly type: 'profiling:cpu-taken'; readonly cause?: string } & CpuTaken)
  | ({ readonly type: 'profiling:heap-taken'; readonly cause?: string } & HeapTaken)
  | ({ readonly type: 'profiling:loop-measured'; readonly cause?: string } & LoopDelay)
  | { readonly type: 'profiling:timing-taken'; readonly cause?: string; readonly report: TimingReport }

/** What profiling may call. Each says first that it has begun, then what came of it; unsubscribing ends it, and removes what it has written. */
export interface ProfilingPorts {
  /** @errors `OverloadedError` while another profile is taken; `StorageError` */
  cpu(asked: CpuAsked): Observable<ProfilingStarted | CpuTaken>
  /** @errors `OverloadedError` while another profile is taken; `StorageError` */
  heap(path: string): Observable<ProfilingStarted | HeapTaken>
  /** Reports until it is unsubscribed. */
  loop(asked: LoopAsked): Observable<LoopDelay>
  /** @errors `OverloadedError` while another profile is taken */
  timing(durationMs: number): Observable<ProfilingStarted | TimingReport>
}
