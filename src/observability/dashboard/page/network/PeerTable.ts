import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { PeerView } from '../../model/dashboardView.ts'
import type { Desk } from '../desk.ts'
import { Empty } from '../parts/Empty.ts'
import { icon } from '../parts/icon.ts'
import { toneOf } from '../parts/toneOf.ts'
import { shortPeer } from '../text/shortPeer.ts'
import { spanText } from '../text/spanText.ts'
import { linkText } from './linkText.ts'

/** Rows that are drawn; of more peers, the rest is counted. */
const MOST_ROWS = 500

const RANK = { bad: 0, strained: 1, good: 2, unknown: 3 } as const

/** All peers that the node knows: those in trouble first, those without a connection last. */
export function PeerTable({ desk }: { readonly desk: Desk }): VNode {
  const { peers } = desk.view.value
  if (peers.length === 0) {
    return html`<${Empty} title="No peers yet">Peers stand here as soon as the node finds or meets one.<//>`
  }
  const sorted = peers.toSorted((a, b) => RANK[a.health] - RANK[b.health])
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label="Peers">
    <table data-testid="peer-table">
      <thead>
        <tr>
          <th scope="col">Peer</th>
          <th scope="col">Health</th>
          <th scope="col">Link</th>
          <th scope="col" class="num">Round trip</th>
          <th scope="col">Agent</th>
          <th scope="col">Topics</th>
        </tr>
      </thead>
      <tbody>
        ${sorted.slice(0, MOST_ROWS).map((peer) => html`<${Row} key=${peer.peer} desk=${desk} peer=${peer} />`)}
      </tbody>
    </table>
    ${sorted.length > MOST_ROWS && html`<p class="empty">and ${sorted.length - MOST_ROWS} more</p>`}
  </div>`
}

function Row({ desk, peer }: { readonly desk: Desk; readonly peer: PeerView }): VNode {
  const { tone, icon: sign } = toneOf(peer.health)
  return html`<tr class=${`can ${desk.chosenPeer.value === peer.peer ? 'is-chosen' : ''}`} data-peer=${peer.peer}>
    <td>
      <button
        type="button"
        class="peer-name"
        title=${peer.peer}
        onClick=${() => void (desk.chosenPeer.value = peer.peer)}
      >
        ${shortPeer(peer.peer)}
      </button>
    </td>
    <td title=${peer.reason}><span class=${`with-icon tone-${tone}`}>${icon(sign)} ${peer.health}</span></td>
    <td>${linkText(peer)}</td>
    <td class="num">${spanText(peer.rttMs)}</td>
    <td class="cut" title=${peer.agent}>${peer.agent ?? html`<span class="dim">–</span>`}</td>
    <td class="cut" title=${peer.topics.slice(0, 16).join(', ')}>
      ${peer.topics.length === 0 ? html`<span class="dim">–</span>` : peer.topics.slice(0, 4).join(', ')}${
        peer.topics.length > 4 ? ` and ${peer.topics.length - 4} more` : ''
      }
    </td>
  </tr>`
}
