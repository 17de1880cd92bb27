import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DashboardDecisions } from './dashboardOptions.ts'
import type { DashboardWatch, Onlooker } from './dashboardWatch.ts'
import type { Sample } from './model/dashboardItem.ts'
import { FEED_VERSION, type FeedFrame } from './model/feed.ts'
import type { PlainEvent } from '../plainEvent.ts'

/** How often items are sent. @unit milliseconds */
const BATCH_MS = 100

/** Telling events of one batch; when there are more, the view after them is sent instead. */
const MOST_ITEMS = 512

/** Examples of one batch. */
const MOST_EXAMPLES = 12

/** A view takes the place of items at most so often; in between it is only noted that one is due. @unit milliseconds */
const VIEW_EVERY_MS = 1_000

/** How long a page that found no place is asked to wait. @unit seconds */
const RETRY_AFTER_S = 5

/** A page that has had more to read than it may for longer than this has fallen behind. @unit milliseconds */
const GRACE_MS = 50

/** How soon a browser that lost the feed asks again. @unit milliseconds */
const RETRY_MS = 1_000

/** A page that looks. */
interface Client {
  readonly response: ServerResponse
  readonly from: string
  /** Since when it has had more to read than it may. @unit milliseconds of `performance.now` */
  fullAtMs: number | undefined
  /** Frames that it was not sent since it fell behind; 0 when it has not. */
  behind: number
  /** When it fell behind. @unit milliseconds of `performance.now` */
  sinceMs: number
}

/**
 * Sends the feed to pages.
 *
 * @shape  Each frame is encoded once, whoever reads it. A page that does not read is skipped as soon as more than
 *         `maxUnreadBytes` wait for it, told so with a fresh view when it has read, and let go after `stallMs`. While nobody
 *         looks, nothing is done. Memory: what waits for `maxClients` pages, and one batch.
 */
export class Feed implements Onlooker {
  readonly #watch: DashboardWatch
  readonly #options: DashboardDecisions
  readonly #clients = new Set<Client>()
  #items: PlainEvent[] = []
  #examples: PlainEvent[] = []
  /** Telling events that found no place in the batch, by type: their place takes a view, as soon as one may be sent. */
  readonly #over = new Map<string, number>()
  #isViewDue = false
  #viewAtMs = -Infinity
  #timer: NodeJS.Timeout | undefined
  #refused = 0
  #isOver = false
  #hello: { readonly position: number; readonly bytes: Buffer } | undefined

  constructor(watch: DashboardWatch, options: DashboardDecisions) {
    this.#watch = watch
    this.#options = options
  }

