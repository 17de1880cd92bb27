import { defer, map, merge, type Observable } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import type { PolicySpec } from '../../../policies/policySpec.ts'
import { guard, type PolicyOption } from '../../guard.ts'
import { perform } from '../../perform.ts'
import { performTogether } from '../../performTogether.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import type { Command } from '../../vocabulary/command.ts'
import { InvalidCommandError, type SwarmError } from '../../../errors/errors.ts'

/** A message of a topic. */
export interface GossipMessage {
  /** Where it was published. */
  readonly topic: string
  /** What was published; this node's own copy. */
  readonly data: Uint8Array
  /** Peer id of its author, whose signature has been checked. */
  readonly from: string
  /** Unique: author and sequence number. */
  readonly id: string
}

/** What a publish came to. */
export interface PublishedMessage {
  /** Where it was published. */
  readonly topic: string
  /** Peers that it was sent to directly; others get it from them. Gossip has no acknowledgement. */
  readonly peers: readonly string[]
}

/** Why a message was not let through. */
export interface RefusedMessage {
  /** Where it was published. */
  readonly topic: string
  /** Who sent it to us. */
  readonly peer: string
  /** What became of it: `reject` counts against the sender. */
  readonly verdict: 'reject' | 'ignore'
  /** What the validator threw, if it did. */
  readonly error?: SwarmError
}

/** What gossipsub may call. */
export interface GossipsubPorts {
  /** Sends a message; one value when every direct peer's stream has room again, which is the backpressure. */
  publish(topic: string, data: Uint8Array): Observable<PublishedMessage>
  /** Joins a topic when subscribed, leaves it when unsubscribed; every message of it but the own ones. */
  join(topic: string): Observable<GossipMessage>
  /** Peers that have joined a topic. One value. */
  peers(topic: string): Observable<readonly string[]>
  /** Peers that join and leave topics; of one peer, 256 topics at once. */
  readonly membership$: Observable<{ readonly peer: string; readonly topic: string; readonly joined: boolean }>
  /** Messages that a validator did not let through. */
  readonly refused$: Observable<RefusedMessage>
}

/** Send a message to everyone who has joined the topic. */
export type Publish = Command<
  'gossipsub/publish',
  { readonly topic: string; readonly data: Uint8Array },
  PublishedMessage
>
/** Join a topic until the subscriber leaves. */
export type Subscribe = Command<'gossipsub/subscribe', { readonly topic: string }, GossipMessage>
/** Report who has joined a topic. */
export type TopicPeers = Command<'gossipsub/peers', { readonly topic: string }, readonly string[]>

/** What can be asked of gossipsub. */
export type GossipsubCommand = Publish | Subscribe | TopicPeers

/** What gossipsub can say. */
export type GossipsubEvent =
  | ({ readonly type: 'gossipsub:published'; readonly cause?: string } & PublishedMessage)
  | ({ readonly type: 'gossipsub:message'; readonly causes?: readonly string[] } & GossipMessage)
  | { readonly type: 'gossipsub:joined'; readonly topic: string }
  | { readonly type: 'gossipsub:left'; readonly topic: string }
  | { readonly type: 'gossipsub:peer-joined'; readonly topic: string; readonly peer: string }
  | { readonly type: 'gossipsub:peer-left'; readonly topic: string; readonly peer: string }
  | ({ readonly type: 'gossipsub:refused' } & RefusedMessage)
  | {
      readonly type: 'gossipsub:listed'
      readonly topic: string
      readonly peers: readonly string[]
      readonly cause?: string
    }

/** What bounds gossipsub. */
export interface GossipsubDecisions {
  /** @unit bytes */
  readonly maxMessageBytes: number
  readonly policy: PolicyOption
}

/**
 * What guards publishing unless it is told otherwise: two retries 200 ms apart, since peers that have just connected have not
 * said yet what they listen to; of all messages together a fifth and one a second.
 */
export const PUBLISH_POLICY = {
  retry: { retries: 2, backoff: { type: 'constant', delayMs: 200 }, budget: { share: 0.2, minPerSecond: 1 } },
} as const satisfies PolicySpec

/**
 * Publishes to topics, and joins them for as long as somebody listens.
 *
 * ```marble
 * command$  -s---s------
 * join      --m-----m---
 * said      -j-m-----m--
 * ```
 *
 * @shape  The first subscription to a topic joins it, the last to leave leaves it; all share one `gossipsub:message` for
 *         each message. Backpressure: a publish settles when less than 256 KiB waits for each direct peer of the topic, so
 *         who awaits each publish is slowed to the pace of the slowest; a peer that reads nothing for 1 s is no longer
 *         waited for, and given up at 4 MiB. There is none towards a
 *         subscriber: messages are facts and come at the pace of the network; one that can't keep up must sample or
 *         buffer with a bound of its own.
 * @errors Every failure is `command:failed`. A message that a validator refuses, or on which it throws, is
 *         `gossipsub:refused`, and is neither delivered nor passed on.
 * @source libp2p gossipsub 1.2.
 */
export const gossipsubBehaviour =
  ({ maxMessageBytes, policy }: GossipsubDecisions): Behaviour<GossipsubCommand, GossipsubEvent, GossipsubPorts> =>
  ({ command$, cancel$, ports, ...wires }) =>
    merge(
      command$.pipe(
        ofType('gossipsub/publish'),
        perform(
          cancel$,
          (c) => (checkMessage(c, maxMessageBytes), ports.publish(c.topic, c.data)),
          (published): GossipsubEvent => ({ type: 'gossipsub:published', ...published }),
          guard(wires, policy),
        ),
      ),
      command$.pipe(
        ofType('gossipsub/subscribe'),
        performTogether(cancel$, {
          groupOf: ({ topic }) => topic,
          work: (topic) => defer(() => (checkTopic(topic), ports.join(topic))),
          say: (message): GossipsubEvent => ({ type: 'gossipsub:message', ...message }),
          first: (topic): GossipsubEvent => ({ type: 'gossipsub:joined', topic }),
          last: (topic): GossipsubEvent => ({ type: 'gossipsub:left', topic }),
        }),
      ),
      command$.pipe(
        ofType('gossipsub/peers'),
        perform(
          cancel$,
          ({ topic }) => (checkTopic(topic), ports.peers(topic)),
          (peers, { topic }): GossipsubEvent => ({ type: 'gossipsub:listed', topic, peers }),
        ),
      ),
      ports.membership$.pipe(
        map(({ peer, topic, joined }): GossipsubEvent => ({
          type: joined ? 'gossipsub:peer-joined' : 'gossipsub:peer-left',
          topic,
          peer,
        })),
      ),
      ports.refused$.pipe(map((refused): GossipsubEvent => ({ type: 'gossipsub:refused', ...refused }))),
    )

function checkTopic(topic: unknown): void {
  if (typeof topic === 'string' && topic !== '') return
  throw new InvalidCommandError('topic: must be text that is not empty', { field: 'topic' })
}

function checkMessage({ topic, data }: Publish, maxBytes: number): void {
  checkTopic(topic)
  if (!(data instanceof Uint8Array)) {
    throw new InvalidCommandError(`data: must be a Uint8Array, not ${typeof data}`, { field: 'data', topic })
  }
  if (data.byteLength <= maxBytes) return
  const message = `data: ${data.byteLength} bytes, more than the ${maxBytes} that a message may have`
  throw new InvalidCommandError(message, { field: 'data', topic, limit: maxBytes })
}
