import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { sparkPath } from './sparkPath.ts'

/** A line without axes that shows whether a number rises or falls; the number itself stands beside it. */
export function Spark({ values }: { readonly values: readonly number[] }): VNode {
  const line = sparkPath(values, 100, 22)
  return html`<svg class="spark" viewBox="0 0 100 22" preserveAspectRatio="none" aria-hidden="true">
    ${line !== '' && html`<path class="area" d=${`${line}L100 22L0 22Z`} /><path class="line" d=${line} />`}
  </svg>`
}
