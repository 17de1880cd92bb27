/** Characters that steer a terminal, break a line of a log, or turn what follows around. */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** An error message tells so much of a foreign text. @unit characters */
const MOST_CHARACTERS = 1_024

/**
 * A peer's text as it may stand in an error message or a log: on one line, without control characters, not endless.
 *
 * @shape  Control, format and separator characters become `\u{1b}`; what is longer than 1 024 characters is cut.
 * @source ours, because a reason is written by whoever is at the other end.
 */
export function harmless(text: string): string {
  const isLong = text.length > MOST_CHARACTERS
  const shown = isLong ? text.slice(0, MOST_CHARACTERS).replace(/[\uD800-\uDBFF]$/, '') : text
  const told = shown.replace(STEERING, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
  return isLong ? `${told}…` : told
}
