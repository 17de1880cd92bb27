import type { HealthColour, Severity } from '../../model/dashboardView.ts'
import type { IconName } from './icon.ts'

/** How something is shown: a colour by its name, and a sign for those who do not see colours. */
export interface Tone {
  /** Class `tone-…`. */
  readonly tone: 'good' | 'strained' | 'bad' | 'calm' | 'violet' | 'unknown'
  /** Drawing beside it. */
  readonly icon: IconName
}

const TONES: Readonly<Record<HealthColour | Severity, Tone>> = {
  good: { tone: 'good', icon: 'check' },
  strained: { tone: 'strained', icon: 'warning' },
  bad: { tone: 'bad', icon: 'critical' },
  unknown: { tone: 'unknown', icon: 'dot' },
  info: { tone: 'calm', icon: 'info' },
  warning: { tone: 'strained', icon: 'warning' },
  critical: { tone: 'bad', icon: 'critical' },
}

/** The tone of a health or a severity. What is neither is unknown. */
export function toneOf(what: string): Tone {
  return Object.hasOwn(TONES, what) ? TONES[what as HealthColour] : TONES.unknown
}
