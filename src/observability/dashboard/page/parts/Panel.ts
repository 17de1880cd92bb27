import { html } from 'htm/preact'
import type { ComponentChildren, VNode } from 'preact'
import { Scroll } from './Scroll.ts'

/** What a {@link Panel} shows. */
export interface PanelProps {
  /** Names its heading. */
  readonly id: string
  /** Heading. */
  readonly title: string
  /** A few words beside the heading. */
  readonly note?: string | undefined
  /** Further classes. */
  readonly class?: string
  /** Controls at the end of its head. */
  readonly end?: ComponentChildren
  /** Whether the content takes the whole width, without a border of its own. */
  readonly bare?: boolean
  /** Content. */
  readonly children?: ComponentChildren
}

/** A part of the page with a heading: a landmark of its own. */
export function Panel({ id, title, note, class: more = '', end, bare = false, children }: PanelProps): VNode {
  return html`<section class=${`panel ${more}`} aria-labelledby=${`h-${id}`} data-testid=${id}>
    <header>
      <h2 id=${`h-${id}`}>${title}</h2>
      ${note !== undefined && html`<span class="note" data-testid=${`${id}-note`}>${note}</span>`}
      ${end !== undefined && html`<div class="end">${end}</div>`}
    </header>
    ${bare ? children : html`<${Scroll} class="body" labelledBy=${`h-${id}`}>${children}<//>`}
  </section>`
}
