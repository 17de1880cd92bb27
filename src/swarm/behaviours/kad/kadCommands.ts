import type { Command } from '../../vocabulary/command.ts'
import type { SwarmError } from '../../../errors/errors.ts'

/** How a node takes part: asks and answers, only asks, or answers as long as it has a public address. */
export type KadMode = 'server' | 'client' | 'auto'

/** A value and who sent it. */
export interface FoundRecord {
  /** Valid by the rule of its namespace. */
  readonly value: Uint8Array
  /** Peer id; the own one for a record that was stored here. */
  readonly from: string
}

/** A peer and where it may be reached. */
export interface FoundPeer {
  /** Peer id. */
  readonly peer: string
  /** Multiaddrs. */
  readonly addresses: readonly string[]
}

/** What one peer did with a record or a provider record. */
export interface Delivery {
  /** Peer id. */
  readonly peer: string
  /** Present when the peer refused or could not be asked. */
  readonly error?: SwarmError
}

/** Store a record. */
export type KadPut = Command<'kad/put', { readonly key: string; readonly value: Uint8Array }, StoredRecord>
/** Find a record. */
export type KadGet = Command<'kad/get', { readonly key: string }, Uint8Array>
/** Tell that this node has the content. */
export type KadProvide = Command<'kad/provide', { readonly cid: string }, ProvidedContent>
/** Find who has the content. */
export type KadFindProviders = Command<'kad/find-providers', { readonly cid: string; readonly max: number }, FoundPeer>
/** Find where a peer is. */
export type KadFindPeer = Command<'kad/find-peer', { readonly peer: string }, FoundPeer>
/** Find the peers closest to a key. */
export type KadClosestPeers = Command<'kad/closest-peers', { readonly key: string }, FoundPeer>
/** Change how this node takes part. */
export type KadSetMode = Command<'kad/set-mode', { readonly mode: KadMode }, 'server' | 'client'>

/** What can be asked of kad. */
export type KadCommand = KadPut | KadGet | KadProvide | KadFindProviders | KadFindPeer | KadClosestPeers | KadSetMode

/** A record that at least one other peer keeps. */
export interface StoredRecord {
  /** `/namespace/name`. */
  readonly key: string
  /** Peers that keep it. */
  readonly peers: readonly string[]
}

/** Content whose provider record was sent to at least one other peer. */
export interface ProvidedContent {
  /** CID, as text. */
  readonly cid: string
  /** Peers that were told. Kademlia has no acknowledgement for it. */
  readonly peers: readonly string[]
}
