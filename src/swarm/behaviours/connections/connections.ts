import type { Multiaddr } from '@multiformats/multiaddr'
import { z } from 'zod'
import { problemsIn } from '../../../errors/problemsIn.ts'
import { ejectionCap, type EjectionCap } from '../../../policies/keyed.ts'
import { policyOption, type PolicyOption } from '../../guard.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { PeerRef } from '../checkPeer.ts'
import {
  connectionsBehaviour,
  DIAL_POLICY,
  type ConnectionsCommand,
  type ConnectionsEvent,
  type ConnectionsPorts,
  type Dial,
  type HangUp,
  type List,
  type Listen,
  type Unlisten,
} from './connectionsBehaviour.ts'
import { connectionsPorts } from './connectionsPorts.ts'

/** How many connections came and went since the start. What is open now is in `state.peers`. */
export interface ConnectionsState {
  /** Since the start. */
  readonly opened: number
  /** Since the start. */
  readonly closed: number
}

const state: Slice<ConnectionsState, ConnectionsEvent | CoreEvent> = {
  initial: { opened: 0, closed: 0 },
  on: {
    'connection:open': ({ opened, closed }) => ({ opened: opened + 1, closed }),
    'connection:close': ({ opened, closed }) => ({ opened, closed: closed + 1 }),
  },
}

/** Options of {@link connections}. */
export interface ConnectionsOptions {
  /**
   * What guards dials, for each peer or address: a stack of policies as plain data, or `false` for none. Default: see
   * `DIAL_POLICY`.
   */
  readonly policy?: PolicyOption
  /**
   * How many peers and addresses may be left alone at once because their circuit is open. Default: a tenth of those dialled,
   * rounded down, so in a small network none; `{ atLeast: 1 }` allows one as soon as another is left.
   */
  readonly ejection?: EjectionCap
}

const schema = z.strictObject({
  policy: policyOption(DIAL_POLICY),
  ejection: ejectionCap,
})

function module(
  options: ConnectionsOptions = {},
): BehaviourModule<'connections', ConnectionsCommand, ConnectionsEvent, ConnectionsPorts, ConnectionsState> {
  const { value, problems } = problemsIn('connections', schema, options)
  return {
    name: 'connections',
    problems,
    commands: {
      'connections/dial': { answers: { 'connections:dialed': ({ connection }) => connection } },
      'connections/hang-up': { answers: { 'connections:hung-up': ({ closed }) => closed } },
      'connections/listen': { answers: { 'connections:listening': ({ addresses }) => addresses } },
      'connections/unlisten': { answers: { 'connections:unlistened': ({ address }) => address } },
      'connections/list': { answers: { 'connections:listed': ({ connections: open }) => open } },
    },
    state,
    ports: connectionsPorts,
    behaviour: connectionsBehaviour(value),
  }
}

/** Opens, closes and reports connections and listeners: `connections({ policy })` for `use`, and its commands. */
export const connections = Object.assign(module, {
  /**
   * Connects to a peer id, or to whoever answers at a multiaddr, or at the first of several that does.
   *
   * @param to A peer id, a multiaddr, or several multiaddrs of one peer; as text or as libp2p's objects.
   * @shape  `execute` emits the connection once it is usable: the open one, if there is one.
   * @errors `InvalidCommandError` for a malformed `to` or this node itself; `UnknownPeerError` for an id without an
   *         address; `DialError`, `AuthenticationError`, `AccessDeniedError`.
   */
  dial: ({ to }: { readonly to: PeerRef | readonly (string | Multiaddr)[] }, meta?: CommandMeta): Dial =>
    command('connections/dial', { to: Array.isArray(to) ? to.map(String) : String(to) }, meta),
  /** Closes every connection to a peer. @shape `execute` emits how many there were. @errors `UnknownPeerError` if none */
  hangUp: ({ peer }: { readonly peer: PeerRef }, meta?: CommandMeta): HangUp =>
    command('connections/hang-up', { peer: String(peer) }, meta),
  /** Listens on one more multiaddr. @shape `execute` emits the addresses that came of it, with ports and peer id. */
  listen: ({ address }: { readonly address: string | Multiaddr }, meta?: CommandMeta): Listen =>
    command('connections/listen', { address: String(address) }, meta),
  /** Stops listening on an address that `listen` emitted; connections that came in by it close. */
  unlisten: ({ address }: { readonly address: string | Multiaddr }, meta?: CommandMeta): Unlisten =>
    command('connections/unlisten', { address: String(address) }, meta),
  /** Reports what is open. @shape `execute` emits one snapshot: every connection with its streams. */
  list: (meta?: CommandMeta): List => command('connections/list', {}, meta),
})
