import { OverloadedError } from '../../../errors/errors.ts'
import { isObservable, Subscription, type Observable } from 'rxjs'
import type { GossipMessage, RefusedMessage } from '../../../swarm/behaviours/gossipsub/gossipsubBehaviour.ts'
import { decodeGossip, encodeGossip, type GossipFrame } from './gossipFrame.ts'
import { MESH, pick } from './gossipMesh.ts'
import { GossipMeshes, type GossipMeshesPorts, type GossipPeer } from './gossipMeshes.ts'
import type { Judgement } from './judge.ts'
import { Copies } from './copies.ts'
import { MessageCache } from './messageCache.ts'
import { SeenMessages } from './seenMessages.ts'

/** What a router may call. */
export interface GossipRouterPorts extends GossipMeshesPorts {
  /** Own name. */
  readonly self: string
  /** What the validator of a topic says. */
  readonly judge: (message: GossipMessage) => Judgement | Observable<Judgement>
  /** Delivers a message to whoever has joined its topic. */
  readonly deliver: (message: GossipMessage) => void
  /** Tells of a message that was not let through. */
  readonly refuse: (refused: RefusedMessage) => void
  /** Something has changed besides messages: a heartbeat may have something to do. */
  readonly changed: () => void
}

/** Ids that one frame may name, and how long one that was asked for is not asked for again. @unit milliseconds */
const MOST_IDS = 5_000
const WANTED_MS = 3_000

/** Messages whose validators are still thinking. */
const MOST_JUDGED = 1_024

/**
 * Gossip without streams and timers: what goes to whom, and what has come already.
 *
 * @shape  Memory: that of its caches and meshes; 1 024 messages at once with a validator that answers later.
 * @source libp2p gossipsub 1.1, without scores and without fanout: own messages go to everybody who has joined.
 */
export class GossipRouter {
  /** Who is in which mesh. */
  readonly meshes: GossipMeshes
  readonly #ports: GossipRouterPorts
  readonly #seen = new SeenMessages()
  readonly #cache = new MessageCache()
  readonly #wanted = new Map<string, number>()
  readonly #judging = new Subscription()
  readonly #copies = new Copies()
  #judged = 0

  constructor(ports: GossipRouterPorts) {
    this.#ports = ports
    this.meshes = new GossipMeshes(ports)
  }

  /** Whether the next heartbeat has something to do. */
  get hasWork(): boolean {
    const { meshes } = this
    if (meshes.needsMending) return true
    return this.#cache.topics(this.#ports.now()).some((topic) => meshes.hasOutside(topic))
  }

  /** Sends an own message to everybody who has joined the topic. @returns who it was sent to */
  publish(id: string, topic: string, data: Uint8Array): readonly string[] {
    const frame = encodeGossip('message', [id, topic], data)
    this.#seen.add(id, this.#ports.now())
    this.#cache.add(id, topic, frame, this.#ports.now())
    return this.meshes
      .members(topic)
      .filter((peer) => peer.send(frame))
      .map(({ name }) => name)
  }

  /** Lets go of messages whose validators are still thinking. */
  close(): void {
    this.#judging.unsubscribe()
  }

  /** Takes a frame. @returns false when it is none */
  hear(peer: GossipPeer, bytes: Uint8Array, start: number): boolean {
    const frame = decodeGossip(bytes, start)
    if (frame === undefined) return false
    const { kind, texts } = frame
    if (kind === 'message') {
      this.#hearMessage(peer, frame, bytes)
      return true
    }
    if (kind === 'have') this.#hearOffer(peer, texts[0] ?? '', texts.slice(1))
    else if (kind === 'want') this.#hearWanted(peer, texts)
    else this.meshes.hear(peer, frame)
    this.#ports.changed()
    return true
  }

  /** Mends the meshes, and offers recent messages to a few peers outside of them. */
  heartbeat(): void {
    this.meshes.mend()
    const now = this.#ports.now()
    for (const topic of this.#cache.topics(now)) {
      const others = this.meshes.outside(topic)
      if (others.length === 0) continue
      const ids = this.#cache.offers(topic, now)
      if (ids.length === 0) continue
      const offer = encodeGossip('have', [topic, ...ids.slice(0, MOST_IDS)])
      for (const peer of pick(others, MESH.lazy, this.#ports.random)) peer.send(offer)
    }
  }

  #hearOffer(peer: GossipPeer, topic: string, ids: readonly string[]): void {
    if (this.meshes.of(topic) === undefined) return
    const now = this.#ports.now()
    for (const [id, at] of this.#wanted) {
      if (now - at < WANTED_MS) break
      this.#wanted.delete(id)
    }
    const missing = ids.slice(0, MOST_IDS).filter((id) => !this.#seen.has(id, now) && !this.#wanted.has(id))
    if (missing.length === 0 || this.#wanted.size >= MOST_IDS) return
    for (const id of missing) this.#wanted.set(id, now)
    peer.send(encodeGossip('want', missing))
  }

  #hearWanted(peer: GossipPeer, ids: readonly string[]): void {
    for (const id of ids.slice(0, MOST_IDS)) {
      const message = this.#cache.get(id, this.#ports.now())
      if (message === undefined || message.sentTo?.has(peer.name)) continue
      message.sentTo = (message.sentTo ?? new Set()).add(peer.name)
      peer.send(message.frame)
    }
  }

  #hearMessage(peer: GossipPeer, { texts, data }: GossipFrame, frame: Uint8Array): void {
    const id = texts[0] ?? ''
    const topic = texts[1] ?? ''
    const now = this.#ports.now()
    if (this.#seen.has(id, now)) return
    const from = id.slice(0, Math.max(id.lastIndexOf('/'), 0))
    if (from === '' || from === this.#ports.self || this.meshes.of(topic) === undefined) return
    this.#seen.add(id, now)
    if (this.#judged >= MOST_JUDGED) {
      const message = `${topic}: ${MOST_JUDGED} messages wait for their validators`
      const error = new OverloadedError(message, { topic, limit: MOST_JUDGED })
      return this.#ports.refuse({ topic, peer: peer.name, verdict: 'ignore', error })
    }
    const message: GossipMessage = { topic, data: this.#copies.take(data), from, id }
    const judgement = this.#ports.judge(message)
    if (!isObservable(judgement)) return this.#pass(peer, message, frame, judgement)
    this.#judged++
    const judging = judgement.subscribe((late) => this.#pass(peer, message, frame, late))
    judging.add(() => this.#judged--)
    if (!judging.closed) this.#judging.add(judging)
  }

  /** Passes a message on, and delivers it, or tells why not. */
  #pass(sender: GossipPeer, message: GossipMessage, frame: Uint8Array, { verdict, error }: Judgement): void {
    const { id, topic, from } = message
    if (verdict !== 'accept') {
      const refused = { topic, peer: sender.name, verdict }
      return this.#ports.refuse(error === undefined ? refused : { ...refused, error })
    }
    this.#cache.add(id, topic, frame, this.#ports.now())
    const mesh = this.meshes.of(topic)
    if (mesh !== undefined) for (const peer of mesh) if (peer !== sender && peer.name !== from) peer.send(frame)
    this.#ports.deliver(message)
  }
}
