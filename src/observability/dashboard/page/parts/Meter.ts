import { html } from 'htm/preact'
import type { VNode } from 'preact'

/** A part of a {@link Meter}. */
export interface MeterPart {
  /** How much of the whole. @unit 0 to 1 */
  readonly share: number
  /** Class that colours it; default: accent. */
  readonly class?: string
}

/** A bar of parts. The same stands beside it in words, so screen readers leave it out. */
export function Meter({ parts }: { readonly parts: readonly MeterPart[] }): VNode {
  return html`<div class="meter" aria-hidden="true">
    ${parts.map(({ share, class: colour }) => {
      const width = `${Math.max(0, Math.min(1, share)) * 100}%`
      return html`<span class=${colour ?? ''} style=${{ width }}></span>`
    })}
  </div>`
}
