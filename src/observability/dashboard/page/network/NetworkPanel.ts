import { useSignal } from '@preact/signals'
import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { Desk } from '../desk.ts'
import { Empty } from '../parts/Empty.ts'
import { Panel } from '../parts/Panel.ts'
import { NetworkGraph } from './NetworkGraph.ts'
import { PeerSide } from './PeerSide.ts'
import { PeerTable } from './PeerTable.ts'

/** Topics that can be switched in the bar; of more, the largest. */
const MOST_CHIPS = 12

/** The network as the node sees it, as a graph or as a table, with the details of the chosen peer. */
export function NetworkPanel({ desk }: { readonly desk: Desk }): VNode {
  const tab = useSignal<'graph' | 'table'>('graph')
  const { peers } = desk.view.value
  const connected = peers.filter(({ links }) => links.length > 0).length
  const troubled = peers.filter(({ health }) => health === 'bad').length
  const note = `${connected} connected${troubled > 0 ? `, ${troubled} in trouble` : ''}`
  const tabs = html`<div class="segments" role="tablist" aria-label="How the network is shown">
    ${(['graph', 'table'] as const).map(
      (one) =>
        html`<button
          type="button"
          role="tab"
          id=${`tab-${one}`}
          aria-controls="network-view"
          aria-selected=${tab.value === one}
          tabindex=${tab.value === one ? 0 : -1}
          onClick=${() => void (tab.value = one)}
          onKeyDown=${(event: KeyboardEvent) => {
            if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return
            event.stopPropagation()
            tab.value = tab.value === 'graph' ? 'table' : 'graph'
            document.querySelector<HTMLElement>(`#tab-${tab.value}`)?.focus()
          }}
        >
          ${one === 'graph' ? 'Graph' : 'Table'}
        </button>`,
    )}
  </div>`
  const hasSide = desk.chosenPeer.value !== undefined
  return html`<${Panel} id="network" class="network at-network" title="Network" note=${note} end=${tabs} bare>
    <${TopicBar} desk=${desk} />
    <div class=${`stage ${hasSide ? 'has-side' : ''}`}>
      <div id="network-view" class="view" role="tabpanel" aria-labelledby=${`tab-${tab.value}`}>
        ${
          tab.value === 'table'
            ? html`<${PeerTable} desk=${desk} />`
            : html`<${NetworkGraph} desk=${desk} /> ${
                  connected === 0 &&
                  html`<div class="over-graph">
                    <${Empty} title=${peers.length === 0 ? 'No peers yet' : 'No peer is connected'}>
                      ${
                        desk.isReady.value
                          ? 'The node is alone. Peers appear here as soon as it dials one, is dialled, or finds one.'
                          : 'Waiting for the node.'
                      }
                    <//>
                  </div>`
                }`
        }
      </div>
      ${hasSide && html`<${PeerSide} desk=${desk} peer=${desk.chosenPeer.value!} />`}
    </div>
  <//>`
}

function TopicBar({ desk }: { readonly desk: Desk }): VNode | undefined {
  const { topics } = desk.view.value
  if (topics.length === 0) return undefined
  const largest = topics.toSorted((a, b) => Number(b.joined) - Number(a.joined) || b.peers.length - a.peers.length)
  const on = desk.topics.value
  const toggle = (topic: string): void => {
    const next = new Set(on)
    if (!next.delete(topic)) next.add(topic)
    desk.topics.value = next
  }
  return html`<div class="topic-bar" role="group" aria-label="Topics drawn in the graph">
    <span class="label" aria-hidden="true">Topics</span>
    <div class="chips">
      ${largest
        .slice(0, MOST_CHIPS)
        .map(
          ({ topic, peers, joined }) =>
            html`<button
              type="button"
              class="chip"
              key=${topic}
              aria-pressed=${on.has(topic)}
              title=${`${topic} – ${peers.length} peers${joined ? ', joined by this node' : ''}`}
              onClick=${() => toggle(topic)}
            >
              <span>${topic}</span><span class="n">${peers.length}</span>
            </button>`,
        )}
      ${topics.length > MOST_CHIPS && html`<span class="idle-note">and ${topics.length - MOST_CHIPS} more</span>`}
    </div>
  </div>`
}
