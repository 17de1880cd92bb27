import { isDeepStrictEqual } from 'node:util'
import type { ObservableNotification } from 'rxjs'

/** One recorded notification, as RxJS's TestScheduler hands it over; it does not export the type. */
export interface TestMessage {
  /** When. @unit milliseconds of virtual time */
  readonly frame: number
  /** What: a value, an error or completion. */
  readonly notification: ObservableNotification<unknown>
}

/**
 * Draws recorded messages as a marble line: one character a millisecond, a long gap as its time. A moment that falls under
 * the letters of a group before it carries its frame: `(abc)d@3`.
 *
 * @param messages In the order of their frames.
 * @param legend   Grows by each value that is not in it; equal values share a letter.
 */
export function draw(messages: readonly TestMessage[], legend: unknown[]): string {
  let line = ''
  let drawn = 0
  for (const [frame, now] of Map.groupBy(messages, (message) => message.frame)) {
    const letters = now.map((message) => letter(message, legend)).join('')
    const moment = now.length > 1 ? `(${letters})` : letters
    const gap = frame - drawn
    if (gap < 0) line += `${moment}@${frame}`
    else line += (gap > LONGEST_GAP ? `${line && ' '}${gap}ms ` : '-'.repeat(gap)) + moment
    drawn = Math.max(drawn, frame + moment.length)
  }
  return line
}

/** A gap up to this many frames is drawn as dashes. */
const LONGEST_GAP = 60

function letter({ notification }: TestMessage, legend: unknown[]): string {
  if (notification.kind === 'C') return '|'
  if (notification.kind === 'E') return '#'
  const seen = legend.findIndex((value) => isDeepStrictEqual(value, notification.value))
  const index = seen < 0 ? legend.push(notification.value) - 1 : seen
  return String.fromCharCode(index < 26 ? 97 + index : 65 + (index % 26))
}
