import type { DiscoveredPage, RendezvousChange, RendezvousEvent } from './rendezvousVocabulary.ts'

/** Where a peer that is watched for is registered. */
interface Sighted {
  readonly addresses: readonly string[]
  readonly seq: bigint
  /** When the registration at each point ends. @unit milliseconds of the scheduler */
  readonly until: ReadonlyMap<string, number>
}

/** What a watch knows. */
export interface Watched {
  readonly peers: ReadonlyMap<string, Sighted>
  /** Whom a point has told of since it was last asked from the beginning. */
  readonly told: ReadonlyMap<string, ReadonlySet<string>>
}

/** What happens to a watch. */
export type WatchInput =
  /** `from`: whether the point was asked from the beginning; `last`: whether it has no more now. */
  | {
      readonly type: 'page'
      readonly point: string
      readonly page: DiscoveredPage
      readonly from: boolean
      readonly last: boolean
      readonly whole: boolean
    }
  | { readonly type: 'beat' }

/** Peers that one watch knows at once; further ones are not taken in, and told of as ignored. */
export const MOST_WATCHED = 16_384

/** A watch that has heard nothing. */
export const NOBODY: Watched = { peers: new Map(), told: new Map() }

/** What a watch comes to know, and what it says of that. */
export interface WatchStep {
  readonly state: Watched
  readonly say: readonly RendezvousEvent[]
}

/**
 * Decides who has come, changed and gone.
 *
 * @param now @unit milliseconds of the scheduler
 * @shape  A peer is there while one point at least says so. The protocol never tells of who has left: who is not named
 *         when a point is asked from the beginning has, and whoever's time has run out.
 */
export function watchStep(namespace: string, self: string, state: Watched, input: WatchInput, now: number): WatchStep {
  return input.type === 'beat' ? expired(namespace, state, now) : paged(namespace, self, state, input, now)
}

function paged(
  namespace: string,
  self: string,
  { peers: before, told: toldBefore }: Watched,
  { point, page, from, last, whole }: Extract<WatchInput, { type: 'page' }>,
  now: number,
): WatchStep {
  const peers = new Map(before)
  const told = new Set(from ? [] : toldBefore.get(point))
  const say: RendezvousEvent[] = []
  let refused = 0
  for (const { peer, addresses, seq, ttlMs } of page.found) {
    if (peer === self) continue
    const known = peers.get(peer)
    if (known === undefined && peers.size >= MOST_WATCHED) {
      refused++
      continue
    }
    told.add(peer)
    const until = new Map(known?.until).set(point, now + ttlMs)
    const isLater = known === undefined || seq >= known.seq
    const latest = isLater ? addresses : known.addresses
    peers.set(peer, { addresses: latest, seq: isLater ? seq : known.seq, until })
    if (isLater) say.push({ type: 'rendezvous:found', peer, namespace, addresses, point, ttlMs })
    if (known === undefined || String(known.addresses) !== String(latest)) {
      say.push(changed(known === undefined ? 'added' : 'updated', namespace, peer, peers.get(peer)!))
    }
  }
  if (refused > 0) {
    const reason = `${MOST_WATCHED} peers are watched already`
    say.push({ type: 'rendezvous:ignored', point, namespace, count: refused, registrations: [{ reason }] })
  }
  if (last && whole) {
    for (const [peer, sighted] of peers) {
      if (sighted.until.has(point) && !told.has(peer)) leave(namespace, peers, peer, point, say)
    }
  }
  return { state: { peers, told: new Map(toldBefore).set(point, told) }, say }
}

function expired(namespace: string, state: Watched, now: number): WatchStep {
  const peers = new Map(state.peers)
  const say: RendezvousEvent[] = []
  for (const [peer, { until }] of state.peers) {
    for (const [point, at] of until) if (at <= now) leave(namespace, peers, peer, point, say)
  }
  return say.length === 0 ? { state, say } : { state: { ...state, peers }, say }
}

function leave(
  namespace: string,
  peers: Map<string, Sighted>,
  peer: string,
  point: string,
  say: RendezvousEvent[],
): void {
  const sighted = peers.get(peer)
  if (sighted === undefined) return
  const until = new Map(sighted.until)
  until.delete(point)
  const left = { ...sighted, until }
  say.push({ type: 'rendezvous:gone', peer, namespace, point })
  if (until.size > 0) return void peers.set(peer, left)
  peers.delete(peer)
  say.push(changed('removed', namespace, peer, left))
}

function changed(
  kind: RendezvousChange['kind'],
  namespace: string,
  peer: string,
  { addresses, until }: Sighted,
): RendezvousEvent {
  return { type: 'rendezvous:changed', kind, peer, namespace, addresses, points: [...until.keys()] }
}
