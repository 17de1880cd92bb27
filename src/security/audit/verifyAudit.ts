import { readdir, stat } from 'node:fs/promises'
import { z } from 'zod'
import { callable } from '../../errors/optionKinds.ts'
import { StorageError } from '../../errors/errors.ts'
import { parseOptions } from '../../errors/parseOptions.ts'
import { AuditCheck } from './auditCheck.ts'
import type { AuditReport } from './auditReport.ts'
import type { AuditVerify } from './auditSigner.ts'
import { words } from './auditWords.ts'
import { ed25519Verify } from './ed25519Verify.ts'
import { auditNames } from './files/auditNames.ts'
import { fileLines } from './files/fileLines.ts'
import { readAuditLine } from './readAuditLine.ts'
import { signedBytes } from './signedBytes.ts'

/** What {@link verifyAudit} takes besides the files. */
export interface VerifyAuditOptions {
  /** Who may sign, as text. Without it each signature is only compared with the key that its own line names. */
  readonly publicKeys?: readonly string[]
  /** Verifies a signature. Default: `ed25519Verify`. */
  readonly verify?: AuditVerify
}

const schema = z.strictObject({
  publicKeys: z.array(z.string('must be text'), 'must be a list of keys as text').optional(),
  verify: callable<AuditVerify>().default(() => ed25519Verify),
})

/** Signers that the report names. */
const MOST_SIGNERS = 100

/**
 * Verifies an audit log: every line, their order, that of the files, and the signatures.
 *
 * @param paths   One path: `audit.log` with all complete files beside it, or a complete file alone. Several: those, in this
 *                order.
 * @param options See {@link VerifyAuditOptions}.
 * @unit   `seq` and lines count from 1.
 * @shape  Reads the files once, 1 MiB at a time; memory does not grow with them. See {@link AuditReport}.
 * @errors Rejects with a `StorageError` for a file that can't be read, with a `ConfigError` for wrong options, and with what
 *         `verify` throws. Whatever is wrong with the log itself is in the report.
 */
export async function verifyAudit(
  paths: string | readonly string[],
  options: VerifyAuditOptions = {},
): Promise<AuditReport> {
  const { publicKeys, verify } = parseOptions('verifyAudit', schema, options)
  const isTrail = typeof paths === 'string' && !auditNames(paths).isRotated
  const files = typeof paths !== 'string' ? paths : isTrail ? await trailOf(paths) : [paths]
  const check = new AuditCheck()
  const signers = new Set<string>()
  let signedUpTo = 0
  const judgeSignatures = async (): Promise<void> => {
    for (const { fields, start = '', ...line } of check.signed.splice(0)) {
      const signer = String(fields.get('signer'))
      const signature = Buffer.from(String(fields.get('signature')), 'base64')
      if (publicKeys?.includes(signer) === false) {
        check.problems.add(line, 'unknown-signer', words.unknownSigner(line.seq))
      } else if (!(await verify(signer, signedBytes(line.prev, start), signature))) {
        check.problems.add(line, 'bad-signature', words.badSignature(line.seq))
      } else {
        if (signers.size < MOST_SIGNERS) signers.add(signer)
        signedUpTo = Math.max(signedUpTo, line.seq)
      }
    }
  }
  for (const [fileIndex, file] of files.entries()) {
    let number = 0
    for await (const lines of readable(file)) {
      for (const { bytes, isWhole } of lines) {
        check.line({ ...readAuditLine(bytes), file, fileIndex, line: ++number, isWhole })
        if (check.signed.length > 0) await judgeSignatures()
      }
    }
  }
  check.end(isTrail)
  await judgeSignatures()
  const report = check.report()
  const unsigned = Math.max(0, (report.lastSeq ?? 0) - Math.max(signedUpTo, (report.firstSeq ?? 1) - 1))
  return { ok: report.problemCount === 0, files, ...report, signedUpTo, unsigned, signers: [...signers] }
}

async function* readable(file: string): ReturnType<typeof fileLines> {
  try {
    yield* fileLines(file)
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

function unreadable(file: string, cause: unknown): StorageError {
  return new StorageError(`audit log ${file} can't be read: ${(cause as Error).message}`, { cause })
}

/** All files of a log. The current one is missing when its writer was killed between two files. */
async function trailOf(path: string): Promise<readonly string[]> {
  const names = auditNames(path)
  try {
    const rotated = names.rotatedIn(await readdir(names.folder)).map(({ path: file }) => file)
    if (rotated.length === 0 || (await exists(path))) return [...rotated, path]
    return rotated
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
