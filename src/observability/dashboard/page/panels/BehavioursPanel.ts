import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { Desk } from '../desk.ts'
import { icon } from '../parts/icon.ts'
import { Panel } from '../parts/Panel.ts'
import { spanText } from '../text/spanText.ts'

/** Which behaviours run, which do not, and what the health checks say. */
export function BehavioursPanel({ desk }: { readonly desk: Desk }): VNode {
  const { modules, troubled, checks } = desk.view.value
  const now = desk.now.value
  const isTroubled = new Set(troubled.map(({ behaviour }) => behaviour))
  const runs = modules.filter((name) => !isTroubled.has(name))
  const note =
    troubled.length === 0 ? `all ${modules.length} run` : `${troubled.length} of ${modules.length} in trouble`
  return html`<${Panel} id="behaviours" title="Behaviours" note=${note}>
    ${
      troubled.length > 0 &&
      html`<ul class="rows">
        ${troubled.map(
          ({ behaviour, state, since, reason }) =>
            html`<li key=${behaviour}>
              <span class="name"><strong>${behaviour}</strong></span>
              <span class="with-icon tone-bad"
                >${icon('critical')} ${state} for ${spanText(Math.max(0, now - since))}</span
              >
              <span class="under">${reason}</span>
            </li>`,
        )}
      </ul>`
    }
    <div class="tags" data-testid="modules">
      ${runs.map((name) => html`<span class="tag with-icon" key=${name}><span class="tone-good">${icon('check')}</span> ${name}</span>`)}
    </div>
    ${
      checks.length > 0 &&
      html`<h3 class="sub">Health checks</h3>
        <ul class="rows">
          ${checks.slice(0, 24).map(({ check, status, reason }) => {
            const isWell = /^(ok|good|pass|passed|healthy|up|ready|live)$/.test(status)
            return html`<li key=${check}>
              <span class="name">${check}</span>
              <span class=${`with-icon tone-${isWell ? 'good' : 'bad'}`}
                >${icon(isWell ? 'check' : 'critical')} ${status}</span
              >
              ${reason !== '' && html`<span class="under">${reason}</span>`}
            </li>`
          })}
        </ul>`
    }
  <//>`
}
