import { ipOf } from '../../../security/access/ipOf.ts'
import type { EvidenceBook } from './evidence.ts'
import type {
  AddressReach,
  ReachabilityReason,
  ReachabilityReport,
  ReachabilityStatus,
} from './reachabilityVocabulary.ts'

/** An address that this node has, as libp2p's address manager lists it. */
export interface HeldAddress {
  /** Multiaddr without the peer id; through a relay, the whole. */
  readonly address: string
  /** A listener's own, one that a gateway forwards, one that peers claim to see, or one that was told to the node. */
  readonly from: 'listener' | 'gateway' | 'observed' | 'told'
}

/** All that reachability is judged by. */
export interface ReachabilityEvidence {
  /** What other networks have said. */
  readonly book: EvidenceBook
  /** Own addresses; missing until the node has told them. */
  readonly own?: readonly HeldAddress[] | undefined
  /** Addresses through relays that hold a place for this node, by relay. */
  readonly reserved: ReadonlyMap<string, { readonly addresses: readonly string[] }>
  /** External addresses that a gateway forwards. */
  readonly mapped: ReadonlySet<string>
  /** Why the gateway does not forward. */
  readonly gatewayFailure?: string | undefined
  /** What was judged last. It holds on for as long as something speaks for it and not enough against. */
  readonly before?: ReachabilityReport | undefined
}

/** How evidence is weighed. */
export interface ReachabilityRules {
  /** So many networks must say the same. */
  readonly agree: number
  /** Whether anybody can send to an IP. */
  readonly isPublic: (ip: string) => boolean
}

const RANK: Readonly<Record<ReachabilityStatus, number>> = { public: 0, relayed: 1, unknown: 2, private: 3 }

/** Addresses in a report. */
const MOST_ADDRESSES = 64

/**
 * Judges whether others can open a connection to this node: public when enough networks get through to an address of it,
 * else relayed when a relay holds a place for it, else private when enough networks do not get through or it is behind a
 * NAT, else unknown.
 *
 * @shape  Pure. A network has one vote on an address, however many peers it is. `agree` networks make a status, one keeps
 *         it, `agree` against it end it; so whoever has fewer networks than `agree` makes none and ends none.
 * @errors None.
 * @source ours, after AutoNAT v1 ("if more than 3 peers report a successfully dialed address, the node SHOULD assume that it
 *         is not located behind a NAT"), counted by network because peer ids cost nothing.
 */
export function reachabilityOf(evidence: ReachabilityEvidence, rules: ReachabilityRules): ReachabilityReport {
  const addresses = [...directOf(evidence, rules), ...relayedOf(evidence)]
    .toSorted((one, other) => RANK[one.status] - RANK[other.status])
    .slice(0, MOST_ADDRESSES)
  return { ...statusOf(evidence, rules, addresses), addresses }
}

/** Networks that have spoken about an address. */
interface Votes {
  readonly yes: Set<string>
  readonly no: Set<string>
  /** Whether a peer was asked about it, rather than one that came in has named it. */
  isAsked: boolean
}

/** What networks have said, by the address that it is about. */
function votesIn(book: EvidenceBook): ReadonlyMap<string, Votes> {
  const votes = new Map<string, Votes>()
  for (const { source, address, isReached, network } of book.values()) {
    if (source === 'seen' || address === '') continue
    const on = votes.get(address) ?? { yes: new Set(), no: new Set(), isAsked: false }
    on[isReached ? 'yes' : 'no'].add(network)
    on.isAsked ||= source === 'autonat'
    votes.set(address, on)
  }
  return votes
}

function directOf(evidence: ReachabilityEvidence, rules: ReachabilityRules): readonly AddressReach[] {
  const { book, own = [], mapped } = evidence
  const votes = votesIn(book)
  const names = new Set([
    ...own.flatMap(({ address, from }) => (from === 'observed' || isRelayed(address) ? [] : [address])),
    ...mapped,
    // what one network alone claims to have dialled is not worth a line; what was asked about is
    ...[...votes].flatMap(([address, { yes, isAsked }]) => (isAsked || yes.size > 1 ? [address] : [])),
  ])
  return [...names].map((address) => judged(address, votes.get(address), evidence, rules))
}

/** One address, by its votes. */
function judged(
  address: string,
  votes: Votes | undefined,
  evidence: ReachabilityEvidence,
  rules: ReachabilityRules,
): AddressReach {
  const { agree, isPublic } = rules
  const ip = ipOf(address)
  const mapped = evidence.mapped.has(address) ? [reason('mapped', 'a gateway forwards to it')] : []
  if (ip !== undefined && !isPublic(ip)) {
    return { address, status: 'private', reasons: [reason('private-address', `${ip} can only be reached from nearby`)] }
  }
  const [yes, no] = [votes?.yes.size ?? 0, votes?.no.size ?? 0]
  const before = evidence.before?.addresses.find((one) => one.address === address)?.status
  const told = (status: ReachabilityStatus, ...reasons: readonly ReachabilityReason[]): AddressReach => ({
    address,
    status,
    reasons: [...reasons, ...mapped],
  })
  if (yes >= agree && yes > no) return told('public', reason('reached', `${atLeast(yes, agree)} reached it`))
  if (no >= agree && no > yes) {
    return told('private', reason('not-reached', `${atLeast(no, agree)} tried it and did not get through`))
  }
  if (before === 'public' && yes > 0)
    return told('public', reason('held', `${count(yes)} reached it, and not enough say otherwise`))
  if (before === 'private' && no > 0)
    return told('private', reason('held', `${count(no)} did not get through, and not enough say otherwise`))
  if (yes >= agree) return told('unknown', reason('disputed', `${count(yes)} reached it, and ${count(no)} did not`))
  if (yes + no > 0) {
    const text = `${count(yes)} reached it and ${count(no)} did not: it takes ${agree} that agree`
    return told('unknown', reason('too-few', text))
  }
  return told('unknown', reason('no-evidence', 'nobody has tried it'))
}

