import { ipBits } from '../../security/access/ipBits.ts'
import { addressKind, scopeOf, type AddressKind } from './addressKind.ts'
import type { Recollection } from './dialHistory.ts'
import { interleaved, sortOfDial } from './interleaved.ts'
import { undialable, type DialContext, type DropReason } from './undialable.ts'

/** When an address is tried. */
export interface PlannedDial {
  /** As it was given. */
  readonly address: string
  /** After the first one began; earlier when those before it have failed. @unit milliseconds */
  readonly afterMs: number
  /** Whether a relay is in between: it is not tried earlier while a direct one is under way. */
  readonly isRelayed: boolean
}

/** An address that is not tried. */
export interface DroppedAddress {
  /** As it was given. */
  readonly address: string
  /** Why it is not. */
  readonly reason: DropReason
}

/** In which order addresses are tried, and which are not. */
export interface Ranking {
  /** In the order in which they begin. */
  readonly plan: readonly PlannedDial[]
  /** In the order of their text. */
  readonly dropped: readonly DroppedAddress[]
}

/** What a ranking goes by, besides the addresses. All of it is given, so that the same addresses rank the same. */
export interface RankContext extends DialContext {
  /** IPs of this node with the length of their prefix: `192.168.1.5/24`. Default: none is known. */
  readonly ownIps?: readonly string[]
  /** What is remembered of an address. */
  readonly recall?: (kind: AddressKind) => Recollection | undefined
  /** Whether its transport and IP family have mostly failed. */
  readonly isPoor?: (kind: AddressKind) => boolean
  /** Whether its transport or IP family never works. Asked once for each address that is not dropped otherwise. */
  readonly isBlackHoled?: (kind: AddressKind) => boolean
  /** Default: 25. */
  readonly most?: number
}

/** What js-libp2p tries of one peer. More are a list that nobody made with care. @unit addresses */
export const MOST_TRIED = 25

/** Longer lists are cut before they are looked at: whoever sends them means no good. @unit addresses */
const MOST_LOOKED_AT = 1_024

/** From the first attempt to the second; between later ones, and where the first one is near. @unit milliseconds */
const FIRST_STEP_MS = 250
const STEP_MS = 100

/** A relay is tried that much after the first direct address. @unit milliseconds */
export const RELAY_AFTER_MS = 500

/**
 * In which order, and when, the addresses of a peer are tried.
 *
 * @param addresses Multiaddrs as text, in any order: their order does not count.
 * @shape  Pure and total. Direct before relayed, which begin 500 ms later. Of the direct ones: those that failed lately, or that
 *         no interface of ours leads to, last; then by distance: this host, our subnets, the world, private networks
 *         elsewhere, the loopback of who is on another host; then what worked before, the quickest first (by powers
 *         of two); then QUIC before TCP and IPv6 before IPv4, in turns, so that the second differs from the first in
 *         both when it can: what is broken, one transport or one family, costs one step. The second begins 250 ms after
 *         the first, further ones 100 ms after each; near addresses always 100 ms. What leads to the same socket is tried once;
 *         at most 25 are.
 *         An address is left out as black-holed only when something else is left.
 * @source RFC 8305, sections 4 and 5; go-libp2p `p2p/net/swarm/dial_ranker.go`.
 */
export function rankAddresses(addresses: readonly string[], context: RankContext = {}): Ranking {
  const dropped: DroppedAddress[] = []
  const drop = (address: string, reason: DropReason) => void dropped.push({ address, reason })
  const sorted = [...new Set(addresses)].toSorted(byText)
  for (const address of sorted.slice(MOST_LOOKED_AT)) drop(address, 'too many')
  const bySocket = new Map<string, AddressKind>()
  for (const address of sorted.slice(0, MOST_LOOKED_AT)) {
    const kind = addressKind(address)
    const reason = kind === undefined ? 'unreadable' : undialable(kind, context)
    if (kind === undefined || reason !== undefined) {
      drop(address, reason!)
      continue
    }
    const same = bySocket.get(kind.socket)
    if (same === undefined || (same.peer === undefined && kind.peer !== undefined)) bySocket.set(kind.socket, kind)
    if (same !== undefined) drop(bySocket.get(kind.socket) === kind ? same.address : address, 'twice')
  }
  const kinds = withoutBlackHoles([...bySocket.values()], context, drop)
  const places = placesOf(kinds, context)
  const planned = [
    ...inSteps(inOrder(kinds, false, places, context), 0),
    ...inSteps(inOrder(kinds, true, places, context), kinds.some(({ isRelayed }) => !isRelayed) ? RELAY_AFTER_MS : 0),
  ].toSorted((one, other) => one.afterMs - other.afterMs || Number(one.isRelayed) - Number(other.isRelayed))
  const { most = MOST_TRIED } = context
  for (const { address } of planned.slice(most)) drop(address, 'too many')
  return { plan: planned.slice(0, most), dropped: dropped.toSorted((one, other) => byText(one.address, other.address)) }
}

/**
 * Orders two addresses as {@link rankAddresses} would, but for the turns of transports and families: for who can only
 * compare.
 */
