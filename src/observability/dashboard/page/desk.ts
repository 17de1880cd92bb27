import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals'
import type { PlainEvent } from '../../plainEvent.ts'
import { isSample, type Sample } from '../model/dashboardItem.ts'
import { emptyView, type View } from '../model/dashboardView.ts'
import type { FeedBatch, FeedHello, HistoryPage } from '../model/feed.ts'
import type { AlertRule } from '../model/alerts.ts'
import { ViewHistory } from '../model/viewHistory.ts'
import { afterMs, everyMs, nowMs } from './browserPorts.ts'
import { eventLog, type EventLog, type LogLine } from './events/eventLog.ts'
import { acknowledgePort, feedPorts, historyPort } from './feed/feedPorts.ts'
import { fileText } from './feed/fileText.ts'
import type { ReadFrame } from './feed/readFrame.ts'
import { readRecording } from './feed/readRecording.ts'

/** Samples that charts draw: an hour. */
const MOST_SAMPLES = 3_600

/** What a recording may hold, beside what a live page remembers. */
const RECORDING_BOUNDS = { items: 200_000, bytes: 128 * 1_024 * 1_024, keyframeItems: 256, keyframeMs: 10_000 }

/** The past is asked for again, after frames were missed, at most so often. @unit milliseconds */
const ASK_MS = 15_000

/** What is shown changes at most so often by itself; what the reader does is shown at once. @unit milliseconds */
const CALM_MS = 200

/** Nothing came for so long: it lags. @unit milliseconds */
const LAG_MS = 3_500

/** How the page stands to the node. `file`: it shows a recording. */
export type LinkState = 'connecting' | 'live' | 'lagging' | 'lost' | 'ended' | 'file'

/** Where the page gets its data from. */
export interface Sources {
  /** Server-sent events. */
  readonly feed: string
  /** What was before. */
  readonly history: string
  /** Where alerts are acknowledged. */
  readonly acknowledge: string
}

/** Everything the page shows, and what can be done with it: one for the whole page. */
export interface Desk {
  /** The view at the moment shown. */
  readonly view: ReadonlySignal<View>
  /** Whether a view has come. */
  readonly isReady: ReadonlySignal<boolean>
  /** How the page stands to the node. */
  readonly link: ReadonlySignal<LinkState>
  /** Why, in words. */
  readonly linkNote: ReadonlySignal<string>
  /** Time at the node, or of the moment shown. @unit milliseconds of the swarm's scheduler */
  readonly now: ReadonlySignal<number>
  /** Since when the dashboard watches. @unit milliseconds of the swarm's scheduler */
  readonly startedAt: ReadonlySignal<number>
  /** The moment shown; none: live. */
  readonly moment: ReadonlySignal<number | undefined>
  /** Its time. @unit milliseconds of the swarm's scheduler */
  readonly momentAt: ReadonlySignal<number | undefined>
  /** What can be gone back to. */
  readonly reach: ReadonlySignal<{ readonly from: number; readonly to: number }>
  /** All samples, also those after the moment shown. */
  readonly samples: ReadonlySignal<readonly Sample[]>
  /** Lines of the list of events until the moment shown. */
  readonly lines: ReadonlySignal<readonly LogLine[]>
  /** Lines that made room for others. */
  readonly forgotten: ReadonlySignal<number>
  /** By what alerts are raised. */
  readonly rules: ReadonlySignal<readonly AlertRule[]>
  /** What went wrong last on this page. */
  readonly trouble: ReadonlySignal<string | undefined>
  /** The peer whose details are shown. */
  readonly chosenPeer: Signal<string | undefined>
  /** Topics that are drawn. */
  readonly topics: Signal<ReadonlySet<string>>
  /** What is said to screen readers. */
  readonly spoken: ReadonlySignal<string>
  /** Shows a time. @unit milliseconds of the swarm's scheduler */
  goTo(at: number): void
  /** Shows what was right after an item. */
  goToMoment(moment: number): void
  /** One event on, or back. */
  step(by: 1 | -1): void
  /** Shows what is now. */
  goLive(): void
  /** Acknowledges an alert. */
  acknowledge(alert: string): void
  /** Shows a recording. @errors None: what can't be read is told as {@link Desk.trouble}. */
  open(file: File): Promise<void>
  /** Takes the trouble from sight. */
  dismiss(): void
}

/**
 * Connects to a node and keeps what it tells.
 *
 * @shape Frames are reduced when they come; signals change at an animation frame, five times a second at most, and not while the page is hidden. Bounds:
 *        those of `ViewHistory`, `MOST_LINES` lines, 3 600 samples.
 */
