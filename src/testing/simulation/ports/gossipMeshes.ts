import { encodeGossip, type GossipFrame } from './gossipFrame.ts'
import { MESH, meshChange } from './gossipMesh.ts'

/** A peer, as the router knows it. */
export interface GossipPeer {
  /** Its name. */
  readonly name: string
  /** What it has joined. */
  readonly topics: Set<string>
  /** Sends it a frame; false when there is no stream to it. */
  send(frame: Uint8Array): boolean
}

/** What {@link GossipMeshes} may call. */
export interface GossipMeshesPorts {
  /** @unit milliseconds */
  readonly now: () => number
  /** Chooses peers. */
  readonly random: () => number
  /** Tells that a peer has joined or left a topic. */
  readonly tell: (peer: string, topic: string, joined: boolean) => void
}

/** A peer that let go of us is not asked again for this long. @source gossipsub: prune backoff. @unit milliseconds */
const BACKOFF_MS = 60_000

/** Topics of one peer that count. */
const MOST_TOPICS = 4_096

/**
 * Who has joined what, and who is in which mesh.
 *
 * @shape  Memory: 4 096 topics a peer; of the joined topics their meshes, and who has let go of us lately.
 * @source libp2p gossipsub 1.1, without scores.
 */
export class GossipMeshes {
  /** Those that are connected, by name. */
  readonly peers = new Map<string, GossipPeer>()
  readonly #ports: GossipMeshesPorts
  readonly #meshes = new Map<string, Set<GossipPeer>>()
  /** How many peers have joined a topic; those of its mesh are among them. */
  readonly #joined = new Map<string, number>()
  /** Until when a peer is not asked into the mesh of a topic, by topic. */
  readonly #backoff = new Map<string, Map<string, number>>()

  constructor(ports: GossipMeshesPorts) {
    this.#ports = ports
  }

  /** Whether a mesh is too thin or too thick, and something can be done about it. */
  get needsMending(): boolean {
    for (const [topic, { size }] of this.#meshes) {
      if (size > MESH.high || (size < MESH.low && this.hasOutside(topic))) return true
    }
    return false
  }

  /** The mesh of a topic; nothing when it is not joined. */
  of(topic: string): ReadonlySet<GossipPeer> | undefined {
    return this.#meshes.get(topic)
  }

