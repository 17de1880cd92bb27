import type { PolicyEvent } from '../../policies/policyEvent.ts'
import type { SwarmError } from '../../errors/errors.ts'

/**
 * Something that happened, as a behaviour says it: plain data, before the swarm stamps the time on it.
 * libp2p's own events keep their names (`peer:connect`); others are `behaviour:participle` (`kad:stored`).
 */
export interface Fact {
  /** What happened. */
  readonly type: string
  /** Id of the command that caused it. */
  readonly cause?: string
  /** Ids of the open-ended commands that share it: one message for all who have subscribed. */
  readonly causes?: readonly string[]
}

/** A fact with the time at which the swarm heard of it. @unit `at`: milliseconds of the swarm's scheduler */
export type Stamped<F extends Fact> = F & { readonly at: number }

/** How a command ended. Exactly one of these follows each command that was taken in. */
export type Outcome =
  | { readonly type: 'command:completed'; readonly cause: string; readonly command: string }
  | {
      readonly type: 'command:failed'
      /** Missing when what came in had no usable id. */
      readonly cause?: string
      readonly command: string
      readonly error: SwarmError
    }
  | { readonly type: 'command:cancelled'; readonly cause: string; readonly command: string }

/** A connection, as plain data. */
export interface ConnectionInfo {
  /** libp2p's id of the connection. */
  readonly id: string
  /** Remote peer id. */
  readonly peer: string
  /** Remote multiaddr. */
  readonly address: string
  /** Who dialled. */
  readonly direction: 'inbound' | 'outbound'
  /** @unit milliseconds since the Unix epoch */
  readonly since: number
  /** Which transport carries it. */
  readonly transport: 'quic' | 'tcp' | 'memory' | 'websocket' | 'relay' | 'chain' | 'other'
  /** Whether no relay and no chain is in between. */
  readonly direct: boolean
  /** Whether a relay, or the budget of a chain, limits its time or bytes. */
  readonly limited: boolean
}

/** libp2p's events, by libp2p's names, as plain data. */
export type NodeEvent =
  | { readonly type: 'peer:discovery'; readonly peer: string; readonly addresses: readonly string[] }
  | { readonly type: 'peer:connect'; readonly peer: string }
  | { readonly type: 'peer:disconnect'; readonly peer: string }
  | { readonly type: 'peer:reconnect-failure'; readonly peer: string }
  | {
      readonly type: 'peer:update'
      readonly peer: string
      readonly addresses: readonly string[]
      readonly protocols: readonly string[]
    }
  | {
      readonly type: 'peer:identify'
      readonly peer: string
      readonly connection: string
      readonly agentVersion?: string
      readonly protocolVersion?: string
      readonly addresses: readonly string[]
      readonly observedAddress?: string
      readonly protocols: readonly string[]
    }
  | {
      readonly type: 'self:peer:update'
      readonly peer: string
      readonly announced: readonly string[]
      readonly protocols: readonly string[]
    }
  | { readonly type: 'connection:open'; readonly connection: ConnectionInfo }
  | { readonly type: 'connection:close'; readonly connection: ConnectionInfo }
  | { readonly type: 'connection:prune'; readonly connections: readonly string[] }
  | {
      readonly type: 'transport:listening'
      /** Those of the new listener. */
      readonly addresses: readonly string[]
      /** All of the node, with its peer id. */
      readonly announced: readonly string[]
    }
  | { readonly type: 'transport:close'; readonly announced: readonly string[] }
  | { readonly type: 'start'; readonly announced: readonly string[] }
  | { readonly type: 'stop' }
  | { readonly type: 'node:unreadable'; readonly event: string; readonly error: SwarmError }

/** A command that had not settled when the swarm stopped. */
export interface Undrained {
  /** Its id. */
  readonly id: string
  /** Its type. */
  readonly type: string
}

/** What the swarm itself says, besides libp2p's events and the outcomes of commands. */
export type SupervisionEvent =
  | {
      readonly type: 'behaviour:crashed'
      readonly behaviour: string
      readonly error: SwarmError
      /** @unit milliseconds until the restart */
      readonly restartInMs: number
    }
  | { readonly type: 'behaviour:restarted'; readonly behaviour: string }
  | { readonly type: 'behaviour:ended'; readonly behaviour: string }
  | { readonly type: 'chain:crashed'; readonly chain: 'commands' | 'events'; readonly error: SwarmError }
  | { readonly type: 'subscriber:failed'; readonly error: SwarmError }
  | { readonly type: 'reducer:failed'; readonly slice: string; readonly event: string; readonly error: SwarmError }
  | { readonly type: 'swarm:stopping'; readonly drainMs: number }
  | { readonly type: 'swarm:stopped'; readonly undrained: readonly Undrained[] }

/** Every event that a swarm can emit without any behaviour. */
export type CoreEvent = NodeEvent | Outcome | SupervisionEvent | PolicyEvent
