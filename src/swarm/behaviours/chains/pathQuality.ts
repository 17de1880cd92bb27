import type { PathQuality } from './chainsVocabulary.ts'
import type { ChainPath } from './chainWords.ts'

/** What is known of a path. */
export interface KnownPath extends PathQuality {
  readonly path: ChainPath
  /** Failures that no success came after. */
  readonly failures: number
  /** @unit milliseconds of the scheduler */
  readonly atMs: number
}

/** What is known of paths, by {@link keyOfPath}; the latest last. */
export type QualityTable = ReadonlyMap<string, KnownPath>

/** What was measured on a path. */
export interface PathSample {
  /** Of a probe that was answered. @unit milliseconds */
  readonly rttMs?: number
  /** Probes that were not. */
  readonly lost: number
  /** While there was enough to send. */
  readonly bytesPerSecond?: number
}

/** Paths that are remembered; the one of which nothing was heard for the longest goes first. */
export const MOST_PATHS = 256

/** A measurement counts half after so long. @unit milliseconds */
const HALF_LIFE_MS = 10_000

/** The share of the latest of two measurements that come close together. */
const NEWEST = 0.2

/** A path that has failed is avoided for so long, doubled with each failure in a row. @unit milliseconds */
const AVOID_MS = 2_000
const MOST_AVOID_MS = 60_000

/** What a path is thought to be like before it is tried: good enough to be tried. @unit milliseconds a hop */
const UNKNOWN_HOP_MS = 20

/** A lost probe costs as much as so many round trips. */
const LOSS_COST = 20

/** The name of a path. */
export function keyOfPath(path: ChainPath): string {
  return path.join(' ')
}

/** The table after a measurement: an average that forgets, quicker when nothing was heard for a while. */
export function measuredPath(
  table: QualityTable,
  path: ChainPath,
  { rttMs, lost, bytesPerSecond }: PathSample,
  nowMs: number,
): QualityTable {
  const known = table.get(keyOfPath(path))
  const share = known === undefined ? 1 : Math.max(NEWEST, 1 - 2 ** ((known.atMs - nowMs) / HALF_LIFE_MS))
  const mix = (old: number | undefined, fresh: number | undefined) =>
    fresh === undefined ? (old ?? 0) : old === undefined || old === 0 ? fresh : old + (fresh - old) * share
  const answered = rttMs === undefined ? 0 : 1
  const lossNow = lost + answered === 0 ? undefined : lost / (lost + answered)
  return put(table, {
    path,
    rttMs: mix(known?.rttMs, rttMs),
    loss:
      lossNow === undefined
        ? (known?.loss ?? 0)
        : known === undefined
          ? lossNow
          : known.loss + (lossNow - known.loss) * share,
    bytesPerSecond: mix(known?.bytesPerSecond, bytesPerSecond),
    failures: answered === 1 ? 0 : (known?.failures ?? 0),
    atMs: nowMs,
  })
}

/** The table after a path could not be opened, or broke. */
export function failedPath(table: QualityTable, path: ChainPath, nowMs: number): QualityTable {
  const known = table.get(keyOfPath(path)) ?? { path, rttMs: 0, loss: 0, bytesPerSecond: 0, failures: 0, atMs: nowMs }
  return put(table, { ...known, failures: known.failures + 1, atMs: nowMs })
}

function put(table: QualityTable, known: KnownPath): QualityTable {
  const next = new Map(table)
  const key = keyOfPath(known.path)
  next.delete(key)
  next.set(key, known)
  if (next.size > MOST_PATHS) next.delete(next.keys().next().value!)
  return next
}

/**
 * Candidates in the order in which they are to be tried.
 *
 * @param loads How many chains run over a path already, by {@link keyOfPath}.
 * @shape  Pure. The first is the better of two that are drawn, so that not all chains go the same way; the rest follow by
 *         their cost: round trip, loss, throughput and load. A path of which nothing is known costs what one may hope for;
 *         one that has failed lately comes last.
 * @source Mitzenmacher, The Power of Two Choices in Randomized Load Balancing; Finagle's peak EWMA.
 */
export function rankPaths(
  table: QualityTable,
  candidates: readonly ChainPath[],
  loads: ReadonlyMap<string, number>,
  nowMs: number,
  random: () => number,
): readonly ChainPath[] {
  const costOf = (path: ChainPath) =>
    costOfPath(table.get(keyOfPath(path)), path, loads.get(keyOfPath(path)) ?? 0, nowMs)
  const priced = candidates.map((path) => ({ path, ...costOf(path) })).toSorted((one, other) => one.cost - other.cost)
  const sound = priced.filter(({ isAvoided }) => !isAvoided)
  const avoided = priced.filter(({ isAvoided }) => isAvoided)
  if (sound.length < 2) return [...sound, ...avoided].map(({ path }) => path)
  const first = Math.floor(random() * sound.length)
  const other = (first + 1 + Math.floor(random() * (sound.length - 1))) % sound.length
  const [chosen] = sound.splice(Math.min(first, other), 1) // they are sorted: the lower index is the cheaper one
  return [chosen!, ...sound, ...avoided].map(({ path }) => path)
}

function costOfPath(known: KnownPath | undefined, path: ChainPath, load: number, nowMs: number) {
  const hoped = UNKNOWN_HOP_MS * path.length
  if (known === undefined) return { cost: hoped * (load + 1), isAvoided: false }
  const avoidMs = known.failures === 0 ? 0 : Math.min(MOST_AVOID_MS, AVOID_MS * 2 ** (known.failures - 1))
  const isAvoided = nowMs - known.atMs < avoidMs
  // what was heard long ago says little: the path is thought to be like any other again
  const weight = 2 ** ((known.atMs - nowMs) / (HALF_LIFE_MS * 6))
  const rttMs = known.rttMs === 0 ? hoped : hoped + (known.rttMs - hoped) * weight
  const slow = known.bytesPerSecond === 0 ? 0 : SLOW_BYTES_PER_MS / (known.bytesPerSecond / 1_000)
  return { cost: rttMs * (1 + known.loss * weight * LOSS_COST) * (1 + slow) * (load + 1), isAvoided }
}

/** A path of this throughput costs twice what its round trip does. @unit bytes a millisecond */
const SLOW_BYTES_PER_MS = 100
