import { plainEvent, type PlainEvent } from '../../plainEvent.ts'
import type { Item } from './dashboardItem.ts'
import { emptyView, type View } from './dashboardView.ts'
import { classOf, classOfOutcome, NOTES_PER_SECOND } from './eventClass.ts'
import { RecordedSeconds } from './recordedSeconds.ts'
import { recordedValue } from './recordedValue.ts'

/** Items that are taken from one recording; what comes later is counted. */
const MOST_ITEMS = 200_000

/** No clock goes further. @unit milliseconds @source ECMAScript, time values */
const LATEST_MS = 8.64e15

/** A recording of a node, as the dashboard shows it. */
export interface RecordedItems {
  /** Before anything happened. */
  readonly view: View
  /** When it began. @unit milliseconds of the swarm's scheduler */
  readonly startedAt: number
  /** As the feed would have sent them, with a sample for each second in which something happened. */
  readonly items: readonly Item[]
  /** Lines that are none of a recording. */
  readonly unread: number
  /** Items that found no room. */
  readonly beyond: number
  /** Whether the recording ends as it should. */
  readonly isWhole: boolean
}

/**
 * What a recording of the module `recording` holds, as items of a view.
 *
 * @param lines Those of the file, the first one first.
 * @shape  At most 200 000 items. Events that come in masses are only counted, as in a live node.
 * @errors None: undefined when the first line is not that of a recording; lines that can't be read are counted.
 */
export function recordingItems(lines: Iterable<string>): RecordedItems | undefined {
  const items: Item[] = []
  const noted = new Map<string, number>()
  let head: { readonly view: View; readonly startedAt: number } | undefined
  let seconds: RecordedSeconds | undefined
  let [unread, beyond, isWhole] = [0, 0, false]
  const add = (item: Item): void => {
    if (items.length < MOST_ITEMS) items.push(item)
    else beyond++
  }
  for (const line of lines) {
    if (line.trim() === '') continue
    const [kind, ...parts] = listIn(line)
    if (head === undefined || seconds === undefined) {
      head = kind === 'rxswarm' ? headIn(parts[0]) : undefined
      if (head === undefined) return undefined
      seconds = new RecordedSeconds(head.startedAt)
      continue
    }
    if (kind === undefined) unread++
    isWhole = kind === 'z'
    if (kind === 'c') came(parts, head.startedAt, seconds)
    if (kind !== 'e') continue
    const event = eventIn(parts[0])
    if (event === undefined) {
      unread++
      continue
    }
    const sample = seconds.endedBefore(event.at)
    if (sample !== undefined) {
      add(sample)
      noted.clear()
    }
    seconds.count(event)
    const { type } = event
    const of = classOfOutcome(event) ?? classOf(type)
    const before = noted.get(type) ?? 0
    if (of === 'mass' || (of === 'note' && before >= NOTES_PER_SECOND)) continue
    if (of === 'note') noted.set(type, before + 1)
    add(event)
  }
  if (head === undefined || seconds === undefined) return undefined
  add(seconds.last())
  return { ...head, items, unread, beyond, isWhole }
}

/** An event, unless it is none, or one that would be taken for a sample. */
function eventIn(told: unknown): PlainEvent | undefined {
  const event = plainEvent(recordedValue(told) as never) as Partial<PlainEvent> | null
  const isEvent = typeof event?.type === 'string' && event.type !== 'sample'
  const isTimed = typeof event?.at === 'number' && Math.abs(event.at) <= LATEST_MS
  return isEvent && isTimed ? (event as PlainEvent) : undefined
}

/** A command came in: its outcome tells how long it took. */
function came([atMs, , command]: readonly unknown[], startedAt: number, seconds: RecordedSeconds): void {
  const id = (command as { readonly id?: unknown } | null | undefined)?.id
  if (typeof id === 'string' && typeof atMs === 'number') seconds.came(id, startedAt + atMs)
}

function headIn(header: unknown): { readonly view: View; readonly startedAt: number } | undefined {
  const { format, self, startedAt, modules } = Object(header) as Readonly<Record<string, unknown>>
  if (format !== 'rxswarm-recording' || typeof self !== 'string' || typeof startedAt !== 'number') return undefined
  const named = Array.isArray(modules) ? (modules as readonly { readonly name?: unknown }[]) : []
  const names = named.map((module) => module?.name).filter((name) => typeof name === 'string')
  return { view: emptyView({ self, modules: names }), startedAt }
}

function listIn(line: string): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(line)
    return Array.isArray(list) ? list : []
  } catch {
    return []
  }
}
