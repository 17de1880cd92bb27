import type { Link } from './link.ts'
import type { VirtualNode } from './virtualNode.ts'
import type { VirtualTime } from './virtualTime.ts'

/** Where nodes meet: what one of them needs of the network. */
export interface Medium {
  /** True time. */
  readonly time: VirtualTime
  /** What carries connections. */
  readonly transport: 'quic' | 'tcp'
  /** How long a dial waits for an answer. @unit milliseconds */
  readonly dialTimeoutMs: number
  /** How long a connection lives over which nothing passes. @unit milliseconds */
  readonly idleTimeoutMs: number
  /** The direction from one node to another. */
  link(from: string, to: string): Link
  /** The machine of that name, if there is one. */
  machine(name: string): Machine | undefined
  /** An id for a connection. */
  nextConnection(): string
}

/** A computer on the network. */
export interface Machine {
  /** What runs on it; nothing when it has been stopped, or has crashed. */
  readonly node: VirtualNode | undefined
  /** Whether it is silent: not even a refusal comes back. */
  readonly isSilent: boolean
  /** Whether it is behind a NAT that lets no dial in. */
  readonly isBehindNat: boolean
}
