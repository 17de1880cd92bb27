import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { LookupView } from '../../model/dashboardView.ts'
import type { Desk } from '../desk.ts'
import { icon, type IconName } from '../parts/icon.ts'
import { Panel } from '../parts/Panel.ts'
import { shortPeers } from '../text/shortPeers.ts'
import { spanText } from '../text/spanText.ts'

const LOOK: Readonly<Record<string, readonly [tone: string, sign: IconName]>> = {
  completed: ['good', 'check'],
  failed: ['bad', 'critical'],
  cancelled: ['unknown', 'close'],
  running: ['calm', 'clock'],
}

/** Questions to the DHT, the latest first. */
export function DhtPanel({ desk }: { readonly desk: Desk }): VNode | undefined {
  const { dht, modules } = desk.view.value
  if (!modules.includes('kad') && dht.lookups.length === 0) return undefined
  const acts = dht.acts ?? dht.mode
  const latest = dht.lookups.toReversed().slice(0, 20)
  return html`<${Panel} id="dht" title="DHT" note=${acts === undefined ? undefined : `acts as ${acts}`}>
    ${
      latest.length === 0
        ? html`<p class="dim">Nobody has asked it anything yet.</p>`
        : html`<ul class="rows">
            ${latest.map((one) => html`<${Lookup} key=${one.command} one=${one} now=${desk.now.value} />`)}
          </ul>`
    }
  <//>`
}

function Lookup({ one, now }: { readonly one: LookupView; readonly now: number }): VNode {
  const { kind, key, results, at, outcome, endedAt, reason } = one
  const [tone, sign] = LOOK[outcome ?? 'running'] ?? LOOK['running']!
  const took = spanText(Math.max(0, (endedAt ?? now) - at))
  const facts = [key, `${results} ${results === 1 ? 'answer' : 'answers'}`, reason].filter(
    (text) => text !== undefined && text !== '',
  )
  return html`<li>
    <span class="name"><strong>${kind}</strong></span>
    <span class=${`with-icon tone-${tone}`}>${icon(sign)} ${outcome ?? 'runs'}, ${took}</span>
    <span class="under cut" title=${facts.join(' · ')}>${shortPeers(facts.join(' · '))}</span>
  </li>`
}
