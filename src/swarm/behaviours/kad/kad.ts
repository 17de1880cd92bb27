import type { CID } from 'multiformats/cid'
import { z } from 'zod'
import { problemsIn } from '../../../errors/problemsIn.ts'
import { policyOption, type PolicyOption } from '../../guard.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { PeerRef } from '../checkPeer.ts'
import { kadBehaviour, QUERY_POLICY, type KadEvent, type KadPorts } from './kadBehaviour.ts'
import type {
  KadClosestPeers,
  KadCommand,
  KadFindPeer,
  KadFindProviders,
  KadGet,
  KadMode,
  KadProvide,
  KadPut,
  KadSetMode,
} from './kadCommands.ts'
import { kadPorts } from './kadPorts.ts'
import { kadService } from './kadService.ts'
import type { RecordRules } from './kadRules.ts'

/** Options of {@link kad}. */
export interface KadOptions {
  /** What makes records valid, by namespace. A namespace without a rule can be neither put nor got. Default: none. */
  readonly records?: RecordRules
  /**
   * `server` asks and answers; `client` only asks; `auto` answers while one of its addresses is public, so a network
   * without public addresses has no servers. Default: `server`.
   */
  readonly mode?: KadMode
  /** Who has the same protocol id shares a DHT. Default: `/rxswarm/kad/1.0.0`; IPFS speaks `/ipfs/kad/1.0.0`. */
  readonly protocol?: string
  /** Longest value, of own and foreign records. Default: 1 MiB. @unit bytes */
  readonly maxRecordBytes?: number
  /** What guards queries: a stack of policies as plain data, or `false` for none. Default: see `QUERY_POLICY`. */
  readonly policy?: PolicyOption
}

/** How this node takes part now. */
export interface KadState {
  /** What was asked for. */
  readonly mode: KadMode
  /** What that means now. */
  readonly acts: 'server' | 'client'
}

/** The wire can carry no more than 4 MiB with its framing. @unit bytes */
const MOST_RECORD_BYTES = 4_000_000

const rule = z.custom<RecordRules[string]>(
  (value) => typeof (value as { validate?: unknown } | null)?.validate === 'function',
  'must be { validate, select? }',
)

const schema = z.strictObject({
  records: z.record(z.string().regex(/^[^/]+$/, 'a namespace has no slash'), rule).default({}),
  mode: z.enum(['server', 'client', 'auto'], 'must be server, client or auto').default('server'),
  protocol: z.string().startsWith('/', 'must start with /').default('/rxswarm/kad/1.0.0'),
  maxRecordBytes: z
    .int('must be a whole number of bytes')
    .positive('must be above 0')
    .max(MOST_RECORD_BYTES, `must be at most ${MOST_RECORD_BYTES}`)
    .default(1 << 20),
  policy: policyOption(QUERY_POLICY),
})

function module(options: KadOptions = {}): BehaviourModule<'kad', KadCommand, KadEvent, KadPorts, KadState> {
  const { value, problems } = problemsIn('kad', schema, options)
  const { mode } = value
  const state: Slice<KadState, KadEvent | CoreEvent> = {
    initial: { mode, acts: mode === 'server' ? 'server' : 'client' },
    on: { 'kad:mode-changed': (_, { mode: wanted, acts }) => ({ mode: wanted, acts }) },
  }
  return {
    name: 'kad',
    problems,
    needs: ['identify', 'ping'],
    commands: {
      'kad/put': { answers: { 'kad:stored': ({ key, peers }) => ({ key, peers }) } },
      'kad/get': { answers: { 'kad:found': ({ value: best }) => best } },
      'kad/provide': { answers: { 'kad:provided': ({ cid, peers }) => ({ cid, peers }) } },
      'kad/find-providers': { answers: { 'kad:provider-found': ({ peer, addresses }) => ({ peer, addresses }) } },
      'kad/find-peer': { answers: { 'kad:peer-found': ({ peer, addresses }) => ({ peer, addresses }) } },
      'kad/closest-peers': { answers: { 'kad:peer-found': ({ peer, addresses }) => ({ peer, addresses }) } },
      'kad/set-mode': { answers: { 'kad:mode-changed': ({ acts }) => acts } },
    },
    services: { kad: kadService(value.protocol, value) },
    state,
    options: value,
    ports: (node) => kadPorts(node, value),
    behaviour: kadBehaviour(value),
  }
}

/** A Kademlia DHT: `kad({ records })` for `use`, and its commands. */
export const kad = Object.assign(module, {
  /**
   * Stores a record on the closest peers.
   *
   * @param key   `/namespace/name`; the namespace has a rule in `records`.
   * @shape  `execute` emits once, with the peers that keep it: at least one.
   * @errors `InvalidRecordError`, `InvalidCommandError`; `DhtError` when no other peer kept it.
   */
  put: ({ key, value }: { readonly key: string; readonly value: Uint8Array }, meta?: CommandMeta): KadPut =>
    command('kad/put', { key, value }, meta),
  /**
   * Finds a record.
   *
   * @shape  `execute` emits the first valid value, then each better one; the last is the best.
   * @errors `NotFoundError` when nobody has it; `InvalidRecordError` for a key without a rule.
   */
  get: ({ key }: { readonly key: string }, meta?: CommandMeta): KadGet => command('kad/get', { key }, meta),
  /** Tells the closest peers that this node has the content. @shape `execute` emits once, with the peers told. */
  provide: ({ cid }: { readonly cid: string | CID }, meta?: CommandMeta): KadProvide =>
    command('kad/provide', { cid: String(cid) }, meta),
  /** Finds who has the content. @param max Default: 20. @shape `execute` emits each provider once, as it is found; maybe none. */
  findProviders: (
    { cid, max = 20 }: { readonly cid: string | CID; readonly max?: number },
    meta?: CommandMeta,
  ): KadFindProviders => command('kad/find-providers', { cid: String(cid), max }, meta),
  /** Finds where a peer is. @shape `execute` emits once. @errors `NotFoundError` */
  findPeer: ({ peer }: { readonly peer: PeerRef }, meta?: CommandMeta): KadFindPeer =>
    command('kad/find-peer', { peer: String(peer) }, meta),
  /** Finds the peers closest to a key. @shape `execute` emits each of them; maybe none. */
  closestPeers: ({ key }: { readonly key: string }, meta?: CommandMeta): KadClosestPeers =>
    command('kad/closest-peers', { key }, meta),
  /** Changes how this node takes part. @shape `execute` emits once: how it acts now. */
  setMode: ({ mode }: { readonly mode: KadMode }, meta?: CommandMeta): KadSetMode =>
    command('kad/set-mode', { mode }, meta),
})
