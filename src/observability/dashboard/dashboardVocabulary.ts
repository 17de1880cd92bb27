import type { Command } from '../../swarm/vocabulary/command.ts'
import type { AlertChange } from './model/alerts.ts'

/** An alert that somebody looks after. */
export interface AcknowledgedAlert {
  /** Its name. */
  readonly alert: string
  /** Id of its rule. */
  readonly rule: string
}

/** Say that somebody looks after an alert. */
export type AcknowledgeAlert = Command<'dashboard/acknowledge', { readonly alert: string }, AcknowledgedAlert>

/** What can be asked of dashboard. */
export type DashboardCommand = AcknowledgeAlert

/** What dashboard can say. */
export type DashboardEvent =
  | AlertChange
  /** Somebody looks after it. */
  | ({ readonly type: 'alert:acknowledged'; readonly cause?: string } & AcknowledgedAlert)
  /** A page began to look, or no longer does. */
  | {
      readonly type: 'dashboard:joined' | 'dashboard:left'
      /** IP of the browser. */
      readonly from: string
      /** How many look now. */
      readonly clients: number
      /** Why it left. */
      readonly reason?: 'gone' | 'stalled'
    }
  /** Pages found no place; told once a second. */
  | { readonly type: 'dashboard:refused'; readonly count: number }
