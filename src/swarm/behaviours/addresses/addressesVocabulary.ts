import type { BlackHoleKind } from '../../dialling/blackHoles.ts'
import type { Ranking } from '../../dialling/rankAddresses.ts'
import type { SwarmError } from '../../../errors/errors.ts'
import type { Command } from '../../vocabulary/command.ts'
import type { Tally } from './observations.ts'

/** An address of this node. */
export interface OwnAddress {
  /** Multiaddr with the peer id. */
  readonly address: string
  /**
   * Where it comes from: a listener, the app, what peers see, a gateway that was asked to forward, a name for one of the
   * others.
   */
  readonly from: 'listener' | 'announced' | 'observed' | 'gateway' | 'name'
  /** Whether something has shown that others reach it. */
  readonly isConfirmed: boolean
  /** Whether others are told. */
  readonly isAnnounced: boolean
}

/** Who has confirmed an address: enough subnets of peers that see it, AutoNAT, or the app. */
export type ConfirmedBy = 'peers' | 'autonat' | 'app'

/** Tell others of an address. */
export type Announce = Command<'addresses/announce', { readonly address: string }, string>
/** Tell others of it no more. */
export type Withdraw = Command<'addresses/withdraw', { readonly address: string }, string>
/** Take an address for one that others reach. */
export type Confirm = Command<'addresses/confirm', { readonly address: string }, string>
/** Report own addresses. */
export type ListAddresses = Command<'addresses/list', object, readonly OwnAddress[]>
/** Report how a peer, or some addresses, would be dialled. */
export type Rank = Command<'addresses/rank', { readonly to: string | readonly string[] }, Ranking>

/** What can be asked of addresses. */
export type AddressesCommand = Announce | Withdraw | Confirm | ListAddresses | Rank

/** What addresses can say. */
export type AddressesEvent =
  /** More peers, or fewer, see us under an address. */
  | ({ readonly type: 'address:observed' } & Tally)
  /** Others reach it. */
  | { readonly type: 'address:confirmed'; readonly address: string; readonly by: ConfirmedBy; readonly cause?: string }
  /** Others are told of it from now on. */
  | { readonly type: 'address:announced'; readonly address: string; readonly cause?: string }
  /** Others are told of it no more. */
  | { readonly type: 'address:withdrawn'; readonly address: string; readonly cause?: string }
  /** What peers agree on could not be confirmed or withdrawn. */
  | { readonly type: 'address:failed'; readonly address: string; readonly error: SwarmError }
  /** Everything over UDP, or over IPv6, fails: it is left out of dials from now on, but for a probe now and then. */
  | { readonly type: 'address:black-holed'; readonly kind: BlackHoleKind }
  /** It works again, or the network has changed. */
  | { readonly type: 'address:recovered'; readonly kind: BlackHoleKind }
  | { readonly type: 'address:listed'; readonly addresses: readonly OwnAddress[]; readonly cause?: string }
  | { readonly type: 'address:ranked'; readonly ranking: Ranking; readonly cause?: string }