  /** Whether somebody has joined a topic, and is not in its mesh. */
  hasOutside(topic: string): boolean {
    return (this.#joined.get(topic) ?? 0) > (this.#meshes.get(topic)?.size ?? 0)
  }

  /** Who has joined a topic, and is not in its mesh. */
  outside(topic: string): readonly GossipPeer[] {
    const mesh = this.#meshes.get(topic)
    const outside: GossipPeer[] = []
    for (const peer of this.peers.values()) if (peer.topics.has(topic) && !mesh?.has(peer)) outside.push(peer)
    return outside
  }

  /** What a peer is told first: what this node has joined, and in which meshes the two are. */
  greeting(peer: GossipPeer, session: string): readonly Uint8Array[] {
    const topics = [...this.#meshes.keys()].slice(0, MOST_TOPICS)
    const shared = topics.filter((topic) => this.#meshes.get(topic)?.has(peer))
    return [encodeGossip('topics', [session, ...topics]), ...shared.map((topic) => encodeGossip('graft', [topic]))]
  }

  /** Peers that have joined a topic. */
  members(topic: string): readonly GossipPeer[] {
    return [...this.peers.values()].filter(({ topics }) => topics.has(topic))
  }

  /** Joins a topic, and takes peers into its mesh. */
  join(topic: string): void {
    const subscribe = encodeGossip('subscribe', [topic])
    this.#meshes.set(topic, new Set())
    this.#sendAll(subscribe)
    this.#mend(topic)
  }

  /** Leaves a topic and its mesh. */
  leave(topic: string): void {
    const mesh = this.#meshes.get(topic) ?? []
    this.#meshes.delete(topic)
    this.#backoff.delete(topic)
    const prune = encodeGossip('prune', [topic])
    for (const peer of mesh) peer.send(prune)
    this.#sendAll(encodeGossip('unsubscribe', [topic]))
  }

  /** Forgets a peer. */
  drop(peer: GossipPeer): void {
    this.peers.delete(peer.name)
    for (const topic of peer.topics) this.#count(topic, -1)
    for (const mesh of this.#meshes.values()) mesh.delete(peer)
  }

  /** Mends every mesh: one that is thin is filled, one that is thick is thinned out. */
  mend(): void {
    for (const topic of this.#meshes.keys()) this.#mend(topic)
  }

  /** Takes a frame that tells of topics and meshes. */
  hear(peer: GossipPeer, { kind, texts }: GossipFrame): void {
    const [first, ...rest] = texts
    if (first === undefined) return
    if (kind === 'topics') this.#hearTopics(peer, rest)
    else if (kind === 'subscribe') this.#hearJoined(peer, first)
    else if (kind === 'unsubscribe') this.#hearLeft(peer, first)
    else if (kind === 'graft') this.#hearGraft(peer, first)
    else if (kind === 'prune' && this.#meshes.get(first)?.delete(peer)) this.#backOff(peer, first)
  }

  #mend(topic: string): void {
    const mesh = this.#meshes.get(topic)
    if (mesh === undefined || (mesh.size >= MESH.low && mesh.size <= MESH.high)) return
    const now = this.#ports.now()
    const waiting = this.#backoff.get(topic)
    for (const [name, until] of waiting ?? []) if (until <= now) waiting?.delete(name)
    const candidates = this.outside(topic).filter(({ name }) => !waiting?.has(name))
    const { graft, prune } = meshChange([...mesh], candidates, this.#ports.random)
    for (const peer of prune) {
      mesh.delete(peer)
      peer.send(encodeGossip('prune', [topic]))
    }
    for (const peer of graft) if (peer.send(encodeGossip('graft', [topic]))) mesh.add(peer)
  }

  #hearTopics(peer: GossipPeer, topics: readonly string[]): void {
    const now = new Set(topics)
    for (const topic of [...peer.topics]) if (!now.has(topic)) this.#hearLeft(peer, topic)
    for (const topic of now) this.#hearJoined(peer, topic)
  }

  #hearJoined(peer: GossipPeer, topic: string): void {
    if (peer.topics.has(topic) || peer.topics.size >= MOST_TOPICS) return
    peer.topics.add(topic)
    this.#count(topic, 1)
    this.#ports.tell(peer.name, topic, true)
  }

  #hearLeft(peer: GossipPeer, topic: string): void {
    this.#meshes.get(topic)?.delete(peer)
    if (!peer.topics.delete(topic)) return
    this.#count(topic, -1)
    this.#ports.tell(peer.name, topic, false)
  }

  #hearGraft(peer: GossipPeer, topic: string): void {
    this.#hearJoined(peer, topic)
    const mesh = this.#meshes.get(topic)
    if (mesh !== undefined && peer.topics.has(topic) && (mesh.has(peer) || mesh.size < MESH.high)) mesh.add(peer)
    else peer.send(encodeGossip('prune', [topic]))
  }

  #count(topic: string, change: 1 | -1): void {
    const count = (this.#joined.get(topic) ?? 0) + change
    if (count === 0) this.#joined.delete(topic)
    else this.#joined.set(topic, count)
  }

  #backOff(peer: GossipPeer, topic: string): void {
    const waiting = this.#backoff.get(topic) ?? new Map<string, number>()
    this.#backoff.set(topic, waiting.set(peer.name, this.#ports.now() + BACKOFF_MS))
  }

  #sendAll(frame: Uint8Array): void {
    for (const peer of this.peers.values()) peer.send(frame)
  }
}
