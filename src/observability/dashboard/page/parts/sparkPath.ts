/**
 * The path of a line through values, the last at the right edge, the ground at 0.
 *
 * @shape Empty with fewer than two values. What is no number is drawn as 0.
 */
export function sparkPath(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return ''
  const clean = values.map((value) => (Number.isFinite(value) ? Math.max(0, value) : 0))
  const most = Math.max(...clean, 1e-9)
  const step = width / (clean.length - 1)
  return clean
    .map((value, i) => `${i === 0 ? 'M' : 'L'}${round(i * step)} ${round(height - 1 - (value / most) * (height - 2))}`)
    .join('')
}

const round = (value: number): number => Math.round(value * 10) / 10
