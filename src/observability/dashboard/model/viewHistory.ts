import type { Item } from './dashboardItem.ts'
import type { View } from './dashboardView.ts'
import { reduceView } from './reduceView.ts'
import { roughSize } from './roughSize.ts'

/** How much is looked back on at most; of more, the oldest is forgotten. */
export const HISTORY_BOUNDS = {
  /** Items. */
  items: 20_000,
  /** All items together, roughly. @unit bytes */
  bytes: 16 * 1_024 * 1_024,
  /** A view is kept at least so often, and so is the first after it. @unit items */
  keyframeItems: 256,
  /** A view is kept at least so often. @unit milliseconds */
  keyframeMs: 10_000,
} as const

/** A view that is kept, and which item follows it. */
interface Keyframe {
  readonly position: number
  readonly at: number
  readonly view: View
}

/** The items that {@link ViewHistory} remembers: `from` and `until` are positions, the others times. */
export interface HistoryRange {
  /** Position of the oldest view. */
  readonly from: number
  /** Position of the latest view. */
  readonly until: number
  /** @unit milliseconds of the swarm's scheduler */
  readonly fromMs: number
  /** @unit milliseconds of the swarm's scheduler */
  readonly untilMs: number
}

/** Where a history begins, and how much it may hold. */
export interface HistoryStart {
  /** The view there. */
  readonly view: View
  /** @unit milliseconds of the swarm's scheduler */
  readonly at: number
  /** How many items the view is made of. Default: 0. */
  readonly position?: number
  /** Default: {@link HISTORY_BOUNDS}. */
  readonly bounds?: Partial<Readonly<Record<keyof typeof HISTORY_BOUNDS, number>>>
}

/**
 * The views of the past: a ring of items, with a view kept every now and then.
 *
 * @shape  A position is a number of items: the view at a position is that after so many. `viewAt` is what reducing from
 *         scratch gives, for a few hundred reductions at most; going on from where one looked last costs one. Bounds:
 *         {@link HISTORY_BOUNDS}.
 */
export class ViewHistory {
  readonly #bounds: Readonly<Record<keyof typeof HISTORY_BOUNDS, number>>
  #keyframes: Keyframe[]
  #items: Item[] = []
  #times: number[] = []
  #sizes: number[] = []
  #bytes = 0
  /** Position of the first item. */
  #first: number
  #view: View
  #at: number
  #seen: { readonly position: number; readonly view: View } | undefined

  constructor({ view, at, position = 0, bounds }: HistoryStart) {
    this.#bounds = { ...HISTORY_BOUNDS, ...bounds }
    this.#keyframes = [{ position, at, view }]
    this.#first = position
    this.#view = view
    this.#at = at
  }

  /** The latest view. */
  get view(): View {
    return this.#view
  }

  /** What is remembered. */
  get range(): HistoryRange {
    const { position, at } = this.#keyframes[0]!
    return { from: position, until: this.#first + this.#items.length, fromMs: at, untilMs: this.#at }
  }

  /** Roughly how many bytes the items take. */
  get bytes(): number {
    return this.#bytes
  }

  /** One more item. @returns the view after it. */
  add(item: Item): View {
    this.#at = Math.max(this.#at, item.at) // a clock that was set back does not reorder what happened
    const size = roughSize(item)
    this.#items.push(item)
    this.#times.push(this.#at)
    this.#sizes.push(size)
    this.#bytes += size
    this.#view = reduceView(this.#view, item)
    this.#keep()
    return this.#view
  }

  /** What is known only from here on, as after frames that were missed: what was before is forgotten. */
  restart(start: HistoryStart): void {
    const { view, at, position = 0 } = start
    this.#keyframes = [{ position, at, view }]
    this.#items = []
    this.#times = []
    this.#sizes = []
    this.#bytes = 0
    this.#first = position
    this.#view = view
    this.#at = at
    this.#seen = undefined
  }

  /** Position of the last item that is not later than a time. */
  positionAt(atMs: number): number {
    let [low, high] = [0, this.#times.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#times[middle]! <= atMs) low = middle + 1
      else high = middle
    }
    return this.#first + low
  }

  /** The view after so many items; outside of what is remembered, the nearest. */
  viewOf(position: number): View {
    const { from, until } = this.range
    const wanted = Math.min(Math.max(position, from), until)
    if (wanted === until) return this.#view
    const keyframe = this.#keyframes.findLast((one) => one.position <= wanted)!
    const seen = this.#seen
    const isNearer = seen !== undefined && seen.position <= wanted && seen.position >= keyframe.position
    let { position: at, view } = isNearer ? seen : keyframe
    while (at < wanted) view = reduceView(view, this.#items[at++ - this.#first]!)
    this.#seen = { position: wanted, view }
    return view
  }

  /** The view as it was at a time. */
  viewAt(atMs: number): View {
    return this.viewOf(this.positionAt(atMs))
  }

  /** The item that led to a position; none at the oldest. */
  itemOf(position: number): Item | undefined {
    return this.#items[position - 1 - this.#first]
  }

  /** When a position was reached. @unit milliseconds of the swarm's scheduler */
  timeOf(position: number): number {
    return this.#times[position - 1 - this.#first] ?? this.range.fromMs
  }

  /** The position one event later (`1`) or earlier (`-1`); samples are passed over. At the end it stays. */
  step(position: number, by: 1 | -1): number {
    const { from, until } = this.range
    let at = Math.min(Math.max(position, from), until)
    do at += by
    while (at > from && at < until && this.itemOf(at)?.type === 'sample')
    return Math.min(Math.max(at, from), until)
  }

  /** The items behind one position until another. */
  itemsBetween(from: number, until: number): readonly Item[] {
    return this.#items.slice(Math.max(0, from - this.#first), Math.max(0, until - this.#first))
  }

  /** The last view that was kept at or before a time, or the oldest. */
  keyframeAt(atMs: number): { readonly position: number; readonly at: number; readonly view: View } {
    return this.#keyframes.findLast(({ at }) => at <= atMs) ?? this.#keyframes[0]!
  }

  /** The first view that was kept at or behind a position, or the latest of those that are kept. */
  keyframeFrom(position: number): { readonly position: number; readonly at: number; readonly view: View } {
    return this.#keyframes.find((one) => one.position >= position) ?? this.#keyframes.at(-1)!
  }

  #keep(): void {
    const { items, bytes, keyframeItems, keyframeMs } = this.#bounds
    const last = this.#keyframes.at(-1)!
    const position = this.#first + this.#items.length
    if (position - last.position >= keyframeItems || this.#at - last.at >= keyframeMs)
      this.#keyframes.push({ position, at: this.#at, view: this.#view })
    while (this.#keyframes.length > 1 && (this.#items.length > items || this.#bytes > bytes)) this.#forget()
  }

  /** Everything before the second keyframe. */
  #forget(): void {
    this.#keyframes.shift()
    const { position } = this.#keyframes[0]!
    const count = position - this.#first
    this.#items.splice(0, count)
    this.#times.splice(0, count)
    for (const size of this.#sizes.splice(0, count)) this.#bytes -= size
    this.#first = position
  }
}
