import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr'
import { Circuit } from '@multiformats/multiaddr-matcher'
import {
  catchError,
  concat,
  defer,
  EMPTY,
  from,
  mergeMap,
  of,
  take,
  tap,
  throwError,
  timeout,
  type Observable,
} from 'rxjs'
import { fromAbortable } from '../../operators/fromAbortable.ts'
import { staggered } from '../../operators/staggered.ts'
import {
  AccessDeniedError,
  DeadlineError,
  DialError,
  InvalidCommandError,
  UnknownPeerError,
  type SwarmError,
} from '../../errors/errors.ts'
import { LONGEST_TIMER_MS } from '../../errors/optionKinds.ts'
import type { DialOutcome } from '../dialling/dialHistory.ts'
import type { DroppedAddress } from '../dialling/rankAddresses.ts'
import { diallingOf, internalsOf } from './createHost.ts'
import { DialAttempts } from './dialAttempts.ts'
import { dialError } from './dialError.ts'
import { parsePeer, peerOf } from './parse.ts'
import { patiently } from './transports.ts'
import { usable } from './usable.ts'

/** How long an open connection may take to show that it still carries something, before a new one is dialled beside it. */
const STILL_USABLE_WITHIN_MS = 2_000

/** How long routing may search for the addresses of a peer that is only known by its id. @unit milliseconds */
const ROUTING_MS = 3_000

/** Addresses of one dial that are under way at once. @source go-libp2p: 8 dials for each peer */
const AT_ONCE = 8

/** How long each may take when more of them wait for their turn. @unit milliseconds */
const TURN_MS = 3_000

/** Dials may be given the same connection; it is closed when the last of them has given it up, and nobody keeps it. */
const holders = new WeakMap<Connection, number>()
const kept = new WeakSet<Connection>()

/**
 * A connection to a peer for one request: the open one as it is, else a new one that is usable.
 *
 * @shape  Cold; one value. The request itself shows whether an open connection still carries anything.
 * @errors As {@link dialTo}.
 */
export function connectTo(node: Libp2p, peer: string): Observable<Connection> {
  return defer(() => {
    const open = openTo(node, parsePeer(peer))
    return open === undefined ? dialTo(node, peer) : of(open)
  })
}

/**
 * A usable connection to a peer, or to whoever answers at an address: the open one, else a new one.
 *
 * @param target A peer id, or the addresses to try.
 * @param dueInMs When whoever asked will not wait any more. Default: never. @unit milliseconds
 * @shape  Cold; one value. In the order and at the times of `rankAddresses`, or as soon as one has failed; the first that is
 *         usable wins, the others are closed. At most 8 are under way at once. Unsubscribing aborts every dial.
 * @errors `UnknownPeerError` without an address to try; `AccessDeniedError`, `AuthenticationError`, `DialError`, and
 *         `DeadlineError` when it is due, with what was tried in `attempts`.
 */
export function dialTo(
  node: Libp2p,
  target: string | readonly Multiaddr[],
  dueInMs = Infinity,
): Observable<Connection> {
  return defer(() => {
    const dueAt = performance.now() + dueInMs
    const fresh = (addresses: readonly Multiaddr[]) =>
      dialAll(node, addresses, peer, Math.max(0, dueAt - performance.now()))
    const named = typeof target === 'string' ? target : target.map(peerOf).find((peer) => peer !== undefined)
    const peer = named === undefined ? undefined : parsePeer(named)
    const fresh$ =
      typeof target === 'string' ? addressesOf(node, peer!).pipe(mergeMap(fresh)) : defer(() => fresh(target))
    const open = peer === undefined ? undefined : openTo(node, peer)
    return open === undefined ? fresh$ : concat(stillUsable(node, open), fresh$).pipe(take(1))
  })
}

function openTo(node: Libp2p, peer: PeerId): Connection | undefined {
  return node.getConnections(peer).find(({ status, limits }) => status === 'open' && limits === undefined)
}

/** The open connection, if it still carries something. One that does not is left to libp2p. */
function stillUsable(node: Libp2p, connection: Connection): Observable<Connection> {
  return usable(node, connection, false).pipe(
    timeout(STILL_USABLE_WITHIN_MS),
    catchError(() => EMPTY),
  )
}

/** What the peer store knows, else what routing finds. */
function addressesOf(node: Libp2p, peer: PeerId): Observable<readonly Multiaddr[]> {
  const unknown = (cause?: unknown) =>
    new UnknownPeerError(`${peer}: neither connected nor is an address known; dial it by multiaddr first`, {
      peer: peer.toString(),
      cause,
    })
  return from(node.peerStore.has(peer)).pipe(
    mergeMap((known) => (known ? node.peerStore.get(peer) : of(undefined))),
    mergeMap((known) => {
      const addresses = known?.addresses.map(({ multiaddr }) => multiaddr) ?? []
      if (addresses.length > 0) return of(addresses)
      return fromAbortable((signal) => node.peerRouting.findPeer(peer, { signal })).pipe(
        timeout(ROUTING_MS),
        mergeMap(({ multiaddrs }) => (multiaddrs.length > 0 ? of(multiaddrs) : throwError(() => unknown()))),
        catchError((cause: unknown) => throwError(() => unknown(cause))),
      )
    }),
  )
}

