import type { LaneView, Sample } from './dashboardItem.ts'

/** How a peer is: all is well, something is slow or has failed, nothing goes, or nobody has looked. */
export type HealthColour = 'good' | 'strained' | 'bad' | 'unknown'

/** A connection to a peer. */
export interface LinkView {
  /** libp2p's id of the connection. */
  readonly connection: string
  /** `quic`, `tcp`, `relay`, `chain`, … */
  readonly transport: string
  /** Who dialled. */
  readonly direction: 'inbound' | 'outbound'
  /** Straight, through a relay, or through a chain of carriers. */
  readonly kind: 'direct' | 'relayed' | 'chained'
  /** Peers in between, from this node on. */
  readonly via: readonly string[]
  /** Remote multiaddr. */
  readonly address: string
  /** @unit milliseconds since the Unix epoch */
  readonly since: number
  /** Whether its bytes or its time are limited. */
  readonly limited: boolean
}

/** Where an authentication with a peer stands. */
export interface PeerAuthView {
  /** Both sides have accepted each other; or what became of it. */
  readonly state: 'authenticated' | 'requested' | 'failed' | 'revoked'
  /** Who owns the peer, as it has proven. */
  readonly owner?: string
  /** @unit seconds since the Unix epoch */
  readonly expiresAtS?: number
  /** Why it failed. */
  readonly reason?: string
}

/** A peer that is connected, was found, or is kept. */
export interface PeerView {
  /** Peer id. */
  readonly peer: string
  /** What it calls itself. */
  readonly agent?: string
  /** Addresses that it told, or under which it was found. */
  readonly addresses: readonly string[]
  /** Open connections; none: it is only known. */
  readonly links: readonly LinkView[]
  /** Topics that it has joined. */
  readonly topics: readonly string[]
  /** What found it: `bootstrap`, `mdns`, `dht`, `rendezvous`. */
  readonly foundBy: readonly string[]
  /** Latest round trip. @unit milliseconds */
  readonly rttMs?: number
  /** Pings in a row that were not answered. */
  readonly missed: number
  /** State of the breaker that guards it, unless closed. */
  readonly breaker?: 'open' | 'half-open'
  /** See {@link PeerAuthView}; missing when nobody authenticates. */
  readonly auth?: PeerAuthView
  /** Whether the node keeps the connection to it up, and how that goes. */
  readonly kept?: 'kept' | 'connected' | 'retrying' | 'paused' | 'lost' | 'given-up'
  /** What the module `health` says of it, unless it is well. */
  readonly judged?: { readonly is: 'unhealthy' | 'degraded'; readonly reason: string }
  /** Colour. */
  readonly health: HealthColour
  /** Why, in words. */
  readonly reason: string
}

/** A gossip topic. */
export interface TopicView {
  /** Its name: text of others, shown as it is. */
  readonly topic: string
  /** Whether this node listens. */
  readonly joined: boolean
  /** Peers that have joined it. */
  readonly peers: readonly string[]
}

/** A behaviour in trouble. All others run. */
export interface TroubledView {
  /** Its name. */
  readonly behaviour: string
  /** Waits for its restart, or has ended. */
  readonly state: 'restarting' | 'ended'
  /** @unit milliseconds of the swarm's scheduler */
  readonly since: number
  /** What it crashed with. */
  readonly reason: string
}

/** A circuit breaker that has opened at least once. */
export interface BreakerView {
  /** What it guards: a peer, a peer and a protocol; empty for one without a key. */
  readonly key: string
  /** Kind of the policy. */
  readonly policy: string
  /** Open: calls are rejected. Half-open: one is tried. */
  readonly state: 'open' | 'half-open' | 'closed'
  /** Since when it is so. @unit milliseconds of the swarm's scheduler */
  readonly since: number
  /** Until when it is open. @unit milliseconds of the swarm's scheduler */
  readonly until?: number
  /** Why it opened. */
  readonly reason: string
}

/** A relay that this node knows. */
export interface RelayView {
  /** Peer id. */
  readonly relay: string
  /** `held`: others reach this node through it. */
  readonly state: 'candidate' | 'held' | 'lost' | 'refused' | 'failed' | 'released'
  /** Own addresses behind it. */
  readonly addresses: readonly string[]
  /** Since when it is so. @unit milliseconds of the swarm's scheduler */
  readonly since: number
  /** Of the reservation. @unit milliseconds since the Unix epoch */
  readonly expiresAt?: number
  /** @unit milliseconds */
  readonly rttMs?: number
  /** Of the next attempt. @unit milliseconds of the swarm's scheduler */
  readonly retryAt?: number
  /** Why it does not hold. */
  readonly reason?: string
}