  /** Takes a browser in, or tells it that there is no place. */
  admit(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isOver || this.#clients.size >= this.#options.maxClients) {
      if (!this.#isOver) this.#refused++
      response.statusCode = 503
      response.setHeader('retry-after', RETRY_AFTER_S)
      response.setHeader('content-type', 'text/plain; charset=utf-8')
      return void response.end(
        this.#isOver ? 'The swarm has stopped.\n' : 'Too many pages look already. Try again later.\n',
      )
    }
    response.statusCode = 200
    response.setHeader('content-type', 'text/event-stream; charset=utf-8')
    response.setHeader('cache-control', 'no-store')
    response.setHeader('x-accel-buffering', 'no')
    if (request.method === 'HEAD') return void response.end()
    const client: Client = {
      response,
      from: request.socket.remoteAddress ?? '',
      fullAtMs: undefined,
      behind: 0,
      sinceMs: 0,
    }
    if (this.#clients.size === 0) this.#begin()
    else this.#flush()
    this.#clients.add(client)
    response.once('close', () => this.#leave(client, 'gone'))
    response.write(`retry: ${RETRY_MS}\n\n`)
    response.write(this.#encodedHello())
    this.#watch.say({ type: 'dashboard:joined', from: client.from, clients: this.#clients.size })
  }

  item(event: PlainEvent): void {
    if (this.#clients.size === 0) return
    if (this.#items.length < MOST_ITEMS) this.#items.push(event)
    else {
      this.#isViewDue = true
      this.#over.set(event.type, (this.#over.get(event.type) ?? 0) + 1)
    }
    this.#arm()
  }

  wantsExample(): boolean {
    return this.#examples.length < MOST_EXAMPLES && this.#clients.size > 0
  }

  example(event: PlainEvent): void {
    this.#examples.push(event)
    this.#arm()
  }

  sample(sample: Sample): void {
    this.#tellRefused()
    if (this.#clients.size === 0) return void (this.#watch.onlooker = undefined)
    this.#flush(1)
    this.#send({ type: 'sample', position: this.#position, sample })
    this.#lookAtSlowOnes()
  }

  stopped(): void {
    this.#isOver = true
    this.#flush()
    this.#send({ type: 'bye', reason: 'The swarm has stopped.', retry: false })
    for (const { response } of [...this.#clients]) response.end()
    this.#clients.clear()
    this.#end()
  }

  get #position(): number {
    return this.#watch.history.range.until
  }

  #begin(): void {
    this.#watch.intake.takeSkipped()
    this.#watch.onlooker = this
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#items = []
    this.#examples = []
    this.#over.clear()
    this.#isViewDue = false
    this.#hello = undefined
  }

  #leave(client: Client, reason: 'gone' | 'stalled'): void {
    if (!this.#clients.delete(client)) return
    if (this.#clients.size === 0) {
      this.#watch.onlooker = this.#refused > 0 ? this : undefined
      this.#end()
    }
    this.#watch.say({ type: 'dashboard:left', from: client.from, clients: this.#clients.size, reason })
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS).unref()
  }

  /** Sends what waits. @param after Items that are in the view already and come in a frame of their own. */
  #flush(after = 0): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const [items, examples] = [this.#items, this.#examples]
    if (items.length === 0 && examples.length === 0 && !this.#isViewDue) return
    this.#items = []
    this.#examples = []
    const batch = { type: 'batch', items, examples, skipped: this.#takeSkipped() } as const
    if (this.#isViewDue && performance.now() - this.#viewAtMs >= VIEW_EVERY_MS) {
      this.#isViewDue = false
      this.#viewAtMs = performance.now()
      return this.#send({ ...batch, position: this.#position, view: this.#watch.history.view })
    }
    this.#send({ ...batch, position: this.#position - after })
    if (this.#isViewDue) this.#arm()
  }

  #takeSkipped(): Readonly<Record<string, number>> {
    const skipped = this.#watch.intake.takeSkipped()
    if (this.#over.size === 0) return skipped
    const all = { ...skipped }
    for (const [type, count] of this.#over) all[type] = (Object.hasOwn(all, type) ? all[type]! : 0) + count
    this.#over.clear()
    return all
  }

  #send(frame: FeedFrame): void {
    if (this.#clients.size === 0) return
    const bytes = encoded(frame)
    for (const client of this.#clients) this.#write(client, bytes)
  }

  #write(client: Client, bytes: Buffer): void {
    const { response } = client
    if (client.behind > 0) return void client.behind++
    const nowMs = performance.now()
    if (response.writableLength <= this.#options.maxUnreadBytes) client.fullAtMs = undefined
    else if (nowMs - (client.fullAtMs ??= nowMs) > GRACE_MS) {
      client.behind = 1
      client.sinceMs = nowMs
      return
    }
    response.write(bytes)
  }

  /** Who was behind and has read everything begins anew; who has not for too long is let go. */
  #lookAtSlowOnes(): void {
    for (const client of [...this.#clients]) {
      const { response, behind, sinceMs } = client
      if (behind === 0) continue
      if (response.writableLength === 0) {
        client.behind = 0
        client.fullAtMs = undefined
        response.write(encoded({ type: 'lagging', skipped: behind }))
        response.write(this.#encodedHello())
      } else if (performance.now() - sinceMs >= this.#options.stallMs) {
        this.#leave(client, 'stalled')
        response.destroy()
      }
    }
  }

  #encodedHello(): Buffer {
    const { history, startedAt, probed } = this.#watch
    const position = this.#position
    if (this.#hello?.position !== position) {
      const bytes = encoded({
        type: 'hello',
        version: FEED_VERSION,
        position,
        self: probed.self,
        startedAt,
        serverTimeMs: probed.scheduler.now(),
        modules: history.view.modules,
        alertRules: this.#options.alerts,
        view: history.view,
      })
      this.#hello = { position, bytes }
    }
    return this.#hello.bytes
  }

  #tellRefused(): void {
    if (this.#refused === 0) return
    const count = this.#refused
    this.#refused = 0
    this.#watch.say({ type: 'dashboard:refused', count })
  }
}

/** A frame as server-sent events have it: JSON has no line break. */
function encoded(frame: FeedFrame): Buffer {
  return Buffer.from(`event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`)
}
