import type { BehaviourModule, Slice } from '../../swarm/vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../swarm/vocabulary/command.ts'
import type { CoreEvent } from '../../swarm/vocabulary/event.ts'
import type { Probe } from '../../swarm/vocabulary/probe.ts'
import { problemsIn } from '../../errors/problemsIn.ts'
import { recordingBehaviour } from './recordingBehaviour.ts'
import { RecordingClock } from './recordingClock.ts'
import { Recorder } from './recorder.ts'
import { recordingSchema } from './recordingOptions.ts'
import { recordingPorts, recordingProbe, type RecordingProbe } from './recordingPorts.ts'
import type {
  RecordingCommand,
  RecordingEvent,
  RecordingFileOptions,
  RecordingPorts,
  StartRecording,
  StopRecording,
} from './recordingVocabulary.ts'

/** Options of {@link recording}: with a `path` it records from the start of the swarm. */
export interface RecordingOptions extends Partial<RecordingFileOptions> {
  /** Hears each line, with its newline, instead of a file: it must neither wait nor throw. */
  readonly onLine?: (line: string) => void
}

/** What recording does now. */
export interface RecordingState {
  /** The file that is written now, if it was named by a command. */
  readonly path: string | undefined
  /** Lines that found no room. */
  readonly lost: number
  /** Files that could not be written. */
  readonly failures: number
}

const state: Slice<RecordingState, RecordingEvent | CoreEvent> = {
  initial: { path: undefined, lost: 0, failures: 0 },
  on: {
    'recording:started': (state, { path }) => ({ ...state, path, lost: 0 }),
    'recording:stopped': (state) => ({ ...state, path: undefined }),
    'recording:full': (state) => ({ ...state, path: undefined }),
    'recording:lost': (state, { count }) => ({ ...state, lost: count }),
    'recording:failed': (state) => ({ ...state, path: undefined, failures: state.failures + 1 }),
  },
}

function module(
  options: RecordingOptions = {},
): BehaviourModule<'recording', RecordingCommand, RecordingEvent, RecordingPorts, RecordingState> {
  const { value, problems } = problemsIn('recording', recordingSchema, options)
  return {
    name: 'recording',
    problems,
    commands: {
      'recording/start': { answers: { 'recording:started': ({ path }) => ({ path }) } },
      'recording/stop': { answers: { 'recording:stopped': ({ report }) => report } },
    },
    state,
    options: value,
    clock: (scheduler) => new RecordingClock(scheduler, new Recorder(scheduler)),
    probe: (probed): Probe => recordingProbe(probed, value),
    ports: (_, probe) => recordingPorts(probe as RecordingProbe),
    behaviour: recordingBehaviour,
  }
}

/**
 * Records what goes into the pipeline of a swarm and what comes out of it, for `replay`: `recording({ path })` for `use`, and
 * its commands. A recording holds what was sent and received; keep it as you keep that.
 */
export const recording = Object.assign(module, {
  /**
   * Begins to record while the swarm runs: what is under way then is missing from it, so its replay is not exact.
   *
   * @errors `InvalidCommandError` when one is running; `StorageError` when the file can't be made, or is there already.
   */
  start: (file: RecordingFileOptions, meta?: CommandMeta): StartRecording => command('recording/start', { file }, meta),
  /** Ends the recording. @errors `InvalidCommandError` when none is running; `StorageError` */
  stop: (meta?: CommandMeta): StopRecording => command('recording/stop', {}, meta),
})
