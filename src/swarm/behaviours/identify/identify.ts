import { identify as identifyService, identifyPush } from '@libp2p/identify'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { PeerRef } from '../checkPeer.ts'
import {
  identifyBehaviour,
  type IdentifyEvent,
  type IdentifyOnce,
  type IdentifyPorts,
  type Identity,
} from './identifyBehaviour.ts'
import { identifyPorts } from './identifyPorts.ts'

/** Who each connected peer says it is, by peer id. */
export type IdentifyState = ReadonlyMap<string, Identity>

/** Questions at once on one connection, in either direction; libp2p's own limit of 1 refuses a second one. */
const STREAMS = 64

const state: Slice<IdentifyState, IdentifyEvent | CoreEvent> = {
  initial: new Map(),
  on: {
    'peer:identify': (known, { type: _type, at: _at, connection: _connection, ...identity }) =>
      new Map(known).set(identity.peer, identity),
    'identify:identified': (known, { identity }) => new Map(known).set(identity.peer, identity),
    'peer:disconnect': (known, { peer }) =>
      known.has(peer) ? new Map([...known].filter(([of]) => of !== peer)) : known,
  },
}

/** Changes of our addresses and protocols are told together; libp2p waits 1 s. @unit milliseconds */
const PUSH_AFTER_MS = 50

/** Options of {@link identify}. */
export interface IdentifyOptions {
  /** Says who we are, as text in identify's `agentVersion`. Default: libp2p's. */
  readonly agentVersion?: string
}

/** The components of a node, by the part that says what it is. */
interface Named {
  readonly nodeInfo: { readonly userAgent: string }
}

/** A service of a node that goes by another name; libp2p's option for it is not read. */
function as<Components, Service>(userAgent: string | undefined, service: (components: Components) => Service) {
  return (components: Components & Named): Service => {
    if (userAgent === undefined) return service(components)
    const nodeInfo = { value: { ...components.nodeInfo, userAgent } }
    return service(Object.create(components, { nodeInfo }) as Components)
  }
}

function module({ agentVersion }: IdentifyOptions = {}): BehaviourModule<
  'identify',
  IdentifyOnce,
  IdentifyEvent,
  IdentifyPorts,
  IdentifyState
> {
  return {
    name: 'identify',
    commands: { 'identify/once': { answers: { 'identify:identified': ({ identity }) => identity } } },
    services: {
      identify: as(agentVersion, identifyService({ maxInboundStreams: STREAMS, maxOutboundStreams: STREAMS })),
      identifyPush: as(agentVersion, identifyPush({ debounce: PUSH_AFTER_MS })),
    },
    state,
    options: { agentVersion },
    ports: identifyPorts,
    behaviour: identifyBehaviour,
  }
}

/** Tells peers who we are and learns who they are: `identify()` for `use`, and its command. */
export const identify = Object.assign(module, {
  /** Asks a peer who it is; dials when there is no connection. @shape `execute` emits its identity once. */
  once: ({ peer }: { readonly peer: PeerRef }, meta?: CommandMeta): IdentifyOnce =>
    command('identify/once', { peer: String(peer) }, meta),
})
