import {
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  from,
  ignoreElements,
  map,
  mergeMap,
  of,
  take,
  tap,
  throwError,
  type Observable,
} from 'rxjs'
import { DhtError, InvalidCommandError } from '../../../errors/errors.ts'
import type { KadDecisions, KadPorts } from '../../../swarm/behaviours/kad/kadBehaviour.ts'
import type { FoundRecord } from '../../../swarm/behaviours/kad/kadCommands.ts'
import type { AnyModule } from '../../../swarm/vocabulary/behaviour.ts'
import type { SimulatedNode } from '../simulatedNode.ts'
import { kadMember } from './kadMember.ts'
import { KadStore } from './kadStore.ts'

type Options = KadDecisions & { readonly protocol: string }

/**
 * Kademlia of a simulated node.
 *
 * @shape  A model: libp2p's tables, lookups and rules over messages of its own. Content is named by any text, because a
 *         simulation has no need of real CIDs. Every address counts as public. Records do not expire, and stale ones that a
 *         lookup meets are not corrected.
 */
export function simulatedKad(node: SimulatedNode, module: AnyModule): KadPorts {
  const options = module.options as Options
  const store = new KadStore(options)
  const { ready$, look, closest, deliver, serve } = kadMember(node, options.protocol, store)
  serve(options.mode === 'server')

  return {
    refused$: store.refused$,
    isPublic: () => true,
    put: (key, value) => {
      const kept$ = defer(() => store.keep(key, value.slice())).pipe(ignoreElements())
      return concat(ready$, kept$, deliver('put', key, value))
    },
    get: (key) =>
      defer(() => {
        let found = 0
        const own = store.record(key)
        const own$ = own === undefined ? EMPTY : of<FoundRecord>({ value: own.slice(), from: node.name })
        const asked$ = concat(ready$, look('get', key)).pipe(
          mergeMap((step): Observable<FoundRecord> => {
            const value = 'answer' in step ? step.answer.value : undefined
            if (value === undefined) return EMPTY
            return store.check(key, value).pipe(
              map(() => ({ value: value.slice(), from: step.peer })),
              catchError(() => EMPTY), // the store has told of it
            )
          }),
        )
        return concat(own$, asked$).pipe(
          tap(() => void found++),
          catchError((error: unknown) => (found > 0 ? EMPTY : throwError(() => error))), // what was found is enough
        )
      }),
    provide: (cid) =>
      defer(() => {
        checkCid(cid)
        if (node.addresses.length === 0) {
          const message = `${cid}: this node has no address under which others could fetch it; listen on one`
          throw new DhtError(message, { key: cid })
        }
        const noted$ = defer(() => (store.addProvider(cid, node.name, [...node.addresses]), EMPTY))
        return concat(ready$, noted$, deliver('provide', cid))
      }),
    findProviders: (cid) =>
      defer(() => {
        checkCid(cid)
        const own$ = defer(() => from(store.providers(cid)))
        const named$ = look('providers', cid).pipe(
          mergeMap((step) => ('answer' in step ? from(step.answer.providers) : EMPTY)),
        )
        return concat(ready$, own$, named$)
      }),
    findPeer: (peer) =>
      defer(() => {
        const known$ = defer(() => of({ peer, addresses: [...node.addressesOf(peer)] }))
        const named$ = look('find', peer).pipe(
          mergeMap((step) => ('answer' in step ? from(step.answer.closer) : EMPTY)),
        )
        return concat(ready$, known$, named$).pipe(
          filter((found) => found.peer === peer && found.addresses.length > 0),
          take(1),
        )
      }),
    closestPeers: (key) =>
      closest(key).pipe(
        mergeMap((peers) => from(peers)),
        map((peer) => ({ peer, addresses: [...node.addressesOf(peer)] })),
      ),
    setMode: (acts) => defer(() => (serve(acts === 'server'), of(undefined))),
  }
}

/** @errors `InvalidCommandError` */
function checkCid(cid: string): void {
  if (typeof cid === 'string' && cid !== '') return
  throw new InvalidCommandError('cid: must be text that is not empty', { field: 'cid' })
}
