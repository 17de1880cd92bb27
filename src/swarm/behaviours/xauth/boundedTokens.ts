import { Tokenizer, type DecodeOptions, type Token } from 'cborg'

/** Values in one document, keys and those within others counted. */
const MOST_VALUES = 8_192

/** Arrays and maps within each other. */
const MOST_DEPTH = 16

/**
 * Tokens of CBOR, as long as there are not too many of them, and not too deep.
 *
 * @shape  Ten MiB of empty maps would become two GiB of objects, and take ten seconds; a MiB of arrays within each other the
 *         whole stack. Both end here before they are built.
 * @errors `RangeError`; those of the library.
 * @source ours, because the library has no such bounds; its tokenizer is made to be replaced.
 */
export class BoundedTokens extends Tokenizer {
  /** How many values each of the arrays and maps that are open still needs. */
  readonly #open: number[] = []
  #left = MOST_VALUES

  constructor(bytes: Uint8Array, options: DecodeOptions) {
    super(bytes, options)
  }

  override next(): Token {
    const token = super.next()
    if (--this.#left < 0) throw new RangeError(`more than ${MOST_VALUES} values`)
    const { major } = token.type
    while (this.#open.at(-1) === 0) this.#open.pop()
    if (this.#open.length > 0) this.#open[this.#open.length - 1]!--
    if (major !== 4 && major !== 5) return token
    const needs = Number(token.value) * (major === 5 ? 2 : 1)
    if (needs > this.#left) throw new RangeError(`more than ${MOST_VALUES} values`)
    if (this.#open.push(needs) > MOST_DEPTH)
      throw new RangeError(`more than ${MOST_DEPTH} arrays and maps within another`)
    return token
  }
}
