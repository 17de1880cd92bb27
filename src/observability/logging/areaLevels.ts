import { rankOf, type LogLevel } from './logLevel.ts'

/** Thresholds by area: an area, or all that begin with a name: `libp2p:*`. */
export type AreaThresholds = Readonly<Record<string, LogLevel>>

/** What is written of each area. */
export interface AreaLevels {
  /** The threshold of areas that are not named. */
  readonly level: LogLevel
  /** See {@link AreaThresholds}. */
  readonly areas: AreaThresholds
}

/** libp2p tells a lot: of it, only what failed, unless it is asked for by name. */
const LIBP2P: LogLevel = 'warn'

/**
 * The threshold of an area: its own, that of the longest beginning that is named, that of all.
 *
 * @shape  `libp2p:*` names `libp2p` itself too. libp2p's areas are at `warn`, or higher when all are, unless they are named.
 */
export function thresholdOf({ level, areas }: AreaLevels, area: string): LogLevel {
  if (Object.hasOwn(areas, area)) return areas[area]!
  let longest = ''
  for (const name of Object.keys(areas)) {
    if (name.endsWith('*') && name.length > longest.length && begins(area, name.slice(0, -1))) longest = name
  }
  if (longest !== '') return areas[longest]!
  return begins(area, 'libp2p:') && rankOf(level) < rankOf(LIBP2P) ? LIBP2P : level
}

function begins(area: string, start: string): boolean {
  return area.startsWith(start) || (start.endsWith(':') && area === start.slice(0, -1))
}
