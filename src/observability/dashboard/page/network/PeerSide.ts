import { html } from 'htm/preact'
import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { LinkView, PeerView } from '../../model/dashboardView.ts'
import type { Desk } from '../desk.ts'
import { eventSummary } from '../events/eventSummary.ts'
import { icon } from '../parts/icon.ts'
import { toneOf } from '../parts/toneOf.ts'
import { clockText } from '../text/clockText.ts'
import { shortPeer } from '../text/shortPeer.ts'
import { spanText } from '../text/spanText.ts'

/** Events of the peer that are shown, and lines among which they are sought. */
const RECENT = { shown: 12, sought: 2_000 }

/** Everything that is known of a peer. */
export function PeerSide({ desk, peer: id }: { readonly desk: Desk; readonly peer: string }): VNode {
  const head = useRef<HTMLHeadingElement>(null)
  const opener = useRef<Element | null>(null)
  useEffect(() => {
    const { activeElement } = document
    if (head.current!.closest('.side')!.contains(activeElement) === false) opener.current = activeElement
    head.current!.focus({ preventScroll: true })
    const { top, bottom } = head.current!.getBoundingClientRect()
    if (top < 0 || bottom > innerHeight) head.current!.scrollIntoView({ block: 'start' })
  }, [id])
  const peer = desk.view.value.peers.find((one) => one.peer === id)
  const close = (): void => {
    desk.chosenPeer.value = undefined
    const { current: from } = opener
    const back = from instanceof HTMLElement && from !== document.body && from.isConnected ? from : undefined
    const next = back ?? document.querySelector<HTMLElement>('.graph, .table-scroll')
    next?.focus({ preventScroll: back === undefined })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return
    close()
    event.stopPropagation()
  }
  return html`<aside class="side" aria-label="Details of a peer" data-testid="peer-side" onKeyDown=${onKeyDown}>
    <header>
      <h3 tabindex="-1" ref=${head}>Peer <span class="mono">${shortPeer(id)}</span></h3>
      <button type="button" class="button is-bare" aria-label="Close the details" onClick=${close}>
        ${icon('close')}
      </button>
    </header>
    <div class="scroll" tabindex="0" role="region" aria-label="What is known of the peer">
      <span class="whole-id" data-testid="whole-id">${id}</span>
      ${
        peer === undefined
          ? html`<p class="dim">This peer is not known at the moment shown.</p>`
          : html`<${Details} peer=${peer} now=${desk.now.value} />`
      }
      <${Recent} desk=${desk} peer=${id} />
    </div>
  </aside>`
}

function Details({ peer, now }: { readonly peer: PeerView; readonly now: number }): VNode {
  const { tone, icon: sign } = toneOf(peer.health)
  const { auth } = peer
  return html`<p class=${`with-icon tone-${tone} why`}>${icon(sign)}<span>${peer.health}: ${peer.reason}</span></p>
    <dl class="facts">
      ${fact('Agent', peer.agent)} ${fact('Round trip', peer.rttMs === undefined ? undefined : spanText(peer.rttMs))}
      ${fact('Unanswered pings', peer.missed === 0 ? undefined : peer.missed)} ${fact('Breaker', peer.breaker)}
      ${fact('Authentication', auth === undefined ? undefined : [auth.state, auth.reason].filter(Boolean).join(': '))}
      ${fact('Owner', auth?.owner === undefined ? undefined : html`<span class="mono">${auth.owner}</span>`)}
      ${fact('Expires', auth?.expiresAtS === undefined ? undefined : `in ${spanText(auth.expiresAtS * 1_000 - now)}`)}
      ${fact('Kept', peer.kept)} ${fact('Found by', peer.foundBy.length === 0 ? undefined : peer.foundBy.join(', '))}
    </dl>
    <h4>Links</h4>
    ${
      peer.links.length === 0
        ? html`<p class="dim">None is open.</p>`
        : html`<ul class="links">
            ${peer.links.map((link) => html`<${Link} key=${link.connection} link=${link} now=${now} />`)}
          </ul>`
    }
    ${
      peer.topics.length > 0 &&
      html`<h4>Topics</h4>
        <div class="tags">${peer.topics.map((topic) => html`<span class="tag">${topic}</span>`)}</div>`
    }
    ${
      peer.addresses.length > 0 &&
      html`<h4>Addresses</h4>
        <ul class="addresses mono">
          ${peer.addresses.slice(0, 24).map((address) => html`<li>${address}</li>`)}
          ${peer.addresses.length > 24 && html`<li>and ${peer.addresses.length - 24} more</li>`}
        </ul>`
    }`
}

function fact(name: string, value: ComponentChildren): VNode | undefined {
  return value === undefined
    ? undefined
    : html`<dt>${name}</dt>
        <dd>${value}</dd>`
}

function Link({ link, now }: { readonly link: LinkView; readonly now: number }): VNode {
  const { kind, transport, direction, via, address, since, limited } = link
  const tone = kind === 'direct' ? 'good' : kind === 'relayed' ? 'strained' : 'calm'
  return html`<li>
    <div class="row">
      <strong class=${`tone-${tone}`}>${kind}</strong>
      <span>${transport}</span>
      <span class="dim">${direction}, ${since > 0 ? `for ${spanText(Math.max(0, now - since))}` : ''}</span>
      ${limited && html`<span class="tag tone-strained">limited</span>`}
    </div>
    ${via.length > 0 && html`<div>via ${via.map(shortPeer).join(' → ')}</div>`}
    <div class="address">${address}</div>
  </li>`
}

function Recent({ desk, peer }: { readonly desk: Desk; readonly peer: string }): VNode | undefined {
  const found = []
  const lines = desk.lines.value
  for (let i = lines.length - 1; i >= Math.max(0, lines.length - RECENT.sought); i--) {
    const line = lines[i]!
    if (line.event !== undefined && JSON.stringify(line.event).includes(peer)) found.push(line)
    if (found.length >= RECENT.shown) break
  }
  if (found.length === 0) return undefined
  return html`<h4>Latest events</h4>
    <ul class="recent">
      ${found.map(
        ({ id, at, moment, event }) =>
          html`<li key=${id}>
            <button type="button" class="at mono" title="Show this moment" onClick=${() => desk.goToMoment(moment)}>
              ${clockText(at)}
            </button>
            <span title=${eventSummary(event!)}>${event!.type}</span>
          </li>`,
      )}
    </ul>`
}
