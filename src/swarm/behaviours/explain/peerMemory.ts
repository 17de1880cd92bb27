import type { ConnectionInfo } from '../../vocabulary/event.ts'
import type { ExplainedFact } from './explainVocabulary.ts'
import { safeText } from './safeText.ts'
import type { Target, Targets } from './targets.ts'

/** What is remembered. */
export interface MemoryBounds {
  /** Peers that this node, or the app, has wanted something of; and as many others. */
  readonly peers: number
  /** Kinds of things that happened, for each peer. */
  readonly factsPerPeer: number
  /** How long. @unit milliseconds */
  readonly forgetAfterMs: number
}

/** An address of a peer. */
export interface KnownAddress {
  /** When a dial of it failed last. @unit milliseconds of the swarm's scheduler */
  readonly failedAt?: number
}

/** All that is remembered of a peer. */
export interface PeerRecord {
  readonly facts: Map<string, ExplainedFact>
  readonly addresses: Map<string, KnownAddress>
  readonly connections: Map<string, ConnectionInfo>
  /** Protocols that it says it speaks: how many. */
  protocols: number
}

/** What is to be remembered: one of a kind and a detail, which is then counted. */
export type Note = Omit<ExplainedFact, 'at' | 'since' | 'times'> & {
  /** Tells notes of one kind apart. */
  readonly detail?: string
}

/** Addresses of a peer: it can announce as many as it likes. */
const MOST_ADDRESSES = 16

/** An address that is longer is none that can be dialled. @unit characters */
const LONGEST_ADDRESS = 512

/** Connections that closed are known by their id for a while: what says why comes after. */
const MOST_CLOSED = 256

/** Notes about this node itself. */
const MOST_OWN = 32

/** Relays that hold a place for this node. */
const MOST_RELAYS = 32

const newRecord = (): PeerRecord => ({ facts: new Map(), addresses: new Map(), connections: new Map(), protocols: 0 })

/**
 * What is remembered to explain: of peers, the latest of each kind of thing.
 *
 * @shape  Two tables, each of `peers` entries: peers that something here has wanted, and strangers; so however many strangers
 *         come, those that somebody may ask about are remembered. The one that was longest silent gives way. A peer that is
 *         connected never does: while more are than a table holds, it is as long as they are many.
 */
export class PeerMemory {
  readonly #bounds: MemoryBounds
  readonly #sought = new Map<string, PeerRecord>()
  readonly #strangers = new Map<string, PeerRecord>()
  readonly #open = new Map<string, string>()
  readonly #closed = new Map<string, string>()
  readonly #targets: Targets
  readonly #own = new Map<string, ExplainedFact>()
  /** Addresses through relays that hold a place for this node, by relay. */
  readonly relays = new Map<string, readonly string[]>()
  /** Peers, IPs and subnets that are blocked. */
  blocked: readonly string[] = []
  /** When the access policy changed last. @unit milliseconds of the swarm's scheduler */
  rulesChangedAt = -Infinity

  constructor(bounds: MemoryBounds, targets: Targets) {
    this.#bounds = bounds
    this.#targets = targets
  }

  /** What is remembered of a peer. */
  of(peer: string): PeerRecord | undefined {
    return this.#sought.get(peer) ?? this.#strangers.get(peer)
  }

  /** Peers that something here has wanted, the latest last. */
  get sought(): ReadonlyMap<string, PeerRecord> {
    return this.#sought
  }

  /** What happened to this node, and is not too old. */
  own(nowMs: number): readonly ExplainedFact[] {
    return this.#recent(this.#own, nowMs)
  }

  /** What happened between it and a peer, and is not too old. */
  factsOf(record: PeerRecord, nowMs: number): readonly ExplainedFact[] {
    return this.#recent(record.facts, nowMs)
  }

