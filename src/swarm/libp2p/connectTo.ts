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
import { DialError, UnknownPeerError } from '../vocabulary/errors.ts'
import { dialError } from './dialError.ts'
import { parsePeer, peerOf } from './parse.ts'
import { quicFirst } from './transports.ts'
import { usable } from './usable.ts'

/** How long an open connection may take to show that it still carries something, before a new one is dialled. */
const STILL_USABLE_WITHIN_MS = 1_000

/** How long routing may search for the addresses of a peer that is only known by its id. */
const ROUTING_MS = 3_000

/**
 * A usable connection to a peer, or to whoever answers at an address: the open one, else a new one.
 *
 * @param target A peer id, or the addresses to try.
 * @shape  Cold; one value. QUIC addresses first, each next one 250 ms later or as soon as one has failed; the first that
 *         is usable wins, the others are closed. Unsubscribing aborts every dial.
 * @errors `UnknownPeerError` without an address to try; `AccessDeniedError`, `AuthenticationError`, `DialError` with the
 *         failure of every address. Has no deadline of its own.
 */
export function connectTo(node: Libp2p, target: string | readonly Multiaddr[]): Observable<Connection> {
  return defer(() => {
    const named = typeof target === 'string' ? target : target.map(peerOf).find((peer) => peer !== undefined)
    const peer = named === undefined ? undefined : parsePeer(named)
    const address$ = typeof target === 'string' ? addressesOf(node, parsePeer(target)) : of(target)
    const fresh$ = address$.pipe(mergeMap((addresses) => dialAll(node, addresses, peer)))
    return peer === undefined ? fresh$ : concat(open(node, peer), fresh$).pipe(take(1))
  })
}

/** The open connection to a peer, if there is one and it still carries something. */
function open(node: Libp2p, peer: PeerId): Observable<Connection> {
  const connection = node.getConnections(peer).find(({ status, limits }) => status === 'open' && limits === undefined)
  if (connection === undefined) return EMPTY
  const dead = new DialError(`the connection to ${peer} is dead`, { peer: peer.toString() })
  return usable(node, connection, false).pipe(
    timeout(STILL_USABLE_WITHIN_MS),
    catchError(() => {
      connection.abort(dead)
      return EMPTY
    }),
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
  const several = addresses.length > 1
  const sources = addresses
    .map((multiaddr) => ({ multiaddr, isCertified: false }))
    .toSorted(quicFirst)
    .map(({ multiaddr }) => dialOne(node, multiaddr, peer, several))
  const target = peer?.toString() ?? addresses.join(', ')
  const context = peer === undefined ? { address: target } : { peer: peer.toString() }
  return staggered(sources).pipe(catchError((cause: unknown) => throwError(() => dialError(cause, target, context))))
}

/**
 * One address. libp2p joins dials that name the same peer into one queue, where a dead address holds up the next; so one
 * of several is dialled without its peer id, which is compared when the connection stands.
 */
function dialOne(node: Libp2p, address: Multiaddr, peer: PeerId | undefined, several: boolean): Observable<Connection> {
  const target = several && !Circuit.matches(address) ? address.decapsulateCode(CODE_P2P) : address
  return fromAbortable((signal) => node.dial(target, { signal })).pipe(
    mergeMap((connection) => {
      const isExpected = peer === undefined || connection.remotePeer.equals(peer)
      const wrong = new Error(`${address}: expected peer ${peer} but found ${connection.remotePeer}`)
      const giveUp = () => connection.abort(new Error('the dial was given up'))
      return (isExpected ? usable(node, connection, true) : throwError(() => wrong)).pipe(
        tap({ error: giveUp, unsubscribe: () => void (several && giveUp()) }),
      )
    }),
  )
}
