import { ipOf } from '../../../security/access/ipOf.ts'
import type { Fact, Stamped } from '../../vocabulary/event.ts'
import type { ExplainedKind } from './explainVocabulary.ts'
import type { PeerMemory } from './peerMemory.ts'

/** An event whose fields may be anything: it may come from a behaviour of somebody else's. */
export type LooseEvent = Stamped<Fact> & Readonly<Record<string, unknown>>

/** Remembers what an event tells. */
export type Reader = (event: LooseEvent, memory: PeerMemory) => void

/** A text of a sensible length. */
export const textIn = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= 512 ? value : undefined
/** A finite number. */
export const numberIn = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined
/** A list; nothing for what is none. */
export const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
/** A word for a text; nothing for what has no plain form, since asking it for one may throw. */
export const wordIn = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? `${value}` : ''

/** What an error says. */
export const errorIn = (
  value: unknown,
): { readonly name: string; readonly message: string; readonly peer?: string } => {
  const { name, message, peer } = Object(value) as Record<string, unknown>
  const known = textIn(peer)
  return { name: textIn(name) ?? 'Error', message: wordIn(message) || 'no reason given', ...(known && { peer: known }) }
}

/** Records of an IP stand beside those of peers: of who was turned away before it could say who it is. */
export const ipKey = (ip: string) => `ip ${ip}`

/** A note about the peer that an event names. */
export const about =
  (kind: ExplainedKind, words: (event: LooseEvent) => string, isSought = true): Reader =>
  (event, memory) => {
    const peer = textIn(event['peer']) ?? memory.peerOf(event['connection'])
    if (peer === undefined) return
    const connection = textIn(event['connection'])
    memory.note(
      peer,
      { kind, text: words(event), event: event.type, ...(connection !== undefined && { connection }) },
      event.at,
      isSought,
    )
  }

/** The IPs of addresses. */
export function ipsOf(addresses: Iterable<string>): ReadonlySet<string> {
  return new Set([...addresses].flatMap((address) => (address.includes('/p2p-circuit') ? [] : (ipOf(address) ?? []))))
}