  /** @param isSought Whether something here has wanted the peer, rather than it us. */
  note(peer: string, note: Note, at: number, isSought: boolean): void {
    put(this.record(peer, isSought).facts, note, at, this.#bounds.factsPerPeer)
  }

  /** Forgets what holds no longer. */
  forget(peer: string, ...keys: readonly string[]): void {
    const facts = this.of(peer)?.facts
    if (facts !== undefined) for (const key of keys) facts.delete(key)
  }

  noteOwn(note: Note, at: number): void {
    put(this.#own, note, at, MOST_OWN)
  }

  forgetOwn(key: string): void {
    this.#own.delete(key)
  }

  /** The record of a peer, made if need be, and moved behind all others. */
  record(peer: string, isSought: boolean): PeerRecord {
    const known = this.of(peer)
    const table = isSought || this.#sought.has(peer) ? this.#sought : this.#strangers
    this.#strangers.delete(peer)
    this.#sought.delete(peer)
    const record = known ?? newRecord()
    table.set(peer, record)
    const idle = table.size > this.#bounds.peers ? leastWanted(table, peer) : undefined
    if (idle !== undefined) table.delete(idle)
    return record
  }

  /** What it may be reached at; addresses without end leave those that were tried. */
  addresses(peer: string, addresses: readonly unknown[], isSought: boolean): void {
    const known = this.record(peer, isSought).addresses
    for (const address of addresses.slice(0, MOST_ADDRESSES)) {
      if (typeof address !== 'string' || address.length > LONGEST_ADDRESS) continue
      const plain = withoutPeer(safeText(address), peer)
      if (!known.has(plain)) known.set(plain, {})
    }
    for (const [oldest, { failedAt }] of known) {
      if (known.size <= MOST_ADDRESSES) break
      if (failedAt === undefined) known.delete(oldest)
    }
    for (const oldest of known.keys()) {
      if (known.size <= MOST_ADDRESSES) break
      known.delete(oldest)
    }
  }

  /** Dials of these addresses have failed; without any, of all that are known. */
  failed(peer: string, addresses: readonly string[], at: number): void {
    const known = this.record(peer, true).addresses
    this.addresses(peer, addresses, true)
    const tried = addresses.length > 0 ? addresses.map((address) => withoutPeer(safeText(address), peer)) : known.keys()
    for (const address of tried) if (known.has(address)) known.set(address, { failedAt: at })
  }

  /** It has been reached at this address: what failed there before is over. */
  reached(peer: string, address: string): void {
    this.addresses(peer, [address], false)
    const known = this.record(peer, false).addresses
    const plain = withoutPeer(safeText(address), peer)
    if (known.has(plain)) known.set(plain, {})
  }

  opened(connection: ConnectionInfo): void {
    const { peer, id } = connection
    this.record(peer, false).connections.set(id, connection)
    this.#open.set(id, peer)
  }

  /** @returns whether it was known to be open */
  closed({ id, peer }: ConnectionInfo): boolean {
    this.of(peer)?.connections.delete(id)
    this.#closed.set(id, peer)
    if (this.#closed.size > MOST_CLOSED) {
      const [oldest] = this.#closed.keys()
      this.#closed.delete(oldest!)
    }
    return this.#open.delete(id)
  }

  /** Whose connection it is, or was a moment ago. */
  peerOf(connection: unknown): string | undefined {
    if (typeof connection !== 'string') return undefined
    return this.#open.get(connection) ?? this.#closed.get(connection)
  }

  /** Peers that are connected: how many. */
  get connected(): number {
    return new Set(this.#open.values()).size
  }

  /** What a command was about. */
  targetOf(command: unknown): Target | undefined {
    return this.#targets.of(command)
  }

  reserved(relay: string, addresses: readonly unknown[]): void {
    this.relays.delete(relay)
    if (this.relays.size < MOST_RELAYS)
      this.relays.set(
        relay,
        addresses.slice(0, 4).flatMap((one) => (typeof one === 'string' ? safeText(one) : [])),
      )
  }

  #recent(facts: ReadonlyMap<string, ExplainedFact>, nowMs: number): readonly ExplainedFact[] {
    const { forgetAfterMs } = this.#bounds
    return [...facts.values()].filter(({ at, untilMs = -Infinity }) => Math.max(at, untilMs) > nowMs - forgetAfterMs)
  }
}

function put(facts: Map<string, ExplainedFact>, { detail, ...note }: Note, at: number, most: number): void {
  const key = keyOf(note.kind, detail)
  const before = facts.get(key)
  facts.delete(key)
  facts.set(key, {
    ...note,
    text: safeText(note.text),
    at,
    since: before?.since ?? at,
    times: (before?.times ?? 0) + 1,
  })
  if (facts.size <= most) return
  const [oldest] = facts.keys()
  facts.delete(oldest!)
}

/** Names a note. */
export function keyOf(kind: ExplainedFact['kind'], detail = ''): string {
  return `${kind} ${detail}`
}

/** The one longest silent that is not connected. */
function leastWanted(table: ReadonlyMap<string, PeerRecord>, butFor: string): string | undefined {
  for (const [peer, { connections }] of table) if (connections.size === 0 && peer !== butFor) return peer
  return undefined
}

/** An address of a peer without its id at the end. */
export function withoutPeer(address: string, peer: string): string {
  const end = `/p2p/${peer}`
  return address.endsWith(end) ? address.slice(0, -end.length) : address
}
