import type { RecordForm } from '../../libp2p/peerRecords.ts'
import type { StoredRegistration } from './rendezvousVocabulary.ts'

/** A registration in a list that is in the order of its numbers. */
interface Listed extends StoredRegistration {
  /** Whether it was taken back, has expired, or was made anew with a later number. */
  isOver: boolean
}

/** Registrations in the order in which they were made, so that what came after a number is found quickly. */
class InOrder {
  readonly #list: Listed[] = []
  #over = 0

  add(registration: Listed): void {
    this.#list.push(registration)
  }

  /** One of them is over. The list is made anew when half of it is. */
  lost(): void {
    this.#over++
    if (this.#over * 2 <= this.#list.length) return
    const left = this.#list.filter(({ isOver }) => !isOver)
    this.#list.splice(0, this.#list.length, ...left)
    this.#over = 0
  }

  get isEmpty(): boolean {
    return this.#list.length === this.#over
  }

  /** Those with a higher number, the earliest first. */
  *after(seq: number): Generator<StoredRegistration> {
    let [low, high] = [0, this.#list.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#list[middle]!.seq <= seq) low = middle + 1
      else high = middle
    }
    for (let at = low; at < this.#list.length; at++) {
      const one = this.#list[at]!
      if (!one.isOver) yield one
    }
  }
}

/** What a point knows of a peer. */
interface Member {
  /** The latest of its records. */
  readonly recordSeq: bigint
  readonly byNamespace: ReadonlyMap<string, Listed>
}

/**
 * What is registered at a point, by namespace and in order.
 *
 * @shape  Memory: one entry a registration, up to twice as many while the lists wait to be made anew.
 */
export class Registrations {
  readonly #all = new InOrder()
  readonly #byNamespace = new Map<string, InOrder>()
  readonly #members = new Map<string, Member>()
  #size = 0
  #seq: number

  /** @param stored In the order of their numbers. @param seq the last number that was given out */
  constructor(stored: readonly StoredRegistration[], seq: number) {
    this.#seq = seq
    for (const one of stored) this.#insert(one)
  }

  get size(): number {
    return this.#size
  }

  /** The last number that was given out. */
  get seq(): number {
    return this.#seq
  }

  /** How many a peer has. */
  countOf(peer: string): number {
    return this.#members.get(peer)?.byNamespace.size ?? 0
  }

  /** The registration of a peer there. */
  of(peer: string, namespace: string): StoredRegistration | undefined {
    return this.#members.get(peer)?.byNamespace.get(namespace)
  }

  /** The form in which a peer has registered, when it has done so in one only. */
  formOf(peer: string): RecordForm | undefined {
    const forms = new Set<string>()
    for (const { records } of this.#members.get(peer)?.byNamespace.values() ?? []) {
      for (const form of Object.keys(records)) forms.add(form)
    }
    return forms.size === 1 ? ([...forms][0] as RecordForm) : undefined
  }

  /** The latest record of a peer; nothing for one that is not registered. */
  recordSeqOf(peer: string): bigint | undefined {
    return this.#members.get(peer)?.recordSeq
  }

  /** Registers, in the place of the same peer's registration there. @returns it, with its number */
  add(registration: Omit<StoredRegistration, 'seq'>): StoredRegistration {
    this.remove(registration.peer, registration.namespace)
    return this.#insert({ ...registration, seq: ++this.#seq })
  }

  /** @returns whether there was one */
  remove(peer: string, namespace: string): boolean {
    const member = this.#members.get(peer)
    const one = member?.byNamespace.get(namespace)
    if (member === undefined || one === undefined) return false
    const left = new Map(member.byNamespace)
    left.delete(namespace)
    if (left.size === 0) this.#members.delete(peer)
    else this.#members.set(peer, { ...member, byNamespace: left })
    one.isOver = true
    this.#size--
    this.#all.lost()
    const there = this.#byNamespace.get(namespace)!
    there.lost()
    if (there.isEmpty) this.#byNamespace.delete(namespace)
    return true
  }

  /** What has a higher number, of one namespace or of all, the earliest first. */
  after(seq: number, namespace: string | undefined): Iterable<StoredRegistration> {
    return (namespace === undefined ? this.#all : this.#byNamespace.get(namespace))?.after(seq) ?? []
  }

  /** Removes what has expired. @returns it */
  expire(now: number): readonly StoredRegistration[] {
    const over = [...this.#all.after(0)].filter(({ expiresAt }) => expiresAt <= now)
    for (const { peer, namespace } of over) this.remove(peer, namespace)
    return over
  }

  #insert(registration: StoredRegistration): StoredRegistration {
    const { peer, namespace, recordSeq, seq } = registration
    const one: Listed = { ...registration, isOver: false }
    const member = this.#members.get(peer)
    const latest = member === undefined || recordSeq > member.recordSeq ? recordSeq : member.recordSeq
    this.#members.set(peer, {
      recordSeq: latest,
      byNamespace: new Map(member?.byNamespace).set(namespace, one),
    })
    const there = this.#byNamespace.get(namespace) ?? new InOrder()
    this.#byNamespace.set(namespace, there)
    there.add(one)
    this.#all.add(one)
    this.#size++
    if (seq > this.#seq) this.#seq = seq
    return registration
  }
}
