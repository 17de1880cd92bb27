import type { Libp2p, PeerInfo } from '@libp2p/interface'
import type { QueryEvent } from '@libp2p/kad-dht'
import { isPrivate } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import {
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  from,
  fromEvent,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  take,
  tap,
  throwError,
  timeout,
  type Observable,
} from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { parsePeer } from '../../libp2p/parse.ts'
import { streamError } from '../../libp2p/streamError.ts'
import { DhtError, InvalidCommandError, SwarmError } from '../../../errors/errors.ts'
import type { KadDecisions, KadPorts } from './kadBehaviour.ts'
import type { Delivery, FoundPeer, FoundRecord } from './kadCommands.ts'
import { validateRecord } from './kadRules.ts'
import type { KadService } from './kadService.ts'

/** How long a node without DHT peers waits for one before an operation fails. @unit milliseconds */
const FIRST_PEER_MS = 2_000

/** @source multicodec table */
const SHA2_256 = 0x12

const bytes = (key: string) => new TextEncoder().encode(key)

/** Kademlia over libp2p's service. */
export function kadPorts(node: Libp2p, { records, maxRecordBytes }: KadDecisions): KadPorts {
  const dht = node.services['kad'] as KadService
  const table = (dht as unknown as { readonly routingTable: EventTarget & { readonly size: number } }).routingTable

  const internals = dht as unknown as {
    readonly contentFetching: { getLocal(key: Uint8Array): Promise<{ value: Uint8Array }> }
  }
  const kept = (key: string): Observable<FoundRecord> =>
    defer(() => internals.contentFetching.getLocal(bytes(key))).pipe(
      map(({ value }) => ({ value, from: node.peerId.toString() })),
      catchError(() => EMPTY), // none is kept here, or it is no longer valid
    )
  const peered$ = defer(() =>
    merge(of(undefined), fromEvent(table, 'peer:add')).pipe(
      filter(() => table.size > 0),
      take(1),
      timeout({ first: FIRST_PEER_MS, with: () => throwError(noPeers) }),
      ignoreElements(),
    ),
  )
  const ask = (start: (signal: AbortSignal) => AsyncIterable<QueryEvent>): Observable<QueryEvent> =>
    concat(peered$, heard(fromAbortable(start))).pipe(catchError((error: unknown) => throwError(() => dhtError(error))))

  return {
    refused$: dht.refused$,
    isPublic: (address) => !isPrivate(multiaddr(address)) && !address.includes('/p2p-circuit'),
    put: (key, value) =>
      deliveries(
        ask((signal) => dht.put(bytes(key), value, { signal })),
        'PUT_VALUE',
      ),
    get: (key) =>
      defer(() => {
        const lastAsked = new Map<string, string>()
        let found = 0
        const asked$ = ask((signal) => dht.get(bytes(key), { signal })).pipe(
          mergeMap((event): Observable<FoundRecord> => {
            if (event.name === 'SEND_QUERY') lastAsked.set(event.to.toString(), event.messageName)
            if (event.name === 'VALUE') return of({ value: event.value, from: event.from.toString() })
            if (event.name !== 'PEER_RESPONSE' || event.record === undefined) return EMPTY
            const sender = event.from.toString()
            if (lastAsked.get(sender) !== 'GET_VALUE') return EMPTY // the answer to a correction, not to the question
            const { value } = event.record
            return validateRecord(records, key, value, maxRecordBytes).pipe(
              map(() => ({ value, from: sender })),
              catchError(() => EMPTY), // the service has told of it
            )
          }),
        )
        return concat(kept(key), asked$).pipe(
          map((record) => (found++, record)),
          // one stale peer that refuses the correction fails libp2p's whole query, long after the value was found
          catchError((error: unknown) => (found > 0 ? EMPTY : throwError(() => error))),
        )
      }),
    provide: (cid) =>
      defer(() => {
        const id = parseCid(cid)
        if (node.getMultiaddrs().length === 0) {
          throw new DhtError(`${cid}: this node has no address under which others could fetch it; listen on one`, {
            key: cid,
          })
        }
        return deliveries(
          ask((signal) => dht.provide(id, { signal })),
          'ADD_PROVIDER',
        )
      }),
    findProviders: (cid) =>
      defer(() => {
        const id = parseCid(cid)
        return ask((signal) => dht.findProviders(id, { signal }))
      }).pipe(mergeMap((event) => (event.name === 'PROVIDER' ? from(event.providers.map(foundPeer)) : EMPTY))),
    findPeer: (peer) =>
      defer(() => {
        const id = parsePeer(peer)
        return ask((signal) => dht.findPeer(id, { signal }))
      }).pipe(
        mergeMap((event) => (event.name === 'FINAL_PEER' ? of(foundPeer(event.peer)) : EMPTY)),
        catchError((error: unknown) =>
          ((error as SwarmError).cause as Error | undefined)?.name === 'NotFoundError'
            ? EMPTY
            : throwError(() => error),
        ),
      ),
    closestPeers: (key) =>
      ask((signal) => dht.getClosestPeers(bytes(key), { signal })).pipe(
        mergeMap((event) => (event.name === 'FINAL_PEER' ? of(foundPeer(event.peer)) : EMPTY)),
      ),
    setMode: (mode) => fromAbortable((signal) => dht.setMode(mode, { signal })),
  }
}

