import { countText } from './countText.ts'

/** Bytes in decimal units: `512 B`, `1.5 kB`, `12 MB`. @unit bytes; for a rate, add `/s` behind it */
export function bytesText(bytes: number | undefined): string {
  const text = countText(bytes)
  return text === '–' ? text : text.includes(' ') ? `${text}B` : `${text} B`
}
