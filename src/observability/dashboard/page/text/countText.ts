const STEPS = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const

/**
 * A count or rate in at most four digits: `7`, `0.25`, `12.3 k`.
 *
 * @shape What is no number is `–`.
 */
export function countText(count: number | undefined): string {
  if (count === undefined || !Number.isFinite(count)) return '–'
  const size = Math.abs(count)
  for (const [step, name] of STEPS) {
    if (size >= step * 0.9995) return `${short(count / step)} ${name}`
  }
  return short(count)
}

/** Three digits that tell something, without zeros behind them. */
function short(value: number): string {
  const size = Math.abs(value)
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2
  const text = value.toFixed(digits)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
