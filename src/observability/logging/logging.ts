import type { Logger } from 'pino'
import { z } from 'zod'
import { some } from '../../errors/optionKinds.ts'
import { problemsIn } from '../../errors/problemsIn.ts'
import type { BehaviourModule, Slice } from '../../swarm/vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../swarm/vocabulary/command.ts'
import type { CoreEvent } from '../../swarm/vocabulary/event.ts'
import { loggingBehaviour } from './loggingBehaviour.ts'
import { LoggingProbe, loggingPorts, loggingService, withFoldedLogger, type CheckedLogging } from './loggingPorts.ts'
import type { LoggingCommand, LoggingEvent, LoggingPorts, LogThreshold, SetLogLevel } from './loggingVocabulary.ts'
import { LOG_LEVELS, type LogLevel } from './logLevel.ts'
import type { AreaThresholds } from './areaLevels.ts'
import type { EventLevels } from './eventLevels.ts'
import type { LogStream } from './streamSinkPorts.ts'

/** Options of {@link logging}. */
export interface LoggingOptions {
  /** The least that is written, of areas that `areas` does not name. Default: `info`, or that of `logger`. */
  readonly level?: LogLevel
  /** The least that is written, by area: `{ gossipsub: 'debug', 'libp2p:*': 'warn' }`. Default: of libp2p `warn`. */
  readonly areas?: AreaThresholds
  /** Levels of events that are not to be those of the table: `{ 'peer:connect': 'debug' }`, `{ 'kad:*': 'trace' }`. */
  readonly levels?: EventLevels
  /** Where lines go: the path of a file, which is appended to; a file descriptor; or a stream. Default: 1, the standard output. */
  readonly destination?: string | number | LogStream
  /** A pino logger of yours that writes the lines, with its own destination and form. Default: one of its own. */
  readonly logger?: Logger
  /** What may wait for a slow destination; of more, the lines are counted and not kept. Default: 4 194 304. @unit characters */
  readonly maxBufferBytes?: number
  /** Lines of one type of event, or of one area of libp2p, in a second; more are summed up. Default: 100. */
  readonly maxPerSecond?: number
  /** More fields that are not written, as pino's `redact` names them: `detail.address`. Default: none. */
  readonly redact?: readonly string[]
  /** Whether libp2p's own lines are folded in. A logger among libp2p's options is left alone. Default: true. */
  readonly libp2p?: boolean
}

/** What is written, and how the log is doing. */
export interface LoggingState {
  /** The least that is written, of areas that are not named. */
  readonly level: LogLevel
  /** The least that is written, by area. */
  readonly areas: AreaThresholds
  /** Lines that found no room. */
  readonly lost: number
  /** How often the destination began to fail. */
  readonly failures: number
}

const level = z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`)
const levelsBy = (what: string) => z.record(z.string(), level, `must map ${what} to levels`).default({})
const having = <T>(method: string, message: string) =>
  z.custom<T>((value) => typeof (Object(value) as Record<string, unknown>)[method] === 'function', message)

const schema = z
  .strictObject({
    level: level.optional(),
    areas: levelsBy('areas'),
    levels: levelsBy('types of events'),
    destination: z
      .union(
        [z.string().min(1), z.int().min(1), having<LogStream>('write', '')],
        'must be the path of a file, a file descriptor, or a stream with write()',
      )
      .optional(),
    logger: having<Logger>('child', 'must be a logger of pino').optional(),
    maxBufferBytes: some.default(4_194_304),
    maxPerSecond: some.default(100),
    redact: z.array(z.string('must be text').min(1, 'must not be empty'), 'must be a list of paths').default([]),
    libp2p: z.boolean('must be true or false').default(true),
  })
  .refine(({ logger, destination }) => logger === undefined || destination === undefined, {
    path: ['destination'],
    message: 'belongs to the logger; give one of them',
  })

/** Fields that no line has, whatever is behind them: nothing should get so far. */
const REDACTED = ['privateKey', 'secret', 'password', 'token', 'proof'].map((name) => `detail.${name}`)

function checked(value: z.output<typeof schema>): CheckedLogging {
  const { level, logger, destination = 1, redact } = value
  const own = LOG_LEVELS.find((known) => known === logger?.level)
  return { ...value, logger, destination, level: level ?? own ?? 'info', redact: [...REDACTED, ...redact] }
}

const slice = ({ level, areas }: CheckedLogging): Slice<LoggingState, LoggingEvent | CoreEvent> => ({
  initial: { level, areas, lost: 0, failures: 0 },
  on: {
    'logging:level-changed': (state, { area, level }) =>
      area === '*' ? { ...state, level } : { ...state, areas: { ...state.areas, [area]: level } },
    'logging:lost': (state, { count }) => ({ ...state, lost: state.lost + count }),
    'logging:failed': (state) => ({ ...state, failures: state.failures + 1 }),
  },
})

function module(
  options: LoggingOptions = {},
): BehaviourModule<'logging', LoggingCommand, LoggingEvent, LoggingPorts, LoggingState> {
  const { value, problems } = problemsIn('logging', schema, options)
  const settled = problems.length > 0 ? (value as CheckedLogging) : checked(value)
  return {
    name: 'logging',
    problems,
    commands: {
      'logging/set-level': {
        answers: { 'logging:level-changed': ({ area, level }): LogThreshold => ({ area, level }) },
      },
    },
    services: { logging: loggingService() },
    state: slice(settled),
    options: settled,
    libp2p: (libp2p) => withFoldedLogger(settled, libp2p),
    probe: (probed) => new LoggingProbe(settled, probed),
    ports: (node, probe) => loggingPorts(node, probe as LoggingProbe),
    behaviour: loggingBehaviour,
  }
}

/**
 * Writes what happens as structured lines, one for each telling event, by pino: `logging({ level: 'info' })` for `use`, and
 * its command.
 */
export const logging = Object.assign(module, {
  /**
   * Changes what is written of an area, while the swarm runs.
   *
   * @param threshold `area` as in {@link LogThreshold}; `level` the least that is written.
   * @errors `InvalidCommandError`; `OverloadedError` when 256 areas have a level of their own.
   */
  setLevel: ({ area, level }: LogThreshold, meta?: CommandMeta): SetLogLevel =>
    command('logging/set-level', { area, level }, meta),
})
