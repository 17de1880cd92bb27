import type { AlertRule } from '../../model/alerts.ts'
import { spanText } from '../text/spanText.ts'

const OPS = { '>': 'above', '>=': 'at least', '<': 'below', '<=': 'at most' } as const

/** When a rule raises its alert, in words: `loop.maxMs above 100 for 5 s`, `3 of xauth:failed within 1 min`. */
export function ruleText({ when }: AlertRule): string {
  if ('event' in when) return `${when.count ?? 1} of ${when.event} within ${spanText(when.withinMs ?? 60_000)}`
  const { metric, op, value, forMs = 0 } = when
  return `${metric} ${OPS[op] ?? op} ${value}${forMs > 0 ? ` for ${spanText(forMs)}` : ''}`
}
