import { isDeepStrictEqual } from 'node:util'
import type { ObservableNotification } from 'rxjs'

/** One recorded notification, as RxJS's TestScheduler hands it over; it does not export the type. */
export interface TestMessage {
  readonly frame: number
  readonly notification: ObservableNotification<unknown>
}

/**
 * Draws recorded messages as a marble line: one character a millisecond, a gap that is longer than a line as its time.
 *
 * @param messages In the order of their frames.
 * @param legend   Grows by each value that is not in it; equal values share a letter.
 */
export function draw(messages: readonly TestMessage[], legend: unknown[]): string {
  let line = ''
  let drawn = 0
  for (const frame of new Set(messages.map((message) => message.frame))) {
    const now = messages.filter((message) => message.frame === frame).map((message) => letter(message, legend))
    const gap = frame - drawn
    line += gap > LONGEST_GAP ? ` ${gap}ms ` : '-'.repeat(Math.max(0, gap))
    const marble = now.length > 1 ? `(${now.join('')})` : String(now[0])
    line += marble
    drawn = Math.max(drawn, frame) + (now.length > 1 ? marble.length : 1)
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
