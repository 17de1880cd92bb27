import { map, merge, mergeMap, scan, type Observable } from 'rxjs'
import { InvalidCommandError } from '../../errors/errors.ts'
import { perform } from '../../swarm/perform.ts'
import type { Behaviour } from '../../swarm/vocabulary/behaviour.ts'
import { contextOf } from '../../swarm/vocabulary/command.ts'
import type { AcknowledgeAlert, DashboardCommand, DashboardEvent } from './dashboardVocabulary.ts'
import { evaluateAlerts, type AlertRule, type AlertStep } from './model/alerts.ts'
import type { Sample } from './model/dashboardItem.ts'
import type { AlertView, View } from './model/dashboardView.ts'

/** What dashboard may call. */
export interface DashboardPorts {
  /** A sample each second, and the view after it. Never ends. */
  readonly sample$: Observable<{ readonly sample: Sample; readonly view: View }>
  /** Pages that come and go. Never ends. */
  readonly event$: Observable<DashboardEvent>
  /** An alert as it is now, if there is one of this name. One value. */
  alert(alert: string): Observable<AlertView | undefined>
}

const start: AlertStep = { memory: {}, changes: [] }

/**
 * Raises and resolves alerts, and takes the word of who looks after them.
 *
 * ```marble
 * sample$  -a-b-c-
 * said     -r---s-
 * ```
 *
 * @param rules When; see `AlertRule`.
 * @shape  Says `alert:raised` and `alert:resolved` at samples, and what `event$` says. Remembers what the rules need.
 * @errors Of `dashboard.acknowledge`: `InvalidCommandError` for an alert that is not raised.
 * @source ours.
 */
export const dashboardBehaviour =
  (rules: readonly AlertRule[]): Behaviour<DashboardCommand, DashboardEvent, DashboardPorts> =>
  ({ command$, cancel$, ports }) =>
    merge(
      ports.event$,
      ports.sample$.pipe(
        scan(({ memory }, { sample, view }) => evaluateAlerts(rules, memory, sample, view), start),
        mergeMap(({ changes }) => changes),
      ),
      command$.pipe(
        perform(
          cancel$,
          (command) => raised(command, ports),
          ({ alert, rule }): DashboardEvent => ({ type: 'alert:acknowledged', alert, rule }),
        ),
      ),
    )

/** The alert that a command is about. */
function raised(command: AcknowledgeAlert, ports: DashboardPorts): Observable<AlertView> {
  return ports.alert(command.alert).pipe(
    map((alert) => {
      if (alert !== undefined && alert.state !== 'resolved') return alert
      throw new InvalidCommandError('alert: is not raised', { ...contextOf(command), field: 'alert' })
    }),
  )
}
