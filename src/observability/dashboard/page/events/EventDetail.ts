import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { PlainEvent } from '../../../plainEvent.ts'
import type { Desk } from '../desk.ts'
import { icon } from '../parts/icon.ts'
import { shortPeer } from '../text/shortPeer.ts'
import type { LogLine } from './eventLog.ts'
import { peersOf } from './eventSearch.ts'

/** What an {@link EventDetail} shows. */
export interface EventDetailProps {
  /** For its peers and its moment. */
  readonly desk: Desk
  /** Where it stands. */
  readonly line: LogLine
  /** The event. */
  readonly event: PlainEvent
  /** Takes it from sight. */
  readonly close: () => void
}

/** All of an event, and ways to its moment and its peers. */
export function EventDetail({ desk, line, event, close }: EventDetailProps): VNode {
  const known = [...new Set(peersOf(event))].filter((peer) => desk.view.value.peers.some((one) => one.peer === peer))
  const onKeyDown = (key: KeyboardEvent): void => {
    if (key.key !== 'Escape') return
    close()
    key.stopPropagation()
  }
  return html`<div
    class="event-detail"
    role="region"
    aria-label="Details of the event"
    data-testid="event-detail"
    onKeyDown=${onKeyDown}
  >
    <header>
      <h3>${event.type}</h3>
      <button type="button" class="button" onClick=${() => desk.goToMoment(line.moment)}>
        ${icon('clock')} Go to this time
      </button>
      ${known
        .slice(0, 3)
        .map(
          (peer) =>
            html`<button type="button" class="button" onClick=${() => void (desk.chosenPeer.value = peer)}>
              Peer ${shortPeer(peer)}
            </button>`,
        )}
      <button type="button" class="button is-bare" aria-label="Close the event" onClick=${close}>
        ${icon('close')}
      </button>
    </header>
    <pre tabindex="0">${JSON.stringify(event, undefined, 2)}</pre>
  </div>`
}
