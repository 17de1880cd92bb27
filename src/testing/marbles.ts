import assert from 'node:assert/strict'
import { inspect, isDeepStrictEqual } from 'node:util'
import { TestScheduler, type RunHelpers } from 'rxjs/testing'
import { it } from 'vitest'
import { draw, type TestMessage } from './draw.ts'

/**
 * `it`, in virtual time: one character is one millisecond, no real timer runs, and a failure is drawn.
 *
 * @param sentence What holds, in the present tense.
 * @param body     Gets RxJS's run helpers. RxJS's own clock is virtual in it; so is `Date.now`, by which cockatiel's
 *                 `SamplingBreaker` goes.
 */
export function marbles(sentence: string, body: (run: RunHelpers) => void): void {
  it(sentence, () => inVirtualTime(body))
}

/** Runs a body of {@link marbles} at once, for runners other than vitest. */
export function inVirtualTime(body: (run: RunHelpers) => void): void {
  const scheduler = new TestScheduler(assertSame)
  const { now } = Date
  Date.now = () => scheduler.now()
  try {
    scheduler.run(body)
  } finally {
    Date.now = now
  }
}

/** Fails with a drawing of both marble lines and their legend. */
export function assertSame(actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return
  if (!isMessages(actual) || !isMessages(expected)) return assert.deepEqual(actual, expected)
  const legend: unknown[] = []
  const lines = [`expected  ${draw(expected, legend)}`, `actual    ${draw(actual, legend)}`]
  legend.forEach((value, i) => lines.push(`${String.fromCharCode(97 + i)} = ${inspect(value, { breakLength: 120 })}`))
  for (const { notification } of actual) {
    if (notification.kind === 'E') lines.push(`# = ${inspect(notification.error, { breakLength: 120 })}`)
  }
  assert.fail(`\n${lines.join('\n')}`)
}

function isMessages(value: unknown): value is TestMessage[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null && 'frame' in item)
}
