import { html } from 'htm/preact'
import type { VNode } from 'preact'

/** A part of a {@link Meter}. */
export interface MeterPart {
  /** How much of the whole. @unit 0 to 1 */
  readonly share: number
  /** Class that colours it; default: accent. */
  readonly class?: string
}

/** A bar of parts; `label` says the same in words. */
export function Meter({ label, parts }: { readonly label: string; readonly parts: readonly MeterPart[] }): VNode {
  return html`<div class="meter" role="img" aria-label=${label}>
    ${parts.map(({ share, class: colour }) => {
      const width = `${Math.max(0, Math.min(1, share)) * 100}%`
      return html`<span class=${colour ?? ''} style=${{ width }}></span>`
    })}
  </div>`
}
