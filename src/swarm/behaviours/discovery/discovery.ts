import { isObservable } from 'rxjs'
import { z } from 'zod'
import { callable, count, some, someWaitMs } from '../../../errors/optionKinds.ts'
import { problemsIn } from '../../../errors/problemsIn.ts'
import type { ConfigProblem } from '../../../errors/errors.ts'
import { backoff, type BackoffSpec } from '../../../policies/backoff.ts'
import { either } from '../../../policies/schemas.ts'
import { parseAddress, peerOf } from '../../libp2p/parse.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { PeerRef } from '../checkPeer.ts'
import type { BootstrapList } from './bootstrapping.ts'
import { discoveryBehaviour, type DiscoveryPorts } from './discoveryBehaviour.ts'
import { discoveryPorts } from './discoveryPorts.ts'
import type {
  DiscoveredPeer,
  DiscoveryCommand,
  DiscoveryEvent,
  DiscoverySource,
  ForgetDiscovered,
  ListDiscovered,
  SwitchSource,
} from './discoveryVocabulary.ts'

/** How a trusted list is kept connected. */
export interface BootstrapOptions {
  /** Multiaddrs, each with the peer id of who must answer there; as a stream, each list takes the place of the last. */
  readonly list: BootstrapList
  /** How many peers of the list are kept connected. Default: 2; all when there are fewer. */
  readonly minConnected?: number
  /** Dials at once. Default: 3. */
  readonly atOnce?: number
  /** When a peer that failed is dialled again. It never gives up. Default: 500 ms, twice as long each time up to 60 s, half of it left to chance. */
  readonly backoff?: BackoffSpec
}

/** How the local network is listened to, and told. */
export interface MdnsOptions {
  /** Names (`eth0`) or IPv4 addresses of the interfaces to use. Default: all, and the loopback when there is no other. */
  readonly interfaces?: readonly string[]
  /** Whether this node says where it is, or only listens. Default: true. */
  readonly announce?: boolean
  /** Who asks for the same service finds each other. Default: libp2p's `_p2p._udp.local`. */
  readonly service?: string
  /** UDP port. Default: 5353. */
  readonly port?: number
  /** From one question to the next; the first ones follow sooner. Default: 10 000. @unit milliseconds */
  readonly intervalMs?: number
  /** A peer that is not heard of as long is forgotten; sooner, if it says so. Default: 120 000. @unit milliseconds */
  readonly ttlMs?: number
  /** Peers that are known by it at once. Default: 256. */
  readonly maxPeers?: number
  /** New ones that are taken in within a second. Default: 32. */
  readonly maxNewPerSecond?: number
  /** Announcements that are read within a second. Default: 256. */
  readonly maxWordsPerSecond?: number
}

/** When the DHT is walked. */
export interface WalkOptions {
  /** While fewer peers are known, it is walked sooner. Default: 8. */
  readonly enough?: number
  /** The next walk then; twice as long after each that found nobody new. Default: 2 000. @unit milliseconds */
  readonly soonMs?: number
  /** From one walk to the next otherwise, up to half of it less by chance. Default: 300 000. @unit milliseconds */
  readonly intervalMs?: number
}

/** Which of the peers that were found are dialled. */
export interface DialOptions {
  /** Connected peers that are wanted; nobody is dialled beyond that. Default: 8. */
  readonly upTo?: number
  /** Dials that start within a second. Default: 4. */
  readonly perSecond?: number
  /** Dials at once. Default: 4. */
  readonly atOnce?: number
  /** Who may be dialled; asked when a peer is found and when its addresses change. Default: everybody. */
  readonly filter?: (found: DiscoveredPeer) => boolean
  /** When one that failed is dialled again. Default: 1 s, twice as long each time up to 5 min, half of it left to chance. */
  readonly backoff?: BackoffSpec
}

/** Options of {@link discovery}. */
export interface DiscoveryOptions {
  /** Trusted peers to start from. Default: none. */
  readonly bootstrap?: BootstrapList | BootstrapOptions
  /** Whether the local network is listened to, and how. Default: false. */
  readonly mdns?: boolean | MdnsOptions
  /** Whether the DHT is walked, and when; needs `kad`. Default: false. */
  readonly dht?: boolean | WalkOptions
  /** Whether those whom rendezvous points name are found; another behaviour asks the points. Default: true. */
  readonly rendezvous?: boolean
  /** Whether peers that were found are dialled, and which. Default: until 8 are connected. */
  readonly dial?: false | DialOptions
  /** Peers that are known at once; who was not heard of for the longest time makes room. Default: 1 024. */
  readonly maxKnown?: number
  /** How long a peer that the DHT or the bootstrap list named stays known; others as long as they say. Default: 1 800 000. @unit milliseconds */
  readonly ttlMs?: number
}

