import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import { AlertsPanel } from './alerts/AlertsPanel.ts'
import { RatesPanel } from './charts/RatesPanel.ts'
import type { Desk } from './desk.ts'
import { EventsPanel } from './events/EventsPanel.ts'
import { Header } from './Header.ts'
import { NetworkPanel } from './network/NetworkPanel.ts'
import { PartsPanels } from './panels/PartsPanels.ts'
import { Guard } from './parts/Guard.ts'
import { icon } from './parts/icon.ts'
import { Tiles } from './Tiles.ts'
import { TimeBar } from './time/TimeBar.ts'
import { clockText } from './text/clockText.ts'
import { shortPeer } from './text/shortPeer.ts'

/** The whole page. */
export function App({ desk }: { readonly desk: Desk }): VNode {
  useEffect(() => listen(desk), [])
  const at = desk.momentAt.value
  const trouble = desk.trouble.value
  const isLost = desk.link.value === 'lost' && desk.isReady.value
  useEffect(() => {
    document.documentElement.classList.toggle('is-past', at !== undefined)
  }, [at === undefined])
  const { self, alerts } = desk.view.value
  const open = alerts.filter(({ state }) => state !== 'resolved').length
  useEffect(() => {
    document.title = [open > 0 ? `(${open})` : '', shortPeer(self), self === '' ? '' : '–', 'rxswarm']
      .filter(Boolean)
      .join(' ')
  }, [self, open])
  return html`<a class="skip" href="#main">To the content</a>
    <${Header} desk=${desk} />
    <main id="main" tabindex="-1">
      ${
        isLost &&
        html`<p class="notice tone-bad" role="status" data-testid="lost">
          ${icon('warning')}
          <span
            >The node is not heard. What you see is the last that was known, of ${clockText(desk.reach.value.to)}.</span
          >
        </p>`
      }
      ${
        trouble !== undefined &&
        html`<p class="notice" role="alert" data-testid="trouble">
          ${icon('warning')} <span>${trouble}</span>
          <button type="button" class="button is-bare" aria-label="Dismiss" onClick=${() => desk.dismiss()}>
            ${icon('close')}
          </button>
        </p>`
      }
      <div class="board">
        <${Guard} name="The numbers"><${Tiles} desk=${desk} /><//>
        <${Guard} name="The network"><${NetworkPanel} desk=${desk} /><//>
        <${Guard} name="The alerts"><${AlertsPanel} desk=${desk} /><//>
        <${Guard} name="The events"><${EventsPanel} desk=${desk} /><//>
        <${Guard} name="The charts"><${RatesPanel} desk=${desk} /><//>
        <${PartsPanels} desk=${desk} />
      </div>
    </main>
    <${TimeBar} desk=${desk} />`
}

/** Keys and dropped files, for the whole page. */
function listen(desk: Desk): () => void {
  const onKeyDown = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return
    if (
      target.closest('input, select, textarea, [role=listbox], [role=application], [role=tablist], .table-scroll') !==
      null
    )
      return
    if (event.key === 'ArrowLeft') desk.step(-1)
    else if (event.key === 'ArrowRight' && desk.moment.value !== undefined) desk.step(1)
    else if (event.key === 'Escape' && desk.moment.value !== undefined) desk.goLive()
    else return
    event.preventDefault()
  }
  const onDrag = (event: DragEvent): void => {
    if (event.dataTransfer?.types.includes('Files') !== true) return
    event.preventDefault()
    document.documentElement.classList.toggle('dropping', event.type === 'dragover')
  }
  const onDrop = (event: DragEvent): void => {
    document.documentElement.classList.remove('dropping')
    const file = event.dataTransfer?.files[0]
    if (file === undefined) return
    event.preventDefault()
    void desk.open(file)
  }
  document.addEventListener('keydown', onKeyDown)
  document.addEventListener('dragover', onDrag)
  document.addEventListener('dragleave', onDrag)
  document.addEventListener('drop', onDrop)
  return () => {
    document.removeEventListener('keydown', onKeyDown)
    document.removeEventListener('dragover', onDrag)
    document.removeEventListener('dragleave', onDrag)
    document.removeEventListener('drop', onDrop)
  }
}
