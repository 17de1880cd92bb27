import type { Observable } from 'rxjs'
import type { SwarmError } from '../../../errors/errors.ts'
import type { Command } from '../../vocabulary/command.ts'

/** The protocol by which a peer shows that it is a relay, and is asked to relay. @source circuit relay v2 */
export const HOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/hop'

/** A status of the circuit relay protocol, by its name in the specification. */
export type RelayStatus =
  | 'OK'
  | 'RESERVATION_REFUSED'
  | 'RESOURCE_LIMIT_EXCEEDED'
  | 'PERMISSION_DENIED'
  | 'CONNECTION_FAILED'
  | 'NO_RESERVATION'
  | 'MALFORMED_MESSAGE'
  | 'UNEXPECTED_MESSAGE'

/** What a relay lets each connection through it take; what is missing is not limited. */
export interface RelayLimit {
  /** How long it may last. @unit seconds */
  readonly seconds?: number
  /** What may go through it. @unit bytes */
  readonly bytes?: number
}

/** A relay, and where it can be dialled. */
export interface RelayRef {
  /** Its peer id. */
  readonly relay: string
  /** Empty: what the node knows of it. */
  readonly addresses: readonly string[]
}

/** A place at a relay: who dials one of its addresses reaches this node. */
export interface Reservation {
  /** Peer id of the relay. */
  readonly relay: string
  /** Own addresses behind it, with the own peer id. */
  readonly addresses: readonly string[]
  /** @unit milliseconds since the Unix epoch */
  readonly expiresAt: number
  /** For each connection through it. */
  readonly limit: RelayLimit
  /** To the relay and back. @unit milliseconds */
  readonly rttMs: number
}

/** What a relay for others grants; see the options of the same names. */
export interface RelayServerLimits {
  /** Reservations at once. */
  readonly reservations: number
  /** How long one holds. @unit milliseconds */
  readonly reservationMs: number
  /** Of peers with the same IP. */
  readonly reservationsPerIp: number
  /** Relayed connections at once. */
  readonly circuits: number
  /** Those that one peer has opened. */
  readonly circuitsPerPeer: number
  /** Whether relayed connections are limited. */
  readonly limited: boolean
  /** How long one may last. @unit milliseconds */
  readonly circuitMs: number
  /** What may go through one, both ways together. @unit bytes */
  readonly circuitBytes: number
  /** What one peer may ask for. @unit requests a minute */
  readonly requestsPerMinute: number
}

/** One event for each of these names, so that each can be told from the others by its `type`. */
type Each<Type extends string, Fields> = Type extends string ? { readonly type: Type } & Fields : never

/** What a relay for others says. */
export type ServedEvent =
  | Each<
      'relay:accepted' | 'relay:renewed',
      {
        readonly peer: string
        /** From where it came. */
        readonly address: string
        /** @unit milliseconds since the Unix epoch */
        readonly expiresAt: number
      }
    >
  | { readonly type: 'relay:ended'; readonly peer: string; readonly reason: string }
  | {
      readonly type: 'relay:denied'
      readonly peer: string
      readonly request: 'reserve' | 'connect' | 'unreadable'
      /** Whom it wanted to reach. */
      readonly to?: string
      readonly status: RelayStatus
      readonly reason: string
    }
  | { readonly type: 'relay:circuit-opened'; readonly source: string; readonly destination: string }
  | {
      readonly type: 'relay:circuit-closed'
      readonly source: string
      readonly destination: string
      /** Both ways together. */
      readonly bytes: number
      readonly ms: number
      readonly reason: string
    }

/** What relay may call. */
export interface RelayPorts {
  /** Emits once when the node has started, now or later. */
  ready(): Observable<unknown>
  /** A reservation, now and at each renewal; errors when it is refused or lost. Unsubscribing gives it up, it alone. */
  reserve(relay: RelayRef): Observable<Reservation>
  /** To a connected relay and back, in milliseconds. One value. */
  measure(relay: string): Observable<number>
  /** Looks for relays among the peers that are known, and meets new ones. */
  search(): Observable<RelayRef>
  /** Connects directly to a peer that is connected through a relay. One value: the address that was reached. */
  upgrade(peer: string, addresses: readonly string[]): Observable<string>
  /** What the node did as a relay for others. Never ends. */
  readonly served$: Observable<ServedEvent>
}

/** Keep a reservation at this relay. */
export type Reserve = Command<'relay/reserve', { readonly relay: string }, Reservation>
/** Give up the reservation at this relay, and stay away from it. */
export type Release = Command<'relay/release', { readonly relay: string }, string>
/** Report reservations and the relays that could take their place. */
export type ListRelays = Command<'relay/list', object, RelayReport>
/** Move a reservation to another relay. */
export type Rotate = Command<'relay/rotate', { readonly relay?: string }, RelayRotation>

/** What can be asked of relay. */
export type RelayCommand = Reserve | Release | ListRelays | Rotate

/** A reservation was moved. */
export interface RelayRotation {
  /** The relay that was left. */
  readonly from: string
  /** The one that took its place. */
  readonly to: string
}

/** A relay as the node judges it. */
export interface RelayCandidate extends RelayRef {
  /** Whether the options name it. */
  readonly trusted: boolean
  /** `held`: there is a reservation; `trying`: one is being made; `waiting`: the next try has its time; `idle`: it could be. */
  readonly status: 'held' | 'trying' | 'waiting' | 'idle' | 'released'
  /** To it and back, when measured. @unit milliseconds */
  readonly rttMs?: number
  /** Share of the last attempts and losses that went well; 0 to 1. */
  readonly success: number
  /** Less is better; see `rankRelays`. */
  readonly cost: number
}

/** All relays that a node knows. */
export interface RelayReport {
  /** Those that hold now. */
  readonly reservations: readonly Reservation[]
  /** The best first. */
  readonly candidates: readonly RelayCandidate[]
}

/** What relay can say. */
export type RelayEvent =
  | ServedEvent
  | ({ readonly type: 'relay:found'; readonly trusted: boolean } & RelayRef)
  | Each<'relay:reserved' | 'relay:refreshed', { readonly causes?: readonly string[] } & Reservation>
  | {
      readonly type: 'relay:lost'
      readonly relay: string
      readonly reason: string
      readonly error: SwarmError
      /** @unit milliseconds until the next attempt */
      readonly retryInMs: number
    }
  | Each<
      'relay:refused' | 'relay:failed',
      {
        readonly relay: string
        /** Of a refusal. */
        readonly status?: string
        readonly error: SwarmError
        /** @unit milliseconds until the next attempt */
        readonly retryInMs: number
      }
    >
  /** What a relay said was no answer, somebody else's or not signed as it must be; told besides what comes of it. */
  | { readonly type: 'relay:lied'; readonly relay: string; readonly error: SwarmError }
  | { readonly type: 'relay:forgotten'; readonly relay: string }
  | { readonly type: 'relay:released'; readonly relay: string; readonly cause?: string }
  | ({ readonly type: 'relay:rotated'; readonly cause?: string } & RelayRotation)
  | ({ readonly type: 'relay:listed'; readonly cause?: string } & RelayReport)
  | { readonly type: 'relay:upgrading'; readonly peer: string }
  | { readonly type: 'relay:upgraded'; readonly peer: string; readonly address: string }
  | { readonly type: 'relay:upgrade-failed'; readonly peer: string; readonly error: SwarmError }