/** A source now. */
export interface SourceState {
  /** Whether it is switched on. */
  readonly on: boolean
  /** Peers that it was the first to find, since the start. */
  readonly found: number
}

/** What discovery has come to. */
export interface DiscoveryState {
  /** By name. */
  readonly sources: Readonly<Record<DiscoverySource, SourceState>>
  /** Peers that are known now. */
  readonly known: number
  /** Since the start. */
  readonly dialed: number
  /** Dials since the start that failed. */
  readonly failed: number
}

/** The wait after a failure. */
const again = (initialDelayMs: number, maxDelayMs: number): BackoffSpec => ({
  type: 'exponential',
  initialDelayMs,
  maxDelayMs,
  jitter: 'half',
})
const DEFAULT_TTL_MS = 1_800_000

/** A backoff as plain data, looked at and as it was given. */
const backoffOption = (usual: BackoffSpec) =>
  z.custom<BackoffSpec>((value) => backoff.safeParse(value).success, 'must be a backoff as plain data').default(usual)

const list = z.custom<BootstrapList>(
  (value) => isObservable(value) || (Array.isArray(value) && value.every((one) => typeof one === 'string')),
  'must be a list of multiaddrs, or a stream of lists',
)
const bootstrapSchema = z.strictObject({
  list,
  minConnected: some.default(2),
  atOnce: some.max(64, 'must be at most 64').default(3),
  backoff: backoffOption(again(500, 60_000)),
})
const mdnsSchema = z.strictObject({
  interfaces: z.array(z.string('must be text').min(1, 'must not be empty')).min(1, 'must name one at least').optional(),
  announce: z.boolean('must be true or false').default(true),
  service: z
    .string('must be text')
    .regex(/^_[a-z0-9-]{1,62}\._udp\.local$/i, 'must be like _p2p._udp.local')
    .default('_p2p._udp.local'),
  port: z.int('must be a port').min(1, 'must be a port').max(65_535, 'must be a port').default(5_353),
  intervalMs: someWaitMs.default(10_000),
  ttlMs: someWaitMs.default(120_000),
  maxPeers: some.default(256),
  maxNewPerSecond: some.default(32),
  maxWordsPerSecond: some.default(256),
})
const walkSchema = z.strictObject({
  enough: count.default(8),
  soonMs: someWaitMs.default(2_000),
  intervalMs: someWaitMs.default(300_000),
})
const dialSchema = z.strictObject({
  upTo: some.default(8),
  perSecond: some.default(4),
  atOnce: some.default(4),
  filter: callable<(found: DiscoveredPeer) => boolean>().optional(),
  backoff: backoffOption(again(1_000, 300_000)),
})

const isList = (value: unknown) => Array.isArray(value) || isObservable(value)
const isBoolean = (value: unknown) => typeof value === 'boolean'
/** An option that is given in short or in full. */
const shortOr = <S extends z.ZodType>(
  isShort: (value: unknown) => boolean,
  full: (value: unknown) => unknown,
  schema: S,
) => z.preprocess((value) => (isShort(value) ? full(value) : value), schema)

const schema = z.strictObject({
  bootstrap: shortOr(isList, (value) => ({ list: value }), bootstrapSchema).prefault({ list: [] }),
  mdns: shortOr(isBoolean, () => ({}), mdnsSchema).prefault({}),
  dht: shortOr(isBoolean, () => ({}), walkSchema).prefault({}),
  rendezvous: z.boolean('must be true or false').default(true),
  dial: either((value) => value === false, z.literal(false), dialSchema).prefault({}),
  maxKnown: some.default(1_024),
  ttlMs: someWaitMs.default(DEFAULT_TTL_MS),
})

/** An address of the simulated network is no multiaddr. */
const SIMULATED = /^\/sim\/.+\/p2p\/[^/]+$/

