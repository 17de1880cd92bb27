import {
  catchError,
  concatMap,
  connect,
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
import type { PolicySpec } from '../../../policies/policySpec.ts'
import { guard, type PolicyOption } from '../../guard.ts'
import { asSwarmError, perform } from '../../perform.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import { NotFoundError, type SwarmError } from '../../../errors/errors.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import { checkPeer } from '../checkPeer.ts'
import type {
  Delivery,
  FoundPeer,
  FoundRecord,
  KadCommand,
  KadFindPeer,
  KadFindProviders,
  KadGet,
  KadMode,
  KadProvide,
  KadPut,
  ProvidedContent,
  StoredRecord,
} from './kadCommands.ts'
import { better, checkKey, checkMax, checkMode, checkRecord, reached } from './kadDecisions.ts'
import { ruleOf, validateRecord, type RecordRules } from './kadRules.ts'

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
  readonly policy: PolicyOption
}

/**
 * What guards queries unless it is told otherwise: 64 at once and 1 024 that wait, since each asks many peers; one retry, of
 * all queries together a fifth and one a second.
 */
export const QUERY_POLICY = {
  bulkhead: { concurrent: 64, maxWaiting: 1_024 },
  retry: { retries: 1, backoff: { type: 'constant', delayMs: 250 }, budget: { share: 0.2, minPerSecond: 1 } },
} as const satisfies PolicySpec

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
  ({ records, mode, maxRecordBytes, policy }: KadDecisions): Behaviour<KadCommand, KadEvent, KadPorts> =>
  ({ command$, cancel$, event$, ports, self, ...wires }) => {
    const guarded = guard(wires, policy)
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
        perform(cancel$, (c) => (checkRecord(c, records), put(c)), asSaid, guarded),
      ),
      command$.pipe(
        ofType('kad/get'),
        perform(cancel$, (c) => (ruleOf(records, c.key), get(c)), asSaid, guarded),
      ),
      command$.pipe(ofType('kad/provide'), perform(cancel$, provide, asSaid, guarded)),
      command$.pipe(
        ofType('kad/find-providers'),
        perform(cancel$, (c) => (checkMax(c), findProviders(c)), asSaid, guarded),
      ),
      command$.pipe(
        ofType('kad/find-peer'),
        perform(cancel$, (c) => (checkPeer(c.peer, self), findPeer(c)), asPeerFound, guarded),
      ),
      command$.pipe(
        ofType('kad/closest-peers'),
        perform(cancel$, (c) => (checkKey(c.key), ports.closestPeers(c.key)), asPeerFound, guarded),
      ),
      command$.pipe(
        ofType('kad/set-mode'),
        withLatestFrom(announced$.pipe(startWith<readonly string[]>([]))),
        map(([command, announced]) => ({ ...command, announced })),
        perform(cancel$, (c) => (checkMode(c), act(c.mode, c.mode === 'auto' ? roleAt(c.announced) : c.mode)), asSaid),
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
