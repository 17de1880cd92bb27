import { z } from 'zod'
import { callable, factor, some, someMs, someWaitMs } from '../../../errors/optionKinds.ts'
import { problemsIn } from '../../../errors/problemsIn.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { PeerRef } from '../checkPeer.ts'
import type { ChainLimits } from './admission.ts'
import type { ChainPermit } from './carrierState.ts'
import { chainsBehaviour, type ChainsPorts } from './chainsBehaviour.ts'
import { chainsPorts } from './chainsPorts.ts'
import type { ChainInfo, ChainsCommand, ChainsEvent, ListChains, OpenChain, PathQuality } from './chainsVocabulary.ts'
import type { ChainBudget, ChainPath } from './chainWords.ts'
import { keyOfPath, MOST_PATHS } from './pathQuality.ts'

/** What a carrier agrees to. */
export interface CarryOptions {
  /** What is carried for one path, at most; the opener opens another in time. Default: 1 GiB, one hour. */
  readonly budget?: Partial<ChainBudget>
  /** Says no to an opener, a neighbour, a path. Must be quick; what it throws is a no. Default: yes to all. */
  readonly allow?: (permit: ChainPermit) => boolean
  /** Whether a neighbour of the path that is not connected is dialled. Default: false. */
  readonly dial?: boolean
}

/** Options of {@link chains}. */
export interface ChainsOptions {
  /** Whether this node carries the chains of others: everybody's, or as it agrees to. Default: false. */
  readonly carry?: boolean | CarryOptions
  /** Whether chains may end here: everybody's, nobody's, or as a rule of yours says. Default: true. */
  readonly accept?: boolean | ((permit: ChainPermit) => boolean)
  /**
   * Chains at once, and how often they may be asked for. Default: 32 of a neighbour, 16 of an opener, 128 in all; 8 a second of
   * a neighbour and of an opener, 64 in all.
   */
  readonly limits?: Partial<ChainLimits>
  /** Carriers that grant less are not used. Default: 64 KiB and 10 s. */
  readonly least?: Partial<ChainBudget>
  /** How long a path may take to stand. Default: 5 000. @unit milliseconds */
  readonly pathMs?: number
  /** How long a chain may be without a path. Default: 30 000. @unit milliseconds */
  readonly resumeMs?: number
  /** From one probe of a path to the next. Default: 2 000. @unit milliseconds */
  readonly probeMs?: number
  /** A path from which nothing comes for so long has failed. Default: 6 000. @unit milliseconds */
  readonly silentMs?: number
}

/** The chains of this node, and what is known of paths. */
export interface ChainsState {
  /** Chains that are open, by session. */
  readonly open: ReadonlyMap<string, ChainInfo>
  /** Paths that were measured, by their peers with a space between; the latest last. */
  readonly paths: ReadonlyMap<string, PathQuality & { readonly path: ChainPath }>
  /** What was carried for others. @unit bytes */
  readonly carriedBytes: number
}

/**
 * What two ends may have under way: a part of the protocol, so no option. The memory of a chain at each end.
 * @unit bytes
 */
const WINDOW_BYTES = 1 << 20

const budgetOr = (bytes: number, ms: number) =>
  z.strictObject({ bytes: factor.default(bytes), ms: someMs.default(ms) }).prefault({})
const permit = callable<(permit: ChainPermit) => boolean>()
const CARRIED = { bytes: 1 << 30, ms: 3_600_000 }
const carrySpec = z.strictObject({
  budget: budgetOr(CARRIED.bytes, CARRIED.ms),
  allow: permit.default(() => () => true),
  dial: z.boolean('must be true or false').default(false),
})

const schema = z
  .strictObject({
    carry: z.union([z.boolean(), carrySpec], 'must be true, false, or what is agreed to').default(false),
    accept: z.union([z.boolean(), permit], 'must be true, false, or a function').default(true),
    limits: z
      .strictObject({
        perNeighbour: some.default(32),
        perOpener: some.default(16),
        inAll: some.default(128),
        perSecond: factor.default(8),
        inAllPerSecond: factor.default(64),
      })
      .prefault({}),
    least: budgetOr(64 * 1_024, 10_000),
    pathMs: someWaitMs.default(5_000),
    resumeMs: someWaitMs.default(30_000),
    probeMs: someWaitMs.default(2_000),
    silentMs: someWaitMs.default(6_000),
  })
  .refine(({ probeMs, silentMs }) => silentMs > probeMs, {
    path: ['silentMs'],
    message: 'must be above probeMs: a path is silent when it does not answer a probe',
  })

