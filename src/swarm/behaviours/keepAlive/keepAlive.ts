import type { Multiaddr } from '@multiformats/multiaddr'
import { EMPTY } from 'rxjs'
import { z } from 'zod'
import { count, someWaitMs, some } from '../../../errors/optionKinds.ts'
import { problemsIn } from '../../../errors/problemsIn.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { PeerRef } from '../checkPeer.ts'
import { keepAliveBehaviour, type KeepAlivePorts } from './keepAliveBehaviour.ts'
import { keepAlivePorts } from './keepAlivePorts.ts'
import type {
  Forget,
  Keep,
  KeepAliveCommand,
  KeepAliveEvent,
  KeepTier,
  KeptStatus,
  ListKept,
} from './keepAliveVocabulary.ts'

/** Who is kept, and whether the node is cut off. */
export interface KeepAliveState {
  /** By peer id. */
  readonly kept: ReadonlyMap<string, { readonly tier: KeepTier; readonly status: KeptStatus }>
  /** Whether there were connections, and are none any more. */
  readonly isIsolated: boolean
}

type On = Slice<KeepAliveState, KeepAliveEvent | CoreEvent>['on']

const put = (state: KeepAliveState, peer: string, status: KeptStatus, tier?: KeepTier): KeepAliveState => {
  const known = state.kept.get(peer)
  const kept = { tier: tier ?? known?.tier ?? 'important', status } // one that the options name is told first by its retry
  return { ...state, kept: new Map(state.kept).set(peer, kept) }
}

const dropped = (state: KeepAliveState, { peer }: { readonly peer: string }): KeepAliveState => ({
  ...state,
  kept: new Map([...state.kept].filter(([one]) => one !== peer)),
})

const on: On = {
  'keep-alive:kept': (state, { peer, tier }) => put(state, peer, state.kept.get(peer)?.status ?? 'retrying', tier),
  'keep-alive:retrying': (state, { peer }) => put(state, peer, 'retrying'),
  'keep-alive:connected': (state, { peer }) => put(state, peer, 'connected'),
  'keep-alive:paused': (state, { peer }) => put(state, peer, 'paused'),
  'keep-alive:given-up': dropped,
  'keep-alive:forgotten': dropped,
  'network:isolated': (state) => ({ ...state, isIsolated: true }),
  'network:recovered': (state) => ({ ...state, isIsolated: false }),
}

const state: Slice<KeepAliveState, KeepAliveEvent | CoreEvent> = {
  initial: { kept: new Map(), isIsolated: false },
  on,
}

/** Options of {@link keepAlive}. */
export interface KeepAliveOptions {
  /** Peers to keep from the start and never to give up: peer ids, or multiaddrs that end with one. Default: none. */
  readonly important?: readonly (string | { toString(): string })[]
  /** How often a peer that went is dialled. */
  readonly tiers?: {
    /** Right after it went. */
    readonly fast?: {
      /** Default: 10. */
      readonly retries?: number
      /** Before the first; each next one doubles. Default: 100. @unit milliseconds */
      readonly firstMs?: number
      /** Default: 2 000. @unit milliseconds */
      readonly mostMs?: number
    }
    /** Afterwards. */
    readonly slow?: {
      /** Before the first; each next one doubles. Default: 4 000. @unit milliseconds */
      readonly firstMs?: number
      /** Default: 60 000. @unit milliseconds */
      readonly mostMs?: number
    }
  }
  /** When a peer that is not important is given up. Default: 3 600 000, an hour. @unit milliseconds */
  readonly giveUpAfterMs?: number
  /**
   * How often a connected kept peer is probed, with a stream that it refuses: about 200 bytes each way. One that does not
   * answer within 2 s is dialled anew; QUIC alone would notice after 10 to 15 s. 0 is never. Default: 5 000.
   * @unit milliseconds
   */
  readonly probeEveryMs?: number
  /** Dials of kept peers at once. Default: 16. */
  readonly dialsAtOnce?: number
  /** How long nobody may be connected before the node counts as cut off. Default: 5 000. @unit milliseconds */
  readonly isolatedAfterMs?: number
  /** How often the IPs of this host are looked at. Default: 2 000. @unit milliseconds */
  readonly networkPollMs?: number
}

