export type { Page, Probe, Probed } from '../swarm/vocabulary/probe.ts'

export { recording, type RecordingOptions, type RecordingState } from './recording/recording.ts'
export type {
  RecordingCommand,
  RecordingEvent,
  RecordingFileOptions,
  RecordingPorts,
  RecordingReport,
  StartRecording,
  StopRecording,
} from './recording/recordingVocabulary.ts'
export {
  readRecording,
  type ReadRecordingOptions,
  type RecordedLine,
  type Recording,
} from './recording/readRecording.ts'
export type { RecordingHeader } from './recording/recordingHeader.ts'
export { openRecording, type OpenRecordingOptions } from './recording/openRecording.ts'
export { recordingSummary, type RecordingSpan, type RecordingSummary } from './recording/recordingSummary.ts'
export { replay, type Divergence, type ReplayOptions, type ReplayReport } from './recording/replay.ts'
export { recordingMarbles, type RecordingMarblesOptions } from './recording/recordingMarbles.ts'
export { NotRecordedError } from '../errors/errors.ts'
export type { ReplayDifference } from './recording/compareEvents.ts'
