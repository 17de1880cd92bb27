/** Of a file that does not begin with `audit:opened`. */
export const MISSING_HEADER = 'the first line of the file is missing: it does not begin with audit:opened'

/** Of a last line without a line break. */
export const TORN =
  'line is torn: it has no end; a writer that was killed leaves this, and so does one that is writing now'

/** How problems are told. */
export const words = {
  changed: (seq: number | undefined) =>
    `line changed${seq === undefined ? '' : ` (seq ${seq})`}: its hash does not fit its text`,
  rewritten: (seq: number | undefined) =>
    `line written anew (seq ${seq}): its hash fits, but the line after it follows another`,
  strange: 'line put in: its hash does not fit, and the lines around it follow one another without it',
  notJson: (isExtra: boolean) =>
    isExtra
      ? 'not JSON: put in, the lines around it follow one another without it'
      : 'not JSON: the line that stood here is destroyed',
  copy: (seq: number) => `line put in: a copy of line ${seq}`,
  again: (seq: number) => `line put in: line ${seq} stands elsewhere already`,
  forged: (seq: number) => `line put in (seq ${seq}): the line after it takes its place in the chain`,
  early: (seq: number) => `line moved (seq ${seq}): it stands before lines that it follows`,
  late: (seq: number) => `line moved: it stands after line ${seq}`,
  unchained: 'the file does not follow the last line of the file before it',
  newChain: (seq: number) => `a new chain begins here: it does not follow line ${seq} of the file before it`,
  olderFile: (seq: number, last: number) => `the file begins with line ${seq}, and line ${last} came before it`,
  noBegin: (count: number) => `${count} lines before it are missing, and no audit:pruned says that they were deleted`,
  badSignature: (seq: number) => `signature of line ${seq} is not one of its signer over this chain`,
  unknownSigner: (seq: number) => `line ${seq} is signed by none of the known keys`,
}
