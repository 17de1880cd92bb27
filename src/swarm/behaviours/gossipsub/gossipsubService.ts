import {
  gossipsub,
  TopicValidatorResult,
  type GossipSub,
  type GossipSubComponents,
  type Message,
} from '@libp2p/gossipsub'
import type { MetricsRegister } from '@libp2p/gossipsub/metrics'
import type { PeerId, Stream } from '@libp2p/interface'
import { Subject } from 'rxjs'
import { asSwarmError } from '../../perform.ts'
import type { SwarmError } from '../../../errors/errors.ts'
import type { GossipMessage, RefusedMessage } from './gossipsubBehaviour.ts'

/** What a validator says of a message: pass it on, or drop it and count that against the sender, or just drop it. */
export type Verdict = 'accept' | 'reject' | 'ignore'

/** Decides over a message of a topic; false is `reject`, true and nothing are `accept`. */
export type MessageValidator = (message: GossipMessage) => Verdict | boolean | void | Promise<Verdict | boolean | void>

/** Parts of the service that its public type leaves out. */
interface GossipSubInternals {
  /** Who has joined which topic, by peer id. */
  readonly topics: ReadonlyMap<string, ReadonlySet<string>>
  /** The stream to each peer that can be written to. */
  readonly streamsOutbound: ReadonlyMap<string, { readonly rawStream: Stream }>
  connect(peer: string): Promise<void>
  status: { readonly heartbeatTimeout?: NodeJS.Timeout }
  stop(): Promise<void>
  isStarted(): boolean
}

export type GossipsubService = GossipSub & GossipSubInternals & { readonly refused$: Subject<RefusedMessage> }

/** Metrics of a node that gossipsub may register its own with; libp2p's interface has no place for them. */
interface GossipMetrics {
  readonly metrics?: { readonly gossipsub?: MetricsRegister }
}

/** The label of a topic is the topic; whoever registers bounds how many there are. */
class TopicLabels extends Map<string, string> {
  override get(topic: string): string {
    return topic
  }
}

/** A stream in which more is waiting is given up, and opened anew when its peer reads again. @unit bytes */
const MOST_WAITING_BYTES = 4 << 20

/** How long a validator may take. @unit milliseconds */
const VALIDATOR_MS = 1_000

const results = {
  accept: TopicValidatorResult.Accept,
  reject: TopicValidatorResult.Reject,
  ignore: TopicValidatorResult.Ignore,
} satisfies Record<Verdict, TopicValidatorResult>

/** The libp2p service behind {@link gossipsubPorts}. */
export function gossipsubService(validators: Readonly<Record<string, MessageValidator>>) {
  return (components: GossipSubComponents): GossipsubService => {
    const metricsRegister = (components as GossipMetrics).metrics?.gossipsub
    const refused$ = new Subject<RefusedMessage>()
    const service = Object.assign(
      gossipsub({
        // many peers behind one address are a LAN, a NAT or a test, and would be shut out for an hour
        scoreParams: { IPColocationFactorWeight: 0 },
        maxOutboundBufferSize: MOST_WAITING_BYTES,
        ...(metricsRegister === undefined ? {} : { metricsRegister, metricsTopicStrToLabel: new TopicLabels() }),
      })(components) as GossipSub & GossipSubInternals,
      { refused$ },
    )
    for (const [topic, validator] of Object.entries(validators)) {
      service.topicValidators.set(topic, async (sender: PeerId, message: Message) => {
        const { verdict, error } = await verdictOf(validator, plain(message, ''))
        if (verdict !== 'accept') {
          refused$.next({ topic, peer: sender.toString(), verdict, ...(error === undefined ? {} : { error }) })
        }
        return results[verdict]
      })
    }
    const stop = service.stop.bind(service)
    service.stop = async () => {
      const { heartbeatTimeout } = service.status
      await stop()
      clearTimeout(heartbeatTimeout) // the service forgets it, and it keeps the process alive
    }
    return service
  }
}

/** A message as plain data. */
export function plain(message: Message, id: string): GossipMessage {
  const { topic, data } = message
  const author = message.type === 'signed' ? message.from.toString() : ''
  return { topic, data: new Uint8Array(data), from: author, id } // a copy: theirs is a view of the wire's buffer
}

/** What a validator says; one that throws, or takes too long, has the message dropped. */
export async function verdictOf(
  validator: MessageValidator,
  message: GossipMessage,
): Promise<{ readonly verdict: Verdict; readonly error?: SwarmError }> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no verdict in ${VALIDATOR_MS} ms`)), VALIDATOR_MS)
  })
  try {
    const said = await Promise.race([validator(message), late])
    if (said === false || said === 'reject') return { verdict: 'reject' }
    return { verdict: said === 'ignore' ? 'ignore' : 'accept' }
  } catch (error) {
    return { verdict: 'ignore', error: asSwarmError(error) }
  } finally {
    clearTimeout(timer)
  }
}
