import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { icon } from '../parts/icon.ts'
import { toneOf } from '../parts/toneOf.ts'
import { clockText } from '../text/clockText.ts'
import { countText } from '../text/countText.ts'
import { shortPeer } from '../text/shortPeer.ts'
import type { LogLine } from './eventLog.ts'
import { peersOf } from './eventSearch.ts'
import { eventSummary } from './eventSummary.ts'
import { severityOf } from './severityOf.ts'

/** What an {@link EventRow} shows. */
export interface EventRowProps {
  /** The line. */
  readonly line: LogLine
  /** Where it stands. @unit pixels */
  readonly y: number
  /** Its place, from 1. */
  readonly index: number
  /** Of how many. */
  readonly count: number
  /** Whether its details are shown. */
  readonly isChosen: boolean
  /** Shows its details. */
  readonly choose: () => void
}

/** A line of the list of events. */
export function EventRow({ line, y, index, count, isChosen, choose }: EventRowProps): VNode {
  const style = { top: `${y}px` }
  const { id, at, event, skipped } = line
  if (event === undefined) {
    const total = Object.values(skipped ?? {}).reduce((sum, n) => sum + n, 0)
    const types = Object.entries(skipped ?? {})
      .toSorted(([, a], [, b]) => b - a)
      .map(([type, n]) => `${countText(n)} ${type}`)
      .join(', ')
    return html`<div
      id=${`event-${id}`}
      class="event-row is-skip"
      role="option"
      aria-selected="false"
      style=${style}
      data-testid="skipped"
      title=${types}
    >
      <span class="at">${clockText(at)}</span>${icon('skip')} <span class="type">${countText(total)} not sent</span
      ><span class="rest">${types}</span>
    </div>`
  }
  const { tone, icon: sign } = toneOf(severityOf(event))
  const [peer] = peersOf(event)
  const summary = eventSummary(event, peer)
  return html`<div
    id=${`event-${id}`}
    class=${`event-row ${isChosen ? 'is-chosen' : ''}`}
    role="option"
    aria-selected=${isChosen}
    aria-posinset=${index}
    aria-setsize=${count}
    style=${style}
    data-type=${event.type}
    onClick=${choose}
  >
    <span class="at">${clockText(at)}<span class="ms">${clockText(at, true).slice(8)}</span></span>
    <span class=${`tone-${tone}`}>${icon(sign === 'info' ? 'dot' : sign)}</span>
    <span class="type">${event.type}</span>
    <span class="rest"
      >${peer !== undefined && html`<span class="mono">${shortPeer(peer)}</span>${' '}`}${summary}</span
    >
  </div>`
}
