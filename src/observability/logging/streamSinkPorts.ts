import type { LineSink } from './fileSinkPorts.ts'

/** Anything that lines can be written to: a stream of Node's, a destination or a transport of pino's. */
export interface LogStream {
  /** Takes a line with its end. `false`: it wants no more until `drain`, if it has events. */
  write(line: string): unknown
}

/** A stream with events. */
interface Eventful {
  on(event: string, listener: (value: unknown) => void): unknown
  off(event: string, listener: (value: unknown) => void): unknown
}

/**
 * Lines to a stream of the user's, one at a time: the next one when it has taken the last.
 *
 * @errors What the stream throws or emits is given to `done`; it never reaches the process. The stream is not closed: it is the
 *         user's.
 */
export function streamSink(stream: LogStream): LineSink {
  const events = isEventful(stream) ? stream : undefined
  let failure: unknown
  let waiting: (() => void) | undefined
  const drained = (): void => {
    const wakened = waiting
    waiting = undefined
    wakened?.()
  }
  const failed = (error: unknown): void => {
    failure = error ?? new Error('the stream failed')
    drained()
  }
  const closed = (): void => failed(failure ?? new Error('the stream is closed'))
  events?.on('error', failed)
  events?.on('close', closed)
  events?.on('drain', drained)

  return {
    batchBytes: 1,
    send(lines, done) {
      if (failure !== undefined) {
        const error = failure
        if (!isOver(stream)) failure = undefined
        return done(error, lines)
      }
      try {
        const wantsMore = stream.write(lines.join(''))
        if (wantsMore !== false || events === undefined) return done()
        waiting = () => done()
      } catch (error) {
        done(error, lines)
      }
    },
    close() {
      events?.off('close', closed)
      events?.off('drain', drained) // `failed` stays: what the stream fails at later is no end of the process either
    },
  }
}

function isEventful(stream: object): stream is Eventful {
  const { on, off } = stream as Partial<Eventful>
  return typeof on === 'function' && typeof off === 'function'
}

function isOver(stream: object): boolean {
  const { destroyed, writable } = stream as { readonly destroyed?: unknown; readonly writable?: unknown }
  return destroyed === true || writable === false
}
