const BARS = { least: 12, most: 120 }

/** A bar is at least so long, for samples come each second. @unit milliseconds */
const BAR_MS = 1_000

/**
 * The path of bars that show how much happened when.
 *
 * @param values Time and amount of each; those outside of the span are left out.
 * @shape  At most 120 bars; each the largest amount within it, on a scale of square roots, so that one burst does not hide all else.
 */
export function densityPath(
  values: readonly (readonly [at: number, amount: number])[],
  from: number,
  to: number,
  width: number,
  height: number,
): string {
  const span = Math.max(1, to - from)
  const count = Math.max(BARS.least, Math.min(BARS.most, Math.floor(span / BAR_MS)))
  const bars = new Float64Array(count)
  for (const [at, amount] of values) {
    const bar = Math.min(count - 1, Math.floor(((at - from) / span) * count))
    if (bar >= 0 && at <= to) bars[bar] = Math.max(bars[bar]!, amount)
  }
  const most = Math.max(...bars)
  if (!(most > 0)) return ''
  const step = width / count
  let path = ''
  for (const [i, amount] of bars.entries()) {
    if (!(amount > 0)) continue
    const tall = Math.max(1.5, Math.sqrt(amount / most) * (height - 2))
    path += `M${Math.round(i * step * 10) / 10} ${height}v${-Math.round(tall * 10) / 10}h${step - 1}v${Math.round(tall * 10) / 10}z`
  }
  return path
}
