const two = (part: number): string => String(part).padStart(2, '0')

/**
 * A moment as the reader's clock shows it: `14:03:09`, with `precise` to the millisecond.
 *
 * @param at Moment. @unit milliseconds since the Unix epoch
 */
export function clockText(at: number | undefined, precise = false): string {
  if (at === undefined || !Number.isFinite(at)) return '–'
  const moment = new Date(at)
  const text = `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`
  return precise ? `${text}.${String(moment.getMilliseconds()).padStart(3, '0')}` : text
}
