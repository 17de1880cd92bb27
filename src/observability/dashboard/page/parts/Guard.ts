import { html } from 'htm/preact'
import type { ComponentChildren, VNode } from 'preact'
import { useErrorBoundary } from 'preact/hooks'

/** Keeps what can't be drawn, as of a recording that was altered, from taking the rest of the page with it. */
export function Guard({ name, children }: { readonly name: string; readonly children?: ComponentChildren }): VNode {
  const [error, again] = useErrorBoundary() as [unknown, () => void]
  if (error === undefined) return html`${children}`
  return html`<section class="panel" role="alert">
    <div class="empty">
      <strong>${name} could not be drawn</strong>
      <p>${error instanceof Error ? error.message : 'for an unknown reason'}</p>
      <button type="button" class="button" onClick=${again}>Try again</button>
    </div>
  </section>`
}
