/**
 * Text in which each `*` stands for any text, also none.
 *
 * @shape  `matches` looks at each character of the text at most twice, and never goes back: a text that somebody made up to
 *         be slow is not. No other character is special, and there is no way to mean a literal `*`.
 * @source The pieces between stars are searched for as in Knuth, Morris and Pratt, "Fast pattern matching in strings", 1977;
 *         the leftmost place of each is the right one.
 */
export class Wildcard {
  /** What every match begins with. */
  readonly head: string
  /** What every match ends with. */
  readonly tail: string
  readonly #middle: readonly Piece[]
  readonly #shortest: number

  /** @param pattern With at least one `*`. */
  constructor(pattern: string) {
    const pieces = pattern.split('*')
    this.head = pieces[0]!
    this.tail = pieces.at(-1)!
    this.#middle = pieces
      .slice(1, -1)
      .filter((piece) => piece !== '')
      .map((piece) => ({ piece, borders: bordersOf(piece) }))
    this.#shortest = pattern.length - (pieces.length - 1)
  }

  /** Whether the text is one that is meant. */
  matches(text: string): boolean {
    if (text.length < this.#shortest || !text.startsWith(this.head) || !text.endsWith(this.tail)) return false
    const end = text.length - this.tail.length
    let at = this.head.length
    for (const piece of this.#middle) {
      at = endOf(piece, text, at, end)
      if (at === -1) return false
    }
    return true
  }
}

interface Piece {
  readonly piece: string
  /** For each beginning of the piece, the length of its longest beginning that is also its end. */
  readonly borders: readonly number[]
}

function bordersOf(piece: string): readonly number[] {
  const borders = [0]
  let length = 0
  for (let i = 1; i < piece.length; i++) {
    while (length > 0 && piece.charCodeAt(i) !== piece.charCodeAt(length)) length = borders[length - 1]!
    if (piece.charCodeAt(i) === piece.charCodeAt(length)) length++
    borders.push(length)
  }
  return borders
}

/** Where the piece ends at its first place in this part of the text, or -1. */
function endOf({ piece, borders }: Piece, text: string, from: number, end: number): number {
  let length = 0
  for (let i = from; i < end; i++) {
    while (length > 0 && text.charCodeAt(i) !== piece.charCodeAt(length)) length = borders[length - 1]!
    if (text.charCodeAt(i) === piece.charCodeAt(length)) length++
    if (length === piece.length) return i + 1
  }
  return -1
}