const state: Slice<ChainsState, ChainsEvent | CoreEvent> = {
  initial: { open: new Map(), paths: new Map(), carriedBytes: 0 },
  on: {
    'chain:opened': (state, { session, peer, direction, path, connection }) =>
      withOpen(state, { session, peer, direction, path, connection }),
    'chain:accepted': (state, { session, peer, direction, path, connection }) =>
      withOpen(state, { session, peer, direction, path, connection }),
    'chain:failed-over': (state, { session, path }) => {
      const info = state.open.get(session)
      return info === undefined ? state : withOpen(state, { ...info, path })
    },
    'chain:closed': (state, { session }) => {
      const open = new Map(state.open)
      return open.delete(session) ? { ...state, open } : state
    },
    'chain:measured': (state, { path, rttMs, loss, bytesPerSecond }) => {
      const paths = new Map(state.paths)
      paths.delete(keyOfPath(path))
      paths.set(keyOfPath(path), { path, rttMs, loss, bytesPerSecond })
      if (paths.size > MOST_PATHS) paths.delete(paths.keys().next().value!)
      return { ...state, paths }
    },
    'chain:carried': (state, { bytes }) => ({ ...state, carriedBytes: state.carriedBytes + bytes }),
  },
}

function withOpen(state: ChainsState, info: ChainInfo): ChainsState {
  return { ...state, open: new Map(state.open).set(info.session, info) }
}

function module(
  options: ChainsOptions = {},
): BehaviourModule<'chains', ChainsCommand, ChainsEvent, ChainsPorts, ChainsState> {
  const { value, problems } = problemsIn('chains', schema, options)
  const { carry, accept, limits, least, pathMs, resumeMs, probeMs, silentMs } = value
  const own = carry === true ? { budget: CARRIED, allow: () => true, dial: false } : carry === false ? undefined : carry
  return {
    name: 'chains',
    problems,
    commands: {
      'chains/open': { answers: { 'chain:opened': ({ info }) => info } },
      'chains/list': { answers: { 'chain:listed': ({ chains: open }) => open } },
    },
    state,
    options: value,
    ports: (node) =>
      chainsPorts(node, {
        roles: [...(own === undefined ? [] : ['hop' as const]), ...(accept === false ? [] : ['end' as const])],
        dial: own?.dial ?? false,
        least,
        windowBytes: WINDOW_BYTES,
        resumeMs,
        probeMs,
        silentMs,
        perOpener: limits.perOpener,
        inAll: limits.inAll,
      }),
    behaviour: chainsBehaviour({
      limits,
      pathMs,
      resumeMs,
      accept: typeof accept === 'function' ? accept : () => accept,
      ...(own === undefined ? {} : { carry: own }),
    }),
  }
}

/**
 * Chains of several carriers, where no relay reaches: `chains({ carry })` for `use`, and its commands. Carriers see neither what
 * goes through nor can they change it.
 */
export const chains = Object.assign(module, {
  /**
   * Opens a chain to a peer, and a connection over it.
   *
   * @param via    Paths to choose from: the peer ids of the carriers of each, nearest first. Default: what neighbours that carry
   *               tell of.
   * @param hops   So many carriers, when no path is given. Default: as few as possible.
   * @param budget What the chain may use in all; then it ends, and its connection is a limited one. Default: no bound of its own.
   * @shape  `execute` emits the connection. When a carrier goes, the chain goes on over another path, and the connection does
   *         not notice; `chain:failed-over` says so.
   * @errors `ChainError` with the status of the last path that was tried; `AccessDeniedError`, `InvalidCommandError`
   */
  open: (
    {
      to,
      via,
      ...rest
    }: {
      readonly to: PeerRef
      readonly via?: readonly (readonly PeerRef[])[]
      readonly hops?: number
      readonly budget?: Partial<ChainBudget>
    },
    meta?: CommandMeta,
  ): OpenChain =>
    command(
      'chains/open',
      {
        ...rest,
        to: String(to),
        ...(via === undefined ? {} : { via: textsOf(via) }),
      },
      meta,
    ),
  /** Lists the chains that are open, at either end. @shape `execute` emits one snapshot. */
  list: (meta?: CommandMeta): ListChains => command('chains/list', {}, meta),
})

/** What is no list is left to the check of the command. */
function textsOf(via: readonly (readonly PeerRef[])[]): readonly ChainPath[] {
  const texts = (path: readonly PeerRef[]) => (Array.isArray(path) ? path.map(String) : path)
  return (Array.isArray(via) ? via.map(texts) : via) as readonly ChainPath[]
}