/**
 * Every address by its rank; one alone as it is.
 *
 * @errors Names what was tried, and why it failed.
 */
function dialAll(
  node: Libp2p,
  addresses: readonly Multiaddr[],
  peer: PeerId | undefined,
  dueInMs: number,
): Observable<Connection> {
  return defer(() => {
    const attempts = new DialAttempts(diallingOf(node))
    const target = peer?.toString() ?? addresses.join(', ')
    const [only] = addresses
    const context = () => ({
      ...(peer === undefined ? { address: target } : { peer: peer.toString() }),
      attempts: attempts.list,
    })
    const dial$ =
      addresses.length === 1 && only !== undefined
        ? attempts.of(only.toString(), dialOne(node, only, peer, false))
        : race(node, addresses, peer, attempts)
    const late = () => {
      const message = `dial ${target}: no address led to a connection within ${Math.round(dueInMs)} ms`
      return new DeadlineError(message, { ...context(), deadlineMs: dueInMs })
    }
    const timed$ =
      dueInMs < LONGEST_TIMER_MS ? dial$.pipe(timeout({ first: dueInMs, with: () => throwError(late) })) : dial$
    return timed$.pipe(catchError((cause: unknown) => throwError(() => dialError(cause, target, context()))))
  })
}

/** The first of several addresses that leads to a usable connection. */
function race(
  node: Libp2p,
  addresses: readonly Multiaddr[],
  peer: PeerId | undefined,
  attempts: DialAttempts,
): Observable<Connection> {
  return defer(async () => peer !== undefined && (await isDenied(node, peer))).pipe(
    mergeMap((denied) => {
      if (denied) throw new AccessDeniedError(`dial ${peer}: a connection gater denies it`, { peer: String(peer) })
      const byText = new Map(addresses.map((address) => [address.toString(), address]))
      const { plan, dropped } = diallingOf(node).rank(node, [...byText.keys()], peer?.toString())
      if (plan.length === 0) throw nothingToDial(dropped)
      const sources = plan.map(({ address }) => {
        const dial$ = dialOne(node, byText.get(address)!, peer, true)
        return attempts.of(address, plan.length > AT_ONCE ? dial$.pipe(timeout({ first: TURN_MS })) : dial$)
      })
      const startsAtMs = plan.map(({ afterMs }) => afterMs)
      return staggered(sources, { startsAtMs, isSpare: (index) => plan[index]?.isRelayed === true, atOnce: AT_ONCE })
    }),
  )
}

function nothingToDial(dropped: readonly DroppedAddress[]): SwarmError {
  const reasons = dropped.map(({ address, reason }) => `${address}: ${reason}`).join('; ')
  const isSelf = dropped.some(({ reason }) => reason === 'this node itself')
  if (isSelf) return new InvalidCommandError(`to: this node itself: ${reasons}`, { field: 'to' })
  const isNotCarried = dropped.every(({ reason }) => reason === 'no transport for it')
  const why = isNotCarried ? 'no transport in use can dial it; see the transports option' : 'no address can be dialled'
  return new DialError(`${why}: ${reasons}`)
}

/** Libp2p asks the gater about the peer only when the address names it. */
async function isDenied(node: Libp2p, peer: PeerId): Promise<boolean> {
  return (await internalsOf(node).connectionGater.denyDialPeer?.(peer)) === true
}

/**
 * One address. libp2p joins dials that name the same peer into one queue, where a dead address holds up the next; so one
 * of several is dialled without its peer id, which is compared when the connection stands.
 */
function dialOne(node: Libp2p, address: Multiaddr, peer: PeerId | undefined, several: boolean): Observable<Connection> {
  const target = several && !Circuit.matches(address) ? address.decapsulateCode(CODE_P2P) : address
  const { note } = diallingOf(node)
  const dial = async (signal: AbortSignal) => {
    const beganAt = performance.now()
    const tell = (outcome: DialOutcome) => note(target.toString(), outcome, performance.now() - beganAt)
    const connection = await patiently(target, () => node.dial(target, { signal })).catch((error: unknown) => {
      if (!signal.aborted) tell('failed')
      throw error
    })
    tell('connected')
    if (signal.aborted && !isWanted(connection)) giveUp(connection)
    return connection
  }
  return fromAbortable(dial).pipe(
    mergeMap((connection) => {
      holders.set(connection, (holders.get(connection) ?? 0) + 1)
      const isExpected = peer === undefined || connection.remotePeer.equals(peer)
      const wrong = () => {
        note(address.toString(), 'failed', 0, peer?.toString())
        return new Error(`${address}: expected peer ${peer} but found ${connection.remotePeer}`)
      }
      return (isExpected ? usable(node, connection, true) : throwError(wrong)).pipe(
        tap({ next: () => void kept.add(connection), finalize: () => letGo(connection) }),
      )
    }),
  )
}

function letGo(connection: Connection): void {
  holders.set(connection, (holders.get(connection) ?? 1) - 1)
  if (!isWanted(connection)) giveUp(connection)
}

function isWanted(connection: Connection): boolean {
  return kept.has(connection) || (holders.get(connection) ?? 0) > 0
}

function giveUp(connection: Connection): void {
  connection.abort(new Error('the dial was given up'))
}
