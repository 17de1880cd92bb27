import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import { NO_HASH } from '../chainLine.ts'
import type { AuditEntry } from '../auditEntry.ts'
import type { AuditEvent } from '../auditEvent.ts'
import type { AuditNames } from './auditNames.ts'
import { readTail, type AuditTail } from './auditTail.ts'
import { endLine, isMissing, moveTail, moveTo } from './fileSteps.ts'

/** Where a writer goes on. */
export interface AuditStart {
  /** The last line; 0 when there is none. */
  readonly seq: number
  /** Its hash. */
  readonly head: string
  /** Whether lines may have no signature over them. */
  readonly isUnsigned: boolean
  /** The current file, if it is to be gone on with. */
  readonly file?: { readonly size: number; readonly firstSeq: number; readonly openedAt: number }
  /** What is to be written first. */
  readonly entries: readonly AuditEntry[]
  /** What is to be told. */
  readonly events: readonly AuditEvent[]
}

/**
 * Looks at what the writer before left, and makes it whole.
 *
 * @param wasKilled Whether the writer before left its lock.
 * @shape  Deletes nothing: a torn line is moved aside, a broken file gets another name. May be killed at any point and run again.
 * @errors Those of node:fs.
 */
export async function startTrail(names: AuditNames, wasKilled: boolean): Promise<AuditStart> {
  const rotated = names.rotatedIn(await readdir(names.folder))
  const current = await tailOf(names.current)
  if (current?.broken !== undefined) {
    const firstSeq = current.first?.seq ?? 0
    const file = await moveTo(names.current, (copy) => names.rotated(firstSeq, copy))
    return broken(file, current.broken, Math.max(current.broken.seq, rotated.at(-1)?.firstSeq ?? 0))
  }
  if (current?.last !== undefined) return goOn(names, names.current, current, wasKilled)
  const torn = await mend(names, names.current, current, 0)
  const before = rotated.at(-1)
  const tail = before === undefined ? undefined : await tailOf(before.path)
  if (before === undefined || tail === undefined) return first(names, torn)
  if (tail.broken !== undefined) return broken(before.path, tail.broken, Math.max(tail.broken.seq, before.firstSeq))
  if (tail.last === undefined) {
    return broken(before.path, { reason: 'it has no whole line', line: 1 }, before.firstSeq)
  }
  const { file: _, ...start } = await goOn(names, before.path, tail, wasKilled || torn !== undefined)
  return start
}

async function goOn(names: AuditNames, path: string, tail: AuditTail, wasKilled: boolean): Promise<AuditStart> {
  const { seq, hash, event } = tail.last as { seq: number; hash: string; event: string }
  const torn = await mend(names, path, tail, seq)
  const isHurt = wasKilled || torn !== undefined || tail.isUnbroken
  return {
    seq,
    head: hash,
    isUnsigned: event !== 'audit:signed',
    file: {
      size: tail.end + (tail.isUnbroken ? 1 : 0),
      firstSeq: tail.first!.seq!,
      openedAt: Date.parse(String(tail.first!.fields?.get('time'))),
    },
    ...(isHurt ? recovered(path, seq, tail.torn, torn) : { entries: [], events: [] }),
  }
}

/** There is no line yet: at most one that is torn. */
function first(names: AuditNames, torn: Torn | undefined): AuditStart {
  const found = torn === undefined ? { entries: [], events: [] } : recovered(names.current, 0, torn.bytes, torn)
  return { seq: 0, head: NO_HASH, isUnsigned: false, ...found }
}

/** Bytes that were moved aside. */
interface Torn {
  readonly file: string
  readonly bytes: number
}

async function mend(
  names: AuditNames,
  path: string,
  tail: AuditTail | undefined,
  seq: number,
): Promise<Torn | undefined> {
  if (tail?.isUnbroken === true) await endLine(path)
  if (tail === undefined || tail.torn === 0) return undefined
  return { file: await moveTail(path, tail.end, (copy) => names.torn(seq + 1, copy)), bytes: tail.torn }
}

function recovered(path: string, seq: number, bytes: number, torn?: Torn): Pick<AuditStart, 'entries' | 'events'> {
  const aside = torn === undefined ? {} : { torn: torn.file }
  const shown = torn === undefined ? {} : { torn: basename(torn.file) }
  return {
    entries: [{ event: 'audit:recovered', file: basename(path), last: seq, bytes, ...shown }],
    events: [{ type: 'audit:recovered', file: path, seq, bytes, ...aside }],
  }
}

function broken(
  file: string,
  { reason, line }: { readonly reason: string; readonly line: number },
  seq: number,
): AuditStart {
  return {
    seq,
    head: NO_HASH,
    isUnsigned: false,
    entries: [{ event: 'audit:broken', file: basename(file), line, reason }],
    events: [{ type: 'audit:broken', file, line, reason }],
  }
}

async function tailOf(path: string): Promise<AuditTail | undefined> {
  try {
    return await readTail(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
