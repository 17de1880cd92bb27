import { AuditCheck, type CheckReport } from '../../../src/security/audit/auditCheck.ts'
import type { AuditEntry } from '../../../src/security/audit/auditEntry.ts'
import { auditLine } from '../../../src/security/audit/auditLine.ts'
import { NO_HASH } from '../../../src/security/audit/chainLine.ts'
import { chainLine } from '../../../src/security/audit/chainLine.ts'
import { readAuditLine } from '../../../src/security/audit/readAuditLine.ts'

/** A whole file: its header, and a line for each entry. */
export function chain(entries: readonly AuditEntry[]): readonly string[] {
  const { line, hash } = chainLine({ seq: 1, at: 0, prev: NO_HASH }, '"event":"audit:opened","version":1')
  const lines = [line]
  let prev = hash
  for (const [i, entry] of entries.entries()) {
    const next = auditLine({ seq: i + 2, at: i, prev }, entry)
    prev = next.hash
    lines.push(next.line)
  }
  return lines
}

/** What the verifier says of the bytes of files. */
export function check(...files: readonly (Buffer | string)[]): CheckReport {
  const check = new AuditCheck()
  for (const [fileIndex, file] of files.entries()) {
    const parts = splitLines(Buffer.from(file))
    for (const [i, { bytes, isWhole }] of parts.entries()) {
      check.line({ ...readAuditLine(bytes), file: `${fileIndex}`, fileIndex, line: i + 1, isWhole })
    }
  }
  check.end(true)
  return check.report()
}

function splitLines(file: Buffer): readonly { readonly bytes: Buffer; readonly isWhole: boolean }[] {
  const lines = []
  let start = 0
  for (let end = file.indexOf(10); end >= 0; end = file.indexOf(10, start)) {
    lines.push({ bytes: file.subarray(start, end), isWhole: true })
    start = end + 1
  }
  return start < file.length ? [...lines, { bytes: file.subarray(start), isWhole: false }] : lines
}

/** Lines as the bytes of a file. */
export const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

/** Problems as `kind line`. */
export const places = ({ problems }: CheckReport): readonly string[] =>
  problems.map(({ kind, line }) => `${kind} ${line}`)
