/** What somebody wants to do. */
export type AccessAction = 'dial' | 'accept' | 'open' | 'publish' | 'subscribe' | 'dht-write' | 'relay'

/** Every {@link AccessAction}. */
export const ACCESS_ACTIONS = ['dial', 'accept', 'open', 'publish', 'subscribe', 'dht-write', 'relay'] as const

/** Both directions of a request. */
export const DIRECTIONS = ['inbound', 'outbound'] as const

/**
 * What a rule, or a limit, is about: a request matches when every field that is present matches it.
 *
 * @shape A field that is absent matches every request, also one that does not have it. A field that is present, were it `*`,
 *        never matches a request that does not have it: a rule about a protocol says nothing of a dial.
 */
export interface AccessMatch {
  /** Peer ids, compared as text. `*` is any peer that is known. */
  readonly peer?: string | readonly string[]
  /** Owner keys, as text, of peers that have authenticated. `*` is any owner that is known. */
  readonly owner?: string | readonly string[]
  /** Protocol ids; `*` stands for any text: `/meshsub/*`. */
  readonly protocol?: string | readonly string[]
  /** Gossip topics, or namespaces of DHT keys; `*` stands for any text. */
  readonly topic?: string | readonly string[]
  /** IPs or CIDRs, v4 and v6: `192.0.2.0/24`. A v4-mapped IPv6 address is the IPv4 address; `::/0` is IPv6 only. */
  readonly address?: string | readonly string[]
  /** Who began: the remote (`inbound`) or this node (`outbound`). */
  readonly direction?: 'inbound' | 'outbound'
  /** What is wanted. */
  readonly action?: AccessAction | readonly AccessAction[]
}

/** One rule of an {@link AccessPolicy}. */
export interface AccessRule extends AccessMatch {
  /** A name for audit and warnings; no two rules share one. */
  readonly id?: string
  /** What becomes of a request that the rule matches. */
  readonly effect: 'allow' | 'deny'
}

/**
 * Who may do what, as plain data.
 *
 * @shape As in a firewall: the first rule that matches decides, whatever stands behind it; when none does, `default`.
 */
export interface AccessPolicy {
  /** In the order in which they are asked. At most 100 000. */
  readonly rules: readonly AccessRule[]
  /** What becomes of a request that no rule matches. */
  readonly default: 'allow' | 'deny'
}

/** What is to be decided. What is not known is left out. */
export interface AccessRequest {
  /** What is wanted. */
  readonly action: AccessAction
  /** Who began: the remote (`inbound`) or this node (`outbound`). */
  readonly direction: 'inbound' | 'outbound'
  /** Id of the remote peer, as text. */
  readonly peer?: string
  /** Owner key, as text, of a peer that has authenticated. */
  readonly owner?: string
  /** Protocol id. */
  readonly protocol?: string
  /** Gossip topic, or namespace of the DHT key. */
  readonly topic?: string
  /** IP of the remote, v4 or v6; what is no IP matches no rule about addresses. */
  readonly address?: string
}

/** What was decided, and why. */
export interface AccessDecision {
  /** Whether it may be done. */
  readonly effect: 'allow' | 'deny'
  /** Index of the rule that decided; -1 for the default. */
  readonly rule: number
  /** The rule's own name, when it has one. */
  readonly id?: string
  /** The same in words. */
  readonly reason: string
}
