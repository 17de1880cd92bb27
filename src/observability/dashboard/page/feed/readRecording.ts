import type { PlainEvent } from '../../../plainEvent.ts'
import { isSample, type Item } from '../../model/dashboardItem.ts'
import { emptyView, type View } from '../../model/dashboardView.ts'
import { recordingItems } from '../../model/recordingItems.ts'
import { recordingProblem } from '../../model/recordingProblem.ts'
import { isView } from './readFrame.ts'

/** A recording as a view and the items after it, or why it can't be read. */
export type ReadRecording =
  | {
      readonly start: { readonly view: View; readonly at: number }
      readonly items: readonly Item[]
      readonly note: string | undefined
    }
  | { readonly problem: string }

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads a file of a recording: of the module `recording`, what `/dashboard/history` answers, or lines of JSON of which those with
 * an event count.
 *
 * @errors None: a recording that was altered is a `problem`; lines that can't be read, as at the end of a file that was cut
 *         short, are counted in `note`.
 */
export function readRecording(text: string): ReadRecording {
  const whole = parsed(text)
  if (isObject(whole) && isView(whole['view']) && Array.isArray(whole['items'])) return historyOf(whole, whole['items'])
  return recordingOf(text) ?? linesOf(text)
}

/** What the module `recording` writes. */
function recordingOf(text: string): ReadRecording | undefined {
  const read = recordingItems(text.split('\n'))
  if (read === undefined) return undefined
  const problem = recordingProblem(text)
  if (problem !== undefined) return { problem }
  const { view, startedAt, items, unread, beyond, isWhole } = read
  const notes = [
    ...(unread === 0 ? [] : [`${unread} lines of the recording could not be read.`]),
    ...(beyond === 0 ? [] : [`${beyond} events at its end found no room.`]),
    ...(isWhole ? [] : ['The recording was cut short.']),
  ]
  return { start: { view, at: startedAt }, items, note: notes.length === 0 ? undefined : notes.join(' ') }
}

function historyOf(page: Readonly<Record<string, unknown>>, list: readonly unknown[]): ReadRecording {
  const items = list.filter(isItem)
  const left = list.length - items.length
  const start = { view: page['view'] as View, at: typeof page['at'] === 'number' ? page['at'] : 0 }
  return { start, items, note: left === 0 ? undefined : `${left} parts of the recording could not be read.` }
}

function linesOf(text: string): ReadRecording {
  const items: Item[] = []
  let self = ''
  let unread = 0
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const value = parsed(line)
    if (!isObject(value)) {
      unread++
      continue
    }
    if (typeof value['self'] === 'string') self ||= value['self']
    const event = isItem(value) ? value : isItem(value['event']) ? value['event'] : undefined
    if (event !== undefined) items.push(event)
  }
  if (items.length === 0) return { problem: 'it holds no event that can be read' }
  const start = { view: emptyView({ self }), at: items[0]!.at }
  const note = unread === 0 ? undefined : `${unread} lines of the recording could not be read.`
  return { start, items, note }
}

function isItem(value: unknown): value is PlainEvent {
  if (!isObject(value) || typeof value['type'] !== 'string' || typeof value['at'] !== 'number') return false
  return !isSample(value as unknown as Item) || (isObject(value['events']) && Array.isArray(value['lanes']))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
