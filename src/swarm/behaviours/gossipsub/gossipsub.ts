import { z } from 'zod'
import { problemsIn } from '../../../errors/problemsIn.ts'
import { policyOption, type PolicyOption } from '../../guard.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import {
  gossipsubBehaviour,
  PUBLISH_POLICY,
  type GossipsubCommand,
  type GossipsubEvent,
  type GossipsubPorts,
  type Publish,
  type Subscribe,
  type TopicPeers,
} from './gossipsubBehaviour.ts'
import { gossipsubPorts } from './gossipsubPorts.ts'
import { gossipsubService, type MessageValidator } from './gossipsubService.ts'

/** Options of {@link gossipsub}. */
export interface GossipsubOptions {
  /** Who decides over messages, by topic; of foreign ones before they are delivered or passed on, of own ones too. */
  readonly validators?: Readonly<Record<string, MessageValidator>>
  /** Longest message that can be published. Default: 1 MiB less 4 KiB, which go-libp2p still takes. @unit bytes */
  readonly maxMessageBytes?: number
  /** What guards publishing: a stack of policies as plain data, or `false` for none. Default: see `PUBLISH_POLICY`. */
  readonly policy?: PolicyOption
}

/** Topics that this node has joined, and which peers have joined which. */
export interface GossipsubState {
  /** Topics that somebody here listens to. */
  readonly joined: ReadonlySet<string>
  /** Peer ids by topic; of the topics that are not joined here, the first 1 024. */
  readonly peers: ReadonlyMap<string, ReadonlySet<string>>
}

/** The wire carries no more than 4 MiB with its framing. @unit bytes */
const MOST_MESSAGE_BYTES = 4_000_000

const schema = z.strictObject({
  validators: z
    .record(
      z.string().min(1, 'a topic is not empty'),
      z.custom<MessageValidator>((value) => typeof value === 'function', 'must be a function'),
    )
    .default({}),
  maxMessageBytes: z
    .int('must be a whole number of bytes')
    .positive('must be above 0')
    .max(MOST_MESSAGE_BYTES, `must be at most ${MOST_MESSAGE_BYTES}`)
    .default((1 << 20) - 4_096),
  policy: policyOption(PUBLISH_POLICY),
})

/** Foreign topics that the state keeps: each costs a little at every change, and peers announce what they like. */
const MOST_TOPICS = 1_024

const state: Slice<GossipsubState, GossipsubEvent | CoreEvent> = {
  initial: { joined: new Set(), peers: new Map() },
  on: {
    'gossipsub:joined': ({ joined, peers }, { topic }) => ({ joined: new Set(joined).add(topic), peers }),
    'gossipsub:left': ({ joined, peers }, { topic }) => ({
      joined: new Set([...joined].filter((other) => other !== topic)),
      peers,
    }),
    'gossipsub:peer-joined': (state, { topic, peer }) => {
      const { joined, peers } = state
      if (peers.size >= MOST_TOPICS && !peers.has(topic) && !joined.has(topic)) return state
      return { joined, peers: new Map(peers).set(topic, new Set(peers.get(topic)).add(peer)) }
    },
    'gossipsub:peer-left': ({ joined, peers }, { topic, peer }) => ({ joined, peers: without(peers, peer, topic) }),
    'peer:disconnect': ({ joined, peers }, { peer }) => ({ joined, peers: without(peers, peer) }),
  },
}

function without(peers: GossipsubState['peers'], peer: string, only?: string): GossipsubState['peers'] {
  const left = [...peers].map(([topic, members]): [string, ReadonlySet<string>] => [
    topic,
    only !== undefined && only !== topic ? members : new Set([...members].filter((member) => member !== peer)),
  ])
  return new Map(left.filter(([, members]) => members.size > 0))
}

function module(
  options: GossipsubOptions = {},
): BehaviourModule<'gossipsub', GossipsubCommand, GossipsubEvent, GossipsubPorts, GossipsubState> {
  const { value, problems } = problemsIn('gossipsub', schema, options)
  return {
    name: 'gossipsub',
    problems,
    needs: ['identify'],
    commands: {
      'gossipsub/publish': { answers: { 'gossipsub:published': ({ topic, peers }) => ({ topic, peers }) } },
      'gossipsub/subscribe': {
        openEnded: true,
        answers: { 'gossipsub:message': ({ topic, data, from, id }) => ({ topic, data, from, id }) },
      },
      'gossipsub/peers': { answers: { 'gossipsub:listed': ({ peers }) => peers } },
    },
    services: { gossipsub: gossipsubService(value.validators) },
    state,
    options: value,
    ports: (node) => gossipsubPorts(node, value.validators),
    behaviour: gossipsubBehaviour(value),
  }
}

/** Publish and subscribe by gossip: `gossipsub({ validators })` for `use`, and its commands. */
export const gossipsub = Object.assign(module, {
  /**
   * Sends a message to everyone who has joined the topic.
   *
   * @shape  `execute` emits once, when less than 256 KiB waits for each direct peer: await it, and a slow peer slows you.
   * @errors `InvalidCommandError` for an empty topic or an oversize message; `PubsubError` when no peer has joined.
   */
  publish: ({ topic, data }: { readonly topic: string; readonly data: Uint8Array }, meta?: CommandMeta): Publish =>
    command('gossipsub/publish', { topic, data }, meta),
  /**
   * The messages of a topic, own ones left out. The first subscriber joins the topic, the last to leave leaves it.
   *
   * @shape  Open-ended. `execute` emits each message. No backpressure: a subscriber that can't keep up must sample, or
   *         buffer with a bound of its own.
   */
  subscribe: ({ topic }: { readonly topic: string }, meta?: CommandMeta): Subscribe =>
    command('gossipsub/subscribe', { topic }, meta),
  /** Reports who has joined a topic. @shape `execute` emits once: the peer ids that this node knows of. */
  peers: ({ topic }: { readonly topic: string }, meta?: CommandMeta): TopicPeers =>
    command('gossipsub/peers', { topic }, meta),
})
