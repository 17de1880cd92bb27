import { Observable } from 'rxjs'
import { StreamError, UnsupportedProtocolError } from '../../errors/errors.ts'
import type { ConnectionInfo } from '../../swarm/vocabulary/event.ts'
import { ControlFrame, type Frame } from './frames.ts'
import type { Lane, Packet } from './link.ts'
import type { Medium } from './medium.ts'
import type { SimulatedConnection, SimulatedStream } from './simulatedNode.ts'
import { StreamEnd } from './streamEnd.ts'
import type { Due } from './timeQueue.ts'
import type { VirtualNode } from './virtualNode.ts'

/** How often an end shows that it is alive. @unit milliseconds */
const KEEP_ALIVE_MS = 2_000

/** How frames get to the other end: a link, or what there is of links and relays. */
export interface Path {
  /** Whether nothing passes now. */
  readonly isBlocked: boolean
  /** A latency. @unit milliseconds */
  sampleMs(): number
  /** Sends a packet. */
  carry(packet: Packet): void
}

/**
 * One end of a connection.
 *
 * @shape  Keep-alives are computed, not sent: only when nothing comes from the other end any more is there a timer, for
 *         `idleTimeoutMs` after the last one that must have arrived.
 * @errors Those of {@link SimulatedConnection}.
 */
export class ConnectionEnd implements SimulatedConnection, Due {
  /** Where its timer stands; see {@link Due}. */
  order = -1
  readonly info: ConnectionInfo
  /** What is sent in one order on TCP. */
  readonly lane: Lane = { lastAt: 0 }
  /** Whose end it is. */
  readonly node: VirtualNode
  /** The other end. */
  other!: ConnectionEnd
  /** Whether its process has crashed: nothing leaves it any more, and nothing is sent again. */
  isSilent = false
  /** The local address that was dialled; nothing at the dialler's end. */
  readonly listener: string | undefined
  readonly #medium: Medium
  readonly #link: Path
  readonly #openedAt: number
  readonly #streams = new Map<string, StreamEnd>()
  #status: 'opening' | 'open' | 'closed' = 'opening'
  readonly #over = new Set<() => void>()
  #early: Frame[] = []
  #heardAt: number
  #deafSince: number | undefined
  #opened = 0

  constructor(medium: Medium, node: VirtualNode, info: ConnectionInfo, listener?: string, path?: Path) {
    this.#medium = medium
    this.node = node
    this.info = info
    this.listener = listener
    this.#link = path ?? medium.link(node.name, info.peer)
    this.#openedAt = this.#heardAt = medium.time.now()
  }

  get peer(): string {
    return this.info.peer
  }

  get isOpen(): boolean {
    return this.#status === 'open'
  }

