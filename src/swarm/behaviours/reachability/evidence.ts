/** What speaks for or against the reachability of this node. */
export interface Evidence {
  /**
   * Where it comes from: a peer that was asked to dial us (`autonat`), one that connected to us (`inbound`), one that told
   * at which IP it sees us (`seen`).
   */
  readonly source: 'autonat' | 'inbound' | 'seen'
  /** Our address that it is about, without the peer id; of `seen` the IP; of `inbound` nothing until the peer has said it. */
  readonly address: string
  /** Whether somebody got through. `seen` says nothing of it. */
  readonly isReached: boolean
  /** The network of who says so: whoever has one can be many peers in it, so it has one vote. */
  readonly network: string
  /** When it stops counting. @unit milliseconds of the scheduler */
  readonly untilMs: number
}

/** Evidence by what it is about and who gives it; the latest of each, oldest first. */
export type EvidenceBook = ReadonlyMap<string, Evidence>

/**
 * Pieces of evidence that are kept; the oldest gives way. Each is the vote of one network, so that this many networks must
 * work together to drive out what others say.
 */
export const MOST_EVIDENCE = 512

/** Names a piece: what is about the same, and of the same network, has the same name. */
export function keyOf({ source, address, network }: Evidence): string {
  return source === 'autonat' ? `${source} ${network} ${address}` : `${source} ${network} ${kindOf(address)}`
}

/** TCP and UDP go through a NAT differently, and so do both families. */
function kindOf(address: string): string {
  return address
    .split('/')
    .filter((_, index) => index === 1 || index === 3)
    .join('/')
}

/** The book with one piece more, in the place of what the same network said before. */
export function withEvidence(book: EvidenceBook, piece: Evidence): EvidenceBook {
  const next = new Map(book)
  const key = keyOf(piece)
  next.delete(key)
  next.set(key, piece)
  for (const oldest of next.keys()) {
    if (next.size <= MOST_EVIDENCE) break
    next.delete(oldest)
  }
  return next
}

/** The book without what is too old by now; the same when nothing is. */
export function fresh(book: EvidenceBook, nowMs: number): EvidenceBook {
  const kept = [...book].filter(([, { untilMs }]) => untilMs > nowMs)
  return kept.length === book.size ? book : new Map(kept)
}

/** When the next piece stops counting. @unit milliseconds of the scheduler; infinite when none does */
export function nextExpiry(book: EvidenceBook): number {
  return Math.min(...[...book.values()].map(({ untilMs }) => untilMs))
}
