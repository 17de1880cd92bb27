import { z } from 'zod'
import { some, someMs } from '../../../errors/optionKinds.ts'
import { problemsIn } from '../../../errors/problemsIn.ts'
import type { BehaviourModule } from '../../vocabulary/behaviour.ts'
import { command, type AnyCommand, type CommandMeta } from '../../vocabulary/command.ts'
import type { PeerRef } from '../checkPeer.ts'
import { explainBehaviour } from './explainBehaviour.ts'
import type { ExplainCommand, ExplainEvent, ExplainPeer, ExplainSelf } from './explainVocabulary.ts'
import { PeerMemory } from './peerMemory.ts'
import { Targets } from './targets.ts'

/** Options of {@link explain}. */
export interface ExplainOptions {
  /** How much is remembered. */
  readonly memory?: {
    /** Peers that this node has wanted something of; and as many that came, or were found. Default: 512. */
    readonly peers?: number
    /** Different things that happened, for each peer. Default: 24. */
    readonly factsPerPeer?: number
    /** For how long. Default: 1 hour. @unit milliseconds, above 0 */
    readonly forgetAfterMs?: number
  }
}

/** A peer with all its facts is some 10 KiB: 10 MiB in all, unless more of them are connected. */
const MOST_PEERS = 512

/** There are a few dozen kinds, of which a peer meets some. */
const MOST_FACTS = 24

/** @unit milliseconds */
const FORGET_AFTER_MS = 3_600_000

const bounds = z.strictObject({
  peers: some.default(MOST_PEERS),
  factsPerPeer: some.default(MOST_FACTS),
  forgetAfterMs: someMs.default(FORGET_AFTER_MS),
})

const schema = z.strictObject({ memory: bounds.prefault({}) })

function module(options: ExplainOptions = {}): BehaviourModule<'explain', ExplainCommand, ExplainEvent, object> {
  const { value, problems } = problemsIn('explain', schema, options)
  const targets = new Targets()
  return {
    name: 'explain',
    problems,
    commands: {
      'explain/peer': { answers: { 'explain:explained': ({ explanation }) => explanation } },
      'explain/self': { answers: { 'explain:explained-self': ({ explanation }) => explanation } },
    },
    options: value,
    admit: (sent: AnyCommand) => targets.aim(sent), // a failure does not always say whom it is about
    ports: () => ({}),
    behaviour: explainBehaviour(() => new PeerMemory(value.memory, targets)),
  }
}

/**
 * Answers "why am I, or am I not, connected to that peer?" from what has happened: `explain({ memory })` for `use`, and its
 * commands. Each `explain()` belongs to one swarm. What the rules would decide about a request is asked of `access.explain`.
 */
export const explain = Object.assign(module, {
  /** Explains a peer. @shape `execute` emits one explanation: a sentence, the facts behind it, and what could be done. */
  peer: ({ peer }: { readonly peer: PeerRef }, meta?: CommandMeta): ExplainPeer =>
    command('explain/peer', { peer: String(peer) }, meta),
  /** Explains this node: whom it is connected to, and why to nobody. @shape `execute` emits one explanation. */
  self: (meta?: CommandMeta): ExplainSelf => command('explain/self', {}, meta),
})
