import type { Libp2p } from '@libp2p/interface'
import type { Libp2pOptions } from 'libp2p'
import type { Logger } from 'pino'
import type { Fact, Stamped } from '../../swarm/vocabulary/event.ts'
import type { Probe, Probed } from '../../swarm/vocabulary/probe.ts'
import type { AreaThresholds } from './areaLevels.ts'
import type { EventLevels } from './eventLevels.ts'
import { fileSink } from './fileSinkPorts.ts'
import { FoldedLogger } from './foldedLoggerPorts.ts'
import { loggerInk } from './loggerInkPorts.ts'
import type { LogLevel } from './logLevel.ts'
import type { LoggingPorts } from './loggingVocabulary.ts'
import { QueuedInk } from './queuedInkPorts.ts'
import { streamSink, type LogStream } from './streamSinkPorts.ts'
import { SwarmLog, type Ink } from './swarmLog.ts'

/** The options of logging, defaults filled in. */
export interface CheckedLogging {
  readonly level: LogLevel
  readonly areas: AreaThresholds
  readonly levels: EventLevels
  readonly destination: string | number | LogStream
  readonly logger?: Logger | undefined
  readonly maxBufferBytes: number
  readonly maxPerSecond: number
  readonly redact: readonly string[]
  readonly libp2p: boolean
}

/** The log's part of a node: what was written is at its destination when the node has stopped. */
export interface LoggingService {
  ink?: Ink
  start(): void
  stop(): void
  afterStop(): Promise<void>
}

/** What logging watches a swarm with. */
export class LoggingProbe implements Probe {
  readonly #log: SwarmLog | undefined
  readonly #failure: unknown

  constructor(options: CheckedLogging, probed: Probed) {
    try {
      const { self, scheduler } = probed
      const { maxPerSecond: mostPerSecond, level, areas, levels } = options
      const ink = inkOf(options, self)
      const log = new SwarmLog({ self, scheduler, level, areas, levels, mostPerSecond, ink })
      this.#log = log
    } catch (cause) {
      this.#failure = cause // told by `ports`, from where it reaches who creates the swarm
    }
  }

  taken(command: Parameters<NonNullable<Probe['taken']>>[0]): void {
    this.#log?.taken(command)
  }

  telling(event: Stamped<Fact>): void {
    if (this.#log === undefined) return
    this.#log.hear(event)
    if (event.type === 'swarm:stopped') this.#log.close() // its last word
  }

  /** What logging may call; hosts other than libp2p have no ports for it. */
  ports(behaviour: string, ports: unknown): unknown {
    return behaviour === 'logging' && ports === undefined ? this.own() : ports
  }

  /** The ports. @errors Throws what opening the destination did. */
  own(): LoggingPorts {
    const log = this.log
    return { setLevel: (threshold) => log.setLevel(threshold), event$: log.ink.event$ }
  }

  /** The log. @errors Throws what opening the destination did. */
  get log(): SwarmLog {
    if (this.#log === undefined) throw this.#failure
    return this.#log
  }
}

function inkOf(options: CheckedLogging, self: string): Ink {
  const { logger, destination, maxBufferBytes, redact } = options
  if (logger !== undefined) return loggerInk({ logger, self, maxBufferBytes, redact })
  const sink = typeof destination === 'object' ? streamSink(destination) : fileSink(destination)
  return new QueuedInk({ self, sink, maxBufferBytes, redact })
}

/** The service behind {@link loggingPorts}. */
export const loggingService = () => (): LoggingService => ({
  start: () => undefined,
  stop: () => undefined,
  async afterStop() {
    await this.ink?.flush()
  },
})

/** libp2p's options with a logger whose lines go into the swarm's log, unless there is one already. */
export function withFoldedLogger(options: CheckedLogging, libp2p: Libp2pOptions): Libp2pOptions {
  if (libp2p.logger !== undefined || !options.libp2p) return libp2p
  const { level, areas } = options
  return { ...libp2p, logger: new FoldedLogger({ level, areas }) }
}

/** The log of a node. */
export function loggingPorts(node: Libp2p, probe: LoggingProbe): LoggingPorts {
  const { log } = probe
  ;(node.services['logging'] as LoggingService).ink = log.ink
  if (node.logger instanceof FoldedLogger) node.logger.connect(log)
  return probe.own()
}
