import type { ComponentLogger, Logger } from '@libp2p/interface'
import { base32 } from 'multiformats/bases/base32'
import { base58btc } from 'multiformats/bases/base58'
import { thresholdOf, type AreaLevels } from './areaLevels.ts'
import { rankOf, type WrittenLevel } from './logLevel.ts'
import { renderLibp2p, type Formatters } from './renderLibp2p.ts'
import type { Note, SwarmLog } from './swarmLog.ts'

/** Lines that are kept until there is a log: libp2p's parts speak while they are made. */
const MOST_EARLY = 100

/** Bytes that are shown: hashes and keys of the DHT are shorter, and the rest would be payload. */
const MOST_BYTES = 64

const bytesBy = (encode: (bytes: Uint8Array) => string) => (value: unknown) => {
  if (!(value instanceof Uint8Array)) return String(value)
  return value.length <= MOST_BYTES ? encode(value) : `(${value.length} bytes)`
}

/** Those of `@libp2p/logger`. */
const formatters: Formatters = {
  b: bytesBy((bytes) => base58btc.baseEncode(bytes)),
  t: bytesBy((bytes) => base32.baseEncode(bytes)),
  m: bytesBy((bytes) => Buffer.from(bytes).toString('base64').replace(/=+$/, '')),
  p: String,
  c: String,
  k: String,
  a: String,
}

/** A scope of one connection or one stream, of which libp2p has as many: the area is without its id. */
const NUMBERED = /^(?<kind>(?:connection|(?:stream:)?(?:in|out)bound)):(?<id>[^:]+)$/

/** What a scope belongs to. */
interface Scope {
  readonly connection?: string
  readonly stream?: string
}

/** Areas of which the threshold is at hand; of more, each logger keeps its own. */
const MOST_AREAS = 1_024

/** What is written of an area, as it was looked up last. */
interface Threshold {
  readonly area: string
  generation: number
  least: number
}

/** How libp2p's three kinds of line count: what it calls an error is mostly a peer that could not be reached. */
const LEVELS = { error: 'warn', log: 'debug', trace: 'trace' } as const satisfies Record<string, WrittenLevel>

/**
 * The logger of a libp2p node, whose lines go into the swarm's log: area `libp2p:<component>`.
 *
 * @shape  A line that is not written costs one comparison; nothing is formatted for it.
 * @source the shapes of `@libp2p/interface`, the letters of `@libp2p/logger`.
 */
export class FoldedLogger implements ComponentLogger {
  readonly #early: (() => void)[] = []
  readonly #levels: AreaLevels
  readonly #thresholds = new Map<string, Threshold>()
  #log: SwarmLog | undefined

  /** @param levels Those that hold until the log is there. */
  constructor(levels: AreaLevels) {
    this.#levels = levels
  }

  /** Where the lines go from now on, and those that came before. */
  connect(log: SwarmLog): void {
    this.#log = log
    for (const write of this.#early.splice(0)) write()
  }

  forComponent(name: string): Logger {
    return this.#logger(name === 'libp2p' || name.startsWith('libp2p:') ? name : `libp2p:${name}`, {}, true)
  }

  /** @param isLasting Of what outlives changes of levels, `enabled` says what holds now; of a stream, what held at its start. */
  #logger(area: string, scope: Scope, isLasting: boolean): Logger {
    const threshold = this.#thresholdOf(area)
    const isOn = (level: WrittenLevel) => rankOf(level) >= this.#leastOf(threshold)
    const at = (level: WrittenLevel) => {
      const log = (format: unknown, ...values: unknown[]): void => {
        if (isOn(level)) this.#write(level, area, () => ({ ...renderLibp2p(format, values, formatters), ...scope }))
      }
      if (isLasting) Object.defineProperty(log, 'enabled', { get: () => isOn(level), enumerable: true })
      else (log as unknown as { enabled: boolean }).enabled = isOn(level)
      return log as Logger
    }
    const logger = at(LEVELS.log)
    logger.error = at(LEVELS.error)
    logger.trace = at(LEVELS.trace)
    logger.newScope = (name) => {
      const { kind, id } = NUMBERED.exec(name)?.groups ?? {}
      if (kind === undefined || id === undefined) return this.#logger(`${area}:${name}`, scope, isLasting)
      const inner = kind === 'connection' ? {} : scope.connection === undefined ? { connection: id } : { stream: id }
      return this.#logger(`${area}:${kind}`, { ...scope, ...inner }, false)
    }
    return logger
  }

  /** What is known of an area; libp2p makes a logger for every stream, and their areas are the same. */
  #thresholdOf(area: string): Threshold {
    const known = this.#thresholds.get(area)
    if (known !== undefined) return known
    const threshold = { area, generation: -1, least: 0 }
    if (this.#thresholds.size < MOST_AREAS) this.#thresholds.set(area, threshold)
    return threshold
  }

  /** The least rank that is written, looked up again when levels have changed. */
  #leastOf(threshold: Threshold): number {
    const generation = this.#log?.generation ?? -2
    if (threshold.generation !== generation) {
      const { area } = threshold
      threshold.generation = generation
      threshold.least = rankOf(this.#log?.thresholdOf(area) ?? thresholdOf(this.#levels, area))
    }
    return threshold.least
  }

  #write(level: WrittenLevel, area: string, say: () => Note): void {
    const log = this.#log
    if (log !== undefined) log.note(level, area, say)
    else if (this.#early.length < MOST_EARLY) {
      const note = say()
      this.#early.push(() => this.#log?.note(level, area, () => note))
    }
  }
}
