/** Longest value of a label; what peers say may be longer. @unit characters */
const MOST_CHARS = 128

/** Control characters, which scrapers and people trip over. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/** What a label may be, whatever a peer said: well-formed Unicode without control characters, at most 128 characters. */
export function labelValue(text: string): string {
  return text.slice(0, MOST_CHARS).toWellFormed().replace(CONTROL, '\ufffd')
}

/** As it stands between quotes in both formats. */
export function quoted(value: string): string {
  return `"${value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"')}"`
}
