import { defer, Observable, Subscription, take, throwIfEmpty } from 'rxjs'
import { StreamError, TimeoutError } from '../../errors/errors.ts'
import { FrameReader } from './ports/frameReader.ts'
import { sendAll } from './ports/sendAll.ts'
import type { SimulatedConnection, SimulatedNode, SimulatedStream } from './simulatedNode.ts'

/** What bounds a {@link request}. */
export interface RequestOptions {
  /** Longest answer; a longer one resets the stream. Default: 8 MiB. @unit bytes */
  readonly maxBytes?: number
  /** How long dialling, asking and answering may take together. Default: 10 000. @unit milliseconds */
  readonly timeoutMs?: number
  /** The connection to ask on. Default: whichever the node has, or opens. */
  readonly connection?: SimulatedConnection
}

/** What bounds {@link answer}. */
export interface AnswerOptions {
  /** Longest request; a longer one resets its stream. Default: 8 MiB. @unit bytes */
  readonly maxBytes?: number
  /** Requests of one peer at once; a further one has its stream reset. Default: 64. */
  readonly atOnce?: number
}

/** Answers a request, now or later; its first value is the answer. Failing or throwing resets the stream. */
export type Answerer = (request: Uint8Array, stream: SimulatedStream) => Observable<Uint8Array>

const MOST_BYTES = 8 << 20
const TIMEOUT_MS = 10_000
const AT_ONCE = 64

/**
 * Asks a peer on a stream of its own: sends one message, emits the message that answers it.
 *
 * @shape  Cold; one value. Unsubscribing resets the stream. Memory: `maxBytes`.
 * @errors Those of `SimulatedNode.open`; `StreamError` when the stream breaks, or what comes is no answer;
 *         `TimeoutError`.
 */
export function request(
  node: SimulatedNode,
  peer: string,
  protocol: string,
  bytes: Uint8Array,
  { maxBytes = MOST_BYTES, timeoutMs = TIMEOUT_MS, connection }: RequestOptions = {},
): Observable<Uint8Array> {
  return new Observable((out) => {
    const reading = new Subscription()
    let stream: SimulatedStream | undefined
    let isAnswered = false
    const context = { peer, protocol }
    const late = () => {
      out.error(new TimeoutError(`${protocol}: ${peer} did not answer within ${timeoutMs} ms`, context))
    }
    const broken = (why: string) => out.error(new StreamError(`${protocol}: ${peer} ${why}`, context))
    const reader = new FrameReader(maxBytes, (frame, start) => {
      if (isAnswered) return
      isAnswered = true
      out.next(frame.subarray(start))
      out.complete()
    })
    const ask = (opened: SimulatedStream) => {
      stream = opened
      reading.add(
        opened.chunk$.subscribe({
          next: (chunk) => {
            if (isAnswered)
              opened.reset() // it goes on after its answer
            else if (!reader.push(chunk)) broken('sent what is no message, or too long a one')
          },
          error: (error: unknown) => out.error(error),
          complete: () => void (isAnswered || broken('ended the stream before its answer')),
        }),
      )
      if (!out.closed) out.add(sendAll(opened, bytes))
    }
    out.add(() => {
      if (isAnswered) return // the rest of the stream is its end: it is read without us
      reading.unsubscribe()
      stream?.reset()
    })
    out.add(node.scheduler.schedule(late, timeoutMs))
    const opening$ = connection === undefined ? node.open(peer, protocol) : connection.open(protocol)
    out.add(opening$.pipe(take(1)).subscribe({ next: ask, error: (error: unknown) => out.error(error) }))
  })
}

/**
 * Answers the requests of a protocol.
 *
 * @returns Lets go of the protocol, and resets what is being answered.
 * @errors None: a request that is malformed, too long or one too many has its stream reset, and so has one at which the
 *         handler fails.
 */
export function answer(
  node: SimulatedNode,
  protocol: string,
  answerer: Answerer,
  { maxBytes = MOST_BYTES, atOnce = AT_ONCE }: AnswerOptions = {},
): () => void {
  const answering = new Map<string, number>()
  const work = new Subscription()
  const serve = (stream: SimulatedStream) => {
    const { peer } = stream
    const before = answering.get(peer) ?? 0
    if (before >= atOnce) return stream.reset()
    answering.set(peer, before + 1)
    const task = new Subscription()
    let isAsked = false
    let isSent = false
    let isEnded = false
    const giveUp = () => task.unsubscribe()
    const settle = () => void (isSent && isEnded && task.unsubscribe())
    const reply = (bytes: Uint8Array) => {
      const sending = sendAll(stream, bytes)
      task.add(sending)
      sending.add(() => {
        isSent = true
        settle()
      })
    }
    const reader = new FrameReader(maxBytes, (frame, start) => {
      if (isAsked) return giveUp()
      isAsked = true
      const answer$ = defer(() => answerer(frame.subarray(start), stream)).pipe(take(1), throwIfEmpty())
      task.add(answer$.subscribe({ next: reply, error: giveUp }))
    })
    task.add(() => {
      const left = (answering.get(peer) ?? 1) - 1
      if (left === 0) answering.delete(peer)
      else answering.set(peer, left)
      if (!isSent) stream.reset()
    })
    work.add(task)
    task.add(
      stream.chunk$.subscribe({
        next: (chunk) => void (reader.push(chunk) || giveUp()),
        error: giveUp,
        complete: () => {
          isEnded = true
          if (isAsked) settle()
          else giveUp()
        },
      }),
    )
  }
  const release = node.handle(protocol, serve)
  return () => {
    release()
    work.unsubscribe()
  }
}
