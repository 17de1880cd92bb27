import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import type { VNode } from 'preact'
import type { Desk, LinkState } from './desk.ts'
import { icon } from './parts/icon.ts'
import { clockText } from './text/clockText.ts'
import { shortPeer } from './text/shortPeer.ts'
import { spanText } from './text/spanText.ts'
import { ThemeSwitch } from './ThemeSwitch.ts'

const LINK: Readonly<Record<LinkState, readonly [tone: string, words: string]>> = {
  connecting: ['unknown', 'connecting'],
  live: ['good', 'live'],
  lagging: ['strained', 'lagging'],
  lost: ['bad', 'lost'],
  ended: ['bad', 'ended'],
  file: ['violet', 'recording'],
}

/** Beside this file, wherever that is served. */
const ICON = new URL('./icon.svg', import.meta.url).href

const PHASE = { running: 'good', stopping: 'strained', stopped: 'bad' } as const

/** Which node this is, how it and the link to it are, and what holds for the whole page. */
export function Header({ desk }: { readonly desk: Desk }): VNode {
  const { self, phase } = desk.view.value
  const [tone, words] = LINK[desk.link.value]
  const isPast = desk.moment.value !== undefined
  const note = desk.linkNote.value
  const watched = desk.now.value - desk.startedAt.value
  return html`<header class="top">
    <div class="brand">
      <img src=${ICON} alt="" width="28" height="28" />
      <div>
        <h1>rxswarm <span class="unseen">dashboard</span></h1>
        <${OwnId} self=${self} />
      </div>
    </div>
    <div class="pills">
      <span class=${`pill tone-${PHASE[phase] ?? 'unknown'}`} data-testid="phase">
        <span class="dot" aria-hidden="true"></span>${phase}
      </span>
      <span class=${`pill tone-${tone}`} data-testid="link" role="status">
        <span class=${`dot ${words === 'live' && !isPast ? 'beats' : ''}`} aria-hidden="true"></span>${words}
        ${note !== '' && html`<span class="word">${words === 'recording' ? note : `– ${note}`}</span>`}
      </span>
      ${
        isPast
          ? html`<span
              class="pill tone-violet"
              role="status"
              data-testid="past"
              title="All numbers are those of this moment"
              >${icon('clock')} at ${clockText(desk.momentAt.value)}</span
            >`
          : desk.isReady.value &&
            watched > 0 &&
            html`<span class="pill dim" data-testid="watched" title="How long the dashboard has watched this node"
              >${icon('clock')} ${spanText(Math.floor(watched / 1_000) * 1_000)}</span
            >`
      }
    </div>
    <div class="tools">
      <${Bell} desk=${desk} />
      <${ThemeSwitch} />
    </div>
  </header>`
}

function OwnId({ self }: { readonly self: string }): VNode {
  const [isCopied, copied] = useState(false)
  if (self === '') return html`<span class="id">no node yet</span>`
  const copy = (): void => {
    navigator.clipboard?.writeText(self).then(
      () => copied(true),
      () => copied(false),
    )
  }
  return html`<span class="id">
    <span class="mono" data-testid="self" title=${self}>${shortPeer(self)}</span>
    <button type="button" class="mini" aria-label="Copy the peer id of this node" onClick=${copy}>
      ${icon(isCopied ? 'check' : 'copy')}
    </button>
  </span>`
}

function Bell({ desk }: { readonly desk: Desk }): VNode {
  const open = desk.view.value.alerts.filter(({ state }) => state !== 'resolved')
  const raised = open.filter(({ state }) => state === 'raised').length
  const words = open.length === 0 ? 'No open alerts' : `${open.length} open alerts, ${raised} not acknowledged`
  const go = (): void => {
    const alerts = document.querySelector<HTMLElement>('#alerts')
    alerts?.scrollIntoView({ block: 'center' })
    alerts?.focus({ preventScroll: true })
  }
  return html`<button
    type="button"
    class="button bell"
    aria-label=${words}
    title=${words}
    data-testid="bell"
    onClick=${go}
  >
    ${icon('bell')}
    ${open.length > 0 && html`<span class=${`count ${raised === 0 ? 'is-known' : ''}`}>${open.length}</span>`}
  </button>`
}
