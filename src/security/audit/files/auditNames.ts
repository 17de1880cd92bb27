import { basename, dirname, extname, join } from 'node:path'

/** Digits of a number in a file name: the names sort as the files do. */
const DIGITS = 16

/** The names of a log's files. */
export interface AuditNames {
  /** The folder. */
  readonly folder: string
  /** The file that is written now. */
  readonly current: string
  /** The lock of its writer. */
  readonly lock: string
  /** A file that is complete. @param copy Above 0 when the name without it is taken. */
  rotated(firstSeq: number, copy?: number): string
  /** Where the bytes of a torn line go. @param copy Above 0 when the name without it is taken. */
  torn(seq: number, copy?: number): string
  /** The complete files among the names in the folder, in their order. */
  rotatedIn(names: readonly string[]): readonly { readonly path: string; readonly firstSeq: number }[]
  /** Whether the path is itself that of a complete file. */
  readonly isRotated: boolean
}

/** Names around `audit.log`: `audit.0000000000000001.log`, `audit.log.lock`, `audit.log.torn-17`. */
export function auditNames(current: string): AuditNames {
  const folder = dirname(current)
  const extension = extname(current)
  const stem = basename(current, extension)
  const suffix = (copy: number) => (copy === 0 ? '' : `-${copy}`)
  const partsOf = (name: string) => {
    if (!name.startsWith(`${stem}.`) || !name.endsWith(extension)) return undefined
    const match = /^(\d{16})(?:-(\d{1,6}))?$/.exec(name.slice(stem.length + 1, name.length - extension.length))
    return match === null ? undefined : { name, firstSeq: Number(match[1]), copy: Number(match[2] ?? 0) }
  }
  return {
    folder,
    current,
    lock: `${current}.lock`,
    rotated: (firstSeq, copy = 0) =>
      join(folder, `${stem}.${String(firstSeq).padStart(DIGITS, '0')}${suffix(copy)}${extension}`),
    torn: (seq, copy = 0) => `${current}.torn-${seq}${suffix(copy)}`,
    rotatedIn: (names) =>
      names
        .flatMap((name) => partsOf(name) ?? [])
        .toSorted((a, b) => a.firstSeq - b.firstSeq || a.copy - b.copy)
        .map(({ name, firstSeq }) => ({ path: join(folder, name), firstSeq })),
    isRotated: /\.\d{16}(-\d{1,6})?$/.test(stem),
  }
}
