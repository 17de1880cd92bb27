import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { Desk } from '../desk.ts'
import { icon } from '../parts/icon.ts'
import { Panel } from '../parts/Panel.ts'

const TONE: Readonly<Record<string, string>> = { public: 'good', private: 'strained', relayed: 'strained' }

/** Where the node is reached, and how it finds others. */
export function NodePanel({ desk }: { readonly desk: Desk }): VNode {
  const { addresses, reachability, sources, isIsolated, blackHoled } = desk.view.value
  return html`<${Panel} id="node" title="This node" note=${reachability && `reachability: ${reachability.status}`}>
    ${isIsolated && html`<p class="with-icon tone-bad">${icon('critical')} Isolated: no peer is connected, and there were some.</p>`}
    ${
      blackHoled.length > 0 &&
      html`<p class="with-icon tone-strained">${icon('warning')} No dial gets through by ${blackHoled.join(', ')}.</p>`
    }
    ${
      reachability !== undefined &&
      html`<p class=${`with-icon tone-${TONE[reachability.status] ?? 'unknown'}`}>
          <span class="dot"></span><span>${reachability.status}</span>
        </p>
        <ul class="reasons">
          ${reachability.reasons.slice(0, 8).map((reason) => html`<li>${reason}</li>`)}
        </ul>`
    }
    <h3 class="sub">Addresses</h3>
    ${
      addresses.length === 0
        ? html`<p class="dim">It listens nowhere.</p>`
        : html`<ul class="addresses mono" data-testid="addresses">
            ${addresses.slice(0, 16).map((address) => html`<li>${address.replace(/\/p2p\/[^/]+$/, '')}</li>`)}
            ${addresses.length > 16 && html`<li>and ${addresses.length - 16} more</li>`}
          </ul>`
    }
    ${
      sources.length > 0 &&
      html`<h3 class="sub">Finds peers by</h3>
        <div class="tags">
          ${sources.map(({ source, on, found }) => html`<span class="tag">${source}${on === false ? ' (off)' : ''} · ${found}</span>`)}
        </div>`
    }
  <//>`
}
