import { connections, gossipsub, type identify, kad, ping, type Swarm } from 'rxswarm'
import { catchError, concat, EMPTY, exhaustMap, from, ignoreElements, merge, mergeMap } from 'rxjs'
import { Observable, retry, take, takeUntil, timer } from 'rxjs'

type Factory = typeof connections | typeof identify | typeof kad | typeof gossipsub | typeof ping
type Node = Pick<Swarm<readonly ReturnType<Factory>[]>, 'self' | 'addresses' | 'execute' | 'stop'>

/** What a swarm does while somebody looks. */
export interface Life {
  /** The node that is looked at. */
  readonly host: Node
  /** The others. */
  readonly others: readonly Node[]
  /** Makes one more node. */
  readonly createGuest: () => Promise<Node>
  /** Where nodes publish, and what. */
  readonly topic: string
  readonly lines: readonly Uint8Array[]
  /** What they look for in the DHT. */
  readonly key: string
}

const PUBLISH_MS = 600
const GET_MS = 4_000
const PING_MS = 2_000
const GUEST = { everyMs: 20_000, staysMs: 12_000, topic: 'guests' }

/** Keeps a swarm gently busy: everybody listens and publishes, asks the DHT and pings, and now and then a guest comes. */
export function lively({ host, others, createGuest, topic, lines, key }: Life): Observable<never> {
  const all = [host, ...others]
  const some = <T>(list: readonly T[]) => list[Math.floor(Math.random() * list.length)]!
  const quietly = <T>(work$: Observable<T>) =>
    work$.pipe(
      ignoreElements(),
      catchError(() => EMPTY),
    )
  const listening$ = merge(
    ...all.map((node) => node.execute(gossipsub.subscribe({ topic })).pipe(retry({ delay: PUBLISH_MS }))),
  )
  const publishing$ = timer(0, PUBLISH_MS).pipe(
    mergeMap(() => quietly(some(all).execute(gossipsub.publish({ topic, data: some(lines) })))),
  )
  const getting$ = timer(0, GET_MS).pipe(mergeMap(() => quietly(some(all).execute(kad.get({ key })))))
  const pinging$ = merge(
    ...others.map(({ self }) => quietly(host.execute(ping.watch({ peer: self, intervalMs: PING_MS })))),
  )

  /** A node that comes, stays for a while and goes; whenever it is left, it is stopped. */
  const visiting$ = new Observable<never>((out) => {
    const guest = createGuest()
    out.add(() => void guest.then((node) => node.stop({ drainMs: 0 })))
    const stay$ = from(guest).pipe(
      mergeMap((node) =>
        concat(
          quietly(node.execute(connections.dial({ to: host.addresses }))),
          quietly(node.execute(gossipsub.subscribe({ topic: GUEST.topic }))).pipe(takeUntil(timer(GUEST.staysMs))),
        ),
      ),
    )
    out.add(stay$.subscribe(out))
  })
  const guests$ = timer(GUEST.everyMs / 4, GUEST.everyMs).pipe(exhaustMap(() => quietly(visiting$)))

  const isThere = lines.length > 0
  return merge(listening$, isThere ? publishing$ : EMPTY, getting$, pinging$, guests$).pipe(ignoreElements())
}

/** Where the page of a node is. @errors Why it is nowhere */
export function pageOf({ state$ }: { readonly state$: Observable<object> }): Observable<string> {
  return state$.pipe(
    mergeMap((state) => {
      const { url, problem } =
        (state as { readonly pages?: { readonly url?: string; readonly problem?: string } }).pages ?? {}
      if (problem !== undefined) throw new Error(`the dashboard can not be shown: ${problem}`)
      return url === undefined ? EMPTY : [`${url}dashboard/`]
    }),
    take(1),
  )
}
