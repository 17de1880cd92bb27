import { Observable } from 'rxjs'
import { DialError, RelayError } from '../../errors/errors.ts'
import { ConnectionEnd, type Path } from './connectionEnd.ts'
import type { Lane, Link, Packet } from './link.ts'
import type { Medium } from './medium.ts'
import type { VirtualNode } from './virtualNode.ts'

/** A packet on its way to the relay, with what it carries. */
class Hop implements Packet {
  order = -1
  sentAt = 0
  readonly bytes: number
  readonly canReorder = false
  readonly lane: Lane
  readonly #packet: Packet
  readonly #onward: (packet: Packet) => void

  constructor(packet: Packet, lane: Lane, onward: (packet: Packet) => void) {
    this.#packet = packet
    this.lane = lane
    this.bytes = packet.bytes
    this.#onward = onward
  }

  isOrphan(): boolean {
    return this.#packet.isOrphan()
  }

  run(): void {
    this.#onward(this.#packet)
  }
}

/** One direction through a relay: everything in one order, because a relay sees one stream. */
class RelayedPath implements Path {
  readonly #first: Link
  readonly #second: Link
  readonly #lane: Lane = { lastAt: 0 }
  readonly #isCarried: () => boolean

  constructor(first: Link, second: Link, isCarried: () => boolean) {
    this.#first = first
    this.#second = second
    this.#isCarried = isCarried
  }

  get isBlocked(): boolean {
    return this.#first.isBlocked || this.#second.isBlocked
  }

  sampleMs(): number {
    return this.#first.sampleMs() + this.#second.sampleMs()
  }

  carry(packet: Packet): void {
    const onward = (one: Packet) => void (this.#isCarried() && this.#second.carry(one))
    this.#first.carry(new Hop(packet, this.#lane, onward))
  }
}

/**
 * Dials a peer through a relay: `/sim/<relay>/1/p2p/<relay>/p2p-circuit/p2p/<peer>`.
 *
 * @param leg  The connection to the relay.
 * @param peer Who is beyond it.
 * @shape  Cold; one value. The circuit lasts as long as both connections to the relay.
 * @errors `DialError`, with a `RelayError` as its cause when the relay refuses.
 * @source circuit relay v2, without its limits of bytes and time.
 */
export function dialCircuit(
  medium: Medium,
  leg: ConnectionEnd,
  peer: string,
  address: string,
): Observable<ConnectionEnd> {
  return new Observable((out) => {
    const { node, peer: relay } = leg
    let opened: ConnectionEnd | undefined
    const fail = (why: string, cause?: RelayError) => {
      out.error(new DialError(`dial ${address}: ${why}`, { peer, address, cause }))
    }
    const refused = (why: string) => fail(why, new RelayError(`${relay}: ${why}`, { peer: relay, address }))
    const answer = (at: ConnectionEnd, act: () => void) => at.control(at.lane, () => void (out.closed || act()))
    out.add(leg.whenOver(() => fail(`the connection to ${relay} broke`)))
    out.add(node.scheduler.schedule(() => fail(`no answer within ${medium.dialTimeoutMs} ms`), medium.dialTimeoutMs))
    out.add(() => void (opened?.isOpen === false && opened.refuse()))
    leg.control(leg.lane, () => {
      const at = leg.other
      const onward = at.node.openTo(peer)
      const reason = onward === undefined ? `${peer} is not connected to ${relay}` : at.node.refusalOf(node.name, peer)
      if (onward === undefined || reason !== undefined) return answer(at, () => refused(reason ?? ''))
      onward.control(onward.lane, () => {
        const [mine, theirs] = connect(medium, leg, onward)
        opened = mine
        theirs.start()
        onward.other.control(onward.other.lane, () =>
          at.control(at.lane, () => {
            if (out.closed) return mine.refuse()
            mine.start()
            out.next(mine)
            out.complete()
          }),
        )
      })
    })
  })
}

/** Both ends of a circuit over two connections to a relay; it is over when one of those is. */
function connect(medium: Medium, leg: ConnectionEnd, onward: ConnectionEnd): readonly [ConnectionEnd, ConnectionEnd] {
  const relay = leg.other.node
  const isCarried = () => relay.isRunning && leg.other.isOpen && onward.isOpen
  const [from, to] = [leg.node, onward.other.node]
  const id = medium.nextConnection()
  const at = leg.info.address
  const end = (node: VirtualNode, other: VirtualNode, direction: 'inbound' | 'outbound') => {
    const path = new RelayedPath(medium.link(node.name, relay.name), medium.link(relay.name, other.name), isCarried)
    const address = `${at}/p2p-circuit/p2p/${other.name}`
    const since = node.scheduler.now()
    const info = {
      id,
      peer: other.name,
      address,
      direction,
      since,
      transport: 'relay',
      direct: false,
      limited: false,
    } as const
    return new ConnectionEnd(medium, node, info, undefined, path)
  }
  const mine = end(from, to, 'outbound')
  const theirs = end(to, from, 'inbound')
  mine.other = theirs
  theirs.other = mine
  hang(mine, leg, onward)
  hang(theirs, onward.other, leg.other)
  return [mine, theirs]
}

/** An end is lost with its own connection to the relay, and hears from the relay that the other one's is. */
function hang(end: ConnectionEnd, own: ConnectionEnd, far: ConnectionEnd): void {
  const lost = () => end.vanish('the connection to the relay broke')
  const atRelay = own.other
  const letGo = [own.whenOver(lost), far.whenOver(() => atRelay.control(atRelay.lane, lost))]
  end.whenOver(() => {
    for (const one of letGo) one()
  })
}
