import type { MonoTypeOperatorFunction } from 'rxjs'
import type { Limits } from '../../swarm/ledger.ts'
import type { AnyModule, CommandOf, EventOf } from '../../swarm/vocabulary/behaviour.ts'
import type { Probe } from '../../swarm/vocabulary/probe.ts'
import type { FaultSchedule } from './fault.ts'
import type { LinkOptions } from './link.ts'
import type { SimulatedNode } from './simulatedNode.ts'

/** What one node of a simulated network is like. */
export interface NodeOptions {
  /** Behind a NAT: it can dial, and nobody can dial it. Default: false. */
  readonly nat?: boolean
  /** Whether it listens, on `/sim/<name>/1`. Default: true. */
  readonly listen?: boolean
  /** What its clock is ahead of true time. Default: 0. @unit milliseconds */
  readonly clockSkewMs?: number
  /** How much faster its clock goes. Default: 0. @unit parts per million */
  readonly driftPpm?: number
}

/** The adapter of a behaviour to a simulated node; `ports` of its module is the one to libp2p. */
export type SimulatedPorts = (node: SimulatedNode, module: AnyModule, probe?: Probe) => unknown

/** What `simulate` takes. */
export interface SimulateOptions<Modules extends readonly AnyModule[]> {
  /** All chance comes from it. */
  readonly seed: number | string
  /** How many (`n1`, `n2`, …), or their names, or what each is like by name. A name is the peer id as well. */
  readonly nodes: number | readonly string[] | Readonly<Record<string, NodeOptions>>
  /** The behaviours of a node; called for each start of it, and once before to look for mistakes. */
  readonly use: (name: string) => Modules
  /** What links do to packets. */
  readonly link?: LinkOptions
  /** What single ones do, by direction: `'alice>bob'`. */
  readonly links?: Readonly<Record<string, LinkOptions>>
  /** What carries connections. On `tcp` a lost packet holds up all of its connection, on `quic` its stream. Default: `quic`. */
  readonly transport?: 'quic' | 'tcp'
  /** What goes wrong when. */
  readonly faults?: FaultSchedule
  /** Simulated ports of your own behaviours, by the name of the module. Those of the built-in ones are known. */
  readonly ports?: Readonly<Record<string, SimulatedPorts>>
  /** How long a dial waits for an answer. Default: 5 000. @unit milliseconds */
  readonly dialTimeoutMs?: number
  /** How long a connection lives over which nothing passes. Default: 5 000. @unit milliseconds */
  readonly idleTimeoutMs?: number
  /** Whether `log` is written. Default: true. */
  readonly log?: boolean
  /** As in `createSwarm`. Default: 5 000. @unit milliseconds */
  readonly deadlineMs?: number
  /** As in `createSwarm`. */
  readonly limits?: Partial<Limits>
  /** As in `createSwarm`, for every node. */
  readonly commandChain?: MonoTypeOperatorFunction<NoInfer<CommandOf<Modules>>>
  /** As in `createSwarm`, for every node. */
  readonly eventChain?: MonoTypeOperatorFunction<NoInfer<EventOf<Modules>>>
}
