import { asyncScheduler, Observable, Subject } from 'rxjs'
import { DialError, StreamError, UnknownPeerError, UnsupportedProtocolError } from '../../../src/errors/errors.ts'
import type { NodeEvent } from '../../../src/swarm/vocabulary/event.ts'
import type {
  SimulatedConnection,
  SimulatedNode,
  SimulatedStream,
} from '../../../src/testing/simulation/simulatedNode.ts'

/** Bytes that may be on their way before `send` says false. */
const WINDOW_BYTES = 256 * 1024

/** Nodes that reach each other after a constant latency; inside `marbles`, in virtual time. */
export class FakeNet {
  readonly nodes = new Map<string, FakeNode>()
  readonly latencyMs: number
  #ids = 0
  constructor(latencyMs = 1) {
    this.latencyMs = latencyMs
  }
  add(name: string): FakeNode {
    const node = new FakeNode(this, name)
    this.nodes.set(name, node)
    return node
  }
  later(work: () => void): void {
    asyncScheduler.schedule(work, this.latencyMs)
  }
  id(): string {
    return `c${++this.#ids}`
  }
}

export class FakeNode implements SimulatedNode {
  readonly scheduler = asyncScheduler
  readonly event$ = new Subject<NodeEvent>()
  readonly addresses: string[]
  readonly handlers = new Map<string, (stream: SimulatedStream) => void>()
  connections: FakeConnection[] = []
  /** Says and hears nothing any more. */
  isDown = false
  readonly net: FakeNet
  readonly name: string
  readonly #known = new Map<string, readonly string[]>()
  #chance = 1
  constructor(net: FakeNet, name: string) {
    this.net = net
    this.name = name
    this.addresses = [`/sim/${name}/1/p2p/${name}`]
  }
  readonly random = () => (this.#chance = (this.#chance * 16_807) % 2_147_483_647) / 2_147_483_647
  get protocols(): readonly string[] {
    return [...this.handlers.keys()]
  }
  say(event: NodeEvent): void {
    this.event$.next(event)
  }
  addressesOf(peer: string): readonly string[] {
    return this.#known.get(peer) ?? []
  }
  learn(peer: string, addresses: readonly string[]): void {
    this.#known.set(peer, [...new Set([...this.addressesOf(peer), ...addresses])])
  }
  handle(protocol: string, handler: (stream: SimulatedStream) => void): () => void {
    this.handlers.set(protocol, handler)
    return () => void this.handlers.delete(protocol)
  }
  listen(address: string): readonly string[] {
    this.addresses.push(`${address}/p2p/${this.name}`)
    return [`${address}/p2p/${this.name}`]
  }
  unlisten(address: string): boolean {
    const at = this.addresses.indexOf(address)
    if (at >= 0) this.addresses.splice(at, 1)
    return at >= 0
  }
  announce(addresses: readonly string[]): () => void {
    this.addresses.push(...addresses)
    return () => void this.addresses.splice(0, Infinity, ...this.addresses.filter((own) => !addresses.includes(own)))
  }
  relay(): () => void {
    return () => undefined
  }
  dial(to: string | readonly string[]): Observable<SimulatedConnection> {
    return new Observable((out) => {
      const addresses = typeof to === 'string' ? this.addressesOf(to) : to
      const name = typeof to === 'string' ? to : (to[0] ?? '').split('/')[2]
      const open = this.connections.find(({ peer, isOpen }) => peer === name && isOpen)
      if (open !== undefined) {
        out.next(open)
        return out.complete()
      }
      const remote = this.net.nodes.get(name ?? '')
      if (addresses.length === 0) return out.error(new UnknownPeerError(`${name}: no address`, { peer: String(name) }))
      if (remote === undefined || remote.isDown) return out.error(new DialError(`${name}: nobody is there`))
      this.net.later(() => {
        if (out.closed) return
        out.next(connect(this.net, this, remote))
        out.complete()
      })
    })
  }
  open(peer: string, protocol: string): Observable<SimulatedStream> {
    return new Observable((out) => {
      out.add(
        this.dial(peer).subscribe({
          next: (connection) => out.add(connection.open(protocol).subscribe(out)),
          error: (error: unknown) => out.error(error),
        }),
      )
    })
  }
  /** Stops: connections close, and then it says so. */
  stop(): void {
    for (const connection of [...this.connections]) connection.close()
    this.say({ type: 'stop' })
    this.isDown = true
  }
}

function connect(net: FakeNet, from: FakeNode, to: FakeNode): FakeConnection {
  const id = net.id()
  const here = new FakeConnection(net, from, to, id, 'outbound')
  const there = new FakeConnection(net, to, from, id, 'inbound')
  here.other = there
  there.other = here
  for (const connection of [here, there]) {
    connection.node.connections.push(connection)
    const isFirst = connection.node.connections.filter(({ peer }) => peer === connection.peer).length === 1
    if (isFirst) connection.node.say({ type: 'peer:connect', peer: connection.peer })
    connection.node.say({ type: 'connection:open', connection: connection.info })
  }
  return here
}

export class FakeConnection implements SimulatedConnection {
  readonly info
  readonly peer: string
  isOpen = true
  streams: FakeStream[] = []
  other!: FakeConnection
  readonly net: FakeNet
  readonly node: FakeNode
  #ids = 0
  constructor(net: FakeNet, node: FakeNode, remote: FakeNode, id: string, direction: 'inbound' | 'outbound') {
    this.net = net
    this.node = node
    this.peer = remote.name
    const address = remote.addresses[0] ?? ''
    const peer = remote.name
    this.info = { id, peer, address, direction, since: 0, transport: 'quic', direct: true, limited: false } as const
  }
  open(protocol: string): Observable<SimulatedStream> {
    return new Observable((out) => {
      const context = { peer: this.peer, protocol }
      this.net.later(() => {
        if (!this.isOpen || !this.other.isOpen) return out.error(new StreamError(`${this.peer}: is gone`, context))
        if (this.other.node.isDown) return
        const handler = this.other.node.handlers.get(protocol)
        const id = `${this.info.direction}${++this.#ids}`
        if (handler === undefined)
          return out.error(new UnsupportedProtocolError(`${this.peer}: no ${protocol}`, context))
        if (out.closed) return
        const here = new FakeStream(this, id, protocol, 'outbound')
        const there = new FakeStream(this.other, id, protocol, 'inbound')
        here.other = there
        there.other = here
        this.streams.push(here)
        this.other.streams.push(there)
        handler(there)
        out.next(here)
        out.complete()
      })
    })
  }
  close(): void {
    this.closeHere()
    this.net.later(() => this.other.closeHere())
  }
  closeHere(): void {
    if (!this.isOpen) return
    this.isOpen = false
    for (const stream of [...this.streams]) stream.breakHere()
    const { node, peer } = this
    node.connections = node.connections.filter((other) => other !== this)
    if (node.isDown) return
    node.say({ type: 'connection:close', connection: this.info })
    if (!node.connections.some((other) => other.peer === peer)) node.say({ type: 'peer:disconnect', peer })
  }
}

export class FakeStream implements SimulatedStream {
  readonly peer: string
  readonly drain$ = new Subject<void>()
  status: 'open' | 'closed' | 'reset' = 'open'
  other!: FakeStream
  readonly connection: FakeConnection
  readonly id: string
  readonly protocol: string
  readonly direction: 'inbound' | 'outbound'
  readonly #in$ = new Subject<Uint8Array>()
  #waiting: (() => void)[] = []
  #isRead = false
  #unreadBytes = 0
  constructor(connection: FakeConnection, id: string, protocol: string, direction: 'inbound' | 'outbound') {
    this.connection = connection
    this.peer = connection.peer
    this.id = id
    this.protocol = protocol
    this.direction = direction
  }
  readonly chunk$ = new Observable<Uint8Array>((out) => {
    out.add(this.#in$.subscribe(out))
    this.#isRead = true
    for (const act of this.#waiting.splice(0)) act()
  })
  #arrive(act: () => void): void {
    if (this.connection.node.isDown) return
    if (this.#isRead) act()
    else this.#waiting.push(act)
  }
  send(bytes: Uint8Array): boolean {
    if (this.status !== 'open') return false
    this.#unreadBytes += bytes.length
    const read = () => {
      this.other.#in$.next(bytes)
      const wasFull = this.#unreadBytes > WINDOW_BYTES
      this.#unreadBytes -= bytes.length
      if (wasFull && this.#unreadBytes <= WINDOW_BYTES) this.drain$.next()
    }
    this.connection.net.later(() => this.other.#arrive(read))
    return this.#unreadBytes <= WINDOW_BYTES
  }
  end(): void {
    this.connection.net.later(() => this.other.#arrive(() => this.other.#in$.complete()))
  }
  reset(): void {
    if (this.status === 'reset') return
    this.breakHere()
    this.connection.net.later(() => void (this.other.connection.node.isDown || this.other.breakHere()))
  }
  breakHere(): void {
    if (this.status === 'reset') return
    this.status = 'reset'
    this.connection.streams = this.connection.streams.filter((other) => other !== this)
    this.#in$.error(new StreamError(`${this.peer}: the stream was reset`, { peer: this.peer, protocol: this.protocol }))
    this.drain$.complete()
  }
}
