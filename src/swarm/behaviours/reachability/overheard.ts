import { ipOf } from '../../../security/access/ipOf.ts'
import { subnetOf } from '../../../security/access/subnetOf.ts'
import type { ConnectionInfo, CoreEvent, Stamped } from '../../vocabulary/event.ts'
import type { RelayEvent } from '../relay/relayVocabulary.ts'
import { keyOf, withEvidence, type Evidence } from './evidence.ts'
import type { ReachabilityDecisions, ReachabilityMachineState } from './reachabilityMachine.ts'
import type { ReachabilityEvidence } from './reachabilityOf.ts'

/** Relays whose places count. */
const MOST_RESERVED = 64

/** What is heard of one network counts once: /16 is what a hoster or an access network has several of, /32 the same of IPv6. */
const NETWORK4 = 16
const NETWORK6 = 32

/** What an event of the swarm adds to what is known; the same when nothing. */
export function overheard(
  decisions: ReachabilityDecisions,
  state: ReachabilityMachineState,
  event: Stamped<CoreEvent> | Stamped<RelayFact>,
  nowMs: number,
): ReachabilityMachineState {
  const version = state.version + 1
  switch (event.type) {
    case 'connection:open': {
      const { connection } = event
      const next = { ...state, connections: new Map(state.connections).set(connection.id, connection) }
      return cameFrom(decisions, state, next, connection, '', Infinity)
    }
    case 'connection:close': {
      const { id } = event.connection
      const connections = new Map(state.connections)
      if (!connections.delete(id)) return state
      const untilMs = nowMs + decisions.evidenceMs
      return { ...state, connections, book: closed(state.book, event.connection, decisions, untilMs) }
    }
    case 'peer:identify': {
      const connection = state.connections.get(event.connection)
      const observed = placeIn(event.observedAddress)
      if (connection === undefined || observed === undefined || !connection.direct) return state
      const network = networkOf(connection.address, decisions)
      if (connection.direction === 'inbound') return cameFrom(decisions, state, state, connection, observed, Infinity)
      const ip = ipOf(observed)
      if (network === undefined || ip === undefined || !decisions.isPublic(ip)) return state
      const address = observed.split('/').slice(0, 3).join('/')
      const untilMs = nowMs + decisions.evidenceMs
      return heard(state, { source: 'seen', address, isReached: false, network, untilMs })
    }
    case 'relay:reserved':
    case 'relay:refreshed': {
      const { relay, addresses, expiresAt } = event
      if (typeof relay !== 'string' || !Array.isArray(addresses)) return state
      const untilMs = typeof expiresAt === 'number' && expiresAt > nowMs ? expiresAt : Infinity
      const reserved = new Map(state.reserved)
      reserved.delete(relay)
      if (reserved.size >= MOST_RESERVED) return state
      return { ...state, version, reserved: reserved.set(relay, { addresses: addresses.map(String), untilMs }) }
    }
    case 'relay:lost':
    case 'relay:released': {
      const reserved = new Map(state.reserved)
      return reserved.delete(event.relay) ? { ...state, reserved, version } : state
    }
    default:
      return state
  }
}

/** What relay says, as far as it counts here. */
type RelayFact = Extract<
  RelayEvent,
  { readonly type: 'relay:reserved' | 'relay:refreshed' | 'relay:lost' | 'relay:released' }
>

/** Whether an event of that type may change anything: all that the others cost. */
export const HEARD: ReadonlySet<string> = new Set<CoreEvent['type'] | RelayFact['type']>([
  'connection:open',
  'connection:close',
  'peer:identify',
  'relay:reserved',
  'relay:refreshed',
  'relay:lost',
  'relay:released',
])

/**
 * Somebody connected to this node from outside. When it is connected otherwise too, the way may have been opened from
 * inside: by a dial, which a NAT lets answers of, or by a hole that was punched over a relay.
 */
function cameFrom(
  decisions: ReachabilityDecisions,
  before: ReachabilityMachineState,
  next: ReachabilityMachineState,
  connection: ConnectionInfo,
  address: string,
  untilMs: number,
): ReachabilityMachineState {
  if (connection.direction !== 'inbound' || !connection.direct) return next
  const network = networkOf(connection.address, decisions)
  if (network === undefined) return next
  const ip = ipOf(connection.address)
  for (const other of before.connections.values()) {
    if (other.id === connection.id) continue
    const isOtherwise = other.direction === 'outbound' || !other.direct
    if (isOtherwise && (other.peer === connection.peer || ipOf(other.address) === ip)) return next
  }
  const own = ipOf(address)
  const named = own !== undefined && decisions.isPublic(own) ? address : ''
  return heard(next, { source: 'inbound', address: named, isReached: true, network, untilMs })
}

/** What an inbound connection showed counts on for a while after it has closed. */
function closed(
  book: ReachabilityEvidence['book'],
  { address, direction, direct }: ConnectionInfo,
  decisions: ReachabilityDecisions,
  untilMs: number,
): ReachabilityEvidence['book'] {
  const network = direction === 'inbound' && direct ? networkOf(address, decisions) : undefined
  if (network === undefined) return book
  return [...book.values()]
    .filter((piece) => piece.source === 'inbound' && piece.network === network)
    .reduce((next, piece) => withEvidence(next, { ...piece, untilMs }), book)
}

/** A crowd from one network says the same again and again, which costs nothing. */
export function heard(state: ReachabilityMachineState, piece: Evidence): ReachabilityMachineState {
  const before = state.book.get(keyOf(piece))
  const isSame = before?.address === piece.address && before.isReached === piece.isReached
  if (isSame && before.untilMs === piece.untilMs) return state
  return { ...state, book: withEvidence(state.book, piece), version: state.version + (isSame ? 0 : 1) }
}

/** The network of a peer, when anybody could be where it is. */
export function networkOf(address: string, { isPublic }: ReachabilityDecisions): string | undefined {
  const ip = address.includes('/p2p-circuit') ? undefined : ipOf(address)
  return ip !== undefined && isPublic(ip) ? subnetOf(ip, NETWORK4, NETWORK6) : undefined
}

/** IP, port and transport of a multiaddr: what a peer added to it is not ours. */
const PLACE = /^\/ip[46]\/[^/]+\/(?:tcp|udp)\/\d+(?:\/quic-v1)?(?=\/|$)/

function placeIn(observed: string | undefined): string | undefined {
  return observed === undefined || observed.includes('/p2p-circuit') ? undefined : PLACE.exec(observed)?.[0]
}