const important = z
  .unknown()
  .transform((value) => String(value))
  .refine((text) => text !== '' && (!text.startsWith('/') || PEER.test(text)), {
    message: 'must be a peer id, or a multiaddr that ends with one',
  })
  .transform((text) => ({
    peer: PEER.exec(text)?.groups?.['peer'] ?? text,
    addresses: text.startsWith('/') ? [text] : [],
  }))

const PEER = /\/p2p\/(?<peer>[^/]+)$/

const schema = z.strictObject({
  important: z.array(important).max(256, 'must be 256 at most').default([]),
  tiers: z
    .strictObject({
      fast: z
        .strictObject({
          retries: count.default(10),
          firstMs: someWaitMs.default(100),
          mostMs: someWaitMs.default(2_000),
        })
        .prefault({}),
      slow: z.strictObject({ firstMs: someWaitMs.default(4_000), mostMs: someWaitMs.default(60_000) }).prefault({}),
    })
    .prefault({}),
  giveUpAfterMs: someWaitMs.default(3_600_000),
  probeEveryMs: z.union([z.literal(0), someWaitMs]).default(5_000),
  dialsAtOnce: some.default(16),
  isolatedAfterMs: someWaitMs.default(5_000),
  networkPollMs: someWaitMs.default(2_000),
})

function module(
  options: KeepAliveOptions = {},
): BehaviourModule<'keepAlive', KeepAliveCommand, KeepAliveEvent, KeepAlivePorts, KeepAliveState> {
  const { value, problems } = problemsIn('keepAlive', schema, options)
  return {
    name: 'keepAlive',
    problems,
    commands: {
      'keep-alive/keep': { answers: { 'keep-alive:kept': ({ peer }) => peer } },
      'keep-alive/forget': { answers: { 'keep-alive:forgotten': ({ peer }) => peer } },
      'keep-alive/list': { answers: { 'keep-alive:listed': ({ kept }) => kept } },
    },
    state,
    ports: (node) => keepAlivePorts(node, value.networkPollMs),
    behaviour: problems.length > 0 ? () => EMPTY : keepAliveBehaviour(value),
  }
}

/** Keeps connections, and heals a node that is cut off: `keepAlive()` for `use`, and its commands. */
export const keepAlive = Object.assign(module, {
  /**
   * Keeps a connection to a peer until it is forgotten: dials it now, and again whenever it goes. Asked again, it is tried
   * at once, also after a hang-up.
   *
   * @param addresses Where it may be, besides what is known. At most 16.
   * @param tier      `important` is never given up. Default: `normal`, which is after `giveUpAfterMs` without a connection.
   * @shape  Completes at once; `keep-alive:connected` tells when it is connected. `execute` emits the peer id.
   */
  keep: (
    {
      peer,
      addresses = [],
      tier = 'normal',
    }: { readonly peer: PeerRef; readonly addresses?: readonly (string | Multiaddr)[]; readonly tier?: KeepTier },
    meta?: CommandMeta,
  ): Keep => command('keep-alive/keep', { peer: String(peer), addresses: addresses.map(String), tier }, meta),
  /** Keeps a peer no more; an open connection stays. @errors `UnknownPeerError` when it is not kept */
  forget: ({ peer }: { readonly peer: PeerRef }, meta?: CommandMeta): Forget =>
    command('keep-alive/forget', { peer: String(peer) }, meta),
  /** Reports who is kept. @shape `execute` emits one list. */
  list: (meta?: CommandMeta): ListKept => command('keep-alive/list', {}, meta),
})
