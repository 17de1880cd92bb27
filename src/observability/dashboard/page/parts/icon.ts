import { html } from 'htm/preact'
import type { VNode } from 'preact'

/** Drawings on a field of 16 by 16. */
const PATHS = {
  bell: 'M4 11V7a4 4 0 0 1 8 0v4l1 1.5H3zM6.7 14.3h2.6',
  auto: 'M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11',
  light:
    'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.4v1.3M8 13.3v1.3M1.4 8h1.3M13.3 8h1.3M3.3 3.3l.9.9M11.8 11.8l.9.9M3.3 12.7l.9-.9M11.8 4.2l.9-.9',
  dark: 'M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6z',
  copy: 'M6 6h7v7H6zM10 6V3H3v7h3',
  check: 'M3 8.5 6.5 12 13 4.5',
  warning: 'M8 2.5 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.1',
  critical: 'M5.4 2h5.2L14 5.4v5.2L10.6 14H5.4L2 10.6V5.4zM5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2',
  info: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 7.2v3.6M8 5.1v.1',
  dot: 'M8 6.4a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2',
  close: 'M4 4l8 8M12 4l-8 8',
  back: 'M10 3.5 5 8l5 4.5M3.5 3.5v9',
  forth: 'M6 3.5 11 8l-5 4.5M12.5 3.5v9',
  play: 'M5 3.2v9.6L12.6 8z',
  pause: 'M5.2 3.5v9M10.8 3.5v9',
  folder: 'M2 4.2h4l1.4 1.6H14v6.8H2z',
  plus: 'M8 3.5v9M3.5 8h9',
  minus: 'M3.5 8h9',
  fit: 'M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3',
  clock: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 4.8V8l2.2 1.6',
  skip: 'M3 5h10M5 8h6M7 11h2',
} as const

/** Name of a drawing. */
export type IconName = keyof typeof PATHS

/** A small drawing in the colour of its text; it is hidden from screen readers, so words stand beside it. */
export function icon(name: IconName): VNode {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${PATHS[name]} /></svg>`
}
