import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { CODE_P2P, multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { Circuit } from '@multiformats/multiaddr-matcher'
import { catchError, defer, EMPTY, from, map, mergeMap, of, tap, throwError, timeout, type Observable } from 'rxjs'
import { fromAbortable } from '../../operators/fromAbortable.ts'
import { staggered } from '../../operators/staggered.ts'
import {
  AccessDeniedError,
  DeadlineError,
  DialError,
  InvalidCommandError,
  RelayError,
  TimeoutError,
  UnknownPeerError,
  type SwarmError,
} from '../../errors/errors.ts'
import { LONGEST_TIMER_MS } from '../../errors/optionKinds.ts'
import type { DialOutcome } from '../dialling/dialHistory.ts'
import { RELAY_AFTER_MS, type DroppedAddress } from '../dialling/rankAddresses.ts'
import { diallingOf, internalsOf } from './createHost.ts'
import { DialAttempts } from './dialAttempts.ts'
import { dialError, leftOut } from './dialError.ts'
import { parsePeer, peerOf } from './parse.ts'
import { patiently } from './transports.ts'
import { usable } from './usable.ts'

/** How long an open connection may take to show that it still carries something, before a new one is dialled beside it. */
const STILL_USABLE_WITHIN_MS = 2_000

/** How long it has before that: a new one is dialled at once when it has closed. @unit milliseconds */
const BESIDE_MS = 250

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
 * What a connection is wanted for: `direct` for what must not go through a relay, `unlimited` for what may unless the
 * relay limits it, `any` for what runs on every connection.
 */
export type Reach = 'direct' | 'unlimited' | 'any'

/** How a peer is dialled. */
export interface DialToOptions {
  /** Default: `any`. */
  readonly reach?: Reach
  /** When whoever asked will not wait any more. Default: never. @unit milliseconds */
  readonly dueInMs?: number
}

/**
 * A connection to a peer for one request: the open one as it is, else a new one that is usable.
 *
 * @param reach Default: `unlimited`.
 * @shape  Cold; one value. The request itself shows whether an open connection still carries anything.
 * @errors As {@link dialTo}.
 */
export function connectTo(node: Libp2p, peer: string, reach: Reach = 'unlimited'): Observable<Connection> {
  return defer(() => {
    const open = openTo(node, parsePeer(peer), reach)
    return open === undefined ? dialTo(node, peer, { reach }) : of(open)
  })
}

/**
 * A usable connection to a peer, or to whoever answers at an address: the open one, else a new one.
 *
 * @param target A peer id, or the addresses to try.
 * @shape  Cold; one value. In the order and at the times of `rankAddresses`, or as soon as one has failed; the first that is
 *         usable wins, the others are closed. At most 8 are under way at once. Direct ones are preferred whatever the
 *         reach: an open one that a relay carries takes the place of a new one behind a relay. Unsubscribing aborts every
 *         dial.
 * @errors `UnknownPeerError` without an address to try; `AccessDeniedError`, `AuthenticationError`, `DialError`, and
 *         `DeadlineError` when it is due, with what was tried in `attempts`; `RelayError` when a relay limits the only
 *         connection that there is.
 */
export function dialTo(
  node: Libp2p,
  target: string | readonly Multiaddr[],
  { reach = 'any', dueInMs = Infinity }: DialToOptions = {},
): Observable<Connection> {
  return defer(() => {
    const dueAt = performance.now() + dueInMs
    const fresh = (addresses: readonly Multiaddr[]) =>
      dialAll(node, addresses, peer, { reach, dueInMs: Math.max(0, dueAt - performance.now()) })
    const named = typeof target === 'string' ? target : target.map(peerOf).find((peer) => peer !== undefined)
    const peer = named === undefined ? undefined : parsePeer(named)
    const fresh$ =
      typeof target === 'string' ? addressesOf(node, peer!).pipe(mergeMap(fresh)) : defer(() => fresh(target))
    const open = peer === undefined ? undefined : openTo(node, peer, 'direct')
    return open === undefined ? fresh$ : openOr(node, open, fresh$)
  })
}

/** The best of the open connections: a direct one, and of those alike the latest. */
function openTo(node: Libp2p, peer: PeerId, reach: Reach): Connection | undefined {
  const open = node.getConnections(peer).filter(({ status }) => status === 'open')
  const direct = open.findLast((connection) => connection.direct && connection.limits === undefined)
  return direct ?? open.findLast((connection) => isWithin(connection, reach))
}

function isWithin({ direct, limits }: Connection, reach: Reach): boolean {
  return reach === 'any' || (limits === undefined && (direct || reach === 'unlimited'))
}

/** The open connection; when it does not show soon that it still carries something, a new one is dialled beside it. */
function openOr(node: Libp2p, open: Connection, fresh$: Observable<Connection>): Observable<Connection> {
  return defer(() => {
    let reason: unknown
    const noted$ = fresh$.pipe(tap({ error: (error: unknown) => void (reason = error) }))
    return staggered([stillUsable(node, open), noted$], { staggerMs: BESIDE_MS }).pipe(
      catchError(() => throwError(() => reason)),
    )
  })
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
  given: readonly Multiaddr[],
  peer: PeerId | undefined,
  { reach, dueInMs }: Required<DialToOptions>,
): Observable<Connection> {
  return defer(() => {
    const addresses = reach === 'direct' ? given.filter((address) => !isBehindRelay(address)) : given
    const attempts = new DialAttempts(diallingOf(node))
    const target = peer?.toString() ?? given.join(', ')
    const context = () => ({
      ...(peer === undefined ? { address: target } : { peer: peer.toString() }),
      attempts: attempts.list,
    })
    if (addresses.length === 0 && given.length > 0) {
      return throwError(() => new DialError(`dial ${target}: it is known behind relays only`, context()))
    }
    const within$ = anyOf(node, addresses, peer, reach, attempts).pipe(
      map((connection) => {
        if (isWithin(connection, reach)) return connection
        const message = `${target}: a relay limits the only connection; use a relay that does not, or ask for limited ones`
        throw new RelayError(message, context())
      }),
    )
    const late = () => {
      const message = `dial ${target}: no address led to a connection within ${Math.round(dueInMs)} ms`
      return new DeadlineError(message, { ...context(), deadlineMs: dueInMs })
    }
    const timed$ =
      dueInMs < LONGEST_TIMER_MS ? within$.pipe(timeout({ first: dueInMs, with: () => throwError(late) })) : within$
    return timed$.pipe(
      catchError((cause: unknown) => throwError(() => dialError(cause, target, context(), attempts.notTried))),
    )
  })
}

/** A direct connection if there can be one; else the open one that a relay carries, or a new one. */
function anyOf(
  node: Libp2p,
  addresses: readonly Multiaddr[],
  peer: PeerId | undefined,
  reach: Reach,
  attempts: DialAttempts,
): Observable<Connection> {
  const open = peer === undefined || reach === 'direct' ? undefined : openTo(node, peer, 'any')
  if (open === undefined || !addresses.every(isBehindRelay)) return race(node, addresses, peer, attempts, open)
  if (!isWithin(open, reach)) return of(open) // another one would be limited as well
  return openOr(node, open, race(node, addresses, peer, attempts))
}

/**
 * The first of several addresses that leads to a usable connection; one alone as it is.
 *
 * @param open A relayed connection that is open already: it is tried before new ones behind relays.
 */
function race(
  node: Libp2p,
  addresses: readonly Multiaddr[],
  peer: PeerId | undefined,
  attempts: DialAttempts,
  open?: Connection,
): Observable<Connection> {
  const [only] = addresses
  if (addresses.length === 1 && only !== undefined && open === undefined) {
    return attempts.of(only.toString(), dialOne(node, only, peer, false))
  }
  return defer(async () => peer !== undefined && (await isDenied(node, peer))).pipe(
    mergeMap((denied) => {
      if (denied) throw new AccessDeniedError(`dial ${peer}: a connection gater denies it`, { peer: String(peer) })
      const byText = new Map(addresses.map((address) => [address.toString(), address]))
      const { plan, dropped } = diallingOf(node).rank(node, [...byText.keys()], peer?.toString())
      if (plan.length === 0 && open === undefined) throw nothingToDial(dropped)
      attempts.notTried = dropped
      const late = () => throwError(() => new TimeoutError(`no answer within ${TURN_MS} ms`))
      const dials = plan.map(({ address, afterMs, isRelayed }) => {
        const dial$ = dialOne(node, byText.get(address)!, peer, true)
        const bounded$ = plan.length > AT_ONCE ? dial$.pipe(timeout({ first: TURN_MS, with: late })) : dial$
        return { source$: attempts.of(address, bounded$), afterMs, isRelayed }
      })
      const already =
        open === undefined ? [] : [{ source$: stillUsable(node, open), afterMs: RELAY_AFTER_MS, isRelayed: true }]
      const isDirect = ({ isRelayed }: { readonly isRelayed: boolean }) => !isRelayed
      const all = [...dials.filter(isDirect), ...already, ...dials.filter((dial) => !isDirect(dial))]
      return staggered(
        all.map(({ source$ }) => source$),
        {
          startsAtMs: all.map(({ afterMs }) => afterMs),
          isSpare: (index) => all[index]?.isRelayed === true,
          atOnce: AT_ONCE,
        },
      )
    }),
  )
}

function nothingToDial(dropped: readonly DroppedAddress[]): SwarmError {
  const reasons = leftOut(dropped)
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
  const isRelayed = isBehindRelay(address)
  const target = several && !isRelayed ? address.decapsulateCode(CODE_P2P) : address
  const { note } = diallingOf(node)
  const dial = async (signal: AbortSignal) => {
    const beganAt = performance.now()
    const tell = (outcome: DialOutcome) => note(target.toString(), outcome, performance.now() - beganAt)
    // whoever has an open one has found out that it is of no use, or wants another: libp2p would give it back
    const force = isRelayed || (peer !== undefined && node.getConnections(peer).length > 0)
    const connection = await patiently(target, () => node.dial(target, { signal, force })).catch((error: unknown) => {
      if (!signal.aborted) tell('failed')
      throw error
    })
    tell('connected')
    if (signal.aborted && !isWanted(connection)) giveUp(connection)
    return connection
  }
  const dialled$ = isRelayed ? relayOf(node, address).pipe(mergeMap(() => fromAbortable(dial))) : fromAbortable(dial)
  return dialled$.pipe(
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

/** The matcher alone takes longer than everything else that is decided about a direct address. */
function isBehindRelay(address: Multiaddr): boolean {
  return address.toString().includes('/p2p-circuit') && Circuit.matches(address)
}

/** The relay before the last part of an address, connected and alive: libp2p takes what is open, be it dead. */
function relayOf(node: Libp2p, address: Multiaddr): Observable<Connection> {
  const [before = ''] = address.toString().split('/p2p-circuit')
  return defer(() => {
    const relay = multiaddr(before)
    const id = peerOf(relay)
    const isOnlyId = relay.getComponents().length === 1 && id !== undefined
    return dialTo(node, isOnlyId ? id : [relay], { reach: 'direct' })
  })
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
