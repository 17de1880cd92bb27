import { html } from 'htm/preact'
import type { ComponentChildren, VNode } from 'preact'

/** Says why there is nothing to see, and what would change that. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }): VNode {
  return html`<div class="empty"><strong>${title}</strong>${children !== undefined && html`<p>${children}</p>`}</div>`
}
