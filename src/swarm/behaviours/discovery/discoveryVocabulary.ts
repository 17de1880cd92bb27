import type { SwarmError } from '../../../errors/errors.ts'
import type { Command } from '../../vocabulary/command.ts'

/** By what peers are found. */
export type DiscoverySource = 'bootstrap' | 'mdns' | 'dht' | 'rendezvous'

/** Every {@link DiscoverySource}, the most trusted first: a peer's addresses are kept in this order. */
export const SOURCES = ['bootstrap', 'rendezvous', 'mdns', 'dht'] as const satisfies readonly DiscoverySource[]

/** A peer that has been found and is not forgotten. */
export interface DiscoveredPeer {
  /** Peer id. */
  readonly peer: string
  /** Where it is, without its peer id at the end; the best known first. */
  readonly addresses: readonly string[]
  /** What names it now, the first to do so first. */
  readonly by: readonly DiscoverySource[]
}

/** Switch a source on or off. */
export type SwitchSource = Command<
  'discovery/switch',
  { readonly source: DiscoverySource; readonly on: boolean },
  boolean
>
/** Report who is known. */
export type ListDiscovered = Command<'discovery/list', object, readonly DiscoveredPeer[]>
/** Forget a peer, so that it can be found again. */
export type ForgetDiscovered = Command<'discovery/forget', { readonly peer: string }, string>

/** What can be asked of discovery. */
export type DiscoveryCommand = SwitchSource | ListDiscovered | ForgetDiscovered

/** Why an address is not kept. */
export type AddressFlaw =
  /** It leads to this node. */
  | 'self'
  /** It names another peer than the one it is said to be of. */
  | 'foreign-peer'
  /** It is of another host's loopback. */
  | 'loopback'
  /** It is no multiaddr, or names no peer where it must. */
  | 'malformed'
  | 'too-long'
  /** There are more than a peer may have. */
  | 'too-many'

/** An address that is not kept, cut to a bound. */
export interface FlawedAddress {
  /** As it came. */
  readonly address: string
  /** What is wrong with it. */
  readonly reason: AddressFlaw
}

/** What discovery can say. */
export type DiscoveryEvent =
  | {
      readonly type: 'peer:found'
      readonly peer: string
      readonly addresses: readonly string[]
      /** What found it. */
      readonly by: DiscoverySource
    }
  | {
      /** The addresses of a peer that was found are others now. */
      readonly type: 'peer:updated'
      readonly peer: string
      /** All of them. */
      readonly addresses: readonly string[]
      /** What told of the change. */
      readonly by: DiscoverySource
      /** What else names it. */
      readonly alsoBy?: readonly DiscoverySource[]
    }
  | {
      /** It may be found again. */
      readonly type: 'peer:forgotten'
      readonly peer: string
      /** Not heard of again in time; withdrawn by what named it; too many are known; asked for. */
      readonly reason: 'expired' | 'gone' | 'evicted' | 'asked'
      readonly cause?: string
    }
  | { readonly type: 'discovery:listed'; readonly peers: readonly DiscoveredPeer[]; readonly cause?: string }
  | {
      readonly type: 'discovery:switched'
      readonly source: DiscoverySource
      readonly on: boolean
      readonly cause?: string
    }
  | {
      /** A peer that was found, or one of the bootstrap list, has been connected to. */
      readonly type: 'discovery:dialed'
      readonly peer: string
      /** On whose behalf: to keep enough peers, or because it is on the bootstrap list. */
      readonly as: 'bootstrap' | 'found'
    }
  | {
      readonly type: 'discovery:failed'
      /** What failed: a dial of a bootstrap peer or of one that was found, a source, or the peer store. */
      readonly as: 'bootstrap' | 'found' | 'list' | 'mdns' | 'dht' | 'store'
      readonly peer?: string
      readonly addresses?: readonly string[]
      readonly error: SwarmError
      /** When it is tried again, if it is. @unit milliseconds */
      readonly retryInMs?: number
    }
  | {
      /** Somebody else answers where a peer should be: besides the failure, for who audits. */
      readonly type: 'discovery:impostor'
      readonly as: 'bootstrap' | 'found'
      readonly peer: string
      readonly addresses: readonly string[]
      readonly error: SwarmError
    }
  | {
      /** More than the bounds allow was heard within a second; what was beyond them is not looked at. */
      readonly type: 'discovery:flooded'
      readonly by: DiscoverySource
      /** The bound that was reached first. */
      readonly bound: 'packets' | 'new-peers' | 'cache'
      /** How many were refused in that second. */
      readonly refused: number
    }
  | {
      readonly type: 'discovery:dropped'
      readonly by: DiscoverySource
      readonly peer?: string
      /** At most a few of them. */
      readonly addresses: readonly FlawedAddress[]
      /** How many were dropped. */
      readonly count: number
    }

/** What a source has to say of a peer. */
export type Sighting =
  | {
      readonly type: 'seen'
      readonly by: DiscoverySource
      /** Where the source has it from, when it has several places: what one withdraws another may still name. */
      readonly place?: string
      readonly peer: string
      readonly addresses: readonly string[]
      /** Whether it was said on this very host. */
      readonly isLocal?: boolean
      /** @unit milliseconds */
      readonly ttlMs: number
    }
  | { readonly type: 'gone'; readonly by: DiscoverySource; readonly place?: string; readonly peer: string }
