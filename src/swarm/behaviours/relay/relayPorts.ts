import type { Connection, Libp2p, StreamCloseEvent } from '@libp2p/interface'
import { CODE_P2P, CODE_P2P_CIRCUIT, type Multiaddr } from '@multiformats/multiaddr'
import {
  catchError,
  defer,
  EMPTY,
  expand,
  filter,
  finalize,
  from,
  ignoreElements,
  map,
  merge,
  mergeMap,
  NEVER,
  Observable,
  of,
  repeat,
  retry,
  switchMap,
  take,
  tap,
  throwError,
  timeout,
  timer,
} from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { RelayError, TimeoutError, UnknownPeerError } from '../../../errors/errors.ts'
import { dialTo } from '../../libp2p/connectTo.ts'
import { internalsOf } from '../../libp2p/createHost.ts'
import { parseAddress, parsePeer } from '../../libp2p/parse.ts'
import { started } from '../../libp2p/started.ts'
import { circuitsOf } from '../../libp2p/relay/circuitTransport.ts'
import { relayServerOf } from '../../libp2p/relay/relayServer.ts'
import { retire } from '../../libp2p/relay/retire.ts'
import { requestReservation, type Granted } from '../../libp2p/relay/reservation.ts'
import { streamError } from '../../libp2p/streamError.ts'
import { usable } from '../../libp2p/usable.ts'
import { HOP_PROTOCOL, type RelayPorts, type RelayRef, type Reservation } from './relayVocabulary.ts'

/** The relay is looked after this often: QUIC alone misses a relay that has died after 10 s or more. @unit milliseconds */
const WATCH_EVERY_MS = 1_000

/** It may take this long to answer, or some round trips; twice in a row, because we may have been busy ourselves. */
const SILENT_AFTER_MS = 750
const SILENT_AFTER_ROUND_TRIPS = 4

/** A reservation is renewed when this share of its time is over, and this often at least: a relay may have lost it. */
const RENEW_AT = 0.75
const RENEW_WITHIN_MS = 300_000

/** How long a renewal may take, and how often it is tried again. */
const RENEWAL_MS = 5_000
const RENEWAL_RETRIES = 2

/** The tag by which libp2p knows that a connection is worth more than others when it has too many. */
const TAG = 'rxswarm-relay'
const WORTH = 100

/** Peers that one search meets, and at once; each tells by identify whether it is a relay. */
const MOST_MET = 16
const MET_AT_ONCE = 4

/** Relays of a libp2p node. */
export function relayPorts(node: Libp2p): RelayPorts {
  const circuits = circuitsOf(node)

  const keep = (connection: Connection): Observable<Reservation> => {
    const relay = connection.remotePeer.toString()
    const ask$ = fromAbortable((signal) => requestReservation(connection, node.peerId, signal)).pipe(
      catchError((cause: unknown) => throwError(() => streamError(cause, HOP_PROTOCOL, relay))),
    )
    const renewal$ = ask$.pipe(
      timeout({ first: RENEWAL_MS, with: () => throwError(() => silent(relay, RENEWAL_MS)) }),
      retry({
        count: RENEWAL_RETRIES,
        delay: (error: Error) => (error.name === 'TimeoutError' ? of(0) : throwError(() => error)),
      }),
    )
    const held$ = ask$.pipe(
      switchMap((first) =>
        merge(
          of(first).pipe(expand((granted) => timer(renewIn(granted)).pipe(switchMap(() => renewal$)))),
          watch(node, connection, first.rttMs),
        ),
      ),
    )
    return held$.pipe(
      tap(({ addresses }) => {
        circuits.hold(relay, addresses)
        tag(node, connection, WORTH)
      }),
      map((granted) => reservationOf(granted, relay, node)),
      finalize(() => {
        circuits.drop(relay)
        tag(node, connection, undefined)
      }),
    )
  }

  return {
    ready: () => started(node),
    reserve: ({ relay, addresses }) =>
      defer(() =>
        dialTo(node, addresses.length === 0 ? relay : addresses.map((address) => parseAddress(address)), {
          reach: 'direct',
        }),
      ).pipe(mergeMap(keep)),
    measure: (relay) =>
      defer(() => {
        const open = directTo(node, relay)
        if (open === undefined) throw new UnknownPeerError(`measure: ${relay} is not connected`, { peer: relay })
        const askedAt = performance.now()
        return usable(node, open, false).pipe(map(() => performance.now() - askedAt))
      }),
    search: () => merge(known(node), meet(node)),
    upgrade: (peer, addresses) =>
      defer(() =>
        dialTo(
          node,
          addresses.map((address) => withPeer(parseAddress(address), peer)),
          { reach: 'direct' },
        ),
      ).pipe(
        tap(() => {
          for (const connection of node.getConnections(parsePeer(peer))) if (!connection.direct) retire(connection)
        }),
        map(({ remoteAddr }) => remoteAddr.toString()),
      ),
    served$: relayServerOf(node)?.served$ ?? NEVER,
  }
}

