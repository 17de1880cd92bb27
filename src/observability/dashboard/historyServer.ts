import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { DashboardWatch } from './dashboardWatch.ts'
import { FEED_VERSION } from './model/feed.ts'
import { roughSize } from './model/roughSize.ts'

/** How much is looked back on in one answer, roughly. @unit bytes */
const MOST_BYTES = 4 * 1_024 * 1_024

/** Items that are encoded in one turn of the event loop. */
const AT_ONCE = 256

/** How long an answer is given to all who ask. @unit milliseconds */
const FRESH_MS = 1_000

/** What has happened so far, for pages that come later: encoded once for all who ask within a second. */
export class PastAnswers {
  readonly #watch: DashboardWatch
  #answer: { readonly atMs: number; readonly bytes: Promise<Buffer> } | undefined

  constructor(watch: DashboardWatch) {
    this.#watch = watch
  }

  /** A `HistoryPage` in JSON, compressed. */
  answer(): Promise<Buffer> {
    const nowMs = performance.now()
    if (this.#answer === undefined || nowMs - this.#answer.atMs > FRESH_MS)
      this.#answer = { atMs: nowMs, bytes: this.#encoded() }
    return this.#answer.bytes
  }

  async #encoded(): Promise<Buffer> {
    const { history } = this.#watch
    const { position, at, view } = this.#start()
    const items = history.itemsBetween(position, history.range.until)
    const head = JSON.stringify({ version: FEED_VERSION, position, at, view })
    const parts = [`${head.slice(0, -1)},"items":[`]
    for (let i = 0; i < items.length; i += AT_ONCE) {
      if (i > 0) parts.push(',')
      parts.push(
        items
          .slice(i, i + AT_ONCE)
          .map((item) => JSON.stringify(item))
          .join(','),
      )
      await nextTurn()
    }
    parts.push(']}')
    return promisify(gzip)(parts.join(''), { level: 4 })
  }

  /** The oldest view from which everything since fits. */
  #start() {
    const { history } = this.#watch
    const { fromMs, until } = history.range
    const oldest = history.keyframeAt(fromMs)
    if (history.bytes <= MOST_BYTES) return oldest
    let size = 0
    let position = until
    for (const item of history.itemsBetween(oldest.position, until).toReversed()) {
      size += roughSize(item)
      if (size > MOST_BYTES) break
      position--
    }
    return history.keyframeFrom(position)
  }
}
