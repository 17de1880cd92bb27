import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { Desk } from '../desk.ts'
import { Panel } from '../parts/Panel.ts'
import { PeerName } from '../parts/PeerName.ts'
import { spanText } from '../text/spanText.ts'

/** Registrations at rendezvous points, and those that this node keeps for others; chains that end here. */
export function RendezvousPanel({ desk }: { readonly desk: Desk }): VNode | undefined {
  const { rendezvous, chains } = desk.view.value
  const { own, served, found } = rendezvous
  if (own.length + served.length + found.length + chains.length === 0) return undefined
  const now = desk.now.value
  const left = (expiresAt: number): string => `for ${spanText(Math.max(0, expiresAt - now))}`
  return html`<${Panel} id="rendezvous" title=${chains.length > 0 ? 'Rendezvous and chains' : 'Rendezvous'}>
    ${
      own.length > 0 &&
      html`<h3 class="sub">Registered at</h3>
        <ul class="rows">
          ${own.slice(0, 16).map(
            ({ point, namespace, expiresAt }) =>
              html`<li key=${`${point}${namespace}`}>
                <span class="name"><span class="cut">${namespace}</span></span>
                <span class="dim"><${PeerName} desk=${desk} peer=${point} /> ${left(expiresAt)}</span>
              </li>`,
          )}
        </ul>`
    }
    ${
      served.length > 0 &&
      html`<h3 class="sub">Registered here</h3>
        <ul class="rows">
          ${served.slice(0, 16).map(
            ({ peer, namespace, expiresAt }) =>
              html`<li key=${`${peer}${namespace}`}>
                <span class="name"><span class="cut">${namespace}</span></span>
                <span class="dim"><${PeerName} desk=${desk} peer=${peer} /> ${left(expiresAt)}</span>
              </li>`,
          )}
          ${served.length > 16 && html`<li class="dim">and ${served.length - 16} more</li>`}
        </ul>`
    }
    ${found.length > 0 && html`<p class="dim">${found.length} peers were found at points.</p>`}
    ${
      chains.length > 0 &&
      html`<h3 class="sub">Chains that end here</h3>
        <ul class="rows">
          ${chains.slice(0, 16).map(
            ({ session, peer, path, direction }) =>
              html`<li key=${session}>
                <span class="name"><${PeerName} desk=${desk} peer=${peer} /></span>
                <span class="dim">${direction}, ${path.length} in between</span>
              </li>`,
          )}
        </ul>`
    }
  <//>`
}
