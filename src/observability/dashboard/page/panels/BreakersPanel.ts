import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { BreakerView } from '../../model/dashboardView.ts'
import type { Desk } from '../desk.ts'
import { icon } from '../parts/icon.ts'
import { Panel } from '../parts/Panel.ts'
import { clockText } from '../text/clockText.ts'
import { countText } from '../text/countText.ts'
import { shortPeers } from '../text/shortPeers.ts'
import { spanText } from '../text/spanText.ts'

const RANK = { open: 0, 'half-open': 1, closed: 2 } as const
const LOOK = {
  open: ['bad', 'critical'],
  'half-open': ['strained', 'warning'],
  closed: ['good', 'check'],
} as const

/** Circuit breakers that have opened, and what policies decided. */
export function BreakersPanel({ desk }: { readonly desk: Desk }): VNode {
  const { breakers, counters } = desk.view.value
  const sorted = breakers.toSorted((a, b) => RANK[a.state] - RANK[b.state] || b.since - a.since)
  const open = breakers.filter(({ state }) => state !== 'closed').length
  const decided = Object.entries(counters).filter(([type]) => type.startsWith('policy:'))
  return html`<${Panel} id="breakers" title="Breakers and policies" note=${open > 0 ? `${open} not closed` : undefined}>
    ${
      sorted.length === 0
        ? html`<p class="with-icon dim">
            <span class="tone-good">${icon('check')}</span> No circuit breaker has opened.
          </p>`
        : html`<ul class="rows">
            ${sorted.slice(0, 24).map((one) => html`<${Breaker} key=${`${one.policy} ${one.key}`} one=${one} now=${desk.now.value} />`)}
            ${sorted.length > 24 && html`<li class="dim">and ${sorted.length - 24} more</li>`}
          </ul>`
    }
    ${
      decided.length > 0 &&
      html`<h3 class="sub">Decisions so far</h3>
        <div class="tags">
          ${decided.map(([type, n]) => html`<span class="tag" key=${type}>${type.slice(7)} <b>${countText(n)}</b></span>`)}
        </div>`
    }
  <//>`
}

function Breaker({ one, now }: { readonly one: BreakerView; readonly now: number }): VNode {
  const { key, policy, state, since, until, reason } = one
  const [tone, sign] = LOOK[state]
  const name = key === '' ? policy : shortPeers(key)
  const left =
    state === 'open' && until !== undefined
      ? `tries again in ${spanText(Math.max(0, until - now))}`
      : `since ${clockText(since)}`
  return html`<li>
    <span class="name mono" title=${key}>${name}</span>
    <span class=${`with-icon tone-${tone}`}>${icon(sign)} ${state}</span>
    <span class="under">${left}${reason === '' ? '' : ` · ${shortPeers(reason)}`}</span>
  </li>`
}