export function desk(sources: Sources): Desk {
  /** What goes on. */
  let live = new ViewHistory({ view: emptyView({ self: '' }), at: nowMs() })
  /** What is shown: the same, unless frames were missed while the reader looked at the past. */
  let past = live
  let log: EventLog = eventLog()
  let samples: Sample[] = []
  let aheadMs = 0
  let heardAt = nowMs()
  let askedAt = 0
  let isAwaited = false
  let publishedAt = 0
  let unreadable = 0

  const revision = signal(0)
  const clock = signal(nowMs())
  const link = signal<LinkState>('connecting')
  const linkNote = signal('')
  const isReady = signal(false)
  const startedAt = signal(nowMs())
  const moment = signal<number | undefined>(undefined)
  const rules = signal<readonly AlertRule[]>([])
  const trouble = signal<string | undefined>(undefined)
  const spoken = signal('')
  const chosenPeer = signal<string | undefined>(undefined)
  const topics = signal<ReadonlySet<string>>(new Set())

  const publish = (): void => {
    isAwaited = false
    publishedAt = nowMs()
    batch(() => {
      // a moment that has made room for newer ones can't be shown any more
      if (moment.value !== undefined && moment.value < past.range.from) moment.value = past.range.from
      revision.value++
      if (link.value !== 'file') clock.value = nowMs() + aheadMs
    })
  }
  const touch = (): void => {
    if (isAwaited || document.hidden) return
    isAwaited = true
    afterMs(Math.max(0, publishedAt + CALM_MS - nowMs()), () => requestAnimationFrame(publish))
  }
  document.addEventListener('visibilitychange', () => {
    isAwaited = false
    touch()
  })

  /** @param position Where it stands, of a live one: not after what was missed. */
  const takeSample = (sample: Sample, position?: number): void => {
    if (position === undefined || position === live.range.until + 1) live.add(sample)
    samples.push(sample)
    if (samples.length > MOST_SAMPLES * 1.1) samples = samples.slice(-MOST_SAMPLES)
  }
  const takeEvent = (event: PlainEvent): void => {
    live.add(event)
    log.add({ at: event.at, moment: live.range.until, event })
  }
  const speak = (event: PlainEvent): void => {
    const { title = event.type } = live.view.alerts.find(({ alert }) => alert === event['alert']) ?? {}
    const severity = typeof event['severity'] === 'string' ? event['severity'] : 'warning'
    if (event.type === 'alert:raised') spoken.value = `Alert raised, ${severity}: ${title}`
    else if (event.type === 'alert:resolved') spoken.value = `Alert resolved: ${title}`
  }
  const follow = (next: ViewHistory, isShown: boolean): void => {
    live = next
    if (isShown) past = live
  }
  /** What follows does not follow from what was before: frames are missing. */
  const cut = (view: View, at: number, position: number): void => {
    follow(new ViewHistory({ view, at, position }), moment.value === undefined)
    if (nowMs() - askedAt >= ASK_MS) void askPast()
  }
  const askPast = async (): Promise<void> => {
    askedAt = nowMs()
    const asker = live
    try {
      const page = await historyPort(sources.history)
      if (live === asker) precede(page)
      touch()
    } catch (error) {
      trouble.value = `What happened before this page was opened could not be read: ${messageOf(error)}`
    }
  }
  /** Puts what the node remembers before what the page has heard itself; positions join them without a seam. */
  const precede = ({ position, at, view, items }: HistoryPage): void => {
    const { from, until } = live.range
    const older = items.slice(0, Math.max(0, from - position))
    if (older.length === 0 || position + older.length < from) return
    const whole = new ViewHistory({ view, at, position })
    for (const item of older) whole.add(item)
    for (const item of live.itemsBetween(from, until)) whole.add(item)
    follow(whole, past === live || moment.value === undefined)
    const first = samples[0]?.at ?? Infinity
    samples = [...older.filter(isSample).filter((one) => one.at < first), ...samples].slice(-MOST_SAMPLES)
    const known = log.lines[0]?.moment ?? Infinity
    log.precede(
      older.flatMap((item, i) => {
        const next = position + i + 1
        return isSample(item) || next >= known ? [] : [{ at: item.at, moment: next, event: item }]
      }),
    )
  }
  const hello = (frame: FeedHello): void => {
    aheadMs = frame.serverTimeMs - nowMs()
    const isSame = isReady.value && live.view.self === frame.self && startedAt.value === frame.startedAt
    if (!isSame) {
      log = eventLog()
      samples = frame.view.sample === undefined ? [] : [frame.view.sample]
      askedAt = 0
    }
    if (!isSame) moment.value = undefined
    if (!isSame || frame.position !== live.range.until) cut(frame.view, frame.serverTimeMs, frame.position)
    batch(() => {
      startedAt.value = frame.startedAt
      rules.value = Array.isArray(frame.alertRules) ? frame.alertRules : []
      isReady.value = true
    })
    if (!isSame) publish() // at once: a page must not say that the node has no peers before it has looked
  }
  const gather = (frame: FeedBatch): void => {
    const isNext = frame.view === undefined && live.range.until + frame.items.length === frame.position
    const examples = frame.examples[Symbol.iterator]()
    let example = examples.next()
    const noteExamples = (until: number): void => {
      for (; example.done !== true && example.value.at <= until; example = examples.next()) {
        log.add({ at: example.value.at, moment: isNext ? live.range.until : frame.position, event: example.value })
      }
    }
    for (const item of frame.items) {
      noteExamples(item.at)
      if (isNext) takeEvent(item)
      else log.add({ at: item.at, moment: frame.position, event: item })
      speak(item)
    }
    if (frame.view !== undefined) cut(frame.view, frame.items.at(-1)?.at ?? live.range.untilMs, frame.position)
    noteExamples(Infinity)
    const { skipped } = frame
    if (typeof skipped === 'object' && skipped !== null && Object.keys(skipped).length > 0) {
      log.add({
        at: frame.items.at(-1)?.at ?? frame.examples.at(-1)?.at ?? live.range.untilMs,
        moment: frame.position,
        skipped,
      })
    }
  }
  const hear = (read: ReadFrame): void => {
    heardAt = nowMs()
    if ('problem' in read) {
      unreadable++
      trouble.value = `The feed sent something this page can't read (${unreadable} so far): ${read.problem}.`
      return
    }
    const { frame } = read
    if (link.value !== 'ended' && frame.type !== 'lagging' && frame.type !== 'bye') {
      link.value = 'live'
      linkNote.value = ''
    }
    if (frame.type === 'hello') hello(frame)
    else if (frame.type === 'batch') gather(frame)
    else if (frame.type === 'sample') takeSample(frame.sample, frame.position)
    else if (frame.type === 'lagging') {
      link.value = 'lagging'
      linkNote.value = `this page was too slow: ${frame.skipped} messages were left out`
    } else {
      link.value = frame.retry ? 'lost' : 'ended'
      linkNote.value = frame.reason
    }
    touch()
  }
  const end = feedPorts(sources.feed, {
    open: () => undefined,
    frame: hear,
    lost(retryInMs) {
      link.value = 'lost'
      linkNote.value = `trying again in ${Math.max(1, Math.round(retryInMs / 1_000))} s`
    },
  })
  everyMs(1_000, () => {
    if (link.value === 'live' && nowMs() - heardAt > LAG_MS) {
      link.value = 'lagging'
      linkNote.value = 'nothing was heard for some seconds'
    }
    if (!document.hidden && link.value !== 'lost' && link.value !== 'ended' && link.value !== 'file') {
      clock.value = nowMs() + aheadMs
    }
  })

  const reach = computed(() => {
    void revision.value // what is remembered has moved on
    const { fromMs, untilMs } = past.range
    return { from: fromMs, to: Math.max(untilMs, fromMs + 1) }
  })
  const momentAt = computed(() => {
    void revision.value // the past may have become longer
    return moment.value === undefined ? undefined : past.timeOf(moment.value)
  })
  const goLive = (): void => {
    past = live
    moment.value = undefined
    publish()
  }
  const show = (next: number): void => {
    const { from, until } = past.range
    if (next >= until) goLive()
    else moment.value = Math.max(from, next)
  }
  return {
    view: computed(() => {
      void revision.value // a new view, or the same one
      return moment.value === undefined ? past.view : past.viewOf(moment.value)
    }),
    isReady,
    link,
    linkNote,
    now: computed(() => momentAt.value ?? (link.value === 'file' ? reach.value.to : clock.value)),
    startedAt,
    moment,
    momentAt,
    reach,
    samples: computed(() => (revision.value, samples.slice(-MOST_SAMPLES))),
    lines: computed(() => {
      void revision.value // new lines
      const last = moment.value
      const { lines } = log
      return last === undefined ? lines : lines.filter((one) => one.moment <= last)
    }),
    forgotten: computed(() => (revision.value, log.forgotten)),
    rules,
    trouble,
    chosenPeer,
    topics,
    spoken,
    goTo: (at) => show(past.positionAt(at)),
    goToMoment: show,
    step: (by) => show(past.step(moment.value ?? past.range.until, by)),
    goLive,
    acknowledge(alert) {
      acknowledgePort(sources.acknowledge, alert).catch((error: unknown) => {
        trouble.value = `The alert was not acknowledged: ${messageOf(error)}`
      })
    },
    async open(file) {
      const { name } = file
      const read = await fileText(file).then(readRecording, (error: unknown) => ({ problem: messageOf(error) }))
      if ('problem' in read) {
        trouble.value = `${name} can't be opened: ${read.problem}`
        return
      }
      end()
      follow(new ViewHistory({ ...read.start, bounds: RECORDING_BOUNDS }), true)
      log = eventLog()
      samples = []
      for (const item of read.items) {
        if (isSample(item)) takeSample(item)
        else takeEvent(item)
      }
      batch(() => {
        link.value = 'file'
        linkNote.value = name
        isReady.value = true
        moment.value = undefined
        startedAt.value = past.range.fromMs
        trouble.value = read.note
      })
      publish()
    },
    dismiss: () => void (trouble.value = undefined),
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
