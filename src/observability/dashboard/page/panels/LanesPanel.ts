import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { Desk } from '../desk.ts'
import { Meter } from '../parts/Meter.ts'
import { Panel } from '../parts/Panel.ts'
import { countText } from '../text/countText.ts'
import { spanText } from '../text/spanText.ts'

/** What runs and waits in the lanes of commands. */
export function LanesPanel({ desk }: { readonly desk: Desk }): VNode {
  const { lanes } = desk.view.value
  const most = Math.max(1, ...lanes.map(({ running, waiting }) => running + waiting))
  return html`<${Panel} id="lanes" title="Lanes of commands">
    ${
      lanes.length === 0
        ? html`<p class="dim">The first sample is on its way.</p>`
        : html`<ul class="rows">
            ${lanes.map(({ lane, running, waiting, oldestMs, started, refused }) => {
              const words = `${running} run, ${waiting} wait${waiting > 0 ? `, the oldest for ${spanText(oldestMs)}` : ''}`
              return html`<li key=${lane} data-lane=${lane}>
                <span class="name"><strong>${lane}</strong></span>
                <span>${words}</span>
                <span class="wide"
                  ><${Meter} parts=${[{ share: running / most }, { share: waiting / most, class: 'is-waiting' }]}
                /></span>
                <span class="under"
                  ><span data-testid=${`started-${lane}`}>${countText(started)}</span> started${
                    refused > 0 ? html`, <span class="tone-bad">${countText(refused)} refused</span>` : ''
                  }</span
                >
              </li>`
            })}
          </ul>`
    }
  <//>`
}
