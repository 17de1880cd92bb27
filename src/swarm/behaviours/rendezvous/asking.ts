import {
  catchError,
  concat,
  defer,
  distinct,
  EMPTY,
  expand,
  from,
  interval,
  map,
  merge,
  mergeMap,
  of,
  scan,
  take,
  throwError,
  timeout,
  timer,
  type Observable,
} from 'rxjs'
import { asSwarmError } from '../../perform.ts'
import type { SwarmError } from '../../../errors/errors.ts'
import type { Wires } from '../../vocabulary/behaviour.ts'
import { late, POINT_MS, waitAfter } from './registering.ts'
import type {
  DiscoveredPage,
  PointRef,
  RendezvousCommand,
  RendezvousEvent,
  RendezvousPorts,
} from './rendezvousVocabulary.ts'
import { NOBODY, watchStep, type WatchInput, type WatchStep } from './watched.ts'

type RendezvousWires = Pick<Wires<RendezvousCommand, RendezvousPorts>, 'ports' | 'scheduler' | 'random' | 'self'>

/** Registrations in one answer; a point may give fewer. */
const PAGE = 1_000

/** Answers to one question: a point that never comes to an end is cut off here. */
const MOST_PAGES = 128

/** Of what is not believed so many are told. */
const MOST_TOLD = 8

/** A point is asked from the beginning at each of these rounds, to see who has left. */
const WHOLE_EVERY = 10

/** One question to one point. */
function asked(
  ref: PointRef,
  question: {
    readonly namespace?: string | undefined
    readonly limit: number
    readonly cookie?: Uint8Array | undefined
  },
  { ports, scheduler }: RendezvousWires,
): Observable<DiscoveredPage> {
  const { namespace, limit, cookie } = question
  const plain = {
    limit,
    ...(namespace === undefined ? {} : { namespace }),
    ...(cookie === undefined ? {} : { cookie }),
  }
  return defer(() => ports.discover(ref, plain)).pipe(
    take(1),
    timeout({ first: POINT_MS, scheduler, with: () => throwError(() => late(ref)) }),
  )
}

/** What a page told of that is not believed. */
function ignoredIn(ref: PointRef, namespace: string | undefined, page: DiscoveredPage): readonly RendezvousEvent[] {
  if (page.ignored.length === 0) return []
  const about = { point: ref.point, ...(namespace === undefined ? {} : { namespace }) }
  const registrations = page.ignored.slice(0, MOST_TOLD)
  return [{ type: 'rendezvous:ignored', ...about, count: page.ignored.length, registrations }]
}

/** Whether a point has no more to tell now. */
function isLast(page: DiscoveredPage, cookie: Uint8Array | undefined, pages: number): boolean {
  const isStuck = page.cookie.length === 0 || (cookie !== undefined && String(cookie) === String(page.cookie))
  return page.count === 0 || isStuck || pages >= MOST_PAGES
}

/**
 * Asks a point who is registered, page after page.
 *
 * @param limit Most peers of interest.
 * @shape  `rendezvous:found` for each, and `rendezvous:ignored` for what is not believed.
 * @errors Those of the port.
 */
export function asking(
  ref: PointRef,
  namespace: string | undefined,
  limit: number,
  wires: RendezvousWires,
): Observable<RendezvousEvent> {
  const round = (cookie: Uint8Array | undefined, n: number, left: number) =>
    asked(ref, { namespace, limit: Math.min(PAGE, left), cookie }, wires).pipe(
      map((page) => ({ page, cookie, n, found: page.found.slice(0, left), left: left - page.found.length })),
    )
  return round(undefined, 1, limit).pipe(
    expand(({ page, cookie, n, left }) =>
      left <= 0 || isLast(page, cookie, n) ? EMPTY : round(page.cookie, n + 1, left),
    ),
    mergeMap(({ page, found }) => [
      ...found
        .filter(({ peer }) => peer !== wires.self)
        .map(({ peer, namespace: of, addresses, ttlMs }): RendezvousEvent => {
          return { type: 'rendezvous:found', peer, namespace: of, addresses, point: ref.point, ttlMs }
        }),
      ...ignoredIn(ref, namespace, page),
    ]),
    // who registers anew meanwhile is on a later page again
    distinct((event) => (event.type === 'rendezvous:found' ? `${event.peer} ${event.namespace}` : event)),
  )
}

