import {
  catchError,
  connect,
  count,
  defer,
  exhaustMap,
  filter,
  map,
  merge,
  mergeMap,
  of,
  repeat,
  scan,
  takeUntil,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs'
import { asSwarmError } from '../../perform.ts'
import type { DiscoveryWires } from './discoveryBehaviour.ts'
import type { DiscoveryEvent, Sighting } from './discoveryVocabulary.ts'
import { countWord, emptyCache, hearPeer, type MdnsBound, type MdnsBounds, type MdnsWord } from './mdnsIntake.ts'
import { LONGEST_ADDRESS } from './vetAddresses.ts'

/** How the local network is listened to. */
export interface MdnsSettings extends MdnsBounds {
  /** Names or IPv4 addresses of the interfaces; all by default. */
  readonly interfaces?: readonly string[] | undefined
  /** Whether this node says where it is. */
  readonly announce: boolean
  /** Who asks for the same service finds each other. */
  readonly service: string
  /** UDP port. */
  readonly port: number
  /** From one question to the next, once the network is known. @unit milliseconds */
  readonly intervalMs: number
}

/** The network or its port is not to be had: it is tried again. @unit milliseconds */
const AGAIN_MS = 10_000

/** The first question after the one at the start. @unit milliseconds @source RFC 6762, section 5.2: at least a second, then at least twice as long each time */
const ASK_AGAIN_MS = 1_000

/** @unit milliseconds */
const WINDOW_MS = 1_000

type Heard = Sighting | DiscoveryEvent | { readonly type: 'refused'; readonly bound: MdnsBound }

/**
 * Hears who is on the local network.
 *
 * @shape  Cold; runs until it is unsubscribed, which leaves the group. What is beyond a bound is not read, and counted.
 * @errors None: what fails is `discovery:failed`, and is tried again.
 * @source libp2p's mDNS specification; the wire is `multicast-dns`.
 */
export function listening(
  settings: MdnsSettings,
  { ports, scheduler, random }: DiscoveryWires,
): Observable<Sighting | DiscoveryEvent> {
  const { interfaces, announce, service, port, intervalMs } = settings
  const askMs = (asked: number) => Math.min(intervalMs, ASK_AGAIN_MS * 3 ** (asked - 1)) * (0.9 + random() / 5)
  const ask$ = of(undefined).pipe(repeat({ delay: (asked) => timer(askMs(asked), scheduler) }))
  const word$ = defer(() => ports.mdns({ interfaces, announce, service, port, ask$ }))
  return word$.pipe(
    scan<MdnsWord, { readonly cache: typeof emptyCache; readonly heard: readonly Heard[] }>(
      ({ cache }, word) => hear(settings, cache, word, ports, scheduler.now()),
      { cache: emptyCache, heard: [] },
    ),
    mergeMap(({ heard }) => heard),
    connect((heard$) =>
      merge(
        heard$.pipe(filter((heard) => heard.type !== 'refused')),
        floods(heard$.pipe(filter((heard) => heard.type === 'refused')), scheduler),
      ),
    ),
    catchError((error: unknown) =>
      of<DiscoveryEvent>({ type: 'discovery:failed', as: 'mdns', error: asSwarmError(error), retryInMs: AGAIN_MS }),
    ),
    repeat({ delay: () => timer(AGAIN_MS, scheduler) }),
  )
}

function hear(
  settings: MdnsSettings,
  before: typeof emptyCache,
  { addresses, ttlMs, isLocal }: MdnsWord,
  { read }: Pick<DiscoveryWires['ports'], 'read'>,
  at: number,
): { readonly cache: typeof emptyCache; readonly heard: readonly Heard[] } {
  const [counted, isRead] = countWord(settings, before, at)
  if (!isRead) return { cache: counted, heard: [{ type: 'refused', bound: 'packets' }] }
  const peer = addresses
    .map((address) => (address.length > LONGEST_ADDRESS ? undefined : read(address)?.peer))
    .find(Boolean)
  if (peer === undefined) {
    const [address = ''] = addresses
    const reason = address.length > LONGEST_ADDRESS ? 'too-long' : 'malformed'
    const dropped = [{ address: address.slice(0, LONGEST_ADDRESS), reason }] as const
    return { cache: counted, heard: [{ type: 'discovery:dropped', by: 'mdns', addresses: dropped, count: 1 }] }
  }
  const [cache, verdict] = hearPeer(settings, counted, { peer, ttlMs }, at)
  switch (verdict.type) {
    case 'nothing':
      return { cache, heard: [] }
    case 'refused':
      return { cache, heard: [verdict] }
    case 'gone':
      return { cache, heard: [{ type: 'gone', by: 'mdns', peer }] }
    case 'seen':
      return { cache, heard: [{ type: 'seen', by: 'mdns', peer, addresses, isLocal, ttlMs: verdict.ttlMs }] }
  }
}

/** One event for all that is refused within a second. */
function floods(
  refused$: Observable<{ readonly bound: MdnsBound }>,
  scheduler: SchedulerLike,
): Observable<DiscoveryEvent> {
  return refused$.pipe(
    exhaustMap((first) =>
      merge(of(first), refused$).pipe(
        takeUntil(timer(WINDOW_MS, scheduler)),
        count(),
        map((refused): DiscoveryEvent => ({ type: 'discovery:flooded', by: 'mdns', bound: first.bound, refused })),
      ),
    ),
  )
}
