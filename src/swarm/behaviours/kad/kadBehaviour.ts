import {
  catchError,
  concatMap,
  connect,
  defer,
  distinct,
  distinctUntilChanged,
  EMPTY,
  map,
  merge,
  mergeMap,
  mergeScan,
  of,
  startWith,
  switchMap,
  take,
  throwIfEmpty,
  toArray,
  withLatestFrom,
  type Observable,
} from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import { asSwarmError, perform } from '../../perform.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import type { Command } from '../../vocabulary/command.ts'
import { DhtError, InvalidCommandError, NotFoundError, type SwarmError } from '../../vocabulary/errors.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import { checkPeer } from '../checkPeer.ts'
import { ruleOf, selectRecord, validateRecord, type RecordRules } from './kadRules.ts'

/** How a node takes part: asks and answers, only asks, or answers as long as it has a public address. */
export type KadMode = 'server' | 'client' | 'auto'

/** A value and who sent it. */
export interface FoundRecord {
  /** Valid by the rule of its namespace. */
  readonly value: Uint8Array
  /** Peer id; the own one for a record that was stored here. */
  readonly from: string
}

/** A peer and where it may be reached. */
export interface FoundPeer {
  /** Peer id. */
  readonly peer: string
  /** Multiaddrs. */
  readonly addresses: readonly string[]
}

/** What one peer did with a record or a provider record. */
export interface Delivery {
  /** Peer id. */
  readonly peer: string
  /** Present when the peer refused or could not be asked. */
  readonly error?: SwarmError
}

/** What kad may call. */
export interface KadPorts {
  /** Stores a record here and on the closest peers; a value for each peer, as it answers. */
  put(key: string, value: Uint8Array): Observable<Delivery>
  /** Every valid record, as peers answer. */
  get(key: string): Observable<FoundRecord>
  /** Tells the closest peers that this node has the content; a value for each peer. */
  provide(cid: string): Observable<Delivery>
  /** Peers that have the content, as they are named; a peer may be named more than once. */
  findProviders(cid: string): Observable<FoundPeer>
  /** Where a peer is; nothing when nobody knows. */
  findPeer(peer: string): Observable<FoundPeer>
  /** The peers closest to a key. */
  closestPeers(key: string): Observable<FoundPeer>
  /** One value when done. */
  setMode(mode: 'server' | 'client'): Observable<void>
  /** Whether others beyond the local network can dial the address. */
  isPublic(address: string): boolean
  /** Foreign records that a rule refused. */
  readonly refused$: Observable<{ readonly key: string; readonly error: SwarmError }>
}

/** Store a record. */
export type KadPut = Command<'kad/put', { readonly key: string; readonly value: Uint8Array }, StoredRecord>
/** Find a record. */
export type KadGet = Command<'kad/get', { readonly key: string }, Uint8Array>
/** Tell that this node has the content. */
export type KadProvide = Command<'kad/provide', { readonly cid: string }, ProvidedContent>
/** Find who has the content. */
export type KadFindProviders = Command<'kad/find-providers', { readonly cid: string; readonly max: number }, FoundPeer>
/** Find where a peer is. */
export type KadFindPeer = Command<'kad/find-peer', { readonly peer: string }, FoundPeer>
/** Find the peers closest to a key. */
export type KadClosestPeers = Command<'kad/closest-peers', { readonly key: string }, FoundPeer>
/** Change how this node takes part. */
export type KadSetMode = Command<'kad/set-mode', { readonly mode: KadMode }, 'server' | 'client'>

/** What can be asked of kad. */
export type KadCommand = KadPut | KadGet | KadProvide | KadFindProviders | KadFindPeer | KadClosestPeers | KadSetMode

/** A record that at least one other peer keeps. */
export interface StoredRecord {
  /** `/namespace/name`. */
  readonly key: string
  /** Peers that keep it. */
  readonly peers: readonly string[]
}

/** Content whose provider record was sent to at least one other peer. */
export interface ProvidedContent {
  /** CID, as text. */
  readonly cid: string
  /** Peers that were told. Kademlia has no acknowledgement for it. */
  readonly peers: readonly string[]
}

