import { styleText } from 'node:util'

const BAR_WIDTH = 32

/** Shows how much of a file is there: a bar on a terminal, else a line for each quarter. Tells once when half of it is. */
export function fileProgress({ onHalf }: { readonly onHalf: () => void }) {
  const live = process.stdout.isTTY === true
  let [quarters, isHalf] = [0, false]
  return (has: number, of: number): void => {
    const full = Math.floor((has / of) * BAR_WIDTH)
    const now = Math.floor((has / of) * 4)
    const drawing = styleText('green', '█'.repeat(full)) + styleText('dim', '░'.repeat(BAR_WIDTH - full))
    if (live)
      process.stdout.write(`\r\u001b[K${drawing} ${has}/${of}${has === of || (now >= 2 && !isHalf) ? '\n' : ''}`)
    else if (now > quarters) console.log(`${now * 25} % of the file is there`)
    quarters = Math.max(now, quarters)
    if (isHalf || has * 2 < of) return
    isHalf = true
    onHalf()
  }
}
