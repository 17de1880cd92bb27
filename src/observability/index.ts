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
