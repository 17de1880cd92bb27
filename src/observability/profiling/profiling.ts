import { z } from 'zod'
import { LONGEST_TIMER_MS, someWaitMs } from '../../errors/optionKinds.ts'
import { problemsIn } from '../../errors/problemsIn.ts'
import type { BehaviourModule, Slice } from '../../swarm/vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../swarm/vocabulary/command.ts'
import type { CoreEvent } from '../../swarm/vocabulary/event.ts'
import { profilingBehaviour } from './profilingBehaviour.ts'
import { profilingPages } from './profilingServer.ts'
import { profilingPorts } from './profilingPorts.ts'
import type {
  CpuAsked,
  LoopAsked,
  ProfileKind,
  ProfilingCommand,
  ProfilingEvent,
  ProfilingPorts,
  TakeCpu,
  TakeHeap,
  TakeTiming,
  WatchLoop,
} from './profilingVocabulary.ts'
import { TimingProbe } from './timingProbe.ts'

/** Options of {@link profiling}. */
export interface ProfilingOptions {
  /** Longest profile that can be asked for. Default: 60 000. @unit milliseconds */
  readonly maxDurationMs?: number
}

/** What is being taken. */
export interface ProfilingState {
  /** Which profile of this swarm's is being taken. */
  readonly taking?: ProfileKind
  /** Id of the command that takes it. */
  readonly command?: string
}

const schema = z.strictObject({ maxDurationMs: someWaitMs.default(60_000) })

const nothing: ProfilingState = {}
const ended = (state: ProfilingState, { cause }: { readonly cause?: string }): ProfilingState =>
  cause !== undefined && cause === state.command ? nothing : state

const state: Slice<ProfilingState, ProfilingEvent | CoreEvent> = {
  initial: nothing,
  on: {
    'profiling:started': (_, { kind, cause }) => ({ taking: kind, ...(cause === undefined ? {} : { command: cause }) }),
    'profiling:cpu-taken': () => nothing,
    'profiling:heap-taken': () => nothing,
    'profiling:timing-taken': () => nothing,
    'command:failed': ended,
    'command:cancelled': ended,
  },
}

function module(
  options: ProfilingOptions = {},
): BehaviourModule<'profiling', ProfilingCommand, ProfilingEvent, ProfilingPorts, ProfilingState> {
  const { value, problems } = problemsIn('profiling', schema, options)
  const { maxDurationMs } = value
  return {
    name: 'profiling',
    problems,
    commands: {
      'profiling/cpu': {
        answers: {
          'profiling:cpu-taken': ({ samples, profile, path }) => ({
            samples,
            ...(profile === undefined ? {} : { profile }),
            ...(path === undefined ? {} : { path }),
          }),
        },
      },
      'profiling/heap': {
        answers: { 'profiling:heap-taken': ({ path, bytes, tookMs }) => ({ path, bytes, tookMs }) },
      },
      'profiling/loop': {
        openEnded: true,
        answers: { 'profiling:loop-measured': ({ type: _type, at: _at, cause: _cause, ...delay }) => delay },
      },
      'profiling/timing': { answers: { 'profiling:timing-taken': ({ report }) => report } },
    },
    state,
    options: value,
    probe: (probed) => new TimingProbe(probed, profilingPorts),
    pages: (probe) => profilingPages((probe as TimingProbe).probed, { cpu, heap, loop, timing }),
    ports: () => profilingPorts,
    behaviour: profilingBehaviour(maxDurationMs),
  }
}

/** What a profile may take longer than it measures: the engine stops, the file is written. @unit milliseconds */
const SLACK_MS = 60_000

/** The swarm's own deadline would end most profiles; a duration that is none is refused by its own name. */
const deadlineFor = (durationMs: number): CommandMeta => {
  const deadlineMs = Number(durationMs) + SLACK_MS
  return deadlineMs > 0 && deadlineMs <= LONGEST_TIMER_MS ? { deadlineMs } : {}
}

const cpu = ({ durationMs = 10_000, intervalUs = 1_000, path }: Partial<CpuAsked> = {}, meta?: CommandMeta): TakeCpu =>
  command(
    'profiling/cpu',
    { durationMs, intervalUs, ...(path === undefined ? {} : { path }) },
    { ...deadlineFor(durationMs), ...meta },
  )

const heap = ({ path }: { readonly path: string }, meta?: CommandMeta): TakeHeap =>
  command('profiling/heap', { path }, { deadlineMs: 5 * SLACK_MS, ...meta })

const loop = ({ everyMs = 1_000, resolutionMs = 10 }: Partial<LoopAsked> = {}, meta?: CommandMeta): WatchLoop =>
  command('profiling/loop', { everyMs, resolutionMs }, meta)

const timing = ({ durationMs = 10_000 }: { readonly durationMs?: number } = {}, meta?: CommandMeta): TakeTiming =>
  command('profiling/timing', { durationMs }, { ...deadlineFor(durationMs), ...meta })

/**
 * Takes profiles on demand, by commands and by pages that only this machine gets: `profiling()` in `use` is what switches
 * it on.
 */
export const profiling = Object.assign(module, {
  /**
   * A CPU profile, for Chrome's tools and speedscope: `profile` is what belongs in a `.cpuprofile` file, unless `path` names
   * one to write.
   *
   * @param durationMs Default: 10 000. `intervalUs`: default: 1 000.
   * @errors `OverloadedError` while another profile is taken in this process; `InvalidCommandError`; `StorageError`.
   */
  cpu,
  /**
   * Writes a heap snapshot, for Chrome's tools. It holds everything in memory, keys and payloads too. Nothing else runs until
   * it is written: seconds, where there is much in memory.
   *
   * @errors `OverloadedError` while another profile is taken in this process; `StorageError`.
   */
  heap,
  /**
   * How late the event loop is.
   *
   * @param everyMs Default: 1 000. `resolutionMs`: default: 10.
   * @shape Open-ended. `execute` emits a report of each interval.
   */
  loop,
  /**
   * Where time goes, by behaviour, command, port and the stages that `profiled` names.
   *
   * @param durationMs Default: 10 000.
   * @errors `OverloadedError` while another profile is taken in this process; `InvalidCommandError`.
   */
  timing,
})