export function compareAddresses(one: string, other: string, context: RankContext = {}): number {
  const [a, b] = [addressKind(one), addressKind(other)]
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined) || byText(one, other)
  const places = { ...placesOf([], context), isSameHost: false } // of two alone nobody can tell
  const isOut = (kind: AddressKind) => Number(context.isBlackHoled?.(kind) === true)
  return (
    Number(a.isRelayed) - Number(b.isRelayed) ||
    isOut(a) - isOut(b) ||
    byRank(rankOf(a, places, context), rankOf(b, places, context)) ||
    sortOfDial(a) - sortOfDial(b) ||
    byText(one, other)
  )
}

const byText = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)

function withoutBlackHoles(
  kinds: readonly AddressKind[],
  { isBlackHoled }: RankContext,
  drop: (address: string, reason: DropReason) => void,
): readonly AddressKind[] {
  if (isBlackHoled === undefined) return kinds
  const left = kinds.filter((kind) => !isBlackHoled(kind))
  if (left.length === 0) return kinds // the only kind of address there is
  for (const kind of kinds) if (!left.includes(kind)) drop(kind.address, 'black-holed')
  return left
}

/** Where this node is, seen from the addresses of a peer. */
interface Places {
  readonly subnets: readonly string[]
  readonly isSameHost: boolean
  /** Families by which the world is reached from here; undefined when nothing is known. */
  readonly families: ReadonlySet<string> | undefined
}

function placesOf(kinds: readonly AddressKind[], { ownIps = [] }: RankContext): Places {
  const own = ownIps.map((text) => text.split('/', 1)[0]!)
  const ownBits = own.flatMap((ip) => ipBits(ip) ?? [])
  const direct = kinds.filter(({ isRelayed }) => !isRelayed)
  const isLoopback = ({ scope }: AddressKind) => scope === 'loopback'
  const isOurs = ({ ip, scope }: AddressKind) => scope !== 'loopback' && ip !== undefined && own.includes(ip)
  const outward = ownBits.filter((bits) => ['public', 'private'].includes(scopeOf(bits)))
  const families = new Set(
    outward.flatMap((bits) => (bits.startsWith('4') ? 'ip4' : scopeOf(bits) === 'public' ? 'ip6' : [])),
  )
  return {
    subnets: ownIps.flatMap(subnetBits).filter((bits) => scopeOf(bits) !== 'loopback'),
    isSameHost: direct.some(isOurs) || direct.every(isLoopback),
    families: outward.length === 0 ? undefined : families,
  }
}

/** The bits that every address of an interface's subnet begins with. */
function subnetBits(text: string): readonly string[] {
  const [ip = '', length] = text.split('/')
  const bits = ipBits(ip)
  return bits === undefined || length === undefined ? [] : [bits.slice(0, 1 + Number(length))]
}

type Rank = readonly [trouble: number, distance: number, latency: number]

const byRank = (one: Rank, other: Rank) => one[0] - other[0] || one[1] - other[1] || one[2] - other[2]

/** What has not been tried comes after what worked, however slowly. */
const UNTRIED = 64

function rankOf(kind: AddressKind, places: Places, { recall, isPoor }: RankContext): Rank {
  const known = recall?.(kind)
  const isUnlikely = kind.scope === 'public' && places.families?.has(kind.family) === false
  const trouble = Number(known?.hasWorked === false) + Number(isUnlikely)
  const latency = known?.hasWorked === true ? Math.max(0, Math.round(Math.log2(1 + (known.latencyMs ?? 0)))) : UNTRIED
  return [trouble, distanceOf(kind, places), latency === UNTRIED && isPoor?.(kind) === true ? UNTRIED + 1 : latency]
}

function distanceOf({ scope, transport, ip }: AddressKind, { subnets, isSameHost }: Places): number {
  if (transport === 'memory') return 0
  if (scope === 'loopback') return isSameHost ? 0 : 4
  if (scope === 'link-local') return 1
  const bits = ip === undefined ? undefined : ipBits(ip)
  if (bits !== undefined && subnets.some((subnet) => bits.startsWith(subnet))) return 1
  return scope === 'private' ? 3 : 2
}

/** Those of one rank in turns. */
function inOrder(
  kinds: readonly AddressKind[],
  isRelayed: boolean,
  places: Places,
  context: RankContext,
): readonly AddressKind[] {
  const ranks = kinds
    .filter((kind) => kind.isRelayed === isRelayed)
    .map((kind) => ({ kind, rank: rankOf(kind, places, context) }))
  const groups = Map.groupBy(ranks, ({ rank }) => rank.join(' '))
  return [...groups.values()]
    .toSorted((one, other) => byRank(one[0]!.rank, other[0]!.rank))
    .flatMap((group) => interleaved(group.map(({ kind }) => kind)))
}

const NEAR = new Set(['loopback', 'link-local', 'private', 'none'])

function inSteps(kinds: readonly AddressKind[], fromMs: number): readonly PlannedDial[] {
  let afterMs = fromMs
  return kinds.map(({ address, isRelayed }, index) => {
    const before = kinds[index - 1]
    if (before !== undefined) afterMs += index === 1 && !isNear(before) ? FIRST_STEP_MS : STEP_MS
    return { address, afterMs, isRelayed }
  })
}

const isNear = ({ scope, family }: AddressKind) => family !== 'name' && NEAR.has(scope)
