/** What happens at one moment: letters, `|` or `#`. */
export interface Moment {
  /** @unit milliseconds, whole */
  readonly frame: number
  readonly letter: string
}

/** A gap up to this many frames is drawn as dashes. */
const LONGEST_GAP = 20

/**
 * Moments as marble lines that RxJS reads: a character a millisecond, a long gap as its time.
 *
 * @shape  One line, or more when a moment would lie under the letters of the group before it: to be merged.
 */
export function marbleLanes(moments: readonly Moment[]): readonly string[] {
  const lanes: { line: string; drawn: number }[] = []
  for (const [frame, now] of Map.groupBy(moments, (moment) => moment.frame)) {
    const letters = now.map(({ letter }) => letter).join('')
    const mark = now.length > 1 ? `(${letters})` : letters
    let lane = lanes.find(({ drawn }) => drawn <= frame)
    if (lane === undefined) lanes.push((lane = { line: '', drawn: 0 }))
    const gap = frame - lane.drawn
    const isLong = gap > LONGEST_GAP
    lane.line += (isLong ? `${lane.line === '' ? '' : ' '}${gap}ms ` : '-'.repeat(gap)) + mark
    lane.drawn = frame + mark.length
  }
  return lanes.map(({ line }) => line)
}
