import { catchError, defer, mergeMap, Observable, of, share, throwError, timer, type SchedulerLike } from 'rxjs'
import { DialError, InvalidCommandError, SwarmError, UnexpectedError, UnknownPeerError } from '../../errors/errors.ts'
import { Relay } from '../../operators/relay.ts'
import { staggered } from '../../operators/staggered.ts'
import type { NodeEvent } from '../../swarm/vocabulary/event.ts'
import { addressOf } from './address.ts'
import type { ConnectionEnd } from './connectionEnd.ts'
import { dialAddress } from './dialAddress.ts'
import type { Medium } from './medium.ts'
import type { SimulatedConnection, SimulatedNode, SimulatedStream } from './simulatedNode.ts'

type Handler = (stream: SimulatedStream) => void

/** How long an open connection that carries nothing now may take before a new one is dialled beside it. @unit milliseconds */
const STILL_USABLE_WITHIN_MS = 2_000

/** Addresses that are kept of a peer. */
const MOST_ADDRESSES = 64

const NONE: readonly ConnectionEnd[] = []

/**
 * One run of a node, from its start to its stop or crash: what libp2p is to a real swarm.
 *
 * @shape  Dials of the same target share one attempt. Memory: what its connections and handlers keep; 64 addresses a peer.
 * @errors Those of {@link SimulatedNode}.
 */
export class VirtualNode implements SimulatedNode {
  readonly name: string
  readonly scheduler: SchedulerLike
  readonly random: () => number
  /** Whether it has neither stopped nor crashed. */
  isRunning = true
  readonly #medium: Medium
  readonly #heard = new Relay<NodeEvent>()
  readonly #handlers = new Map<string, Handler>()
  readonly #peers = new Map<string, readonly ConnectionEnd[]>()
  readonly #book = new Map<string, readonly string[]>()
  readonly #dials = new Map<string, Observable<ConnectionEnd>>()
  readonly #dialling = new Set<() => void>()
  #connections: readonly ConnectionEnd[] = []
  #addresses: readonly string[] = []
  #protocols: readonly string[] = []

  constructor(medium: Medium, name: string, scheduler: SchedulerLike, random: () => number) {
    this.#medium = medium
    this.name = name
    this.scheduler = scheduler
    this.random = random
  }

  get event$(): Observable<NodeEvent> {
    return this.#heard
  }

  get addresses(): readonly string[] {
    return this.#addresses
  }

  get protocols(): readonly string[] {
    return this.#protocols
  }

  get connections(): readonly ConnectionEnd[] {
    return this.#connections
  }

  say(event: NodeEvent): void {
    this.#heard.next(event)
  }

  addressesOf(peer: string): readonly string[] {
    return this.#book.get(peer) ?? []
  }

  learn(peer: string, addresses: readonly string[]): void {
    const known = this.#book.get(peer) ?? []
    const fresh = addresses.filter((address) => !known.includes(address))
    if (fresh.length > 0) this.#book.set(peer, [...known, ...new Set(fresh)].slice(-MOST_ADDRESSES))
  }

