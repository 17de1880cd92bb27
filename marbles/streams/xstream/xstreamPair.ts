import type { Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import { asyncScheduler, type SchedulerLike } from 'rxjs'
import { halfOf } from '../../../src/streams/xstream/half.ts'
import { XStream } from '../../../src/streams/xstream/XStream.ts'

/** An xstream between two sides in memory, with the substreams under it. */
export interface XStreamPair {
  readonly opener: XStream
  readonly acceptor: XStream
  readonly under: Record<'opener' | 'acceptor', { readonly main: Stream; readonly error: Stream }>
}

/** Makes one, past its handshake. */
export async function xstreamPair(scheduler: SchedulerLike = asyncScheduler): Promise<XStreamPair> {
  const [[main, farMain], [error, farError]] = await Promise.all([streamPair(), streamPair()])
  const under = { opener: { main, error }, acceptor: { main: farMain, error: farError } }
  const side = (which: 'opener' | 'acceptor') => {
    const what = { what: `xstream 7 (${which})`, peer: 'peer' }
    const halves = { main: halfOf(under[which].main, what), error: halfOf(under[which].error, what) }
    return new XStream({ id: 7n, peer: 'peer', connection: 'c', side: which, ...halves, scheduler, lingerMs: 1_000 })
  }
  return { opener: side('opener'), acceptor: side('acceptor'), under }
}

/** An opener whose acceptor is two bare substreams. */
export async function openerAlone(scheduler: SchedulerLike = asyncScheduler) {
  const [[main, farMain], [error, farError]] = await Promise.all([streamPair(), streamPair()])
  const what = { what: 'xstream 7', peer: 'peer' }
  const halves = { main: halfOf(main, what), error: halfOf(error, what) }
  const opener = new XStream({ id: 7n, peer: 'peer', connection: 'c', side: 'opener', ...halves, scheduler })
  return { opener, main: farMain, error: farError }
}

/** Text as bytes. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Bytes as text. */
export const text = (data: Uint8Array | undefined): string | undefined => data && new TextDecoder().decode(data)

/** What a promise rejects with. */
export async function failure<E = Error & { code: string; partial: Uint8Array }>(work: Promise<unknown>): Promise<E> {
  return work.then(
    (value) => Promise.reject(new Error(`it resolved with ${String(value)}`)),
    (error: unknown) => error as E,
  )
}

/** Lets what is under way in memory arrive. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

const events = ['message', 'drain', 'close', 'remoteCloseWrite', 'end', 'idle'] as const

/** How many listen to a stream. */
export function listeners(stream: Stream): number {
  const target = stream as Stream & { listenerCount(type: string): number }
  return events.reduce((sum, type) => sum + target.listenerCount(type), 0)
}
