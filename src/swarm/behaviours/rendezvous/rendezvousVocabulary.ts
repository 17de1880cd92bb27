import type { Observable } from 'rxjs'
import type { SwarmError } from '../../../errors/errors.ts'
import type { RecordForm } from '../../libp2p/peerRecords.ts'
import type { Command } from '../../vocabulary/command.ts'

/** A rendezvous point, and where it can be dialled. */
export interface PointRef {
  /** Its peer id. */
  readonly point: string
  /** Empty: what the node knows of it. */
  readonly addresses: readonly string[]
}

/** A status of the rendezvous protocol, by its name in the specification. */
export type RendezvousStatus =
  | 'OK'
  | 'E_INVALID_NAMESPACE'
  | 'E_INVALID_SIGNED_PEER_RECORD'
  | 'E_INVALID_TTL'
  | 'E_INVALID_COOKIE'
  | 'E_NOT_AUTHORIZED'
  | 'E_INTERNAL_ERROR'
  | 'E_UNAVAILABLE'

/** A registration that a point has told of; its record is signed by the peer itself. */
export interface FoundRegistration {
  /** Its peer id. */
  readonly peer: string
  /** Where it is registered. */
  readonly namespace: string
  /** Of the signed record, with the peer id. */
  readonly addresses: readonly string[]
  /** Of the signed record: a later one has a higher number. */
  readonly seq: bigint
  /** How long it holds. @unit milliseconds */
  readonly ttlMs: number
}

/** A registration that a point has told of and that is not believed. */
export interface IgnoredRegistration {
  /** Who it would be, if that can be read. */
  readonly peer?: string
  /** What is wrong with it. */
  readonly reason: string
}

/** What a point answers to one question. */
export interface DiscoveredPage {
  /** What is believed. */
  readonly found: readonly FoundRegistration[]
  /** What is not. */
  readonly ignored: readonly IgnoredRegistration[]
  /** How many registrations came, believed or not. */
  readonly count: number
  /** With it the next question is answered with what came later. Empty: the point gave none. */
  readonly cookie: Uint8Array
}

/** What a remote wants of this point, as far as it can be read. */
export type PointRequest = { readonly id: string; readonly peer: string; readonly address: string } & (
  | {
      readonly type: 'register'
      readonly namespace: string
      /** @unit seconds */
      readonly ttlS?: bigint
      /** The record as it came, its signature looked at; or what is wrong with it. */
      readonly record: SignedRecord | { readonly flaw: string }
    }
  | { readonly type: 'unregister'; readonly namespace: string }
  | {
      readonly type: 'discover'
      /** None: of all namespaces. */
      readonly namespace?: string
      readonly limit?: bigint
      readonly cookie?: Uint8Array
      /** What the remote reads. Default: standard. */
      readonly reads?: RecordForm
    }
  /** What came is no request; its stream is reset. */
  | { readonly type: 'unreadable'; readonly reason: string }
)

/** A registered record, in one form or in both. */
export type RecordForms = { readonly [Form in RecordForm]?: Uint8Array }

/** A peer record whose signature holds. */
export interface SignedRecord {
  /** How it is sealed. */
  readonly form: RecordForm
  /** As it came. */
  readonly bytes: Uint8Array
  /** Whom it is about, who has signed it. */
  readonly peer: string
  /** A later record has a higher number. */
  readonly seq: bigint
  /** How many addresses it has. */
  readonly addresses: number
}

/** What this point answers. */
export type PointAnswer =
  | { readonly type: 'register'; readonly status: RendezvousStatus; readonly text?: string; readonly ttlS?: number }
  | {
      readonly type: 'discover'
      readonly status: RendezvousStatus
      readonly text?: string
      readonly registrations: readonly GivenRegistration[]
      readonly cookie?: Uint8Array
    }

/** A registration as it is told to who asks. */
export interface GivenRegistration {
  /** Where it is registered. */
  readonly namespace: string
  /** The signed record, in the form that who asks reads. */
  readonly record: Uint8Array
  /** How long it still holds. @unit seconds */
  readonly ttlS: number
}

/** A registration as it is kept over restarts. */
export interface StoredRegistration {
  /** Its peer id. */
  readonly peer: string
  /** Where it is registered. */
  readonly namespace: string
  /** The signed record. */
  readonly records: RecordForms
  /** The number of that record. */
  readonly recordSeq: bigint
  /** @unit milliseconds since the Unix epoch */
  readonly expiresAt: number
  /** In the order in which they were made, at this point. */
  readonly seq: number
}

/** What a point had kept. */
export interface StoredPoint {
  /** In the order of their numbers. */
  readonly registrations: readonly StoredRegistration[]
  /** The last number that was given out. */
  readonly seq: number
  /** Marks a cookie as one of this point's. */
  readonly cookies: CookieSeal
}

/** Makes and reads cookies that nobody else can make. */
export interface CookieSeal {
  /** A cookie that stands for everything up to a number, of one namespace or of all. */
  seal(namespace: string | undefined, seq: number): Uint8Array
  /** The number; `foreign` for a cookie of another store, `invalid` for one of another namespace or of nobody. */
  open(namespace: string | undefined, cookie: Uint8Array): number | 'foreign' | 'invalid'
}

/** What has changed of what is kept. */
export type StoreChange =
  { readonly put: StoredRegistration } | { readonly drop: { readonly peer: string; readonly namespace: string } }

