import { MOST_HOPS, type ChainPath } from './chainWords.ts'

/** What carriers have told, by their peer id. */
export type Carriers = ReadonlyMap<string, { readonly carriers: readonly string[]; readonly hasTarget: boolean }>

/** Paths that are found at most. */
export const MOST_ROUTES = 32

/** Steps of the search, so that many carriers that all know each other do not make it long. */
const MOST_STEPS = 4_096

/**
 * Paths to a peer through carriers that were asked.
 *
 * @param hops So many carriers; as few as possible when it is missing.
 * @shape  Pure. Starts at a carrier that was asked. Ends at one that says that it has the target for a neighbour; or, behind
 *         those, at one that nobody has asked and that may have it. No peer is in a path twice.
 */
export function routesIn(told: Carriers, self: string, to: string, hops?: number): readonly ChainPath[] {
  const longest = hops ?? Math.min(MOST_HOPS, LONGEST_GUESS)
  const sure: ChainPath[] = []
  const guessed: ChainPath[] = []
  let steps = 0
  const walk = (path: readonly string[]): void => {
    if (++steps > MOST_STEPS || sure.length >= MOST_ROUTES) return
    const last = path.at(-1)!
    const known = told.get(last)
    if (hops === undefined || path.length === hops) {
      if (known?.hasTarget === true) sure.push([...path, to])
      else if (known === undefined && guessed.length < MOST_ROUTES) guessed.push([...path, to])
    }
    if (path.length === longest) return
    for (const next of known?.carriers ?? []) {
      if (next !== self && next !== to && !path.includes(next)) walk([...path, next])
    }
  }
  for (const [carrier] of told) if (carrier !== to) walk([carrier])
  return [...sure.toSorted((one, other) => one.length - other.length), ...guessed].slice(0, MOST_ROUTES)
}

/** Carriers of a path whose number was not given. */
const LONGEST_GUESS = 3
