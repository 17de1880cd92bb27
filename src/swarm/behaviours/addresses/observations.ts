import { subnetOf } from '../../../security/access/subnetOf.ts'
import { addressKind } from '../../dialling/addressKind.ts'

/** What a peer says it sees of us. */
export interface Observation {
  /** Who says so. */
  readonly peer: string
  /** The address that it saw us under. */
  readonly observed: string
  /** Where the peer is, as multiaddr. */
  readonly from: string
  /** Who opened the connection on which it saw us. */
  readonly direction: 'inbound' | 'outbound'
}

/** How many agree on an address. */
export interface Tally {
  /** Multiaddr; of outbound connections the IP alone, because their port is one of many. */
  readonly address: string
  /** See {@link Observation.direction}. */
  readonly direction: 'inbound' | 'outbound'
  /** Different peers that say so. */
  readonly peers: number
  /** Different subnets that they are in: /24 for IPv4, /48 for IPv6. */
  readonly subnets: number
}

/** The latest word of a peer. */
interface Vote {
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
  readonly peer: string
  readonly subnet: string | undefined
  readonly atMs: number
}

/** The votes that count, by who gave them, oldest first. */
export type Votes = ReadonlyMap<string, Vote>

/** A vote is a few hundred bytes, and anybody can give one. */
const MOST_VOTES = 1_024

/** Whoever has a subnet can be many peers there; more of them do not push others out. */
const MOST_OF_SUBNET = 8

/** What was seen so long ago may have changed. @unit milliseconds @source go-libp2p's observed addresses, 40 min */
const VOTE_MS = 40 * 60_000

/** Of IPv6, customers get /48 at most. @unit bits */
const PREFIX4 = 24
const PREFIX6 = 48

/**
 * Counts a peer's word on our address.
 *
 * @shape  Pure. One vote for each peer, transport, IP family and direction; a later one takes its place. At most 8 votes of a
 *         subnet and 1 024 in all, the oldest give way; none is older than 40 minutes.
 * @errors None: `tally` is missing when the address can't be ours, or when nothing changed.
 */
export function observe(
  votes: Votes,
  observation: Observation,
  nowMs: number,
): { readonly votes: Votes; readonly tally?: Tally } {
  const kind = addressKind(observation.observed)
  const { peer, direction } = observation
  const isPlace = kind?.ip !== undefined && !kind.isRelayed && !['unspecified', 'multicast'].includes(kind.scope)
  if (!isPlace || kind.port === undefined || kind.port === 0) return { votes }
  const ip = `/${kind.family}/${kind.ip}`
  const address = direction === 'outbound' ? ip : ipFirst(ip, kind.socket)
  const from = addressKind(observation.from)
  const subnet = from?.ip === undefined || from.isRelayed ? undefined : subnetOf(from.ip, PREFIX4, PREFIX6)
  const key = `${peer} ${direction} ${kind.transport} ${kind.family}`
  const before = tallyOf(votes, address, direction, nowMs)
  const next = new Map(votes)
  next.delete(key) // to the end: the oldest come first
  next.set(key, { address, direction, peer, subnet, atMs: nowMs })
  makeRoom(next, subnet, nowMs)
  const after = tallyOf(next, address, direction, nowMs)
  const isNews = after.peers !== before.peers || after.subnets !== before.subnets
  return { votes: next, ...(isNews && { tally: after }) }
}

/** How many agree on an address now. */
export function tallyOf(votes: Votes, address: string, direction: Tally['direction'], nowMs: number): Tally {
  const [peers, subnets] = [new Set<string>(), new Set<string>()]
  for (const vote of votes.values()) {
    if (vote.address !== address || vote.direction !== direction || nowMs - vote.atMs > VOTE_MS) continue
    peers.add(vote.peer)
    if (vote.subnet !== undefined) subnets.add(vote.subnet)
  }
  return { address, direction, peers: peers.size, subnets: subnets.size }
}

/** Lets go of what is too old, of the oldest of a crowded subnet, and of the oldest of all. */
function makeRoom(votes: Map<string, Vote>, subnet: string | undefined, nowMs: number): void {
  let neighbours = 0
  for (const vote of votes.values()) if (vote.subnet === subnet) neighbours++
  for (const [who, vote] of votes) {
    const isCrowded = vote.subnet === subnet && neighbours > MOST_OF_SUBNET
    const isOld = nowMs - vote.atMs > VOTE_MS
    if (!isCrowded && !isOld && votes.size <= MOST_VOTES) {
      if (neighbours <= MOST_OF_SUBNET) return // the others are younger
      continue
    }
    votes.delete(who)
    if (vote.subnet === subnet) neighbours--
  }
}

/** The socket as a multiaddr again: what a peer added to it, such as a peer id, is not ours. */
function ipFirst(ip: string, socket: string): string {
  return `${ip}/${socket.split('/').slice(1).join('/')}`
}
