/** Whoever takes turns in {@link FairTurns}. The ring writes all but `quantum` and `cost`. */
export interface Turn<M> {
  /** What it may still spend before the next one's turn. */
  deficit: number
  /** What it gets with each turn; above 0. */
  readonly quantum: number
  /** How many quanta it lacked when it was last asked; Infinity when it might not run. */
  lacks: number
  /** Whose turn is after it. */
  next: M | undefined
  /** Whose turn was before it. */
  prev: M | undefined
  /** What its next item costs, Infinity when it may not run now. */
  cost(mayRun: MayRun | undefined): number
}

/** Whether a flow of a lane may run now: its own bound, for instance. */
export type MayRun = (flow: string, lane: string) => boolean

/**
 * Deficit round robin: everybody in the ring spends the same share, whatever the single items cost.
 *
 * @shape  A pure data structure: an intrusive ring. Adding, removing and paying are O(1); so is finding whose turn it is,
 *         when the quantum is about what an item costs and nobody is skipped. Never more than a few rounds over the ring.
 * @errors What `mayRun` throws; the ring stays whole.
 * @source M. Shreedhar and G. Varghese, Efficient Fair Queuing using Deficit Round Robin, SIGCOMM 1995.
 */
export class FairTurns<M extends Turn<M>> {
  /** Whose turn it is. */
  first: M | undefined
  /** How many are in the ring. */
  size = 0

  /** Lets one take part: last, with one quantum to spend. */
  add(member: M): void {
    member.deficit = member.quantum
    this.size++
    this.#append(member)
  }

  /** Lets one go, and what it has saved. */
  remove(member: M): void {
    this.size--
    this.#unlink(member)
  }

  /** Whose turn it is, of those that may run and can pay. Who may not run keeps its place and what it has. */
  turn(mayRun: MayRun | undefined): M | undefined {
    for (;;) {
      let rounds = Infinity
      let member = this.first
      for (let left = this.size; left > 0 && member !== undefined; left--) {
        const { next } = member
        const cost = member.cost(mayRun)
        if (cost <= member.deficit) return member
        member.lacks = (cost - member.deficit) / member.quantum
        if (member.lacks < rounds) rounds = member.lacks
        if (cost !== Infinity) this.#pass(member)
        member = next
      }
      if (rounds === Infinity) return undefined
      // An item may cost many quanta: the rounds in which nobody can pay are reckoned, not walked.
      if (rounds > 1) this.#grant(Math.ceil(rounds) - 1)
    }
  }

  /** One has spent `cost`; when it can't pay `nextCost` too, it is the next one's turn. */
  spend(member: M, cost: number, nextCost: number): void {
    member.deficit -= cost
    if (member.deficit < nextCost) this.#pass(member)
  }

  #grant(rounds: number): void {
    let member = this.first
    for (let left = this.size; left > 0 && member !== undefined; left--) {
      if (member.lacks !== Infinity) member.deficit += rounds * member.quantum
      member = member.next
    }
  }

  #pass(member: M): void {
    member.deficit += member.quantum
    if (member === this.first) {
      this.first = member.next
    } else {
      this.#unlink(member)
      this.#append(member)
    }
  }

  #append(member: M): void {
    const { first } = this
    const last = first?.prev
    if (first === undefined || last === undefined) {
      this.first = member
      member.next = member
      member.prev = member
    } else {
      member.next = first
      member.prev = last
      last.next = member
      first.prev = member
    }
  }

  #unlink(member: M): void {
    const { next, prev } = member
    if (member === this.first) this.first = next === member ? undefined : next
    if (prev !== undefined) prev.next = next
    if (next !== undefined) next.prev = prev
    member.next = undefined
    member.prev = undefined
  }
}
