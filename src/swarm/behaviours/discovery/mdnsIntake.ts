import type { DiscoveryEvent } from './discoveryVocabulary.ts'

/** What was heard on the local network of one node, as it says it. */
export interface MdnsWord {
  /** Multiaddrs, each of which must name the node. */
  readonly addresses: readonly string[]
  /** For how long it stands; none: it takes its leave. @unit milliseconds */
  readonly ttlMs: number
  /** Whether it was said on this very host. */
  readonly isLocal: boolean
}

/** What is let in of what is heard. */
export interface MdnsBounds {
  /** Words looked at within a second. */
  readonly maxWordsPerSecond: number
  /** Peers that were not in the cache, taken into it within a second. */
  readonly maxNewPerSecond: number
  /** Peers in the cache. */
  readonly maxPeers: number
  /** How long a peer stays in the cache, however long it says. @unit milliseconds */
  readonly ttlMs: number
}

/** Who has been heard lately, and how much was heard in the current second. */
export interface MdnsCache {
  /** Until when each is cached. @unit milliseconds of the scheduler */
  readonly peers: ReadonlyMap<string, number>
  /** @unit milliseconds of the scheduler */
  readonly since: number
  readonly words: number
  readonly fresh: number
}

/** The bound that was reached. */
export type MdnsBound = Extract<DiscoveryEvent, { type: 'discovery:flooded' }>['bound']

/** What became of a word. */
export type MdnsVerdict =
  | { readonly type: 'seen'; readonly ttlMs: number }
  | { readonly type: 'gone' }
  | { readonly type: 'refused'; readonly bound: MdnsBound }
  | { readonly type: 'nothing' }

/** The cache before anything was heard. */
export const emptyCache: MdnsCache = { peers: new Map(), since: -Infinity, words: 0, fresh: 0 }

const WINDOW_MS = 1_000

/** A farewell is no reason for less, and nobody is forgotten between two packets. @unit milliseconds */
const LEAST_TTL_MS = 1_000

/** Counts one more word, before anything of it is read. */
export function countWord({ maxWordsPerSecond }: MdnsBounds, cache: MdnsCache, at: number): [MdnsCache, boolean] {
  const isNew = at - cache.since >= WINDOW_MS
  const counted = isNew ? { ...cache, since: at, words: 1, fresh: 0 } : { ...cache, words: cache.words + 1 }
  return [counted, counted.words <= maxWordsPerSecond]
}

/** Decides over a word of a peer: whether it is let in, and how long the peer stays in the cache. */
export function hearPeer(
  bounds: MdnsBounds,
  cache: MdnsCache,
  { peer, ttlMs }: { readonly peer: string; readonly ttlMs: number },
  at: number,
): [MdnsCache, MdnsVerdict] {
  const until = cache.peers.get(peer)
  const isCached = until !== undefined && until > at
  if (ttlMs <= 0) {
    if (!isCached) return [cache, { type: 'nothing' }]
    return [{ ...cache, peers: new Map([...cache.peers].filter(([of]) => of !== peer)) }, { type: 'gone' }]
  }
  const kept = Math.min(Math.max(ttlMs, LEAST_TTL_MS), bounds.ttlMs)
  const seen = { type: 'seen', ttlMs: kept } as const
  if (isCached) return [{ ...cache, peers: new Map(cache.peers).set(peer, at + kept) }, seen]
  if (cache.fresh >= bounds.maxNewPerSecond) return [cache, { type: 'refused', bound: 'new-peers' }]
  const peers = new Map([...cache.peers].filter(([, end]) => end > at))
  if (peers.size >= bounds.maxPeers)
    return [
      { ...cache, peers },
      { type: 'refused', bound: 'cache' },
    ]
  return [{ ...cache, peers: peers.set(peer, at + kept), fresh: cache.fresh + 1 }, seen]
}
