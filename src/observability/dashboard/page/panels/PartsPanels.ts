import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { Desk } from '../desk.ts'
import { Guard } from '../parts/Guard.ts'
import { AuthPanel } from './AuthPanel.ts'
import { BehavioursPanel } from './BehavioursPanel.ts'
import { BreakersPanel } from './BreakersPanel.ts'
import { DhtPanel } from './DhtPanel.ts'
import { FailuresPanel } from './FailuresPanel.ts'
import { LanesPanel } from './LanesPanel.ts'
import { NodePanel } from './NodePanel.ts'
import { RelaysPanel } from './RelaysPanel.ts'
import { RendezvousPanel } from './RendezvousPanel.ts'
import { TopicsPanel } from './TopicsPanel.ts'

const PANELS = {
  'This node': NodePanel,
  Lanes: LanesPanel,
  Breakers: BreakersPanel,
  Topics: TopicsPanel,
  Relays: RelaysPanel,
  'The DHT': DhtPanel,
  Authentications: AuthPanel,
  Failures: FailuresPanel,
  Rendezvous: RendezvousPanel,
  Behaviours: BehavioursPanel,
} as const

/** What the parts of the node do. Those that the node does not use are named at the end, not drawn. */
export function PartsPanels({ desk }: { readonly desk: Desk }): VNode {
  const { modules } = desk.view.value
  const absent = ['gossipsub', 'relay', 'kad', 'rendezvous', 'xauth', 'access', 'health'].filter(
    (name) => modules.length > 0 && !modules.includes(name),
  )
  return html`<section class="at-parts" aria-labelledby="h-parts">
    <h2 id="h-parts" class="unseen">Parts of the node</h2>
    <div class="parts">
      ${Object.entries(PANELS).map(([name, Part]) => html`<${Guard} key=${name} name=${name}><${Part} desk=${desk} /><//>`)}
    </div>
    ${
      absent.length > 0 &&
      html`<p class="idle-note" data-testid="absent">
        Not in use, so not shown: ${absent.join(', ')}. Add a module to <code>use</code> to see what it does.
      </p>`
    }
  </section>`
}
