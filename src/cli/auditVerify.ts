import { basename } from 'node:path'
import type { AuditReport } from '../security/audit/auditReport.ts'
import { ed25519Bytes } from '../security/audit/ed25519Text.ts'
import { jsonText } from '../security/audit/jsonText.ts'
import { verifyAudit } from '../security/audit/verifyAudit.ts'
import type { CliCommand } from './cliCommand.ts'
import { parseFlags } from './parseFlags.ts'
import { UsageError } from './UsageError.ts'

/** `rxswarm audit verify`. */
export const auditVerify: CliCommand = {
  name: 'audit verify',
  summary: 'checks that an audit log is as it was written',
  help: `usage: rxswarm audit verify FILE [--key TEXT]… [--json]

Checks every line of an audit log, their order, that of its files, and the signatures.

  FILE         audit.log, with all complete files beside it; or one complete file
  --key TEXT   who may sign it: a peer id 12D3KooW…, or ed25519: and 32 bytes of base64; may be given several times
  --json       print the report as JSON
  --help       print this

exit status: 0 intact, 1 not intact, 2 wrong usage or a file that can't be read`,
  async run(args, { out }) {
    const { values, positionals } = parseFlags({
      args: [...args],
      allowPositionals: true,
      options: { key: { type: 'string', multiple: true }, json: { type: 'boolean' } },
    })
    const [file, ...others] = positionals
    if (file === undefined) throw new UsageError('which FILE?')
    if (others.length > 0) throw new UsageError('one FILE at a time')
    const wrong = values.key?.find((key) => ed25519Bytes(key) === undefined)
    if (wrong !== undefined) throw new UsageError(`--key ${jsonText(wrong)} is no Ed25519 key`)
    const report = await verifyAudit(file, values.key === undefined ? {} : { publicKeys: values.key })
    if (values.json === true) out(JSON.stringify(report))
    else for (const line of told(report, values.key !== undefined)) out(line)
    return report.ok ? 0 : 1
  },
}

function told(report: AuditReport, isKnown: boolean): readonly string[] {
  const { problems, problemCount, entries, firstSeq, lastSeq, files } = report
  const more = problemCount - problems.length
  const range = firstSeq === undefined ? '' : ` (seq ${firstSeq} to ${lastSeq})`
  return [
    ...problems.map(({ file, line, message }) => `${shown(basename(file))}:${line}: ${message}`),
    ...(more > 0 ? [`and ${more} more`] : []),
    `${report.ok ? 'intact' : 'NOT INTACT'}: ${many(entries, 'line')}${range} in ${many(files.length, 'file')}${
      problemCount > 0 ? `, ${many(problemCount, 'problem')}` : ''
    }`,
    ...signatures(report, isKnown),
    ...(report.lost > 0 ? [`the log itself says that ${many(report.lost, 'entry', 'entries')} found no room`] : []),
  ]
}

function signatures({ signedUpTo, unsigned, signers }: AuditReport, isKnown: boolean): readonly string[] {
  const after = `${many(unsigned, 'line')} after that ${unsigned === 1 ? 'is' : 'are'} unsigned`
  if (signedUpTo === 0) return ['not signed: who can write the file could have written all of it anew']
  const who = signers.map(shown).join(', ')
  const known = isKnown ? '' : '; give --key to say who may sign'
  return [`signed up to seq ${signedUpTo} by ${who}${known}`, ...(unsigned > 0 ? [after] : [])]
}

/** Text from a file, safe to print. */
function shown(text: string): string {
  return jsonText(text).slice(1, -1)
}

function many(count: number, one: string, others = `${one}s`): string {
  return `${count} ${count === 1 ? one : others}`
}
