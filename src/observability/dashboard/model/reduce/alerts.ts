import { placed } from '../listOfFew.ts'
import type { AlertView, CheckView, Severity, View } from '../dashboardView.ts'
import { numberOf, textOf } from '../plainFields.ts'
import { VIEW_BOUNDS } from '../viewBounds.ts'
import { withPeer } from './withPeer.ts'
import { withPart, type Reduce, type Reducers } from './reducers.ts'

const raised: Reduce = (view, event) => {
  const alert = textOf(event, 'alert')
  const severity = textOf(event, 'severity')
  const made: AlertView = {
    alert,
    rule: textOf(event, 'rule'),
    title: textOf(event, 'title'),
    severity: severity === 'info' || severity === 'critical' ? severity : ('warning' satisfies Severity),
    state: 'raised',
    raisedAt: event.at,
    value: numberOf(event, 'value') ?? 0,
  }
  const is = (one: AlertView) => one.alert === alert
  const isMinor = ({ state }: AlertView) => state === 'resolved'
  return withPart(view, 'alerts', placed(view.alerts, { is, make: () => made, most: VIEW_BOUNDS.alerts, isMinor }))
}

function changed(view: View, alert: string, change: (before: AlertView) => AlertView): View {
  if (!view.alerts.some((one) => one.alert === alert)) return view
  return withPart(
    view,
    'alerts',
    view.alerts.map((one) => (one.alert === alert ? change(one) : one)),
  )
}

/** The module `health` tells of each check that changed. */
const checked: Reduce = (view, event) => {
  const check = textOf(event, 'check')
  if (check === '') return view
  const status = textOf(event, 'is')
  const made: CheckView = { check, status, reason: textOf(event, 'reason'), since: event.at }
  const is = (one: CheckView) => one.check === check
  const make = (before: CheckView = made) => (before.status === status && before.reason === made.reason ? before : made)
  return withPart(view, 'checks', placed(view.checks, { is, make, most: VIEW_BOUNDS.checks }))
}

/** The module `health` tells of each peer that is not well, and when it is well again. */
const judged: Reduce = (view, event) => {
  const [is, reason] = [textOf(event, 'is'), textOf(event, 'reason')]
  const isBad = is === 'unhealthy' || is === 'degraded'
  return withPeer(view, textOf(event, 'peer'), () => ({ judged: isBad ? { is, reason } : undefined }))
}

/** Alerts and health checks. */
export const alertReducers: Reducers = {
  'alert:raised': raised,
  'alert:acknowledged': (view, event) =>
    changed(view, textOf(event, 'alert'), (one) =>
      one.state === 'raised' ? { ...one, state: 'acknowledged', acknowledgedAt: event.at } : one,
    ),
  'alert:resolved': (view, event) =>
    changed(view, textOf(event, 'alert'), (one) => ({ ...one, state: 'resolved', resolvedAt: event.at })),
  'health:changed': checked,
  'health:peer-changed': judged,
}
