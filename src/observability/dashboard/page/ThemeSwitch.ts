import { signal } from '@preact/signals'
import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { remember, remembered } from './browserPorts.ts'
import { icon } from './parts/icon.ts'

/** How the page looks. `auto`: as the reader's system does. */
export type Theme = 'auto' | 'light' | 'dark'

const THEMES = ['auto', 'light', 'dark'] as const

/** Counts up when the colours may have changed, for what is drawn on canvases. */
export const themeTurn = signal(0)

const theme = signal<Theme>('auto')

/** Takes up the theme of the last visit, and follows the system's. */
export function startTheme(): void {
  const last = remembered('theme')
  setTheme(THEMES.find((one) => one === last) ?? 'auto')
  globalThis.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => void themeTurn.value++)
}

function setTheme(next: Theme): void {
  theme.value = next
  if (next === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = next
  remember('theme', next)
  themeTurn.value++
}

/** A choice between light, dark and what the system has. */
export function ThemeSwitch(): VNode {
  return html`<div class="segments" role="group" aria-label="Theme">
    ${THEMES.map(
      (one) =>
        html`<button
          type="button"
          aria-pressed=${theme.value === one}
          title=${`Theme: ${one}`}
          onClick=${() => setTheme(one)}
        >
          ${icon(one)}<span class="unseen">${one}</span>
        </button>`,
    )}
  </div>`
}
