import { get, type IncomingMessage } from 'node:http'
import type { Item } from '../../src/observability/dashboard/model/dashboardItem.ts'
import type { View } from '../../src/observability/dashboard/model/dashboardView.ts'
import type { FeedFrame } from '../../src/observability/dashboard/model/feed.ts'
import { reduceView } from '../../src/observability/dashboard/model/reduceView.ts'
import { eventually } from './wait.ts'

/** A page that reads the feed. */
export interface FeedReader {
  /** Everything that came, in its order. */
  readonly frames: readonly FeedFrame[]
  /** What it would draw now. */
  readonly view: View | undefined
  /** Of that view. */
  readonly position: number
  /** Whether the feed has ended. */
  readonly isOver: boolean
  /** Waits until a frame has come. */
  got<Type extends FeedFrame['type']>(type: Type, count?: number): Promise<Extract<FeedFrame, { type: Type }>>
  /** Stops or goes on reading. */
  pause(isPaused: boolean): void
  /** Leaves. */
  close(): void
}

/** Opens a feed; the status if it is not 200. */
export function openFeed(url: string): Promise<FeedReader | number> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}dashboard/feed`, { agent: false }, (response) => {
      if (response.statusCode === 200) return resolve(reading(response, () => request.destroy()))
      response.resume()
      resolve(response.statusCode!)
    })
    request.on('error', reject)
  })
}

/** Opens a feed that must be there. */
export async function feedOf(url: string): Promise<FeedReader> {
  const feed = await openFeed(url)
  if (typeof feed === 'number') throw new Error(`the feed answered ${feed}`)
  return feed
}

function reading(response: IncomingMessage, close: () => void): FeedReader {
  const frames: FeedFrame[] = []
  let rest = ''
  let [view, position, isOver]: [View | undefined, number, boolean] = [undefined, 0, false]
  response.setEncoding('utf8')
  response.on('error', () => undefined)
  response.on('close', () => void (isOver = true))
  response.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n\n')
    rest = parts.pop()!
    for (const part of parts) {
      const data = part.split('\n').find((line) => line.startsWith('data: '))
      if (data !== undefined) take(JSON.parse(data.slice(6)) as FeedFrame)
    }
  })

  /** As the page does: what the view has already is not reduced again. */
  function take(frame: FeedFrame): void {
    frames.push(frame)
    if (frame.type === 'hello') [view, position] = [frame.view, frame.position]
    if (frame.type === 'batch' && frame.view !== undefined) [view, position] = [frame.view, frame.position]
    else if (frame.type === 'batch') reduce(frame.items, frame.position)
    if (frame.type === 'sample') reduce([frame.sample], frame.position)
  }
  function reduce(items: readonly Item[], until: number): void {
    if (until <= position || view === undefined || until - items.length !== position) return
    view = items.reduce(reduceView, view)
    position = until
  }

  return {
    frames,
    get view() {
      return view
    },
    get position() {
      return position
    },
    get isOver() {
      return isOver
    },
    got: async (type, count = 1) => {
      const those = () => frames.filter((frame) => frame.type === type)
      await eventually(() => those().length >= count)
      return those()[count - 1] as never
    },
    pause: (isPaused) => void (isPaused ? response.pause() : response.resume()),
    close,
  }
}
