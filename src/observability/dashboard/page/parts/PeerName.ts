import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { Desk } from '../desk.ts'
import { shortPeer } from '../text/shortPeer.ts'

/** A peer by its short id; a click shows its details. */
export function PeerName({ desk, peer }: { readonly desk: Desk; readonly peer: string }): VNode {
  if (peer === '') return html`<span class="dim">–</span>`
  if (peer === desk.view.value.self) return html`<span>this node</span>`
  const isKnown = desk.view.value.peers.some((one) => one.peer === peer)
  if (!isKnown) return html`<span class="mono" title=${peer}>${shortPeer(peer)}</span>`
  const choose = (): void => void (desk.chosenPeer.value = peer)
  return html`<button type="button" class="peer-name" title=${peer} onClick=${choose}>${shortPeer(peer)}</button>`
}