/** What is to be asked next of a point. */
interface Round {
  readonly cookie: Uint8Array | undefined
  readonly n: number
  readonly failures: number
  readonly inMs: number
}

type Item = { readonly round: Round } | { readonly input: WatchInput } | { readonly say: RendezvousEvent }

/**
 * Watches a namespace at several points: asks each at an interval for what is new, and now and then for all.
 *
 * @shape  Never ends. A point that fails is asked again with backoff; the others go on.
 */
export function watching(
  refs: readonly PointRef[],
  namespace: string,
  intervalMs: number,
  wires: RendezvousWires,
): Observable<RendezvousEvent> {
  const { scheduler, self } = wires
  const items$ = merge(
    ...refs.map((ref) => polling(ref, namespace, intervalMs, wires)),
    interval(intervalMs, scheduler).pipe(map((): Item => ({ input: { type: 'beat' } }))),
  )
  return items$.pipe(
    scan(
      ({ state }: WatchStep, item): WatchStep => {
        if ('say' in item) return { state, say: [item.say] }
        if ('round' in item) return { state, say: [] }
        return watchStep(namespace, self, state, item.input, scheduler.now())
      },
      { state: NOBODY, say: [] },
    ),
    mergeMap(({ say }) => say),
  )
}

function polling(ref: PointRef, namespace: string, intervalMs: number, wires: RendezvousWires): Observable<Item> {
  const { scheduler, random } = wires
  const pages = (cookie: Uint8Array | undefined, whole: boolean, n: number): Observable<Item> =>
    asked(ref, { namespace, limit: PAGE, cookie }, wires).pipe(
      mergeMap((page) => {
        const last = isLast(page, cookie, n)
        const input: WatchInput = { type: 'page', point: ref.point, page, from: whole && n === 1, last, whole }
        const now = from<Item[]>([{ input }, ...ignoredIn(ref, namespace, page).map((say) => ({ say }))])
        const next = page.cookie.length > 0 ? page.cookie : undefined
        return concat(now, last ? of<Item>({ round: { cookie: next, n: 0, failures: 0, inMs: 0 } }) : pages(next, whole, n + 1)) // prettier-ignore
      }),
    )
  const run = ({ cookie, n, failures, inMs }: Round): Observable<Item> => {
    const isWhole = cookie === undefined || n % WHOLE_EVERY === 0
    return timer(inMs, scheduler).pipe(
      mergeMap(() => pages(isWhole ? undefined : cookie, isWhole, 1)),
      map((item) => ('round' in item ? { round: { ...item.round, n: n + 1, inMs: intervalMs } } : item)),
      catchError((cause: unknown) => {
        const error = asSwarmError(cause)
        if (cookie !== undefined && isForgotten(error)) {
          return of<Item>({ round: { cookie: undefined, n, failures, inMs: 0 } })
        }
        const retryInMs = Math.max(Math.round(intervalMs / 2), waitAfter(error, failures, random()))
        const about = { point: ref.point, namespace, asked: 'discover', error, retryInMs } as const
        const again = { cookie, n, failures: failures + 1, inMs: retryInMs }
        return from<Item[]>([{ say: { type: 'rendezvous:failed', ...about } }, { round: again }])
      }),
    )
  }
  return run({ cookie: undefined, n: 0, failures: 0, inMs: 0 }).pipe(
    expand((item) => ('round' in item ? run(item.round) : EMPTY)),
  )
}

/** A point that has restarted without its store knows our cookie no more. */
function isForgotten(error: SwarmError): boolean {
  return 'status' in error && error.status === 'E_INVALID_COOKIE'
}