/** What this node does as a relay for others. */
export interface ServedView {
  /** Places that it has granted. */
  readonly reservations: readonly { readonly peer: string; readonly address: string; readonly expiresAt: number }[]
  /** Circuits that it carries. */
  readonly circuits: readonly { readonly source: string; readonly destination: string; readonly since: number }[]
  /** Circuits that have ended. */
  readonly closed: number
  /** Of those. */
  readonly bytes: number
}

/** A question to the DHT. */
export interface LookupView {
  /** Id of its command. */
  readonly command: string
  /** `get`, `put`, `provide`, `find-providers`, `find-peer`, `closest-peers`. */
  readonly kind: string
  /** Key, content id or peer, as far as an answer has told it. */
  readonly key: string
  /** How many answers came. */
  readonly results: number
  /** When something was heard of it first. @unit milliseconds of the swarm's scheduler */
  readonly at: number
  /** How it ended. */
  readonly outcome?: 'completed' | 'failed' | 'cancelled'
  /** @unit milliseconds of the swarm's scheduler */
  readonly endedAt?: number
  /** Why it failed. */
  readonly reason?: string
}

/** The DHT. */
export interface DhtView {
  /** What is wanted: `auto`, `client`, `server`; missing when there is no DHT. */
  readonly mode?: string
  /** As what the node acts. */
  readonly acts?: string
  /** The latest last. */
  readonly lookups: readonly LookupView[]
}

/** Registrations. */
export interface RendezvousView {
  /** Own ones at points. */
  readonly own: readonly OwnRegistrationView[]
  /** Those of others, when this node is a point. */
  readonly served: readonly { readonly peer: string; readonly namespace: string; readonly expiresAt: number }[]
  /** Peers that points have told of. */
  readonly found: readonly { readonly peer: string; readonly namespace: string; readonly point: string }[]
}

/** An own registration at a rendezvous point. */
export interface OwnRegistrationView {
  /** Peer id of the point. */
  readonly point: string
  /** Its namespace: text of others, shown as it is. */
  readonly namespace: string
  /** @unit milliseconds of the swarm's scheduler */
  readonly expiresAt: number
  /** The command that keeps it. */
  readonly cause?: string
}

/** A chain of carriers that ends here. */
export interface ChainView {
  /** Names its session. */
  readonly session: string
  /** The peer at the other end. */
  readonly peer: string
  /** Who opened it. */
  readonly direction: string
  /** Peers of its path. */
  readonly path: readonly string[]
  /** libp2p's id of the connection over it. */
  readonly connection: string
  /** @unit milliseconds of the swarm's scheduler */
  readonly since: number
}

/** Something about an authentication. */
export interface AuthenticationView {
  /** @unit milliseconds of the swarm's scheduler */
  readonly at: number
  /** `requested`, `succeeded`, `authenticated`, `failed`, `denied`, `revoked`, `renewed`, `expiring`, … */
  readonly what: string
  /** Remote peer. */
  readonly peer: string
  /** Whose proof. */
  readonly direction?: string
  /** Owner key. */
  readonly owner?: string
  /** Why. */
  readonly reason?: string
}

/** Something that was not allowed: by this node, or to it. */
export interface RefusalView {
  /** @unit milliseconds of the swarm's scheduler */
  readonly at: number
  /** The event's type: `access:denied`. */
  readonly type: string
  /** Whom it is about. */
  readonly peer: string
  /** Why, in words. */
  readonly reason: string
}

/** Something that went wrong. */
export interface FailureView {
  /** @unit milliseconds of the swarm's scheduler */
  readonly at: number
  /** The event's type: `command:failed`. */
  readonly type: string
  /** The command, the behaviour, the peer: what failed. */
  readonly what: string
  /** Name of the error. */
  readonly error: string
  /** Why, in words. */
  readonly reason: string
}

/** Whether others can open a connection to this node. */
export interface ReachabilityView {
  /** `public`, `private`, `relayed`, `unknown`. */
  readonly status: string
  /** Why, in words. */
  readonly reasons: readonly string[]
  /** Each address. */
  readonly addresses: readonly { readonly address: string; readonly status: string; readonly reason: string }[]
}

