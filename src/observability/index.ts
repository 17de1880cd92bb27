export type { Page, Probe, Probed } from '../swarm/vocabulary/probe.ts'
export { logging, type LoggingOptions, type LoggingState } from './logging/logging.ts'
export type {
  LoggingCommand,
  LoggingEvent,
  LoggingPorts,
  LogThreshold,
  SetLogLevel,
} from './logging/loggingVocabulary.ts'
export { EVENT_LEVELS, type EventLevels } from './logging/eventLevels.ts'
export type { AreaThresholds } from './logging/areaLevels.ts'
export type { LogLevel } from './logging/logLevel.ts'
export type { LogStream } from './logging/streamSinkPorts.ts'
export { profiling, type ProfilingOptions, type ProfilingState } from './profiling/profiling.ts'
export { profiled } from './profiling/profiled.ts'
export { CpuProfile } from './profiling/profilingVocabulary.ts'
export type {
  CpuAsked,
  CpuTaken,
  HeapTaken,
  LoopAsked,
  LoopDelay,
  ProfileKind,
  ProfilingCommand,
  ProfilingEvent,
  ProfilingPorts,
  ProfilingStarted,
  TakeCpu,
  TakeHeap,
  TakeTiming,
  WatchLoop,
} from './profiling/profilingVocabulary.ts'
export {
  TimingReport,
  type SpeedscopeFile,
  type TimingKind,
  type TimingRow,
  type TimingStack,
} from './profiling/timingReport.ts'
