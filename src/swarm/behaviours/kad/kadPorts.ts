import type { Libp2p, PeerInfo } from '@libp2p/interface'
import {
  kadDHT,
  passthroughMapper,
  type KadDHT,
  type KadDHTComponents,
  type KadDHTInit,
  type QueryEvent,
} from '@libp2p/kad-dht'
import { isPrivate } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import {
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  firstValueFrom,
  from,
  fromEvent,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  Subject,
  take,
  tap,
  throwError,
  timeout,
  type Observable,
} from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { parsePeer } from '../../libp2p/parse.ts'
import { streamError } from '../../libp2p/streamError.ts'
import { asSwarmError } from '../../perform.ts'
import { DhtError, InvalidCommandError, SwarmError } from '../../vocabulary/errors.ts'
import type { KadDecisions, KadPorts } from './kadBehaviour.ts'
import type { Delivery, FoundPeer, FoundRecord } from './kadCommands.ts'
import { selectRecord, validateRecord } from './kadRules.ts'

/** What a rule refused of what others sent. */
type Refusal = { readonly key: string; readonly error: SwarmError }

/** The DHT of a node, with what its rules refused. */
type Service = KadDHT & { readonly refused$: Subject<Refusal> }

/** How long a node without DHT peers waits for one before an operation fails. @unit milliseconds */
const FIRST_PEER_MS = 2_000

/** A peer that is gone must not eat the deadline of a query; a record of `maxRecordBytes` takes less. @unit milliseconds */
const PEER_TIMEOUT = { minTimeout: 1_000, maxTimeout: 2_000 }

/** Messages at once on one connection. Libp2p's own limit of 32 loses puts of a busy node without an error. */
const STREAMS = 512

/** The first look at the neighbourhood: libp2p waits 1 s, and every query with it. @unit milliseconds */
const FIRST_LOOK_MS = 10

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytes = (key: string) => new TextEncoder().encode(key)

/** The libp2p service behind {@link kadPorts}. */
export function kadService(protocol: string, { records, mode, maxRecordBytes }: KadDecisions) {
  return (components: KadDHTComponents): Service => {
    const refused$ = new Subject<Refusal>()
    const namespaces = Object.keys(records)
    const validate = async (key: Uint8Array, value: Uint8Array) => {
      try {
        await firstValueFrom(validateRecord(records, text(key), value, maxRecordBytes))
      } catch (error) {
        refused$.next({ key: text(key), error: asSwarmError(error) })
        throw error
      }
    }
    const select = (key: Uint8Array, values: Uint8Array[]) => firstValueFrom(selectRecord(records, text(key), values))
    const init: KadDHTInit = {
      protocol,
      clientMode: mode !== 'server',
      peerInfoMapper: passthroughMapper,
      initialQuerySelfInterval: FIRST_LOOK_MS,
      networkDialTimeout: PEER_TIMEOUT,
      maxInboundStreams: STREAMS,
      maxOutboundStreams: STREAMS,
      validators: Object.fromEntries(namespaces.map((namespace) => [namespace, validate])),
      selectors: Object.fromEntries(namespaces.map((namespace) => [namespace, select])),
    }
    const service = Object.assign(kadDHT(init)(components), { refused$ })
    // its tables are looked up by what a peer sends, and `constructor` must not find a rule that nobody made
    Object.setPrototypeOf(service.validators, null)
    Object.setPrototypeOf(service.selectors, null)
    return service
  }
}

/** Kademlia over libp2p's service. */
export function kadPorts(node: Libp2p, { records, maxRecordBytes }: KadDecisions): KadPorts {
  const dht = node.services['kad'] as Service
  const table = (dht as unknown as { readonly routingTable: EventTarget & { readonly size: number } }).routingTable

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
        return ask((signal) => dht.get(bytes(key), { signal })).pipe(
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
          map((record) => (found++, record)),
          // one stale peer that refuses the correction fails libp2p's whole query, long after the value was found
          catchError((error: unknown) => (found > 0 ? EMPTY : throwError(() => error))),
        )
      }),
    provide: (cid) =>
      defer(() => {
        const id = parseCid(cid)
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
        if (event.name === 'PEER_RESPONSE') answers++
        if (event.name === 'QUERY_ERROR') errors.push(event.error)
      }),
      catchError((error: unknown) => concat(end$, throwError(() => error))),
    )
    return concat(counted$, end$)
  })
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
  try {
    return CID.parse(cid)
  } catch (cause) {
    throw new InvalidCommandError(`cid: "${cid}" is not a CID`, { field: 'cid', cause })
  }
}

function noPeers(): DhtError {
  return new DhtError(`no DHT peer within ${FIRST_PEER_MS} ms: connect to one that serves the same protocol first`)
}

function dhtError(cause: unknown): SwarmError {
  if (cause instanceof SwarmError) return cause
  return new DhtError(`the query failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}