/** A place where peers are found. */
export interface SourceView {
  /** `bootstrap`, `mdns`, `dht`, `rendezvous`. */
  readonly source: string
  /** Whether it is on; missing when that was never said. */
  readonly on?: boolean
  /** Peers that it found. */
  readonly found: number
}

/** How bad it is that an alert is raised. */
export type Severity = 'info' | 'warning' | 'critical'

/** An alert. */
export interface AlertView {
  /** Names it: the rule, and which time it was raised. */
  readonly alert: string
  /** Id of its rule. */
  readonly rule: string
  /** What it says. */
  readonly title: string
  /** See {@link Severity}. */
  readonly severity: Severity
  /** Acknowledged: somebody looks after it, and it has not gone yet. */
  readonly state: 'raised' | 'acknowledged' | 'resolved'
  /** @unit milliseconds of the swarm's scheduler */
  readonly raisedAt: number
  /** @unit milliseconds of the swarm's scheduler */
  readonly acknowledgedAt?: number
  /** @unit milliseconds of the swarm's scheduler */
  readonly resolvedAt?: number
  /** What was measured when it was raised. */
  readonly value: number
}

/** A check of the module `health`. */
export interface CheckView {
  /** Its name. */
  readonly check: string
  /** As what it was told. */
  readonly status: string
  /** Why. */
  readonly reason: string
  /** @unit milliseconds of the swarm's scheduler */
  readonly since: number
}

/** The network as a node sees it, as plain data: what the dashboard draws. */
export interface View {
  /** Own peer id. */
  readonly self: string
  /** Own multiaddrs. */
  readonly addresses: readonly string[]
  /** Whether the node runs. */
  readonly phase: 'running' | 'stopping' | 'stopped'
  /** Behaviours in use. */
  readonly modules: readonly string[]
  /** Behaviours that do not run. */
  readonly troubled: readonly TroubledView[]
  /** Peers. */
  readonly peers: readonly PeerView[]
  /** Gossip topics. */
  readonly topics: readonly TopicView[]
  /** Circuit breakers. */
  readonly breakers: readonly BreakerView[]
  /** Lanes of commands, at the last sample. */
  readonly lanes: readonly LaneView[]
  /** Relays of this node. */
  readonly relays: readonly RelayView[]
  /** This node as a relay. */
  readonly served: ServedView
  /** The DHT. */
  readonly dht: DhtView
  /** Rendezvous. */
  readonly rendezvous: RendezvousView
  /** Chains that end here. */
  readonly chains: readonly ChainView[]
  /** The latest last. */
  readonly authentications: readonly AuthenticationView[]
  /** The latest last. */
  readonly refusals: readonly RefusalView[]
  /** The latest last. */
  readonly failures: readonly FailureView[]
  /** Missing when nothing watches it. */
  readonly reachability?: ReachabilityView
  /** Where peers are found. */
  readonly sources: readonly SourceView[]
  /** No peer is connected, and there were some. */
  readonly isIsolated: boolean
  /** What no dial gets through: `udp`, `ip6`. */
  readonly blackHoled: readonly string[]
  /** Alerts. */
  readonly alerts: readonly AlertView[]
  /** Health checks; none when the module `health` is not in use. */
  readonly checks: readonly CheckView[]
  /** Events since the start, by type, as the samples counted them. */
  readonly counters: Readonly<Record<string, number>>
  /** The last sample. */
  readonly sample?: Sample
}

/** What is known before anything has happened. */
export interface ViewStart {
  /** Own peer id. */
  readonly self: string
  /** Behaviours in use. */
  readonly modules?: readonly string[]
  /** Mode of the DHT, if there is one. */
  readonly dht?: { readonly mode: string; readonly acts: string }
}

/** The view before anything has happened. */
export function emptyView({ self, modules = [], dht }: ViewStart): View {
  return {
    self,
    addresses: [],
    phase: 'running',
    modules,
    troubled: [],
    peers: [],
    topics: [],
    breakers: [],
    lanes: [],
    relays: [],
    served: { reservations: [], circuits: [], closed: 0, bytes: 0 },
    dht: { ...dht, lookups: [] },
    rendezvous: { own: [], served: [], found: [] },
    chains: [],
    authentications: [],
    refusals: [],
    failures: [],
    sources: [],
    isIsolated: false,
    blackHoled: [],
    alerts: [],
    checks: [],
    counters: {},
  }
}
