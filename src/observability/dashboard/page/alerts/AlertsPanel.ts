import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { AlertView } from '../../model/dashboardView.ts'
import type { AlertRule } from '../../model/alerts.ts'
import type { Desk } from '../desk.ts'
import { icon } from '../parts/icon.ts'
import { Panel } from '../parts/Panel.ts'
import { Scroll } from '../parts/Scroll.ts'
import { toneOf } from '../parts/toneOf.ts'
import { clockText } from '../text/clockText.ts'
import { spanText } from '../text/spanText.ts'
import { ruleText } from './ruleText.ts'

/** Resolved alerts that stay in sight. */
const MOST_OVER = 6

const ORDER = { raised: 0, acknowledged: 1, resolved: 2 } as const
const WEIGHT = { critical: 0, warning: 1, info: 2 } as const

/** Alerts: those that nobody has taken up first, resolved ones last. */
export function AlertsPanel({ desk }: { readonly desk: Desk }): VNode {
  const { alerts } = desk.view.value
  const rules = desk.rules.value
  const sorted = alerts.toSorted(
    (a, b) => ORDER[a.state] - ORDER[b.state] || WEIGHT[a.severity] - WEIGHT[b.severity] || b.raisedAt - a.raisedAt,
  )
  const open = sorted.filter(({ state }) => state !== 'resolved')
  const over = sorted
    .filter(({ state }) => state === 'resolved')
    .toSorted((a, b) => (b.resolvedAt ?? 0) - (a.resolvedAt ?? 0))
  const note = open.length === 0 ? undefined : `${open.length} open`
  return html`<${Panel} id="alerts-panel" class="at-alerts" title="Alerts" note=${note} bare>
    <${Scroll} id="alerts" class="alerts-body" labelledBy="h-alerts-panel">
      ${
        open.length === 0 &&
        html`<p class="calm-line">
          <span class="tone-good">${icon('check')}</span>
          ${rules.length > 0 ? `Nothing is wrong by any of ${rules.length} rules.` : 'No alert is open.'}
        </p>`
      }
      ${
        sorted.length > 0 &&
        html`<ul class="alerts">
          ${[...open, ...over.slice(0, MOST_OVER)].map(
            (alert) =>
              html`<${Alert}
                key=${alert.alert}
                desk=${desk}
                alert=${alert}
                rule=${rules.find(({ id }) => id === alert.rule)}
              />`,
          )}
          ${over.length > MOST_OVER && html`<li class="dim"><span></span>and ${over.length - MOST_OVER} more that are resolved</li>`}
        </ul>`
      }
    <//>
    <div class="unseen" aria-live="polite" data-testid="spoken">${desk.spoken.value}</div>
  <//>`
}

interface AlertProps {
  readonly desk: Desk
  readonly alert: AlertView
  readonly rule: AlertRule | undefined
}

function Alert({ desk, alert, rule }: AlertProps): VNode {
  const { state, severity, title, raisedAt, acknowledgedAt, resolvedAt, value } = alert
  const { tone, icon: sign } = state === 'resolved' ? toneOf('good') : toneOf(severity)
  const canAct = state === 'raised' && desk.moment.value === undefined && desk.link.value !== 'file'
  const why = [
    rule === undefined ? '' : `${ruleText(rule)}; was ${Math.round(value * 100) / 100}`,
    `raised ${clockText(raisedAt)}`,
    acknowledgedAt === undefined ? '' : `acknowledged ${clockText(acknowledgedAt)}`,
    resolvedAt === undefined ? '' : `resolved ${clockText(resolvedAt)} after ${spanText(resolvedAt - raisedAt)}`,
  ]
  return html`<li
    class=${state === 'resolved' ? 'is-over' : ''}
    data-testid="alert"
    data-state=${state}
    data-rule=${alert.rule}
  >
    <span class=${`sign tone-${tone}`}>${icon(sign)}</span>
    <span class="what">${title === '' ? alert.rule : title}</span>
    <span>
      ${
        canAct
          ? html`<button type="button" class="button" onClick=${() => desk.acknowledge(alert.alert)}>
              Acknowledge
            </button>`
          : html`<span class=${`pill tone-${state === 'raised' ? tone : 'unknown'}`}>${state}</span>`
      }
    </span>
    <span class="why"><span class="unseen">${severity}. </span>${why.filter(Boolean).join(' · ')}</span>
  </li>`
}
