import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { Desk } from '../desk.ts'
import { icon } from '../parts/icon.ts'
import { Meter } from '../parts/Meter.ts'
import { Panel } from '../parts/Panel.ts'
import { countText } from '../text/countText.ts'

/** Topics, and how many of the connected peers have joined each. */
export function TopicsPanel({ desk }: { readonly desk: Desk }): VNode | undefined {
  const { topics, peers, modules, counters } = desk.view.value
  if (topics.length === 0 && !modules.includes('gossipsub')) return undefined
  const connected = peers.filter(({ links }) => links.length > 0).length
  const sorted = topics.toSorted((a, b) => Number(b.joined) - Number(a.joined) || b.peers.length - a.peers.length)
  const heard = counters['gossipsub:message']
  return html`<${Panel}
    id="topics"
    title="Topics"
    note=${heard === undefined ? undefined : `${countText(heard)} messages heard`}
  >
    ${
      sorted.length === 0
        ? html`<p class="dim">Neither this node nor a peer has joined a topic.</p>`
        : html`<ul class="rows" data-testid="topic-list">
            ${sorted.slice(0, 40).map(({ topic, joined, peers: members }) => {
              const words = `${members.length} of ${connected} ${connected === 1 ? 'peer' : 'peers'}`
              return html`<li key=${topic}>
                <span class="name"><span class="cut" title=${topic} data-topic=${topic}>${topic}</span></span>
                <span class="with-icon"
                  >${joined && html`<span class="tone-good with-icon">${icon('check')} joined</span>`} ${words}</span
                >
                <span class="wide"
                  ><${Meter} parts=${[{ share: members.length / Math.max(1, connected), class: 'is-violet' }]}
                /></span>
              </li>`
            })}
            ${sorted.length > 40 && html`<li class="dim">and ${sorted.length - 40} more</li>`}
          </ul>`
    }
  <//>`
}
