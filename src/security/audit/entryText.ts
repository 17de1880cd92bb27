import type { AuditEntry } from './auditEntry.ts'
import { cutText } from './cutText.ts'
import { jsonText } from './jsonText.ts'
import { MOST_LINE_BYTES } from './chainLine.ts'
import { pairsText, type Detail } from './valueText.ts'

/** What the chain adds to an entry, at most: `seq` and `time` before it, `prev` and `hash` after it, the line break. */
const CHAIN_BYTES = 320
const MOST_BYTES = MOST_LINE_BYTES - CHAIN_BYTES

/** Less and less is told until the line fits. The last always does: 6 fields of 16 characters, 6 bytes each. */
const DETAILS: readonly Detail[] = [
  { text: 8_192, items: 512, depth: 8 },
  { text: 2_048, items: 128, depth: 8 },
  { text: 512, items: 32, depth: 6 },
  { text: 128, items: 16, depth: 3 },
  { text: 16, items: 6, depth: 0 },
]

/** The longest name of an event, peer id and address. @unit characters */
const LONGEST = { event: 128, peer: 256, ip: 64 }

const RESERVED = ['seq', 'time', 'prev', 'hash']

/**
 * The part of a line that an entry is: `"event":"access:denied","peer":"12D3…","ip":"192.0.2.7"` and further fields.
 *
 * @shape  Event, peer and address come first, in this order, then the fields sorted by name. Canonical: the same entry
 *         gives the same text. What would make the line longer than {@link MOST_LINE_BYTES} is cut and marked.
 * @errors None, whatever the entry holds.
 */
export function entryText(entry: AuditEntry): string {
  try {
    return textOf(entry)
  } catch {
    return '"event":"[unreadable]"'
  }
}

function textOf(entry: AuditEntry): string {
  const { event, peer, ip, ...fields } = Object(entry) as AuditEntry
  const name = typeof event === 'string' ? event : String(shown(event))
  const head = [
    `"event":${jsonText(cutText(name.replace(/^_*audit:/, '_$&'), LONGEST.event))}`,
    ...named('peer', peer),
    ...named('ip', ip),
  ].join(',')
  for (const detail of DETAILS) {
    const room = { left: MOST_BYTES - head.length }
    const text = [head, ...pairsText(fields, detail, room, 0, RESERVED)].join(',')
    if (room.left >= 0 && Buffer.byteLength(text) <= MOST_BYTES) return text
  }
  return head
}

function named(name: 'peer' | 'ip', value: unknown): readonly string[] {
  if (value === undefined || value === null) return []
  return [`"${name}":${jsonText(cutText(typeof value === 'string' ? value : shown(value), LONGEST[name]))}`]
}

/** For callers without types. */
function shown(value: unknown): string {
  try {
    return String(value)
  } catch {
    return '[unreadable]'
  }
}