/** What is wrong with a list that is there already; one that is still to come is looked at when it comes. */
function problemsOfList(given: BootstrapList): readonly ConfigProblem[] {
  if (isObservable(given)) return []
  return given.flatMap((address, index): readonly ConfigProblem[] => {
    const path = `discovery.bootstrap[${index}]`
    if (SIMULATED.test(address)) return []
    try {
      const names = peerOf(parseAddress(address)) !== undefined
      return names ? [] : [{ path, message: `${address} names no peer; add /p2p/ and the id of who must answer there` }]
    } catch {
      return [{ path, message: `${address} is not a multiaddr` }]
    }
  })
}

const NOBODY: DiscoveryState['sources'] = {
  bootstrap: { on: false, found: 0 },
  mdns: { on: false, found: 0 },
  dht: { on: false, found: 0 },
  rendezvous: { on: false, found: 0 },
}

const slice = (on: Readonly<Record<DiscoverySource, boolean>>): Slice<DiscoveryState, DiscoveryEvent | CoreEvent> => {
  const change = (state: DiscoveryState, source: DiscoverySource, to: Partial<SourceState>) => ({
    ...state.sources,
    [source]: { ...state.sources[source], ...to },
  })
  const sources = Object.fromEntries(
    Object.entries(NOBODY).map(([name, nobody]) => [name, { ...nobody, on: on[name as DiscoverySource] }]),
  ) as DiscoveryState['sources']
  return {
    initial: { sources, known: 0, dialed: 0, failed: 0 },
    on: {
      'peer:found': (state, { by }) => ({
        ...state,
        known: state.known + 1,
        sources: change(state, by, { found: state.sources[by].found + 1 }),
      }),
      'peer:forgotten': (state) => ({ ...state, known: state.known - 1 }),
      'discovery:switched': (state, { source, on: isOn }) => ({
        ...state,
        sources: change(state, source, { on: isOn }),
      }),
      'discovery:dialed': (state) => ({ ...state, dialed: state.dialed + 1 }),
      'discovery:failed': (state, { as }) =>
        as === 'bootstrap' || as === 'found' ? { ...state, failed: state.failed + 1 } : state,
      'behaviour:crashed': (state, { behaviour }) => (behaviour === 'discovery' ? { ...state, known: 0 } : state),
    },
  }
}

function module(
  options: DiscoveryOptions = {},
): BehaviourModule<'discovery', DiscoveryCommand, DiscoveryEvent, DiscoveryPorts, DiscoveryState> {
  const { value, problems } = problemsIn('discovery', schema, options)
  const isAsked = (option: unknown) => option !== undefined && option !== false
  const on = {
    bootstrap: true,
    mdns: isAsked(options.mdns),
    dht: isAsked(options.dht),
    rendezvous: value.rendezvous,
  }
  const { bootstrap, mdns, dht, ttlMs, maxKnown, dial } = value
  return {
    name: 'discovery',
    problems: problems.length > 0 ? problems : problemsOfList(bootstrap.list),
    needs: on.dht ? ['kad'] : [],
    commands: {
      'discovery/switch': { answers: { 'discovery:switched': ({ on: isOn }) => isOn } },
      'discovery/list': { answers: { 'discovery:listed': ({ peers }) => peers } },
      'discovery/forget': { answers: { 'peer:forgotten': ({ peer }) => peer } },
    },
    state: slice(on),
    options: value,
    ports: discoveryPorts,
    behaviour: discoveryBehaviour({
      on,
      bootstrap: { ...bootstrap, ttlMs },
      mdns,
      dht: { ...dht, ttlMs },
      maxKnown,
      dial,
    }),
  }
}

/** Finds peers and dials some of them: `discovery({ bootstrap, mdns, dht })` for `use`, and its commands. */
export const discovery = Object.assign(module, {
  /**
   * Switches a source on or off.
   *
   * @shape  `execute` emits once: whether it is on. What it has found stays known for its time.
   * @errors `InvalidCommandError` for a source that there is not, and for the DHT without `kad`.
   */
  switch: (
    { source, on }: { readonly source: DiscoverySource; readonly on: boolean },
    meta?: CommandMeta,
  ): SwitchSource => command('discovery/switch', { source, on }, meta),
  /** Reports who is known. @shape `execute` emits one snapshot. */
  list: (meta?: CommandMeta): ListDiscovered => command('discovery/list', {}, meta),
  /** Forgets a peer, so that it can be found again; its connections stay. @errors `UnknownPeerError` */
  forget: ({ peer }: { readonly peer: PeerRef }, meta?: CommandMeta): ForgetDiscovered =>
    command('discovery/forget', { peer: String(peer) }, meta),
})
