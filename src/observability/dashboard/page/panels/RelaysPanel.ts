import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { RelayView, View } from '../../model/dashboardView.ts'
import type { Desk } from '../desk.ts'
import { icon, type IconName } from '../parts/icon.ts'
import { Panel } from '../parts/Panel.ts'
import { PeerName } from '../parts/PeerName.ts'
import { bytesText } from '../text/bytesText.ts'
import { countText } from '../text/countText.ts'
import { spanText } from '../text/spanText.ts'

const LOOK: Readonly<Record<RelayView['state'], readonly [tone: string, sign: IconName, rank: number]>> = {
  held: ['good', 'check', 0],
  refused: ['bad', 'critical', 1],
  failed: ['bad', 'critical', 1],
  lost: ['bad', 'critical', 1],
  released: ['unknown', 'dot', 2],
  candidate: ['unknown', 'dot', 3],
}

/** Places at relays with the time they have left, and what the node does as a relay itself. */
export function RelaysPanel({ desk }: { readonly desk: Desk }): VNode | undefined {
  const { relays, served, modules, counters } = desk.view.value
  const serves = served.reservations.length + served.circuits.length + served.closed > 0
  if (relays.length === 0 && !serves && !modules.includes('relay')) return undefined
  const now = desk.now.value
  const sorted = relays.toSorted((a, b) => LOOK[a.state][2] - LOOK[b.state][2])
  const held = relays.filter(({ state }) => state === 'held').length
  const denied = counters['relay:denied'] ?? 0
  return html`<${Panel} id="relays" title="Relays and reservations" note=${held > 0 ? `${held} held` : undefined}>
    ${sorted.length === 0 && !serves && html`<p class="dim">No relay is known yet.</p>`}
    ${
      sorted.length > 0 &&
      html`<ul class="rows">
        ${sorted.slice(0, 16).map((one) => html`<${Relay} key=${one.relay} desk=${desk} one=${one} now=${now} />`)}
        ${sorted.length > 16 && html`<li class="dim">and ${sorted.length - 16} more</li>`}
      </ul>`
    }
    ${
      serves &&
      html`<h3 class="sub">As a relay for others</h3>
        <p class="dim">${servedText(served, denied)}</p>
        <ul class="rows">
          ${served.reservations.slice(0, 12).map(
            ({ peer, expiresAt }) =>
              html`<li key=${peer}>
                <span class="name"><${PeerName} desk=${desk} peer=${peer} /></span>
                <span class="dim">for ${spanText(Math.max(0, expiresAt - now))}</span>
              </li>`,
          )}
          ${served.circuits.slice(0, 12).map(
            ({ source, destination, since }) =>
              html`<li key=${`${source}${destination}`}>
                <span class="name"
                  ><${PeerName} desk=${desk} peer=${source} /> → <${PeerName} desk=${desk} peer=${destination}
                /></span>
                <span class="dim">since ${spanText(Math.max(0, now - since))}</span>
              </li>`,
          )}
        </ul>`
    }
  <//>`
}

function servedText({ reservations, circuits, closed, bytes }: View['served'], denied: number): string {
  const counted = (n: number, one: string): string => `${countText(n)} ${one}${n === 1 ? '' : 's'}`
  const before = `${countText(closed)} before with ${bytesText(bytes)}`
  const refused = denied > 0 ? `, ${countText(denied)} denied` : ''
  return `${counted(reservations.length, 'place')} granted, ${counted(circuits.length, 'circuit')} now, ${before}${refused}`
}

function Relay({ desk, one, now }: { readonly desk: Desk; readonly one: RelayView; readonly now: number }): VNode {
  const { relay, state, expiresAt, rttMs, retryAt, reason } = one
  const [tone, sign] = LOOK[state]
  const left = state === 'held' && expiresAt !== undefined ? expiresAt - now : undefined
  const retry =
    state !== 'held' && retryAt !== undefined && retryAt > now ? `again in ${spanText(retryAt - now)}` : undefined
  const facts = [
    left === undefined ? undefined : left > 0 ? `for ${spanText(left)}` : 'over',
    rttMs === undefined ? undefined : `${spanText(rttMs)} there and back`,
    retry,
    state === 'held' ? undefined : reason,
  ].filter((text) => text !== undefined && text !== '')
  return html`<li>
    <span class="name"><${PeerName} desk=${desk} peer=${relay} /></span>
    <span class=${`with-icon tone-${tone}`}>${icon(sign)} ${state}</span>
    ${facts.length > 0 && html`<span class="under">${facts.join(' · ')}</span>`}
  </li>`
}