  get streams(): readonly SimulatedStream[] {
    return [...this.#streams.values()].filter(({ isOpening }) => !isOpening)
  }

  /** Whether something can pass in both directions now. */
  get isUsable(): boolean {
    return this.isOpen && this.other.isOpen && !this.#link.isBlocked && !this.other.#link.isBlocked
  }

  open(protocol: string): Observable<SimulatedStream> {
    return new Observable((out) => {
      if (!this.isOpen) return out.error(this.#notOpen(protocol))
      const id = `${this.info.direction === 'outbound' ? 'o' : 'i'}${++this.#opened}`
      const stream = new StreamEnd(this, id, protocol, 'outbound', out)
      this.#streams.set(id, stream)
      this.control(this.laneOf(stream), () => this.other.#answer(stream))
      return () => void (stream.isOpening && stream.reset())
    })
  }

  close(): void {
    if (this.#status === 'closed') return
    this.#end('the connection was closed by this end')
    this.#tellClosed()
  }

  // ---- what the node and the network do ----------------------------------------------------------------------------

  /** It carries streams from now on. */
  start(): void {
    this.#status = 'open'
    this.node.connected(this)
    const early = this.#early
    this.#early = []
    for (const frame of early) this.receive(frame)
    this.review()
  }

  /** It is gone, and does not say so. */
  vanish(why: string): void {
    if (this.#status === 'closed') return
    this.#end(why)
    this.other.review()
  }

  /** Calls back when it is over. @returns Forgets that */
  whenOver(act: () => void): () => void {
    this.#over.add(act)
    return () => void this.#over.delete(act)
  }

  /** The lane of a stream. */
  laneOf(stream: StreamEnd): Lane {
    return this.#medium.transport === 'tcp' ? this.lane : stream
  }

  /** Sends a frame. */
  carry(frame: Frame): void {
    if (!this.isSilent) this.#link.carry(frame)
  }

  /** Has something done at the other end. */
  control(lane: Lane, act: () => void): void {
    this.carry(new ControlFrame(this.other, lane, act))
  }

  /** A stream is over. */
  forget({ id }: StreamEnd): void {
    this.#streams.delete(id)
  }

  /** A frame has arrived. */
  receive(frame: Frame): void {
    if (this.#status === 'open') {
      if (this.isSilent) return
      this.#heardAt = this.#medium.time.now()
      frame.deliver()
    } else if (this.#status === 'opening') {
      this.#early.push(frame)
    }
  }

  /** Whether anything comes from the other end has changed: starts, moves or ends the timer. */
  review(): void {
    const { time, idleTimeoutMs } = this.#medium
    time.cancel(this)
    if (this.#status !== 'open') return
    if (this.other.#status !== 'closed' && !this.other.#link.isBlocked) return void (this.#deafSince = undefined)
    this.#deafSince ??= Math.max(this.#heardAt, this.#keptAliveAt() + this.other.#link.sampleMs())
    time.add(Math.min(this.#deafSince + idleTimeoutMs, this.#refusedAt()), this)
  }

  /** The timer: nothing has come for too long. */
  run(): void {
    const { time, idleTimeoutMs } = this.#medium
    const idleAt = this.#heardAt + idleTimeoutMs
    if (idleAt > time.now() && idleAt > (this.#deafSince ?? 0) + idleTimeoutMs) time.add(idleAt, this)
    else this.vanish('nothing has come over the connection for too long')
  }

  /** When the last keep-alive left the other end. */
  #keptAliveAt(): number {
    const sinceMs = this.#medium.time.now() - this.#openedAt
    return this.#openedAt + Math.floor(sinceMs / KEEP_ALIVE_MS) * KEEP_ALIVE_MS
  }

  /** When our next keep-alive has been refused by a process that knows nothing of this connection, if there is one. */
  #refusedAt(): number {
    const machine = this.#medium.machine(this.peer)
    const isKnown = this.other.#status !== 'closed'
    if (isKnown || machine === undefined || machine.isSilent || this.#link.isBlocked || this.other.#link.isBlocked) {
      return Infinity
    }
    return this.#keptAliveAt() + KEEP_ALIVE_MS + this.#link.sampleMs() + this.other.#link.sampleMs()
  }

  #end(why: string): void {
    const wasOpen = this.#status === 'open'
    this.#status = 'closed'
    this.#early = []
    this.#medium.time.cancel(this)
    for (const stream of [...this.#streams.values()]) stream.lost(why)
    if (wasOpen) this.node.disconnected(this)
    for (const act of [...this.#over]) act()
    this.#over.clear()
  }

  /** Tells the other end, which may be there no more. */
  #tellClosed(): void {
    this.control(this.lane, () => this.other.#remoteClosed())
    if (this.#link.isBlocked) this.other.review()
  }

  /** For a dial that nobody waits for any more. */
  refuse(): void {
    if (this.#status === 'opening') this.#status = 'closed'
    if (this.node.isRunning) this.#tellClosed()
  }

  #remoteClosed(): void {
    if (this.#status !== 'closed') this.#end('the connection was closed by the remote')
  }

  /** The remote wants a stream. */
  #answer(asked: StreamEnd): void {
    const { protocol, id } = asked
    const handler = this.node.handlerOf(protocol)
    if (handler === undefined) {
      const error = new UnsupportedProtocolError(`${this.node.name} does not speak ${protocol}`, {
        peer: this.node.name,
        protocol,
      })
      return this.control(this.#medium.transport === 'tcp' ? this.lane : { lastAt: 0 }, () => asked.refused(error))
    }
    const stream = new StreamEnd(this, id, protocol, 'inbound')
    stream.other = asked
    asked.other = stream
    this.#streams.set(id, stream)
    this.control(this.laneOf(stream), () => asked.accepted())
    this.node.serve(stream, handler)
  }

  #notOpen(protocol: string): StreamError {
    const { peer } = this
    return new StreamError(`stream ${protocol} with ${peer}: the connection is closed`, { peer, protocol })
  }
}