function relayedOf({ reserved, own = [] }: ReachabilityEvidence): readonly AddressReach[] {
  const through = [...reserved].flatMap(([relay, { addresses }]) =>
    addresses.map((address) => [address, `the relay ${relay} holds a place for this node`] as const),
  )
  const known = new Set(through.map(([address]) => address))
  const others = own.flatMap(({ address }) =>
    isRelayed(address) && !known.has(address) ? [[address, 'a relay holds a place for this node'] as const] : [],
  )
  return [...through, ...others].map(([address, text]) => ({
    address,
    status: 'relayed',
    reasons: [reason('reserved', text)],
  }))
}

function statusOf(
  evidence: ReachabilityEvidence,
  { agree, isPublic }: ReachabilityRules,
  addresses: readonly AddressReach[],
): Pick<ReachabilityReport, 'status' | 'reasons'> {
  const { book, own, mapped, gatewayFailure, before } = evidence
  const ofStatus = (status: ReachabilityStatus) => addresses.filter((one) => one.status === status)
  const listed = (all: readonly AddressReach[]) =>
    all
      .slice(0, 3)
      .flatMap(({ address, reasons }) => reasons.map(({ kind, text }) => reason(kind, `${address}: ${text}`)))
  const networks = (source: 'inbound' | 'seen') =>
    new Set([...book.values()].flatMap((one) => (one.source === source ? one.network : []))).size
  const inbound = networks('inbound')
  const came = reason('inbound', `peers of ${atLeast(inbound, agree)} have connected to this node from outside`)
  const gateway =
    gatewayFailure === undefined ? [] : [reason('gateway-failed', `the gateway does not forward: ${gatewayFailure}`)]

  const open = ofStatus('public')
  const wasOpen = before?.status === 'public' && inbound > 0 && ofStatus('private').every(isForbidding)
  if (open.length > 0) return { status: 'public', reasons: [...listed(open), ...(inbound >= agree ? [came] : [])] }
  if (inbound >= agree) return { status: 'public', reasons: [came] }
  if (wasOpen) {
    const text = `peers of ${count(inbound)} have connected to this node from outside`
    return { status: 'public', reasons: [reason('held', text)] }
  }
  const shut = [...ofStatus('private').filter(({ reasons }) => reasons[0]?.kind !== 'private-address')]
  const nat = natOf(book, own ?? [], agree, isPublic, mapped.size > 0 || inbound > 0)
  const not = [...listed(shut), ...nat, ...gateway]
  const relayed = ofStatus('relayed')
  if (relayed.length > 0) return { status: 'relayed', reasons: [...listed(relayed), ...not] }
  if (own?.length === 0 && addresses.length === 0) {
    return { status: 'unknown', reasons: [reason('not-listening', 'this node listens on nothing'), ...gateway] }
  }
  if (shut.length > 0 || nat.length > 0) return { status: 'private', reasons: not }
  const some = listed(ofStatus('unknown'))
  const near = addresses.length > 0 && some.length === 0 ? listed(ofStatus('private')) : []
  const little = inbound > 0 ? [reason('too-few', `peers of ${count(inbound)} have connected to this node`)] : []
  const none = reason('no-evidence', 'no peer has said anything about it yet')
  const reasons = [...little, ...some, ...near, ...gateway]
  return { status: 'unknown', reasons: reasons.length > 0 ? reasons : [none] }
}

/** Others agree on an IP that no interface has, and nothing shows that they get through to it. */
function natOf(
  book: EvidenceBook,
  own: readonly HeldAddress[],
  agree: number,
  isPublic: ReachabilityRules['isPublic'],
  isOpened: boolean,
): readonly ReachabilityReason[] {
  if (isOpened) return []
  const interfaces = new Set(own.flatMap(({ address, from }) => (from === 'listener' ? (ipOf(address) ?? []) : [])))
  const seen = new Map<string, Set<string>>()
  for (const { source, address, network } of book.values()) {
    const ip = source === 'seen' ? ipOf(address) : undefined
    if (ip !== undefined && isPublic(ip)) seen.set(ip, (seen.get(ip) ?? new Set()).add(network))
  }
  return [...seen].flatMap(([ip, by]) =>
    by.size >= agree && !interfaces.has(ip)
      ? [reason('behind-nat', `${atLeast(by.size, agree)} see this node at ${ip}, which none of its interfaces has`)]
      : [],
  )
}

const isForbidding = ({ reasons }: AddressReach) => reasons[0]?.kind === 'private-address'
const isRelayed = (address: string) => address.includes('/p2p-circuit')
const reason = (kind: ReachabilityReason['kind'], text: string): ReachabilityReason => ({ kind, text })
const count = (networks: number) => `${networks} ${networks === 1 ? 'network' : 'networks'}`

/** What more of them say does not change the report, so it does not change with each of them. */
const atLeast = (networks: number, agree: number) => (networks > agree ? `more than ${count(agree)}` : count(networks))
