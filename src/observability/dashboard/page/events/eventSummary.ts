import type { Plain, PlainEvent } from '../../../plainEvent.ts'
import { bytesText } from '../text/bytesText.ts'
import { shortPeer } from '../text/shortPeer.ts'
import { shortPeers } from '../text/shortPeers.ts'
import { spanText } from '../text/spanText.ts'

const APART = new Set(['type', 'at', 'cause', 'causes', 'peer', 'seq'])
const MOST = 220

/**
 * An event in one line, for the list: its fields without those that have a column.
 *
 * @param shown A peer that stands beside it already.
 * @shape At most 220 characters.
 */
export function eventSummary(event: PlainEvent, shown?: string): string {
  const parts: string[] = []
  let length = 0
  for (const [name, value] of Object.entries(event)) {
    if (value === undefined || value === shown || APART.has(name) || length > MOST) continue
    const text = `${name} ${valueText(name, value)}`
    parts.push(text)
    length += text.length
  }
  const line = parts.join(' · ')
  return line.length <= MOST ? line : `${line.slice(0, MOST - 1)}…`
}

function valueText(name: string, value: Plain): string {
  if (value === null) return '–'
  if (typeof value === 'string') return shortPeers(value).slice(0, 120)
  if (typeof value === 'number') return name.endsWith('Ms') || name === 'ms' ? spanText(value) : String(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) return value.length === 1 ? valueText(name, value[0] as Plain) : `(${value.length})`
  return objectText(value as { readonly [field: string]: Plain })
}

function objectText(value: { readonly [field: string]: Plain }): string {
  if (typeof value['bytes'] === 'number' && Object.keys(value).length === 1) return bytesText(value['bytes'])
  if (typeof value['message'] === 'string') return value['message'].slice(0, 240)
  if (typeof value['peer'] === 'string' && typeof value['transport'] === 'string') {
    return `${value['transport']} ${typeof value['direction'] === 'string' ? value['direction'] : ''} ${shortPeer(value['peer'])}`
  }
  return Object.entries(value)
    .slice(0, 4)
    .map(([field, inner]) => `${field} ${typeof inner === 'object' && inner !== null ? '…' : valueText(field, inner)}`)
    .join(', ')
}
