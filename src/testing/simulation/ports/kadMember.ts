import {
  catchError,
  concat,
  defer,
  EMPTY,
  from,
  ignoreElements,
  map,
  mergeMap,
  of,
  take,
  tap,
  throwError,
  timeout,
  type Observable,
} from 'rxjs'
import { DhtError, StreamError } from '../../../errors/errors.ts'
import { Relay } from '../../../operators/relay.ts'
import type { Delivery } from '../../../swarm/behaviours/kad/kadCommands.ts'
import { asSwarmError } from '../../../swarm/perform.ts'
import { answer, request } from '../request.ts'
import type { SimulatedNode } from '../simulatedNode.ts'
import { kadAnswerer } from './kadAnswerer.ts'
import { kadId } from './kadId.ts'
import { KadLookup } from './kadLookup.ts'
import { answerSchema, type KadAnswer, type KadQuestion } from './kadMessages.ts'
import { kadQuery, type KadStep } from './kadQuery.ts'
import type { KadStore } from './kadStore.ts'
import { KadTable } from './kadTable.ts'
import { lifetimeOf } from './lifetimeOf.ts'
import { decodeMessage, encodeMessage } from './modelMessage.ts'

/** How long one peer may take to answer; one that is gone must not eat the deadline of a lookup. @unit milliseconds */
const ANSWER_MS = 1_000

/** How long a node without DHT peers waits for one before an operation fails. @unit milliseconds */
const FIRST_PEER_MS = 1_000

/** A node looks at its neighbourhood when it meets its first peer, and again from time to time. @unit milliseconds */
const FIRST_LOOK_MS = 10
const LOOK_AGAIN_MS = 300_000

type Kind = KadQuestion['ask']

/** A node's part in a DHT: whom it knows, what it asks them, and whether it answers. */
export interface KadMember {
  /** Completes when a peer is known. @errors `DhtError` when none is within a second */
  readonly ready$: Observable<never>
  /** Asks ever closer peers; a step for each. @errors `DhtError` when none of those that were asked has answered */
  look(kind: Kind, key: string): Observable<KadStep>
  /** The peers closest to a key that answer now. @errors Those of `ready$` and `look` */
  closest(key: string): Observable<readonly string[]>
  /** Asks the closest peers to keep something; what each of them did. @errors Those of `closest` */
  deliver(kind: 'put' | 'provide', key: string, value?: Uint8Array): Observable<Delivery>
  /** Begins to answer, or ends it. */
  serve(serves: boolean): void
}

/** Takes part in the DHT of a protocol until the node stops. */
export function kadMember(node: SimulatedNode, protocol: string, store: KadStore): KadMember {
  const life = lifetimeOf(node)
  const table = new KadTable(node.name)
  const peered$ = new Relay<void>()
  let release: (() => void) | undefined
  let looksAgain = false

  const ask = (peer: string, kind: Kind, key: string, value?: Uint8Array): Observable<KadAnswer> =>
    defer(() => {
      const serves = release !== undefined
      const question: KadQuestion = { ask: kind, key, serves, addresses: [...node.addresses] }
      return request(node, peer, protocol, encodeMessage(question, value), { timeoutMs: ANSWER_MS })
    }).pipe(
      map((bytes) => readAnswer(bytes, peer)),
      tap({
        next: ({ closer }) => {
          meet(peer)
          for (const named of closer) if (named.addresses.length > 0) node.learn(named.peer, named.addresses)
        },
        error: () => table.remove(peer),
      }),
    )
  const look = (kind: Kind, key: string, path?: (lookup: KadLookup) => void): Observable<KadStep> =>
    kadQuery(
      () => {
        const lookup = new KadLookup(key, node.name, table.closest(kadId(key)))
        path?.(lookup)
        return lookup
      },
      (peer) => ask(peer, kind, key),
    )
  const ready$ = defer(() =>
    table.size > 0
      ? EMPTY
      : peered$.pipe(
          take(1),
          timeout({ first: FIRST_PEER_MS, scheduler: node.scheduler, with: () => throwError(noPeers) }),
          ignoreElements(),
        ),
  )
  const closest = (key: string): Observable<readonly string[]> =>
    defer(() => {
      let found: KadLookup | undefined
      return concat(
        ready$,
        look('find', key, (lookup) => (found = lookup)).pipe(ignoreElements()),
        defer(() => of(found?.closest() ?? [])),
      )
    })
  const deliver = (kind: 'put' | 'provide', key: string, value?: Uint8Array): Observable<Delivery> =>
    closest(key).pipe(
      mergeMap((peers) => from(peers)),
      mergeMap((peer) =>
        ask(peer, kind, key, value).pipe(
          map((): Delivery => ({ peer })),
          catchError((error: unknown) => of<Delivery>({ peer, error: asSwarmError(error) })),
        ),
      ),
    )

  const later = (work: () => void, ms: number) => {
    const waiting = node.scheduler.schedule(() => {
      life.remove(waiting)
      work()
    }, ms)
    life.add(waiting)
  }
  const lookAround = () => {
    if (table.size > 0) life.add(look('find', node.name).subscribe({ error: () => undefined })) // nobody is there
  }
  const lookAgain = () => {
    lookAround()
    later(lookAgain, LOOK_AGAIN_MS)
  }
  const meet = (peer: string) => {
    if (!table.add(peer) || table.size > 1) return
    later(looksAgain ? lookAround : lookAgain, FIRST_LOOK_MS)
    looksAgain = true
    peered$.next()
  }
  const serve = (serves: boolean) => {
    if (serves === (release !== undefined)) return
    release?.()
    release = serves ? answer(node, protocol, kadAnswerer(node, table, store, meet)) : undefined
    if (serves) lookAround() // whoever is asked learns that this node answers
  }

  life.add(() => serve(false))
  life.add(
    node.event$.subscribe((event) => {
      if (event.type !== 'peer:identify' && event.type !== 'peer:update') return
      if (event.protocols.includes(protocol)) meet(event.peer)
      else table.remove(event.peer)
    }),
  )

  return { ready$, look: (kind, key) => look(kind, key), closest, deliver, serve }
}

function readAnswer(bytes: Uint8Array, peer: string): KadAnswer {
  try {
    const { head, body } = decodeMessage(answerSchema, bytes)
    const { closer, providers, has } = head
    return { closer, providers, ...(has ? { value: body } : {}) }
  } catch (cause) {
    throw new StreamError(`kad: what ${peer} answered can't be read`, { peer, cause })
  }
}

function noPeers(): DhtError {
  return new DhtError(`no DHT peer within ${FIRST_PEER_MS} ms: connect to one that serves the same protocol first`)
}
