import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { Desk } from '../desk.ts'
import { icon, type IconName } from '../parts/icon.ts'
import { Panel } from '../parts/Panel.ts'
import { PeerName } from '../parts/PeerName.ts'
import { clockText } from '../text/clockText.ts'

const SHOWN = 12

const look = (what: string): readonly [tone: string, sign: IconName] => {
  if (/fail|denied|revoked/.test(what)) return ['bad', 'critical']
  if (/expiring|requested/.test(what)) return ['strained', 'warning']
  return ['good', 'check']
}

/** Authentications, and what was refused. */
export function AuthPanel({ desk }: { readonly desk: Desk }): VNode | undefined {
  const { authentications, refusals, modules, peers } = desk.view.value
  const isUsed = modules.includes('xauth') || modules.includes('access')
  if (!isUsed && authentications.length + refusals.length === 0) return undefined
  const proven = peers.filter(({ auth }) => auth?.state === 'authenticated').length
  return html`<${Panel}
    id="auth"
    title="Authentications and refusals"
    note=${proven > 0 ? `${proven} authenticated` : undefined}
  >
    ${
      authentications.length === 0
        ? html`<p class="dim">Nobody has authenticated yet.</p>`
        : html`<ul class="rows">
            ${authentications
              .toReversed()
              .slice(0, SHOWN)
              .map(({ at, what, peer, direction, reason }) => {
                const [tone, sign] = look(what)
                const more = [clockText(at), direction, reason].filter((text) => text !== undefined && text !== '')
                return html`<li key=${`${at}${what}${peer}${direction ?? ''}`}>
                  <span class="name"><${PeerName} desk=${desk} peer=${peer} /></span>
                  <span class=${`with-icon tone-${tone}`}>${icon(sign)} ${what}</span>
                  <span class="under">${more.join(' · ')}</span>
                </li>`
              })}
          </ul>`
    }
    ${
      refusals.length > 0 &&
      html`<h3 class="sub">Refused</h3>
        <ul class="rows" data-testid="refusals">
          ${refusals
            .toReversed()
            .slice(0, SHOWN)
            .map(
              ({ at, type, peer, reason }, i) =>
                html`<li key=${`${at}${type}${peer}${i}`}>
                  <span class="name"><${PeerName} desk=${desk} peer=${peer} /></span>
                  <span class="with-icon tone-bad">${icon('critical')} ${type}</span>
                  <span class="under">${clockText(at)} · ${reason}</span>
                </li>`,
            )}
        </ul>`
    }
  <//>`
}
