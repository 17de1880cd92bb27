/**
 * Text of at most so many characters, and a mark that says how many there were.
 *
 * @unit  characters are UTF-16 code units; a pair of surrogates is never cut in two
 * @param length How long the whole is, when the text is the head of something longer.
 */
export function cutText(text: string, most: number, length = text.length): string {
  if (length <= most) return text
  const head = text.slice(0, most).replace(/[\ud800-\udbff]$/, '')
  return `${head}…[cut, ${length} in all]`
}
