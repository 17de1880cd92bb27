import type { Recording } from './readRecording.ts'

/** An event that was said in the recording and not in the replay, or the other way round, or at another time. */
export interface ReplayDifference {
  /** `missing`: only in the recording. `added`: only in the replay. `moved`: in both, at other times. */
  readonly type: 'missing' | 'added' | 'moved'
  /** Place among the events of the recording, or of the replay when it is `added`; from 0. */
  readonly position: number
  /** What was recorded: the event as text. */
  readonly expected?: string
  /** What was said in the replay. */
  readonly got?: string
  /** How much later it was. @unit milliseconds */
  readonly laterMs?: number
}

interface Told {
  readonly position: number
  readonly body: string
  readonly key: string
  readonly at: number
}

/**
 * What is different between the events of a recording and those of a replay that went its own way.
 *
 * @shape  Events that say the same are matched in their order. In the order of their times.
 */
export function compareEvents(
  { lines, bodies }: Recording,
  eventLines: readonly string[],
  toleranceMs: number,
): readonly ReplayDifference[] {
  const recorded = bodies.filter((_, i) => lines[i]![0] === 'e').map(told)
  const said = eventLines.map(told)
  let same = 0
  while (same < recorded.length && recorded[same]!.body === said[same]?.body) same++
  const waiting = Map.groupBy(recorded.slice(same), ({ key }) => key)
  const found: { readonly at: number; readonly difference: ReplayDifference }[] = []
  for (const one of said.slice(same)) {
    const expected = waiting.get(one.key)?.shift()
    const { position, body: got, at } = one
    if (expected === undefined) found.push({ at, difference: { type: 'added', position, got } })
    else if (Math.abs(at - expected.at) > toleranceMs) {
      const laterMs = at - expected.at
      found.push({
        at: expected.at,
        difference: { type: 'moved', position: expected.position, expected: expected.body, got, laterMs },
      })
    }
  }
  for (const { position, body: expected, at } of [...waiting.values()].flat()) {
    found.push({ at, difference: { type: 'missing', position, expected } })
  }
  return found.toSorted((one, other) => one.at - other.at).map(({ difference }) => difference)
}

function told(line: string, position: number): Told {
  const body = line.slice('["e",'.length)
  const { at, ...event } = JSON.parse(body) as { readonly at?: unknown }
  return { position, body, key: JSON.stringify(event), at: typeof at === 'number' ? at : 0 }
}
