import { Observable, Subscription } from 'rxjs'
import { AuthenticationError, DialError, InvalidCommandError, StoppedError } from '../../errors/errors.ts'
import type { ConnectionInfo } from '../../swarm/vocabulary/event.ts'
import { addressOf, type Address } from './address.ts'
import { ConnectionEnd } from './connectionEnd.ts'
import type { Lane, Packet } from './link.ts'
import type { Medium } from './medium.ts'
import type { VirtualNode } from './virtualNode.ts'

/** Round trips until a connection can be used. @source QUIC: RFC 9001; TCP: the handshake, then Noise or TLS */
const ROUND_TRIPS = { quic: 1, tcp: 2 }

/** A first packet that nobody answers is sent again, and twice as late each time. @unit milliseconds @source RFC 6298, 9002 */
const AGAIN_MS = 1_000

/** Ports from which dials come. */
const FIRST_EPHEMERAL = 49_152
const EPHEMERAL = 16_384

/** A part of a handshake. */
class Call implements Packet {
  order = -1
  sentAt = 0
  readonly bytes = 0
  readonly canReorder = false
  readonly lane: Lane
  readonly #node: VirtualNode
  readonly #act: () => void

  constructor(node: VirtualNode, lane: Lane, act: () => void) {
    this.lane = lane
    this.#node = node
    this.#act = act
  }

  isOrphan(): boolean {
    return !this.#node.isRunning
  }

  run(): void {
    this.#act()
  }
}

/**
 * Dials one address.
 *
 * @shape  Cold; one value. Unsubscribing aborts.
 * @errors `InvalidCommandError` for text that is no address, or is the node's own; `DialError` when nobody listens there,
 *         or answers in time; `AuthenticationError` when it is somebody else.
 */
export function dialAddress(medium: Medium, node: VirtualNode, text: string): Observable<ConnectionEnd> {
  return new Observable((out) => {
    const address = addressOf(text, 'to')
    const { host, peer } = address
    if (host === node.name) {
      throw new InvalidCommandError(`to: ${text} is this node itself`, { field: 'to', address: text })
    }
    if (!node.isRunning) throw new StoppedError(`dial ${text}: ${node.name} is down`, { address: text })
    const fail = (why: string) => {
      attempt.giveUp()
      out.error(new DialError(`dial ${text}: ${why}`, { address: text, ...(peer === undefined ? {} : { peer }) }))
    }
    const attempt = new Handshake(medium, node, address, {
      refused: () => fail(`${host} does not listen there`),
      opened: (end) => {
        if (peer !== undefined && peer !== end.peer) {
          end.refuse()
          const message = `dial ${text}: expected peer ${peer} but found ${end.peer}`
          out.error(new AuthenticationError(message, { address: text, peer }))
        } else {
          end.start()
          out.next(end)
          out.complete()
        }
      },
    })
    const { dialTimeoutMs } = medium
    out.add(node.scheduler.schedule(() => fail(`no answer within ${dialTimeoutMs} ms`), dialTimeoutMs))
    out.add(node.dialling(() => attempt.giveUp()))
    out.add(() => attempt.giveUp())
    attempt.start()
  })
}

/** Hears how a handshake went. */
interface Told {
  readonly refused: () => void
  readonly opened: (end: ConnectionEnd) => void
}

/** The round trips of one dial. */
class Handshake {
  readonly #medium: Medium
  readonly #node: VirtualNode
  readonly #address: Address
  readonly #told: Told
  readonly #lane: Lane = { lastAt: 0 }
  #end: ConnectionEnd | undefined
  #again = Subscription.EMPTY
  /** The last trip that the remote has heard of. */
  #heard = 0
  #isOver = false

  constructor(medium: Medium, node: VirtualNode, address: Address, told: Told) {
    this.#medium = medium
    this.#node = node
    this.#address = address
    this.#told = told
  }

  start(): void {
    if (this.#medium.machine(this.#address.host) !== undefined) this.#ask(1)
  }

  giveUp(): void {
    this.#again.unsubscribe()
    if (this.#isOver) return
    this.#isOver = true
    this.#end?.vanish('the dial was given up')
  }

  #ask(trip: number, againMs = AGAIN_MS): void {
    const { host } = this.#address
    this.#again = this.#node.scheduler.schedule(() => this.#ask(trip, 2 * againMs), againMs)
    this.#medium.link(this.#node.name, host).carry(new Call(this.#node, this.#lane, () => this.#arrive(trip)))
  }

  #arrive(trip: number): void {
    const { host, port } = this.#address
    const machine = this.#medium.machine(host)
    if (machine === undefined || machine.isSilent || machine.isBehindNat || trip <= this.#heard) return
    this.#heard = trip
    this.#again.unsubscribe()
    const remote = machine.node
    const listener = remote?.listenerAt(port)
    if (remote === undefined || listener === undefined)
      return this.#answer(this.#node, this.#lane, () => this.#refused())
    if (trip < ROUND_TRIPS[this.#medium.transport]) {
      return this.#answer(remote, this.#lane, () => void (this.#isOver || this.#ask(trip + 1)))
    }
    const end = this.#connect(remote, listener)
    this.#answer(remote, end.lane, () => this.#opened(end.other))
    end.start()
    if (this.#isOver) end.other.vanish('the dial was given up')
  }

  #answer(from: VirtualNode, lane: Lane, act: () => void): void {
    this.#medium.link(this.#address.host, this.#node.name).carry(new Call(from, lane, act))
  }

  #refused(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#told.refused()
  }

  #opened(end: ConnectionEnd): void {
    if (this.#isOver) return end.refuse()
    this.#isOver = true
    this.#told.opened(end)
  }

  /** Both ends; the dialler's is not open yet. @returns the remote's */
  #connect(remote: VirtualNode, listener: string): ConnectionEnd {
    const { host, port } = this.#address
    const id = this.#medium.nextConnection()
    const from = FIRST_EPHEMERAL + (Number(id.slice(1)) % EPHEMERAL)
    const [dialler, transport] = [this.#node.name, this.#medium.transport]
    const info = (node: VirtualNode, peer: string, direction: ConnectionInfo['direction'], address: string) => {
      const since = node.scheduler.now()
      return { id, peer, address, direction, since, transport, direct: true, limited: false }
    }
    const theirs = new ConnectionEnd(
      this.#medium,
      remote,
      info(remote, dialler, 'inbound', `/sim/${dialler}/${from}/p2p/${dialler}`),
      listener,
    )
    const address = `/sim/${host}/${port}/p2p/${host}`
    const mine = new ConnectionEnd(this.#medium, this.#node, info(this.#node, host, 'outbound', address))
    mine.other = theirs
    theirs.other = mine
    this.#end = mine
    return theirs
  }
}
