/** What every terminal prints as it is. */
const PLAIN = /^[\x20-\x7e]*$/

/** Control characters, format characters (they turn the direction of text, or can't be seen) and line breaks of Unicode. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/**
 * Text as a JSON string that is safe to print: no line break, no terminal escape and no turn of direction survives.
 *
 * @shape Reads back as the same text. Lone surrogates are escaped, so the result always has a UTF-8 form.
 */
export function jsonText(text: string): string {
  const json = JSON.stringify(text)
  return PLAIN.test(json) ? json : json.replace(UNSAFE, escaped)
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