/** Errors when the relay is gone or silent; one that is silent is given up for everybody. */
function watch(node: Libp2p, connection: Connection, rttMs: number): Observable<never> {
  const relay = connection.remotePeer.toString()
  const closed$ = new Observable<never>((out) => {
    const gone = (error?: Error) =>
      out.error(new RelayError(`${relay}: the connection to the relay has closed`, { peer: relay, cause: error }))
    if (connection.status !== 'open') return gone()
    const onClose = ({ error }: StreamCloseEvent) => gone(error)
    connection.addEventListener('close', onClose)
    return () => connection.removeEventListener('close', onClose)
  })
  const silentAfterMs = Math.max(SILENT_AFTER_MS, SILENT_AFTER_ROUND_TRIPS * rttMs)
  const alive$ = usable(node, connection, false).pipe(
    timeout({ first: silentAfterMs, with: () => throwError(() => silent(relay, silentAfterMs)) }),
    retry({ count: 1 }),
    repeat({ delay: WATCH_EVERY_MS }),
    catchError((error: Error) => {
      connection.abort(error)
      return throwError(() => error)
    }),
    ignoreElements(),
  )
  return merge(closed$, alive$)
}

function silent(relay: string, afterMs: number): TimeoutError {
  return new TimeoutError(`relay ${relay} has not answered within ${afterMs} ms`, { peer: relay, deadlineMs: afterMs })
}

/** @unit milliseconds from now; somewhat earlier by chance, so that the clients of a relay do not come all at once */
function renewIn({ expiresAt }: Granted): number {
  const leftMs = Math.max(0, expiresAt - Date.now())
  return Math.min(leftMs * RENEW_AT, RENEW_WITHIN_MS) * (0.9 + Math.random() / 10)
}

function reservationOf({ addresses, expiresAt, limit, rttMs }: Granted, relay: string, node: Libp2p): Reservation {
  const own = addresses.map((address) => `${address}/p2p-circuit/p2p/${node.peerId}`)
  return { relay, addresses: own, expiresAt, limit, rttMs }
}

function tag(node: Libp2p, { remotePeer }: Connection, value: number | undefined): void {
  const tags = { [TAG]: value === undefined ? undefined : { value } }
  node.peerStore.merge(remotePeer, { tags }).catch(() => undefined) // without it the connection is one of many
}

/** Relays that the peer store knows. */
function known(node: Libp2p): Observable<RelayRef> {
  const isRelay = ({ protocols }: { readonly protocols: readonly string[] }) => protocols.includes(HOP_PROTOCOL)
  return from(node.peerStore.all({ filters: [isRelay] })).pipe(
    mergeMap((peers) => from(peers)),
    filter(({ addresses }) => addresses.length > 0), // without one it may be a client of ours, which libp2p takes for a relay
    map(({ id, addresses }) => ({
      relay: id.toString(),
      addresses: addresses
        .filter(({ multiaddr }) => !isCircuit(multiaddr))
        .map(({ multiaddr }) => withPeer(multiaddr, id.toString()).toString()),
    })),
  )
}

/** Connects to peers that a random walk finds; what they are is heard from identify. */
function meet(node: Libp2p): Observable<never> {
  return fromAbortable((signal) => internalsOf(node).randomWalk.walk({ signal })).pipe(
    filter(({ id }) => node.getConnections(id).length === 0),
    take(MOST_MET),
    mergeMap(
      ({ id, multiaddrs }) =>
        dialTo(
          node,
          multiaddrs.length > 0 ? multiaddrs.map((address) => withPeer(address, id.toString())) : id.toString(),
          { reach: 'direct' },
        ).pipe(
          catchError(() => EMPTY), // it is no use as a relay
        ),
      MET_AT_ONCE,
    ),
    ignoreElements(),
    catchError(() => EMPTY), // nobody to walk to: no routing is in use, or nobody is connected
  )
}

function directTo(node: Libp2p, peer: string): Connection | undefined {
  return node.getConnections(parsePeer(peer)).findLast(({ status, direct }) => status === 'open' && direct)
}

function isCircuit(address: Multiaddr): boolean {
  return address.getComponents().some(({ code }) => code === CODE_P2P_CIRCUIT)
}

function withPeer(address: Multiaddr, peer: string): Multiaddr {
  return address.getComponents().some(({ code }) => code === CODE_P2P) ? address : address.encapsulate(`/p2p/${peer}`)
}
