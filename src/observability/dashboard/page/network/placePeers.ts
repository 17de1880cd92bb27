/** Where a node of the graph stands, its own node in the middle. @unit pixels at zoom 1 */
export interface Place {
  /** To the right. */
  readonly x: number
  /** Down. */
  readonly y: number
}

/** A peer that wants a place. */
export interface Placed {
  /** Its id. */
  readonly id: string
  /** The relay or hop in between; it then stands outside of that, close to it. */
  readonly via?: string | undefined
}

/** Rings around the own node: places in each, and how far out it is. */
const RINGS = [
  { places: 8, radius: 165 },
  { places: 16, radius: 275 },
  { places: 32, radius: 380 },
  { places: 64, radius: 485 },
] as const

/** Peers that find a place at once; further ones are counted, not drawn. */
export const MOST_PLACES = RINGS.reduce((sum, { places }) => sum + places, 0)

/** Remembered places of peers that have left, so that one that comes back stands where it stood. */
const MOST_REMEMBERED = 1_024

/** Which peer has which place: number of the ring, and of the place in it. */
export type Seats = ReadonlyMap<string, readonly [ring: number, place: number]>

/**
 * Gives each peer a place, and never moves one that has its place already.
 *
 * @param seats Result of the last call; empty at first.
 * @param peers Those to be seated now, in the order in which they came.
 * @shape  The first ring fills evenly: its places are given in bit-reversed order, so that three peers stand apart and
 *         not side by side. Peers beyond {@link MOST_PLACES} get none. Those who left are remembered, at most 1 024, until
 *         somebody else needs the place.
 * @source ours: a force-directed layout moves everything whenever anything comes.
 */
export function placePeers(seats: Seats, peers: readonly Placed[]): Seats {
  const next = new Map(seats)
  const wanted = new Set(peers.map(({ id }) => id))
  const holder = new Map<string, string>()
  for (const [peer, seat] of seats) {
    const key = String(seat)
    const other = holder.get(key)
    if (other !== undefined && (wanted.has(other) || !wanted.has(peer))) continue
    holder.set(key, peer)
  }
  for (const { id, via } of peers) {
    const had = next.get(id)
    if (had !== undefined && holder.get(String(had)) === id) continue
    const seat = freeSeat(holder, wanted, via === undefined ? undefined : next.get(via))
    if (seat === undefined) {
      next.delete(id)
      continue
    }
    const sitter = holder.get(String(seat))
    if (sitter !== undefined) next.delete(sitter) // it had left
    holder.set(String(seat), id)
    next.delete(id)
    next.set(id, seat)
  }
  for (const [peer] of next) {
    if (next.size <= MOST_REMEMBERED) break
    if (!wanted.has(peer)) next.delete(peer)
  }
  return next
}

/** Where a seat is. */
export function placeOf([ring, place]: readonly [ring: number, place: number]): Place {
  const { places, radius } = RINGS[ring] ?? RINGS[0]
  const angle = (turnOf(ring, place) / places) * 2 * Math.PI - Math.PI / 2
  return { x: Math.round(Math.cos(angle) * radius * 1.15), y: Math.round(Math.sin(angle) * radius * 0.8) }
}

type Seat = readonly [ring: number, place: number]

function freeSeat(holder: ReadonlyMap<string, string>, wanted: ReadonlySet<string>, near: Seat | undefined) {
  const first = near === undefined ? 0 : Math.min(near[0] + 1, RINGS.length - 1)
  const rings = [...RINGS.keys()]
  let taken: Seat | undefined
  for (const ring of [...rings.slice(first), ...rings.slice(0, first).toReversed()]) {
    for (const place of order(ring, near)) {
      const sitter = holder.get(String([ring, place]))
      if (sitter === undefined) return [ring, place] as const
      if (taken === undefined && !wanted.has(sitter)) taken = [ring, place] // remembered only
    }
    if (taken !== undefined) return taken
  }
  return undefined
}

function order(ring: number, near: Seat | undefined): readonly number[] {
  const count = RINGS[ring]!.places
  const all = [...Array(count).keys()]
  if (near === undefined) return all.map((i) => reversed(i, Math.log2(count)))
  const angle = turnOf(...near) / RINGS[near[0]]!.places
  const away = (place: number): number => {
    const turn = Math.abs(turnOf(ring, place) / count - angle) % 1
    return Math.min(turn, 1 - turn)
  }
  return all.toSorted((a, b) => away(a) - away(b))
}

/** Rings are turned against each other, so that lines to outer ones run between the inner. */
const turnOf = (ring: number, place: number): number => place + (ring === 0 ? 0 : 0.5)

function reversed(value: number, bits: number): number {
  let result = 0
  for (let bit = 0; bit < bits; bit++) if (value & (1 << bit)) result |= 1 << (bits - 1 - bit)
  return result
}
