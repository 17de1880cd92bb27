import { countText } from './countText.ts'

const UNITS = [
  [86_400, 'd', 3_600, 'h'],
  [3_600, 'h', 60, 'min'],
  [60, 'min', 1, 's'],
] as const

/** A span of time in its two largest units: `850 µs`, `12.4 ms`, `3 min 12 s`, `2 d 4 h`. @unit milliseconds */
export function spanText(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return '–'
  if (ms < 0) return `−${spanText(-ms)}`
  if (ms === 0) return '0 ms'
  if (ms < 1) return `${countText(ms * 1_000)} µs`
  if (ms < 1_000) return `${countText(ms)} ms`
  if (ms < 10_000) return `${countText(ms / 1_000)} s`
  const seconds = Math.round(ms / 1_000)
  for (const [large, name, small, smallName] of UNITS) {
    if (seconds < large) continue
    const rest = Math.floor((seconds % large) / small)
    return rest === 0
      ? `${Math.floor(seconds / large)} ${name}`
      : `${Math.floor(seconds / large)} ${name} ${rest} ${smallName}`
  }
  return `${seconds} s`
}
