import { toldText } from './toldText.ts'

/** The version of recordings that is known here. */
const VERSION = 1

/** What a line ends with: the check of it and of all lines before it. */
const SEAL = /^,"([0-9a-f]{8})"\]$/
const SEAL_CHARS = 12

/**
 * Why a recording of the module `recording` is not to be shown, if so: it is of another version, or a line was changed, moved,
 * removed or put in.
 *
 * @param text The whole file. A last line without its newline is not looked at: it was cut short, which changes nothing
 *             before it.
 * @source ours: what `rxswarm recording verify` checks, for a browser.
 */
export function recordingProblem(text: string): string | undefined {
  const encoder = new TextEncoder()
  let check = 0
  let number = 0
  for (let from = 0, end = text.indexOf('\n'); end >= 0; from = end + 1, end = text.indexOf('\n', from)) {
    const line = text.slice(from, end)
    const seal = SEAL.exec(line.slice(-SEAL_CHARS))
    if (++number === 1) {
      const { version } = headerIn(line)
      if (version !== VERSION)
        return `it is of version ${toldText(version).slice(0, 20)}, and only ${VERSION} is known here`
    }
    if (seal === null) return `line ${number} has no check at its end: it was altered`
    check = crc32(encoder.encode(line.slice(0, -SEAL_CHARS)), check)
    if (check !== Number.parseInt(seal[1]!, 16)) return `line ${number}, or what was before it, was altered`
  }
  return undefined
}

function headerIn(line: string): { readonly version?: unknown } {
  try {
    const [, header] = JSON.parse(line) as readonly unknown[]
    return Object(header) as { readonly version?: unknown }
  } catch {
    return {}
  }
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1
  return rest
})

/** @param before The checksum that it goes on from. @source RFC 1952, section 8; browsers have none of their own */
export function crc32(bytes: Uint8Array, before: number): number {
  let rest = ~before
  for (let i = 0; i < bytes.length; i++) rest = TABLE[(rest ^ bytes[i]!) & 0xff]! ^ (rest >>> 8)
  return ~rest >>> 0
}
