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
