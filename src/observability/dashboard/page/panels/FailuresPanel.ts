import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { Desk } from '../desk.ts'
import { Panel } from '../parts/Panel.ts'
import { clockText } from '../text/clockText.ts'
import { shortPeers } from '../text/shortPeers.ts'

/** What went wrong lately: failed commands, and what the node could not do. */
export function FailuresPanel({ desk }: { readonly desk: Desk }): VNode | undefined {
  const { failures } = desk.view.value
  if (failures.length === 0) return undefined
  return html`<${Panel} id="failures" title="Failures" note="the latest first">
    <ul class="rows">
      ${failures
        .toReversed()
        .slice(0, 20)
        .map(
          ({ at, what, error, reason, type }, i) =>
            html`<li key=${`${at}${i}`} title=${type}>
              <span class="name"><strong>${shortPeers(what)}</strong></span>
              <span class="tone-strained">${error}</span>
              <span class="under">${clockText(at)} · ${shortPeers(reason)}</span>
            </li>`,
        )}
    </ul>
  <//>`
}
