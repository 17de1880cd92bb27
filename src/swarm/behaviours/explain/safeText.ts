import { cutText } from '../../../security/audit/cutText.ts'

/** A text of an explanation; what a peer says can be as long as it likes. @unit characters */
export const MOST_TEXT = 300

/** What moves the cursor, ends the line, or turns the direction of writing. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu

/** The mark that says how much was cut takes this much. */
const MARK = 30

/** A text that can be shown: one line, no control characters, at most {@link MOST_TEXT} characters. */
export function safeText(all: string): string {
  const head = all.slice(0, MOST_TEXT).toWellFormed().replace(UNSAFE, ' ')
  return all.length <= MOST_TEXT ? head : cutText(head, MOST_TEXT - MARK, all.length)
}
