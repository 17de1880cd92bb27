import { mix32 } from './mix32.ts'

/**
 * A 32-bit hash of a text, the same in every process. Not for secrets.
 *
 * @shape  0 … 2³² - 1.
 * @source FNV-1a (RFC 9923), over the UTF-16 units of the text, low byte first; then {@link mix32}, since FNV's high bits
 *         hardly depend on the last characters.
 */
export function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
  }
  return mix32(hash)
}
