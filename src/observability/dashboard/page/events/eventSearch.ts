import type { PlainEvent } from '../../../plainEvent.ts'
import type { Severity } from '../../model/dashboardView.ts'
import { severityOf } from './severityOf.ts'

/** What a reader looks for in the list of events. */
export interface EventSearch {
  /** Words as typed; see {@link eventSearch}. */
  readonly text: string
  /** First parts of types that are wanted (`kad`, `peer`); empty: all. */
  readonly areas: ReadonlySet<string>
  /** Only of this peer, by its whole id. */
  readonly peer?: string | undefined
  /** Only as bad as this, or worse. */
  readonly least: Severity
}

const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 }

/** Longest text that is looked for; more is cut. */
const MOST_TEXT = 200

/** The first part of a type: `kad` of `kad:stored`. */
export function areaOf(type: string): string {
  const colon = type.indexOf(':')
  return colon < 0 ? type : type.slice(0, colon)
}

/**
 * Makes the test for events that a search finds.
 *
 * @shape  All words must be found, in any order, anywhere in the event's JSON, large or small. `type:kad` looks in the type
 *         alone, `peer:x3f9` in the whole id of any peer it names, `-word` must not be found.
 */
export function eventSearch({ text, areas, peer, least }: EventSearch): (event: PlainEvent) => boolean {
  const words = text.slice(0, MOST_TEXT).toLowerCase().split(/\s+/).filter(Boolean)
  const tests = words.map(wordTest)
  return (event) => {
    if (areas.size > 0 && !areas.has(areaOf(event.type))) return false
    if (least !== 'info' && RANK[severityOf(event)] < RANK[least]) return false
    if (peer === undefined && tests.length === 0) return true
    const json = JSON.stringify(event)
    if (peer !== undefined && !json.includes(peer)) return false
    const low = json.toLowerCase()
    return tests.every((test) => test(event, low))
  }
}

function wordTest(word: string): (event: PlainEvent, json: string) => boolean {
  if (word.length > 1 && word.startsWith('-')) {
    const test = wordTest(word.slice(1))
    return (event, json) => !test(event, json)
  }
  if (word.startsWith('type:')) {
    const wanted = word.slice(5)
    return ({ type }) => type.toLowerCase().includes(wanted)
  }
  if (word.startsWith('peer:')) {
    const wanted = word.slice(5)
    return (event) => peersOf(event).some((peer) => peer.toLowerCase().includes(wanted))
  }
  const quoted = JSON.stringify(word).slice(1, -1)
  return (_, json) => json.includes(quoted)
}

const PEER_FIELDS = ['peer', 'relay', 'from', 'to', 'source', 'destination', 'owner'] as const

/** Peers that an event names in fields of its own, and of its connection. */
export function peersOf(event: PlainEvent): readonly string[] {
  const found = PEER_FIELDS.map((field) => event[field]).filter((value) => typeof value === 'string')
  const { connection } = event
  if (typeof connection === 'object' && connection !== null && 'peer' in connection) {
    if (typeof connection['peer'] === 'string') found.push(connection['peer'])
  }
  return found
}
