import { z } from 'zod'
import { callable, some, someWaitMs } from '../../../errors/optionKinds.ts'
import { problemsIn } from '../../../errors/problemsIn.ts'
import { policyOption, type PolicyOption } from '../../guard.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { PeerRef } from '../checkPeer.ts'
import { xstreamBehaviour, type StreamApproval, type XStreamPorts } from './xstreamBehaviour.ts'
import { xstreamPorts } from './xstreamPorts.ts'
import type {
  AcceptStreams,
  DecideStream,
  OpenStream,
  XStreamCommand,
  XStreamDecision,
  XStreamEvent,
} from './xstreamVocabulary.ts'

/** Options of {@link xstream}. */
export interface XStreamOptions {
  /** Who decides over the xstreams that peers want to open: `all` are accepted by whoever takes them; `ask` waits for `xstream.decide`; or an operator of yours, from offers to decisions. Default: `all`. */
  readonly approve?: 'all' | 'ask' | StreamApproval
  /** How long an offer waits for its decision. Default: 10 000. @unit milliseconds */
  readonly decideMs?: number
  /** Xstreams that one peer may have open here at once. Default: 1 024. */
  readonly maxFromPeer?: number
  /** Xstreams that are open at once to one connection; further ones wait for their turn. Default: 120, which leaves room for other protocols among the 256 streams that peers allow. */
  readonly maxOpen?: number
  /** Xstreams that wait for their turn on one connection. Default: 4 096. */
  readonly maxWaiting?: number
  /** What guards opening: a stack of policies as plain data. Default: nothing. */
  readonly policy?: PolicyOption
}

/** How many xstreams are open. */
export interface XStreamState {
  /** Opened here. */
  readonly outbound: number
  /** Opened by peers. */
  readonly inbound: number
}

const schema = z.strictObject({
  approve: z
    .union(
      [z.literal('all'), z.literal('ask'), callable<StreamApproval>()],
      'must be all, ask, or an operator from offers to decisions',
    )
    .default('all'),
  decideMs: someWaitMs.default(10_000),
  maxFromPeer: some.default(1_024),
  maxOpen: some.default(120),
  maxWaiting: some.default(4_096),
  policy: policyOption({}).default(false),
})

const state: Slice<XStreamState, XStreamEvent | CoreEvent> = {
  initial: { outbound: 0, inbound: 0 },
  on: {
    'xstream:opened': (state) => ({ ...state, outbound: state.outbound + 1 }),
    'xstream:accepted': (state) => ({ ...state, inbound: state.inbound + 1 }),
    'xstream:closed': (state, { direction }) => ({ ...state, [direction]: Math.max(0, state[direction] - 1) }),
  },
}

function module(
  options: XStreamOptions = {},
): BehaviourModule<'xstream', XStreamCommand, XStreamEvent, XStreamPorts, XStreamState> {
  const { value, problems } = problemsIn('xstream', schema, options)
  return {
    name: 'xstream',
    problems,
    commands: {
      'xstream/open': { answers: { 'xstream:opened': ({ stream }) => stream } },
      'xstream/accept': { openEnded: true, answers: { 'xstream:accepted': ({ stream }) => stream } },
      'xstream/decide': { answers: {} },
    },
    state,
    options: value,
    ports: (node) => xstreamPorts(node, value),
    behaviour: xstreamBehaviour(value),
  }
}

/** Streams of bytes between peers, with backpressure and an error of their own: `xstream()` for `use`, and its commands. */
export const xstream = Object.assign(module, {
  /**
   * Opens an xstream; dials when there is no connection.
   *
   * @param limited Whether a connection will do of which a relay limits the bytes and the time. Default: false.
   * @shape  `execute` emits it once the peer has accepted it. It lives on after the command; close it.
   * @errors `AccessDeniedError` with the peer's reason; `OverloadedError`; `StreamError`; those of a dial.
   */
  open: ({ peer, limited }: { readonly peer: PeerRef; readonly limited?: boolean }, meta?: CommandMeta): OpenStream =>
    command('xstream/open', { peer: String(peer), ...(limited === undefined ? {} : { limited }) }, meta),
  /**
   * Takes the xstreams that peers open, or that one peer does.
   *
   * @shape  Open-ended. `execute` emits each; of several takers each gets one in turn. While nobody takes any, peers are
   *         told so.
   */
  accept: ({ peer }: { readonly peer?: PeerRef } = {}, meta?: CommandMeta): AcceptStreams =>
    command('xstream/accept', peer === undefined ? {} : { peer: String(peer) }, meta),
  /** Decides over an offer of `xstream:offered`. @errors `InvalidCommandError` for one that does not wait for it */
  decide: (decision: XStreamDecision, meta?: CommandMeta): DecideStream =>
    command('xstream/decide', { ...decision }, meta),
})