/** What kad can say. */
export type KadEvent =
  | ({ readonly type: 'kad:replicated'; readonly key: string; readonly cause?: string } & Delivery)
  | ({ readonly type: 'kad:stored'; readonly cause?: string } & StoredRecord)
  | ({ readonly type: 'kad:found'; readonly key: string; readonly cause?: string } & FoundRecord)
  | ({ readonly type: 'kad:provided'; readonly cause?: string } & ProvidedContent)
  | ({ readonly type: 'kad:provider-found'; readonly cid: string; readonly cause?: string } & FoundPeer)
  | ({ readonly type: 'kad:peer-found'; readonly cause?: string } & FoundPeer)
  | {
      readonly type: 'kad:mode-changed'
      readonly mode: KadMode
      readonly acts: 'server' | 'client'
      readonly cause?: string
    }
  | { readonly type: 'kad:mode-failed'; readonly mode: KadMode; readonly error: SwarmError }
  | { readonly type: 'kad:record-refused'; readonly key: string; readonly error: SwarmError }

/** What decides what kad keeps and how it takes part. */
export interface KadDecisions {
  readonly records: RecordRules
  readonly mode: KadMode
  /** @unit bytes */
  readonly maxRecordBytes: number
}

/**
 * Stores and finds records, providers and peers in a Kademlia DHT.
 *
 * ```marble
 * command$  -g---------
 * get       --a-b-|
 * said      ---a-b-d---
 * ```
 *
 * @shape  A lookup says what it finds as it finds it; `kad:found` only when the record is better than the last, so the last
 *         one is the best. A put is stored when at least one other peer keeps it. In mode `auto` the node serves while
 *         one of its addresses is public.
 * @errors Every failure is `command:failed`; what a rule throws is its cause.
 * @source libp2p Kademlia DHT specification.
 */
export const kadBehaviour =
  ({ records, mode, maxRecordBytes }: KadDecisions): Behaviour<KadCommand, KadEvent, KadPorts> =>
  ({ command$, cancel$, event$, ports, self }) => {
    const announced$ = (event$ as Observable<CoreEvent>).pipe(
      ofType('start', 'self:peer:update', 'transport:listening', 'transport:close'),
      map(({ announced }) => announced),
    )
    const roleAt = (announced: readonly string[]) =>
      announced.some((own) => ports.isPublic(own)) ? 'server' : 'client'
    const act = (wanted: KadMode, acts: 'server' | 'client') =>
      ports.setMode(acts).pipe(map((): KadEvent => ({ type: 'kad:mode-changed', mode: wanted, acts })))

    const put = ({ key, value }: KadPut) =>
      validateRecord(records, key, value, maxRecordBytes).pipe(
        mergeMap(() => ports.put(key, value)),
        connect((delivery$) =>
          merge(
            delivery$.pipe(map((delivery): KadEvent => ({ type: 'kad:replicated', key, ...delivery }))),
            delivery$.pipe(
              toArray(),
              map((all): KadEvent => ({ type: 'kad:stored', key, peers: reached(all, key) })),
            ),
          ),
        ),
      )
    const get = ({ key }: KadGet) =>
      ports.get(key).pipe(
        mergeScan((best: FoundRecord | undefined, found) => better(records, key, best, found), undefined, 1),
        distinctUntilChanged(),
        map((best): KadEvent => ({ type: 'kad:found', key, ...best! })),
        throwIfEmpty(() => new NotFoundError(`${key}: no peer that answered has a valid record`, { key })),
      )
    const findProviders = ({ cid, max }: KadFindProviders) =>
      ports.findProviders(cid).pipe(
        distinct(({ peer }) => peer),
        take(max),
        map((found): KadEvent => ({ type: 'kad:provider-found', cid, ...found })),
      )
    const findPeer = ({ peer }: KadFindPeer) =>
      ports.findPeer(peer).pipe(
        take(1),
        throwIfEmpty(() => new NotFoundError(`${peer}: no peer that answered knows where it is`, { peer })),
      )
    const provide = ({ cid }: KadProvide) =>
      ports.provide(cid).pipe(
        toArray(),
        map((all): KadEvent => ({ type: 'kad:provided', cid, peers: reached(all, cid) })),
      )

    return merge(
      command$.pipe(
        ofType('kad/put'),
        perform(cancel$, (c) => defer(() => (checkRecord(c, records), put(c))), asSaid),
      ),
      command$.pipe(
        ofType('kad/get'),
        perform(cancel$, (c) => defer(() => (ruleOf(records, c.key), get(c))), asSaid),
      ),
      command$.pipe(ofType('kad/provide'), perform(cancel$, provide, asSaid)),
      command$.pipe(
        ofType('kad/find-providers'),
        perform(cancel$, (c) => defer(() => (checkMax(c), findProviders(c))), asSaid),
      ),
      command$.pipe(
        ofType('kad/find-peer'),
        perform(cancel$, (c) => defer(() => (checkPeer(c.peer, self), findPeer(c))), asPeerFound),
      ),
      command$.pipe(
        ofType('kad/closest-peers'),
        perform(cancel$, (c) => defer(() => (checkKey(c.key), ports.closestPeers(c.key))), asPeerFound),
      ),
      command$.pipe(
        ofType('kad/set-mode'),
        withLatestFrom(announced$.pipe(startWith<readonly string[]>([]))),
        map(([command, announced]) => ({ ...command, announced })),
        perform(
          cancel$,
          (c) => defer(() => (checkMode(c), act(c.mode, c.mode === 'auto' ? roleAt(c.announced) : c.mode))),
          asSaid,
        ),
      ),
      command$.pipe(
        ofType('kad/set-mode'),
        map((c) => c.mode),
        startWith(mode),
        switchMap((wanted) =>
          wanted !== 'auto'
            ? EMPTY
            : announced$.pipe(
                map(roleAt),
                distinctUntilChanged(),
                concatMap((acts) =>
                  act(wanted, acts).pipe(
                    catchError((error: unknown) =>
                      of<KadEvent>({ type: 'kad:mode-failed', mode: wanted, error: asSwarmError(error) }),
                    ),
                  ),
                ),
              ),
        ),
      ),
      ports.refused$.pipe(map((refused): KadEvent => ({ type: 'kad:record-refused', ...refused }))),
    )
  }

