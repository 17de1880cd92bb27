import { SOURCES, type DiscoveredPeer, type DiscoverySource, type Sighting } from './discoveryVocabulary.ts'
import { NOT_FAILED, type Retry } from './retryLater.ts'
import { MOST_ADDRESSES } from './vetAddresses.ts'

/** What one place says of a peer. */
interface Claim {
  readonly by: DiscoverySource
  readonly addresses: readonly string[]
  /** @unit milliseconds of the scheduler */
  readonly until: number
}

/** A peer that has been found. */
export interface KnownPeer {
  readonly peer: string
  /** Of all claims, those of the more trusted sources first. */
  readonly addresses: readonly string[]
  /** By source and place, the first first. */
  readonly claims: ReadonlyMap<string, Claim>
  /** When it may be dialled. */
  readonly retry: Retry
  /** Whether the app lets it be dialled. */
  readonly mayDial: boolean
}

/** Places that may name one peer; the oldest claim makes room. Four sources, and a few rendezvous points. */
const MOST_CLAIMS = 8

type Seen = Extract<Sighting, { type: 'seen' }>

/** Names a claim. */
export function claimOf({ by, place = '' }: Sighting): string {
  return `${by} ${place}`
}

/** The peer with what was just seen of it. */
export function withClaim(known: KnownPeer | undefined, seen: Seen, at: number): KnownPeer {
  const { peer, by, addresses, ttlMs } = seen
  const claims = new Map(known?.claims)
  claims.set(claimOf(seen), { by, addresses, until: at + ttlMs })
  const oldest = claims.keys().next().value
  if (claims.size > MOST_CLAIMS && oldest !== undefined) claims.delete(oldest)
  const base = known ?? { peer, retry: NOT_FAILED, mayDial: true }
  return { ...base, claims, addresses: merged(claims) }
}

/** The peer without the claims that do not pass; none when no claim is left. */
export function withoutClaims(
  known: KnownPeer,
  passes: (name: string, claim: Claim) => boolean,
): KnownPeer | undefined {
  const claims = new Map([...known.claims].filter(([name, claim]) => passes(name, claim)))
  if (claims.size === known.claims.size) return known
  return claims.size === 0 ? undefined : { ...known, claims, addresses: merged(claims) }
}

/** When the last claim ends. @unit milliseconds of the scheduler */
export function knownUntil({ claims }: KnownPeer): number {
  return Math.max(...[...claims.values()].map(({ until }) => until))
}

/** When the next claim ends. @unit milliseconds of the scheduler */
export function nextEnd({ claims }: KnownPeer): number {
  return Math.min(...[...claims.values()].map(({ until }) => until))
}

/** What names the peer, each once. */
export function sourcesOf({ claims }: KnownPeer): readonly DiscoverySource[] {
  return [...new Set([...claims.values()].map(({ by }) => by))]
}

/** The peer, as it is told of. */
export function discovered(known: KnownPeer): DiscoveredPeer {
  return { peer: known.peer, addresses: known.addresses, by: sourcesOf(known) }
}

/** Whether two lists name the same addresses, in whatever order. */
export function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((address) => other.includes(address))
}

function merged(claims: ReadonlyMap<string, Claim>): readonly string[] {
  const all = [...claims.values()].toSorted((a, b) => SOURCES.indexOf(a.by) - SOURCES.indexOf(b.by))
  return [...new Set(all.flatMap(({ addresses }) => addresses))].slice(0, MOST_ADDRESSES)
}