/** A query that nobody answers is not one that finds nothing. @errors `DhtError` at the end of such a query */
function heard(event$: Observable<QueryEvent>): Observable<QueryEvent> {
  return defer(() => {
    const errors: unknown[] = []
    let answers = 0
    const end$ = defer(() => {
      if (answers > 0 || errors.length === 0) return EMPTY
      const message = `none of the ${errors.length} peers that were asked has answered`
      return throwError(() => new DhtError(message, { cause: new AggregateError(errors, message) }))
    })
    const counted$ = event$.pipe(
      tap((event) => {
        if (event.name === 'PEER_RESPONSE' || (event.name === 'QUERY_ERROR' && isAboutAnAnswer(event.error))) answers++
        else if (event.name === 'QUERY_ERROR') errors.push(event.error)
      }),
      catchError((error: unknown) =>
        concat(
          end$,
          throwError(() => error),
        ),
      ),
    )
    return concat(counted$, end$)
  })
}

/** Libp2p's error for an answer that is no good; the others are about peers that gave none. */
function isAboutAnAnswer({ name }: Error): boolean {
  return name === 'QueryError'
}

/** What each peer did that was sent a message of this name; libp2p names no such peer, but its events tell. */
function deliveries(event$: Observable<QueryEvent>, messageName: string): Observable<Delivery> {
  return defer(() => {
    const asked = new Set<string>()
    return event$.pipe(
      mergeMap((event): Observable<Delivery> => {
        if (event.name === 'SEND_QUERY' && event.messageName === messageName) asked.add(event.to.toString())
        if (event.name !== 'PEER_RESPONSE' && event.name !== 'QUERY_ERROR') return EMPTY
        const peer = event.from.toString()
        if (!asked.delete(peer)) return EMPTY
        return of(event.name === 'PEER_RESPONSE' ? { peer } : { peer, error: streamError(event.error, 'kad', peer) })
      }),
    )
  })
}

function foundPeer({ id, multiaddrs }: PeerInfo): FoundPeer {
  return { peer: id.toString(), addresses: multiaddrs.map(String) }
}

function parseCid(cid: string): CID {
  let id: CID
  try {
    id = CID.parse(cid)
  } catch (cause) {
    throw new InvalidCommandError(`cid: "${cid}" is not a CID`, { field: 'cid', cause })
  }
  if (id.multihash.code === SHA2_256) return id
  const message = `cid: "${cid}" is not a SHA-256 hash, and libp2p's DHT looks for no others`
  throw new InvalidCommandError(message, { field: 'cid' })
}

function noPeers(): DhtError {
  return new DhtError(`no DHT peer within ${FIRST_PEER_MS} ms: connect to one that serves the same protocol first`)
}

function dhtError(cause: unknown): SwarmError {
  if (cause instanceof SwarmError) return cause
  return new DhtError(`the query failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}