  dial(to: string | readonly string[]): Observable<SimulatedConnection> {
    return defer(() => {
      const targets = typeof to === 'string' ? [to] : to
      const [only] = targets
      const isPeer = targets.length === 1 && only !== undefined && !only.startsWith('/')
      if (isPeer && only === this.name)
        throw new InvalidCommandError(`to: ${only} is this node itself`, { field: 'to' })
      const peer = isPeer
        ? only
        : targets.map((text) => addressOf(text, 'to').peer).find((named) => named !== undefined)
      const fresh$ = defer(() => this.#dialAll(isPeer ? this.#known(only) : targets, peer))
      const open = peer === undefined ? undefined : this.#open(peer)
      if (open === undefined) return fresh$
      return open.isUsable ? of(open) : this.#unlessUsable(open, fresh$)
    })
  }

  open(peer: string, protocol: string): Observable<SimulatedStream> {
    return defer(() => {
      const open = this.#open(peer)
      return open === undefined
        ? this.dial(peer).pipe(mergeMap((connection) => connection.open(protocol)))
        : open.open(protocol)
    })
  }

  handle(protocol: string, handler: Handler): () => void {
    this.#handlers.set(protocol, handler)
    this.#protocols = [...this.#handlers.keys()]
    return () => {
      if (this.#handlers.get(protocol) !== handler) return
      this.#handlers.delete(protocol)
      this.#protocols = [...this.#handlers.keys()]
    }
  }

  listen(address: string): readonly string[] {
    const { host, port, peer = this.name } = addressOf(address)
    if (host !== this.name || peer !== this.name) {
      throw new InvalidCommandError(`address: ${address} is not of this node, ${this.name}`, {
        field: 'address',
        address,
      })
    }
    const own = `/sim/${host}/${port === 0 ? this.#freePort() : port}/p2p/${host}`
    if (this.#addresses.includes(own)) return [own]
    this.#addresses = [...this.#addresses, own]
    this.say({ type: 'transport:listening', addresses: [own], announced: this.#addresses })
    this.#sayOwn()
    return [own]
  }

  unlisten(address: string): boolean {
    const own = this.#addresses.find((one) => one === address || one === `${address}/p2p/${this.name}`)
    if (own === undefined) return false
    this.#addresses = this.#addresses.filter((one) => one !== own)
    for (const end of this.#connections) if (end.listener === own) end.close()
    this.say({ type: 'transport:close', announced: this.#addresses })
    this.#sayOwn()
    return true
  }

  // ---- what the network does ---------------------------------------------------------------------------------------

  /** Starts it, listening. */
  start(listen: readonly string[]): void {
    for (const address of listen) this.listen(address)
    this.say({ type: 'start', announced: this.#addresses })
  }

  /** Closes every connection and listener, in libp2p's order. */
  stop(): void {
    if (!this.isRunning) return
    this.isRunning = false
    this.#giveUp()
    for (const end of this.#connections) end.close()
    while (this.#addresses.length > 0) {
      this.#addresses = this.#addresses.slice(1)
      this.say({ type: 'transport:close', announced: this.#addresses })
    }
    this.say({ type: 'stop' })
    this.#heard.complete()
  }

  /** Crashes it, before its pipeline ends: from now on nobody hears of it, nor it of anything. */
  silence(): void {
    this.isRunning = false
    this.#heard.complete()
    for (const end of this.#connections) end.isSilent = true
  }

  /** Its connections are gone, after its pipeline. */
  vanish(): void {
    this.#giveUp()
    for (const end of this.#connections) end.vanish('the node has crashed')
  }

  /** A dial is under way. @returns Says that it is no more */
  dialling(giveUp: () => void): () => void {
    this.#dialling.add(giveUp)
    return () => void this.#dialling.delete(giveUp)
  }

  #giveUp(): void {
    for (const giveUp of this.#dialling) giveUp()
  }

  /** The address under which it listens on a port. */
  listenerAt(port: number): string | undefined {
    const own = `/sim/${this.name}/${port}/p2p/${this.name}`
    return this.#addresses.includes(own) ? own : undefined
  }

  /** Who answers a protocol. */
  handlerOf(protocol: string): Handler | undefined {
    return this.#handlers.get(protocol)
  }

  /** Hands a stream to its handler; one that throws loses the stream, and is told of. */
  serve(stream: SimulatedStream, handler: Handler): void {
    try {
      handler(stream)
    } catch (cause) {
      stream.reset()
      const error = new UnexpectedError(`the handler of ${stream.protocol} threw: ${String(cause)}`, { cause })
      this.say({ type: 'node:unreadable', event: stream.protocol, error })
    }
  }

  /** A connection is open. */
  connected(end: ConnectionEnd): void {
    const { peer, info } = end
    const others = this.#peers.get(peer)
    this.#peers.set(peer, [...(others ?? NONE), end])
    this.#connections = [...this.#connections, end]
    if (info.direction === 'outbound') this.learn(peer, [info.address])
    if (others === undefined) this.say({ type: 'peer:connect', peer })
    this.say({ type: 'connection:open', connection: info })
  }

  /** A connection is gone. */
  disconnected(end: ConnectionEnd): void {
    const { peer, info } = end
    const others = (this.#peers.get(peer) ?? NONE).filter((other) => other !== end)
    if (others.length === 0) this.#peers.delete(peer)
    else this.#peers.set(peer, others)
    this.#connections = this.#connections.filter((other) => other !== end)
    if (others.length === 0 && this.isRunning) this.say({ type: 'peer:disconnect', peer })
    this.say({ type: 'connection:close', connection: info })
  }

  #open(peer: string): ConnectionEnd | undefined {
    return this.#peers.get(peer)?.[0]
  }

  #known(peer: string): readonly string[] {
    const known = this.addressesOf(peer)
    if (known.length > 0) return known
    throw new UnknownPeerError(`${peer}: neither connected nor is an address known; dial it by address first`, { peer })
  }

  /** The open connection carries nothing now: it has a while to do so again. */
  #unlessUsable(open: ConnectionEnd, fresh$: Observable<ConnectionEnd>): Observable<ConnectionEnd> {
    return timer(STILL_USABLE_WITHIN_MS, this.scheduler).pipe(mergeMap(() => (open.isUsable ? of(open) : fresh$)))
  }

  #dialAll(addresses: readonly string[], peer: string | undefined): Observable<ConnectionEnd> {
    const key = addresses.join(' ')
    const shared = this.#dials.get(key)
    if (shared !== undefined) return shared
    const sources = addresses.map((address) => dialAddress(this.#medium, this, address))
    const target = peer ?? addresses.join(', ')
    const dial$ = new Observable<ConnectionEnd>((out) => {
      out.add(() => void this.#dials.delete(key))
      out.add(staggered(sources, { scheduler: this.scheduler }).subscribe(out))
    }).pipe(
      catchError((cause: unknown) => throwError(() => dialError(target, peer, cause))),
      share(),
    )
    this.#dials.set(key, dial$)
    return dial$
  }

  #freePort(): number {
    let port = 1
    while (this.listenerAt(port) !== undefined) port++
    return port
  }

  #sayOwn(): void {
    this.say({ type: 'self:peer:update', peer: this.name, announced: this.#addresses, protocols: this.#protocols })
  }
}

/** One of ours as it is; several attempts that all failed as one. */
function dialError(target: string, peer: string | undefined, cause: unknown): unknown {
  if (cause instanceof SwarmError) return cause
  const message = `dial ${target}: ${cause instanceof Error ? cause.message : String(cause)}`
  return new DialError(message, { cause, ...(peer === undefined ? {} : { peer }) })
}
