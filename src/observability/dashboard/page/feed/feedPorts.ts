import type { HistoryPage } from '../../model/feed.ts'
import { afterMs, chance } from '../browserPorts.ts'
import { readFrame, type ReadFrame } from './readFrame.ts'

/** Waits between attempts. @unit milliseconds */
const WAIT = { first: 500, most: 15_000 }

/** Nothing was heard for so long, though a sample comes each second: the feed is lost. @unit milliseconds */
const SILENT_MS = 8_000

/** What a feed tells. */
export interface FeedHandlers {
  /** It is there. */
  open(): void
  /** A message, or what is wrong with it. */
  frame(read: ReadFrame): void
  /** It is gone, and tried again after a while. @unit milliseconds */
  lost(retryInMs: number): void
}

/**
 * Connects to the node's feed, and again whenever it is lost, with doubling waits.
 *
 * @returns Ends it.
 */
export function feedPorts(url: string, { open, frame, lost }: FeedHandlers): () => void {
  let source: EventSource | undefined
  let waitMs = WAIT.first
  let undo = (): void => undefined
  let unwatch = (): void => undefined
  let isOver = false
  const fail = (): void => {
    source?.close()
    unwatch()
    undo()
    if (isOver) return
    const inMs = waitMs * (0.5 + chance() / 2)
    waitMs = Math.min(WAIT.most, waitMs * 2)
    undo = afterMs(inMs, connect)
    lost(inMs)
  }
  const watch = (): void => {
    unwatch()
    unwatch = afterMs(SILENT_MS, fail)
  }
  const connect = (): void => {
    const stream = new EventSource(url)
    source = stream
    watch()
    const hear = ({ data }: MessageEvent<string>): void => {
      watch()
      const read = readFrame(data)
      if ('frame' in read && read.frame.type === 'hello') waitMs = WAIT.first
      if ('frame' in read && read.frame.type === 'bye') {
        isOver = !read.frame.retry
        if (isOver) stream.close()
        if (isOver) unwatch()
      }
      frame(read)
    }
    stream.addEventListener('open', open)
    stream.addEventListener('error', fail)
    for (const type of ['hello', 'batch', 'sample', 'lagging', 'bye', 'message']) stream.addEventListener(type, hear)
  }
  connect()
  return () => {
    isOver = true
    undo()
    unwatch()
    source?.close()
  }
}

/** What happened before the page was opened. @errors Rejects when the node does not answer, or with something else. */
export async function historyPort(url: string): Promise<HistoryPage> {
  const response = await fetch(url, { headers: { accept: 'application/json' } })
  if (!response.ok) throw new Error(`the node answered ${response.status}`)
  return (await response.json()) as HistoryPage
}

/** Acknowledges an alert. @errors Rejects with why it was not. */
export async function acknowledgePort(url: string, alert: string): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ alert }),
  })
  if (!response.ok) throw new Error((await response.text()).slice(0, 200) || `the node answered ${response.status}`)
}