/** What rendezvous may call. */
export interface RendezvousPorts {
  /** Registers this node, with the addresses that it announces now. One value: how long it holds, in seconds. */
  register(point: PointRef, namespace: string, ttlS: number | undefined): Observable<number>
  /** Holds a registration by name; when the last holder of the same leaves, it is taken back at the point. Emits nothing. */
  hold(point: PointRef, namespace: string): Observable<never>
  /** Takes a registration back. One value when it is sent: there is no answer. */
  unregister(point: PointRef, namespace: string): Observable<unknown>
  /** Asks a point once. One value. */
  discover(point: PointRef, question: DiscoverQuestion): Observable<DiscoveredPage>
  /** Requests to this node as a point: it answers the protocol for as long as somebody listens. Never ends. */
  readonly request$: Observable<PointRequest>
  /** Answers a request. Completes when it is sent. */
  answer(id: string, answer: PointAnswer): Observable<never>
  /** What the point had kept. One value. */
  load(): Observable<StoredPoint>
  /** What the point begins with when what it had kept can't be read. */
  fresh(): StoredPoint
  /** Keeps changes over restarts. Completes when they are. */
  save(changes: readonly StoreChange[]): Observable<never>
}

/** A question to a point. */
export interface DiscoverQuestion {
  /** None: of all namespaces. */
  readonly namespace?: string
  /** Most registrations of the answer. */
  readonly limit: number
  /** With it only what came later is told. */
  readonly cookie?: Uint8Array
}

/** A registration of this node. */
export interface OwnRegistration {
  /** Peer id of the point. */
  readonly point: string
  /** Where it is registered. */
  readonly namespace: string
  /** @unit milliseconds, as the point has granted it */
  readonly ttlMs: number
}

/** A peer at a rendezvous point. */
export interface RendezvousPeer {
  /** Its peer id. */
  readonly peer: string
  /** Where it is registered. */
  readonly namespace: string
  /** Multiaddrs with the peer id. */
  readonly addresses: readonly string[]
  /** The point that told of it. */
  readonly point: string
  /** @unit milliseconds */
  readonly ttlMs: number
}

/** What became of a peer that is watched for. */
export interface RendezvousChange {
  /** Came, has other addresses, or has left. */
  readonly kind: 'added' | 'updated' | 'removed'
  /** Its peer id. */
  readonly peer: string
  /** Where it is registered. */
  readonly namespace: string
  /** When it is removed: its last ones. */
  readonly addresses: readonly string[]
  /** Where it is registered now. */
  readonly points: readonly string[]
}

type Points = { readonly points?: readonly string[] }

/** Register, and stay registered. */
export type Register = Command<
  'rendezvous/register',
  Points & { readonly namespace: string; readonly ttlMs?: number },
  OwnRegistration
>
/** Register once. */
export type RegisterOnce = Command<
  'rendezvous/register-once',
  Points & { readonly namespace: string; readonly ttlMs?: number },
  OwnRegistration
>
/** Take a registration back. */
export type Unregister = Command<'rendezvous/unregister', Points & { readonly namespace: string }, string>
/** Ask who is registered. */
export type Discover = Command<
  'rendezvous/discover',
  Points & { readonly namespace?: string; readonly limit?: number },
  RendezvousPeer
>
/** Hear who comes and goes. */
export type Watch = Command<
  'rendezvous/watch',
  Points & { readonly namespace: string; readonly intervalMs?: number },
  RendezvousChange
>

/** What can be asked of rendezvous. */
export type RendezvousCommand = Register | RegisterOnce | Unregister | Discover | Watch

/** What rendezvous can say. */
export type RendezvousEvent =
  | ({ readonly type: 'rendezvous:registered'; readonly cause?: string } & OwnRegistration)
  | ({ readonly type: 'rendezvous:refreshed'; readonly cause?: string } & OwnRegistration)
  | {
      readonly type: 'rendezvous:unregistered'
      readonly point: string
      readonly namespace: string
      readonly cause?: string
    }
  | {
      /** A point did not do what it was asked for. */
      readonly type: 'rendezvous:failed'
      readonly point: string
      readonly namespace?: string
      readonly asked: 'register' | 'discover'
      readonly error: SwarmError
      /** @unit milliseconds until it is asked again; missing when it is not */
      readonly retryInMs?: number
      readonly cause?: string
    }
  | ({ readonly type: 'rendezvous:found'; readonly cause?: string } & RendezvousPeer)
  | {
      readonly type: 'rendezvous:gone'
      readonly peer: string
      readonly namespace: string
      readonly point: string
      readonly cause?: string
    }
  | ({ readonly type: 'rendezvous:changed'; readonly cause?: string } & RendezvousChange)
  | {
      /** What a point told of that is not believed. */
      readonly type: 'rendezvous:ignored'
      readonly point: string
      readonly namespace?: string
      readonly count: number
      /** The first few. */
      readonly registrations: readonly IgnoredRegistration[]
      readonly cause?: string
    }
  /** As a point: what was registered here, refused, or is over. */
  | {
      readonly type: 'rendezvous:accepted'
      readonly peer: string
      readonly address: string
      readonly namespace: string
      /** @unit milliseconds */
      readonly ttlMs: number
    }
  | {
      readonly type: 'rendezvous:refused'
      readonly peer: string
      readonly address: string
      readonly request: 'register' | 'discover' | 'unreadable'
      readonly namespace?: string
      /** Missing when it was not answered. */
      readonly status?: RendezvousStatus
      readonly reason: string
    }
  | {
      readonly type: 'rendezvous:removed'
      readonly peer: string
      readonly namespace: string
      readonly reason: 'unregistered' | 'expired'
    }
  | { readonly type: 'rendezvous:store-failed'; readonly error: SwarmError }
