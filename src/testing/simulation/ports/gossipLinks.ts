import { Subscription, take } from 'rxjs'
import { Relay } from '../../../operators/relay.ts'
import type { SimulatedNode, SimulatedStream } from '../simulatedNode.ts'
import { Chunks } from './chunks.ts'
import { FrameReader } from './frameReader.ts'
import { decodeGossip, isGreeting } from './gossipFrame.ts'
import { GossipLink } from './gossipLink.ts'
import type { GossipRouter } from './gossipRouter.ts'

/** @source libp2p gossipsub 1.2 */
const PROTOCOL = '/meshsub/1.2.0'

/** A frame carries at most the longest message that can be published, its id and its topic. @unit bytes */
const MOST_BYTES = 4 << 20

/** A stream that is lost while its peer stays connected is opened again after this long. @unit milliseconds */
const REVIVE_AFTER_MS = 100

/** What {@link GossipLinks} tells. */
export interface GossipLinksListener {
  /** Something came, or a stream can be written to: the meshes may have something to do. */
  readonly changed: () => void
  /** A peer has disconnected. */
  readonly gone: (peer: string) => void
}

/**
 * The streams of gossip: one to each connected peer that speaks it, and one from it.
 *
 * @shape  Opened when identify has told that the peer speaks it, and again when it is lost while the peer stays.
 */
export class GossipLinks {
  /** Emits when a stream has come, gone or drained. */
  readonly change$ = new Relay<void>()
  readonly #node: SimulatedNode
  readonly #router: GossipRouter
  readonly #life: Subscription
  readonly #listener: GossipLinksListener
  readonly #session: string
  readonly #links = new Map<string, GossipLink>()
  /** What runs for the stream to a peer: opening it, or hearing of its end. */
  readonly #sending = new Map<GossipLink, Subscription>()
  readonly #reviving = new Set<Subscription>()

  constructor(node: SimulatedNode, router: GossipRouter, life: Subscription, listener: GossipLinksListener) {
    this.#node = node
    this.#router = router
    this.#life = life
    this.#listener = listener
    this.#session = Math.floor(node.random() * 2 ** 48).toString(36) + Math.floor(node.scheduler.now()).toString(36)
    life.add(node.handle(PROTOCOL, (stream) => this.#accept(stream)))
    life.add(() => {
      for (const running of [...this.#sending.values(), ...this.#reviving]) running.unsubscribe()
    })
    life.add(
      node.event$.subscribe((event) => {
        if (event.type === 'peer:identify' && event.protocols.includes(PROTOCOL)) this.#open(this.#linkTo(event.peer))
        if (event.type === 'connection:close') this.#later(event.connection.peer)
        if (event.type === 'peer:disconnect') this.#drop(event.peer)
      }),
    )
  }

  /** Links to peers that have joined a topic. */
  of(topic: string): readonly GossipLink[] {
    return [...this.#links.values()].filter(({ topics }) => topics.has(topic))
  }

  #linkTo(peer: string): GossipLink {
    const known = this.#links.get(peer)
    if (known !== undefined) return known
    const link = new GossipLink(peer)
    this.#links.set(peer, link)
    this.#router.meshes.peers.set(peer, link)
    return link
  }

  #drop(peer: string): void {
    const link = this.#links.get(peer)
    if (link === undefined) return
    this.#links.delete(peer)
    this.#router.meshes.drop(link)
    this.#letGo(link)
    link.inbound?.reset()
    this.#listener.gone(peer)
    this.#changed()
  }

  /** On the newest connection: the others may be what is left of an earlier run of the peer. */
  #open(link: GossipLink): void {
    if (this.#sending.has(link)) return
    const connection = this.#node.connections.findLast(({ peer, isOpen }) => peer === link.name && isOpen)
    if (connection === undefined) return
    const sending = new Subscription()
    this.#sending.set(link, sending)
    const lost = () => {
      if (this.#sending.get(link) !== sending) return
      this.#letGo(link)
      this.#later(link.name)
    }
    sending.add(
      connection
        .open(PROTOCOL)
        .pipe(take(1))
        .subscribe({
          next: (stream) => this.#opened(link, stream, sending, lost),
          error: () => void this.#sending.delete(link), // it does not speak it after all, or its connection is lost
        }),
    )
  }

  #opened(link: GossipLink, stream: SimulatedStream, sending: Subscription, lost: () => void): void {
    link.outbound = stream
    link.isFull = false
    sending.add(() => void (stream.status === 'open' && stream.reset()))
    sending.add(
      stream.drain$.subscribe(() => {
        link.isFull = false
        link.isStalled = false
        this.#changed()
      }),
    )
    sending.add(stream.chunk$.subscribe({ next: lost, error: lost, complete: lost })) // nothing comes on this one
    for (const frame of this.#router.meshes.greeting(link, this.#session)) link.send(frame)
    this.#changed()
  }

  /** Opens the stream to a peer anew, if it is still connected and has none then. */
  #later(peer: string): void {
    const link = this.#links.get(peer)
    if (link === undefined || this.#life.closed) return
    const revive = () => {
      this.#reviving.delete(waiting)
      if (this.#links.get(peer) === link) this.#open(link)
    }
    const waiting = this.#node.scheduler.schedule(revive, REVIVE_AFTER_MS)
    this.#reviving.add(waiting)
  }

  #letGo(link: GossipLink): void {
    const sending = this.#sending.get(link)
    this.#sending.delete(link)
    link.outbound = undefined
    link.isFull = false
    sending?.unsubscribe()
    this.#changed()
  }

  #accept(stream: SimulatedStream): void {
    const link = this.#linkTo(stream.peer)
    const before = link.inbound
    link.inbound = stream
    before?.reset()
    const reader = new FrameReader(MOST_BYTES, (frame, start) => {
      if (link.inbound === stream && !this.#hear(link, frame, start)) stream.reset()
    })
    const reading = new Chunks(reader, (isBroken) => {
      if (isBroken) stream.reset()
      if (link.inbound === stream) link.inbound = undefined
    })
    this.#life.add(reading)
    stream.chunk$.subscribe(reading)
  }

  #hear(link: GossipLink, frame: Uint8Array, start: number): boolean {
    if (isGreeting(frame, start)) this.#greeted(link, decodeGossip(frame, start)?.texts[0])
    return this.#router.hear(link, frame, start)
  }

  /** A peer that has started anew knows nothing of the stream that we had to it. */
  #greeted(link: GossipLink, session: string | undefined): void {
    const isAnew = link.session !== undefined && link.session !== session
    link.session = session
    if (isAnew) this.#letGo(link)
    if (isAnew || link.outbound === undefined) this.#open(link)
  }

  #changed(): void {
    if (this.#life.closed) return
    this.change$.next()
    this.#listener.changed()
  }
}