const asSaid = (said: KadEvent): KadEvent => said
const asPeerFound = (found: FoundPeer): KadEvent => ({ type: 'kad:peer-found', ...found })

/** The better of two records, by the rule of the namespace; the same object when the new one is not better. */
function better(
  rules: RecordRules,
  key: string,
  best: FoundRecord | undefined,
  found: FoundRecord,
): Observable<FoundRecord> {
  if (best === undefined) return of(found)
  return selectRecord(rules, key, [best.value, found.value]).pipe(map((index) => (index === 0 ? best : found)))
}

/** Peers that took it. @errors `DhtError` when none did */
function reached(deliveries: readonly Delivery[], what: string): readonly string[] {
  const peers = deliveries.filter(({ error }) => error === undefined).map(({ peer }) => peer)
  if (peers.length > 0) return peers
  const errors = deliveries.flatMap(({ error }) => (error === undefined ? [] : [error]))
  const why = errors.length === 0 ? 'no peer was close enough to ask' : `${errors.length} peers failed or refused`
  throw new DhtError(`${what}: it reached no other peer: ${why}`, { key: what, cause: new AggregateError(errors, why) })
}

function checkRecord({ key, value }: KadPut, records: RecordRules): void {
  ruleOf(records, key)
  if (value instanceof Uint8Array) return
  throw new InvalidCommandError(`value: must be a Uint8Array, not ${typeof value}`, { field: 'value', key })
}

function checkKey(key: unknown): void {
  if (typeof key === 'string' && key !== '') return
  throw new InvalidCommandError('key: must be text that is not empty', { field: 'key' })
}

function checkMax({ max, cid }: KadFindProviders): void {
  if (Number.isInteger(max) && max > 0) return
  throw new InvalidCommandError(`max: must be a whole number above 0, not ${String(max)}`, { field: 'max', key: cid })
}

function checkMode({ mode }: KadSetMode): void {
  if (mode === 'server' || mode === 'client' || mode === 'auto') return
  throw new InvalidCommandError(`mode: must be server, client or auto, not ${String(mode)}`, { field: 'mode' })
}
