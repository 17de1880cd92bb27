/** How many peers a mesh wants, and where it is mended. @source gossipsub 1.1: D, D_low, D_high, D_lazy */
export const MESH = { wanted: 6, low: 4, high: 12, lazy: 6 } as const

/** What changes in the mesh of a topic. */
export interface MeshChange<Peer> {
  /** To be taken in. */
  readonly graft: readonly Peer[]
  /** To be let go. */
  readonly prune: readonly Peer[]
}

/**
 * What a heartbeat changes in a mesh: one that has become thin is filled, one that has become thick is thinned out.
 *
 * @param mesh       Who is in it.
 * @param candidates Who could be taken in.
 * @param random     Chooses.
 */
export function meshChange<Peer>(
  mesh: readonly Peer[],
  candidates: readonly Peer[],
  random: () => number,
): MeshChange<Peer> {
  const { wanted, low, high } = MESH
  if (mesh.length < low) return { graft: pick(candidates, wanted - mesh.length, random), prune: [] }
  return { graft: [], prune: mesh.length > high ? pick(mesh, mesh.length - wanted, random) : [] }
}

/** Some of the items, chosen by chance; in the order of the choice. */
export function pick<T>(items: readonly T[], count: number, random: () => number): readonly T[] {
  const left = [...items]
  const picked: T[] = []
  while (picked.length < count && left.length > 0) {
    const at = Math.min(Math.floor(random() * left.length), left.length - 1)
    picked.push(left[at]!)
    left[at] = left[left.length - 1]!
    left.pop()
  }
  return picked
}
