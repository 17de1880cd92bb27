import { symbols, type Logger } from 'pino'
import { StorageError } from '../../errors/errors.ts'
import { guarded } from '../../operators/guarded.ts'
import { Relay } from '../../operators/relay.ts'
import type { Plain } from '../plainEvent.ts'
import type { WrittenLevel } from './logLevel.ts'
import type { LoggingEvent } from './loggingVocabulary.ts'
import type { Ink } from './swarmLog.ts'

/** Losses are told so often. @unit milliseconds */
const TELL_MS = 10_000

/** A flush takes at most this. @unit milliseconds */
const FLUSH_MS = 2_000

/** What {@link loggerInk} is made of. */
export interface LoggerInkOptions {
  /** The user's own. */
  readonly logger: Logger
  /** Own peer id: in every line. */
  readonly self: string
  /** What the logger's stream may have waiting. */
  readonly maxBufferBytes: number
  /** Paths of fields that are not written. */
  readonly redact: readonly string[]
}

/**
 * Lines by a logger of the user's: its stream, its form and its clock; the levels are those of the swarm.
 *
 * @shape  A line is not written, and counted, while the logger's stream has more than `maxBufferBytes` waiting.
 * @errors A logger that throws is `logging:failed`, and its lines are lost. What its stream emits is the user's to hear.
 */
export function loggerInk({ logger, self, maxBufferBytes, redact }: LoggerInkOptions): Ink {
  const own = logger.child(
    { self },
    { level: 'trace', ...(redact.length === 0 ? {} : { redact: { paths: [...redact], censor: '(secret)' } }) },
  )
  const stream = Reflect.get(logger, symbols.streamSym) as { readonly writableLength?: unknown } | undefined
  const said$ = new Relay<LoggingEvent>()
  let isFailing = false
  let lost = 0
  let untold = 0
  let telling: NodeJS.Timeout | undefined

  function tell(): void {
    const count = untold
    untold = 0
    telling = undefined
    if (count === 0) return
    telling = setTimeout(tell, TELL_MS).unref()
    said$.next({ type: 'logging:lost', count })
  }

  function lose(): void {
    lost++
    untold++
    if (telling === undefined) tell()
  }

  function isFull(): boolean {
    const waiting = stream?.writableLength
    return typeof waiting === 'number' && waiting > maxBufferBytes
  }

  function write(level: WrittenLevel, fields: Readonly<Record<string, Plain | undefined>>, message: string): void {
    if (isFull()) return lose()
    try {
      if (lost > 0)
        own.warn({ area: 'logging', event: 'logging:lost', count: lost }, `${lost} lines found no room and are lost`)
      lost = 0
      own[level](fields, message)
      isFailing = false
    } catch (cause) {
      lose()
      if (isFailing) return
      isFailing = true
      const error = new StorageError(`the logger threw: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      })
      said$.next({ type: 'logging:failed', error })
    }
  }

  return {
    event$: guarded(said$, { threw: () => undefined }),
    write: (level, _time, fields, message) => write(level, fields, message),
    flush: async () =>
      new Promise((resolve) => {
        const deadline = setTimeout(resolve, FLUSH_MS)
        const done = () => {
          clearTimeout(deadline)
          resolve()
        }
        try {
          own.flush(done)
        } catch {
          done() // its stream is closed
        }
        if (typeof (stream as { readonly flush?: unknown } | undefined)?.flush !== 'function') done()
      }),
    close() {
      clearTimeout(telling)
      said$.complete()
    },
  }
}
