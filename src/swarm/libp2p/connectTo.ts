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
import { AccessDeniedError, UnknownPeerError } from '../../errors/errors.ts'
import { internalsOf } from './createHost.ts'
import { dialError } from './dialError.ts'
import { parsePeer, peerOf } from './parse.ts'
import { patiently, quicFirst } from './transports.ts'
import { usable } from './usable.ts'

/** How long an open connection may take to show that it still carries something, before a new one is dialled beside it. */
const STILL_USABLE_WITHIN_MS = 2_000

/** How long routing may search for the addresses of a peer that is only known by its id. @unit milliseconds */
const ROUTING_MS = 3_000

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
 * @shape  Cold; one value. QUIC addresses first, each next one 250 ms later or as soon as one has failed; the first that
 *         is usable wins, the others are closed. Unsubscribing aborts every dial.
 * @errors `UnknownPeerError` without an address to try; `AccessDeniedError`, `AuthenticationError`, `DialError` with the
 *         failure of every address. Has no deadline of its own.
 */
export function dialTo(node: Libp2p, target: string | readonly Multiaddr[]): Observable<Connection> {
  return defer(() => {
    const named = typeof target === 'string' ? target : target.map(peerOf).find((peer) => peer !== undefined)
    const peer = named === undefined ? undefined : parsePeer(named)
    const fresh$ =
      typeof target === 'string'
        ? addressesOf(node, peer!).pipe(mergeMap((addresses) => dialAll(node, addresses, peer)))
        : dialAll(node, target, peer)
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

function dialAll(node: Libp2p, addresses: readonly Multiaddr[], peer: PeerId | undefined): Observable<Connection> {
  const target = peer?.toString() ?? addresses.join(', ')
  const context = peer === undefined ? { address: target } : { peer: peer.toString() }
  return (addresses.length === 1 ? dialOne(node, addresses[0]!, peer, false) : race(node, addresses, peer)).pipe(
    catchError((cause: unknown) => throwError(() => dialError(cause, target, context))),
  )
}

/** The first of several addresses that leads to a usable connection. */
function race(node: Libp2p, addresses: readonly Multiaddr[], peer: PeerId | undefined): Observable<Connection> {
  const sources = addresses
    .map((multiaddr) => ({ multiaddr, isCertified: false }))
    .toSorted(quicFirst)
    .map(({ multiaddr }) => dialOne(node, multiaddr, peer, true))
  return defer(async () => peer !== undefined && (await isDenied(node, peer))).pipe(
    mergeMap((denied) => {
      if (denied) throw new AccessDeniedError(`dial ${peer}: a connection gater denies it`, { peer: String(peer) })
      return staggered(sources)
    }),
  )
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
  const dial = async (signal: AbortSignal) => {
    const connection = await patiently(target, () => node.dial(target, { signal }))
    if (signal.aborted && !isWanted(connection)) giveUp(connection)
    return connection
  }
  return fromAbortable(dial).pipe(
    mergeMap((connection) => {
      holders.set(connection, (holders.get(connection) ?? 0) + 1)
      const isExpected = peer === undefined || connection.remotePeer.equals(peer)
      const wrong = () => new Error(`${address}: expected peer ${peer} but found ${connection.remotePeer}`)
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
