import type { Severity } from './dashboardView.ts'

/** How a measured value is compared with that of a rule. */
export type AlertOp = '>' | '>=' | '<' | '<='

/** What must be so for an alert: a value for some time, or so many events within some time. */
export type AlertWhen =
  | {
      /** What is measured at each sample; see `alertMetrics`. */
      readonly metric: string
      /** How. */
      readonly op: AlertOp
      /** With what. */
      readonly value: number
      /** For how long it must be so. Default: 0, which is at one sample. @unit milliseconds */
      readonly forMs?: number
    }
  | {
      /** Type of an event, or the beginning of types: `xauth:*`. */
      readonly event: string
      /** How many. Default: 1. */
      readonly count?: number
      /** Within which time. Default: 60 000. @unit milliseconds */
      readonly withinMs?: number
    }

/** When an alert is raised, as data. It is resolved when it is no longer so. */
export interface AlertRule {
  /** Names it. */
  readonly id: string
  /** What it says. */
  readonly title: string
  /** How bad it is. */
  readonly severity: Severity
  /** See {@link AlertWhen}. */
  readonly when: AlertWhen
}
