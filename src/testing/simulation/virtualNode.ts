import { defer, mergeMap, type Observable, type SchedulerLike } from 'rxjs'
import { InvalidCommandError, UnexpectedError } from '../../errors/errors.ts'
import { Relay } from '../../operators/relay.ts'
import type { NodeEvent } from '../../swarm/vocabulary/event.ts'
import { addressOf } from './address.ts'
import type { ConnectionEnd } from './connectionEnd.ts'
import { Dialler } from './dialler.ts'
import type { Medium } from './medium.ts'
import type { SimulatedConnection, SimulatedNode, SimulatedStream } from './simulatedNode.ts'

type Handler = (stream: SimulatedStream) => void

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
  readonly #dialler: Dialler
  readonly #heard = new Relay<NodeEvent>()
  readonly #handlers = new Map<string, Handler>()
  readonly #peers = new Map<string, readonly ConnectionEnd[]>()
  readonly #book = new Map<string, readonly string[]>()
  readonly #dialling = new Set<() => void>()
  readonly #announced = new Set<string>()
  #admit: ((from: string, to: string) => string | undefined) | undefined
  #connections: readonly ConnectionEnd[] = []
  #hasStarted = false
  #addresses: readonly string[] = []
  #protocols: readonly string[] = []

  constructor(medium: Medium, name: string, scheduler: SchedulerLike, random: () => number) {
    this.#dialler = new Dialler(medium, this)
    this.name = name
    this.scheduler = scheduler
    this.random = random
  }

  get event$(): Observable<NodeEvent> {
    return this.#heard
  }

  get addresses(): readonly string[] {
    return this.#announced.size === 0 ? this.#addresses : [...this.#addresses, ...this.#announced]
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
    return this.#dialler.dial(to)
  }

  open(peer: string, protocol: string): Observable<SimulatedStream> {
    return defer(() => {
      const open = this.openTo(peer)
      return open === undefined
        ? this.dial(peer).pipe(mergeMap((connection) => connection.open(protocol)))
        : open.open(protocol)
    })
  }

  handle(protocol: string, handler: Handler): () => void {
    this.#handlers.set(protocol, handler)
    this.#answerTo()
    return () => {
      if (this.#handlers.get(protocol) !== handler) return
      this.#handlers.delete(protocol)
      this.#answerTo()
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
    this.say({ type: 'transport:listening', addresses: [own], announced: this.addresses })
    this.#sayOwn()
    return [own]
  }

  unlisten(address: string): boolean {
    const own = this.#addresses.find((one) => one === address || one === `${address}/p2p/${this.name}`)
    if (own === undefined) return false
    this.#addresses = this.#addresses.filter((one) => one !== own)
    for (const end of this.#connections) if (end.listener === own) end.close()
    this.say({ type: 'transport:close', announced: this.addresses })
    this.#sayOwn()
    return true
  }

  announce(addresses: readonly string[]): () => void {
    const fresh = addresses.filter((address) => !this.#announced.has(address))
    for (const address of fresh) this.#announced.add(address)
    if (fresh.length > 0) this.#sayOwn()
    return () => {
      const gone = fresh.filter((address) => this.#announced.delete(address))
      if (gone.length > 0 && this.isRunning) this.#sayOwn()
    }
  }

  relay(admit: (from: string, to: string) => string | undefined): () => void {
    this.#admit = admit
    return () => {
      if (this.#admit === admit) this.#admit = undefined
    }
  }

  // ---- what the network does ---------------------------------------------------------------------------------------

  /** Starts it, listening. */
  start(listen: readonly string[]): void {
    for (const address of listen) this.listen(address)
    this.#hasStarted = true
    this.say({ type: 'start', announced: this.addresses })
  }

  /** Closes every connection and listener, in libp2p's order. */
  stop(): void {
    if (!this.isRunning) return
    this.isRunning = false
    this.#giveUp()
    for (const end of this.#connections) end.close()
    while (this.#addresses.length > 0) {
      this.#addresses = this.#addresses.slice(1)
      this.say({ type: 'transport:close', announced: this.addresses })
    }
    this.say({ type: 'stop' })
    this.#heard.complete()
  }

  /** Crashes it, before its pipeline ends: from now on nobody hears of it, nor it of anything. */
  silence(): void {
    this.isRunning = false
    for (const end of this.#connections) end.isSilent = true // before the ports hear of it, and would say goodbye
    this.#heard.complete()
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

  /** Why it does not carry a circuit, if it does not. */
  refusalOf(from: string, to: string): string | undefined {
    return this.#admit === undefined ? `${this.name} is no relay` : this.#admit(from, to)
  }

  /** The oldest open connection to a peer, of the direct ones if there is one. */
  openTo(peer: string): ConnectionEnd | undefined {
    const open = this.#peers.get(peer)
    return open?.find(({ info }) => info.direct) ?? open?.[0]
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

  #freePort(): number {
    let port = 1
    while (this.listenerAt(port) !== undefined) port++
    return port
  }

  #answerTo(): void {
    this.#protocols = [...this.#handlers.keys()]
    if (this.#hasStarted && this.isRunning) this.#sayOwn()
  }

  #sayOwn(): void {
    this.say({ type: 'self:peer:update', peer: this.name, announced: this.addresses, protocols: this.#protocols })
  }
}
