import type { SwarmError } from '../../../errors/errors.ts'
import { ipOf } from '../../../security/access/ipOf.ts'
import type { CoreEvent, Fact, Stamped } from '../../vocabulary/event.ts'
import type { AccessEvent } from '../access/accessVocabulary.ts'
import type { AddressesEvent } from '../addresses/addressesVocabulary.ts'
import type { ConnectionsEvent } from '../connections/connectionsBehaviour.ts'
import type { DiscoveryEvent } from '../discovery/discoveryVocabulary.ts'
import type { KeepAliveEvent } from '../keepAlive/keepAliveVocabulary.ts'
import type { PingEvent } from '../ping/pingBehaviour.ts'
import type { ReachabilityEvent } from '../reachability/reachabilityVocabulary.ts'
import type { RelayEvent } from '../relay/relayVocabulary.ts'
import type { RendezvousEvent } from '../rendezvous/rendezvousVocabulary.ts'
import type { XauthEvent } from '../xauth/xauthVocabulary.ts'
import type { ExplainedKind } from './explainVocabulary.ts'
import type { PeerMemory } from './peerMemory.ts'

/** All that may be read: an event that no behaviour has, or a field that it has not, does not compile. */
type Told =
  | (CoreEvent | AccessEvent | AddressesEvent | ConnectionsEvent | DiscoveryEvent | KeepAliveEvent)
  | (PingEvent | ReachabilityEvent | RelayEvent | RendezvousEvent | XauthEvent)

type Named<Type, Event = Told> = Event extends { readonly type: infer Types }
  ? Type extends Types
    ? Event
    : never
  : never
type KeysOf<T> = T extends unknown ? keyof T : never

/** The fields of a type, each of which may be anything; those that not all of a union have may be missing. */
export type Loose<T> = { readonly [Field in Extract<keyof T, string>]: unknown } & {
  readonly [Field in Exclude<Extract<KeysOf<T>, string>, keyof T>]?: unknown
}

/** Events of these types. libp2p's connections are what they say; others may come from a behaviour of somebody else's. */
export type Heard<Type extends Told['type']> = [Type] extends ['connection:open' | 'connection:close']
  ? Stamped<Named<Type>>
  : Stamped<Fact> & Omit<Loose<Named<Type>>, keyof Fact>

/** An event whose fields may be anything. */
export type LooseEvent = Stamped<Fact> & Readonly<Record<string, unknown>>

/** Remembers what an event tells. */
export type Reader<Event = LooseEvent> = (event: Event, memory: PeerMemory) => void

/** What is read of each event. */
export type Readers = { readonly [Type in Told['type']]?: Reader<Heard<Type>> }

/** An event about a peer. */
export type AboutPeer = Stamped<Fact> & { readonly peer: unknown; readonly connection?: unknown }

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
  const { name, message, peer } = Object(value) as Loose<SwarmError>
  const known = textIn(peer)
  return { name: textIn(name) ?? 'Error', message: wordIn(message) || 'no reason given', ...(known && { peer: known }) }
}

/** Records of an IP stand beside those of peers: of who was turned away before it could say who it is. */
export const ipKey = (ip: string) => `ip ${ip}`

/** A note about the peer that an event names. */
export const about =
  <Event extends AboutPeer>(kind: ExplainedKind, words: (event: Event) => string, isSought = true): Reader<Event> =>
  (event, memory) => {
    const peer = textIn(event.peer) ?? memory.peerOf(event.connection)
    if (peer === undefined) return
    const connection = textIn(event.connection)
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
