/** No page has a longer address. @unit characters */
const LONGEST_TARGET = 4_096

/** What stands in no path: characters that end it, that other systems read as a slash, and that no line may have. */
// eslint-disable-next-line no-control-regex
const FOREIGN = /[\\\u0000-\u001f\u007f#]/

/** What a second decoding would make a separator of. */
const TWICE_ENCODED = /%(?:2e|2f|5c|00)/i

/**
 * The path in the target of a request, decoded.
 *
 * @shape  Begins with `/`. Undefined for what no page has, and what a page could be led astray by: another form than a path,
 *         empty, `.` and `..` segments, separators that are encoded, once or twice, and text that can't be decoded.
 */
export function pathIn(target: string): string | undefined {
  if (!target.startsWith('/') || target.length > LONGEST_TARGET) return undefined
  const path = target.split('?', 1)[0]!
  if (FOREIGN.test(path) || path.includes('//')) return undefined
  const segments = path.split('/').map(decoded)
  return segments.some((segment) => segment === undefined || isAstray(segment)) ? undefined : segments.join('/')
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

function isAstray(segment: string): boolean {
  return (
    segment === '.' || segment === '..' || segment.includes('/') || FOREIGN.test(segment) || TWICE_ENCODED.test(segment)
  )
}
