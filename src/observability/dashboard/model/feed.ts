import type { AlertRule } from './alerts.ts'
import type { Item, Sample } from './dashboardItem.ts'
import type { View } from './dashboardView.ts'
import type { PlainEvent } from '../../plainEvent.ts'

/** Version of the feed; a page of another version loads itself anew. */
export const FEED_VERSION = 1

/** What a page is told at first, and again after it was left behind: everything from here on follows from it. */
export interface FeedHello {
  /** Tells the frames apart. */
  readonly type: 'hello'
  /** See {@link FEED_VERSION}. */
  readonly version: number
  /** How many items the view is made of. */
  readonly position: number
  /** Own peer id. */
  readonly self: string
  /** When the dashboard began to watch. @unit milliseconds of the swarm's scheduler */
  readonly startedAt: number
  /** Now. @unit milliseconds of the swarm's scheduler */
  readonly serverTimeMs: number
  /** Behaviours in use. */
  readonly modules: readonly string[]
  /** What alerts are raised by. */
  readonly alertRules: readonly AlertRule[]
  /** Everything until now. */
  readonly view: View
}

/** What happened since the last one: at most one every 100 ms, none when nothing did. */
export interface FeedBatch {
  /** Tells the frames apart. */
  readonly type: 'batch'
  /** How many items there were, with these. It was `items.length` less before, or else the view is out of date until one comes. */
  readonly position: number
  /** Telling events in their order: reduce them, unless `view` is there. All there were, as long as the positions fit. */
  readonly items: readonly PlainEvent[]
  /** Examples of the events that come in masses, in their order: for the list of events alone. */
  readonly examples: readonly PlainEvent[]
  /** How many events of each type are neither items nor examples. */
  readonly skipped: Readonly<Record<string, number>>
  /** There were more telling events than fit, in this batch or before: the view at `position`. */
  readonly view?: View
}

/** A second, as numbers: reduce it as any item. */
export interface FeedSample {
  /** Tells the frames apart. */
  readonly type: 'sample'
  /** How many items there were, with this one. A page whose view is at this position already has it in there. */
  readonly position: number
  /** The item. */
  readonly sample: Sample
}

/** The page was too slow, and frames were left out; a fresh {@link FeedHello} follows. */
export interface FeedLagging {
  /** Tells the frames apart. */
  readonly type: 'lagging'
  /** Frames that were left out. */
  readonly skipped: number
}

/** The swarm has stopped, or lets this page go: do not come back unless `retry`. */
export interface FeedBye {
  /** Tells the frames apart. */
  readonly type: 'bye'
  /** Why, in words. */
  readonly reason: string
  /** Whether it makes sense to connect again. */
  readonly retry: boolean
}

/** What `/dashboard/feed` sends: an event of server-sent events, named by its `type`, with this as its data in JSON. */
export type FeedFrame = FeedHello | FeedBatch | FeedSample | FeedLagging | FeedBye

/** What `/dashboard/history` answers: a view, and what happened from it on; by positions it joins the feed without a seam. */
export interface HistoryPage {
  /** See {@link FEED_VERSION}. */
  readonly version: number
  /** How many items the view is made of. */
  readonly position: number
  /** When the view was so. @unit milliseconds of the swarm's scheduler */
  readonly at: number
  /** Before the items. */
  readonly view: View
  /** In their order. */
  readonly items: readonly Item[]
}
