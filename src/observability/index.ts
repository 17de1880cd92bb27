export type { Page, Probe, Probed } from '../swarm/vocabulary/probe.ts'
export { dashboard, type DashboardState } from './dashboard/dashboard.ts'
export type { DashboardOptions } from './dashboard/dashboardOptions.ts'
export type {
  AcknowledgeAlert,
  AcknowledgedAlert,
  DashboardCommand,
  DashboardEvent,
} from './dashboard/dashboardVocabulary.ts'
export type { DashboardPorts } from './dashboard/dashboardBehaviour.ts'
export type { SwarmDashboardOptions, WithDashboard } from './dashboard/withDashboard.ts'
export { ALERT_RULES } from './dashboard/model/alertRules.ts'
export type { AlertChange, AlertOp, AlertRule, AlertWhen } from './dashboard/model/alerts.ts'
export { pages, type PagesProbe, type PagesState } from './pages/pages.ts'
export type { PagesPorts } from './pages/pagesBehaviour.ts'
export type { PagesOptions } from './pages/pagesOptions.ts'
export type { PagesEvent, PagesReason, ServedPage } from './pages/pagesVocabulary.ts'
export { health } from './health/health.ts'
export type { HealthPorts } from './health/healthBehaviour.ts'
export type { HealthCheck, HealthOptions } from './health/healthOptions.ts'
export type {
  CheckState,
  CheckStatus,
  HealAction,
  HealthAffects,
  HealthCommand,
  HealthEvent,
  HealthReport,
  HealthState,
  PeerHealth,
  PeerStatus,
  ReportHealth,
  Verdict,
  WatchHealth,
} from './health/healthVocabulary.ts'
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
export { metrics } from './metrics/metrics.ts'
export type { MetricsOptions } from './metrics/metrics.ts'
export type { MetricsEvent, MetricsPorts, Scrape } from './metrics/metricsBehaviour.ts'
export type { MetricsFormat } from './metrics/metricsFormat.ts'
export type { ScrapedMetrics } from './metrics/scrapedMetrics.ts'
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
export { tracing, type TracingOptions } from './tracing/tracing.ts'
export { otlp, type Otlp, type OtlpCounts, type OtlpFailure, type OtlpOptions } from './tracing/otlp.ts'
export { observe, type ObserveOptions } from './observe.ts'
