// Writes to an audit log as fast as it can for as long as it lives, and prints how many entries are surely in the file.
import { auditFile } from '../../src/security/audit/auditFile.ts'
import type { AuditFileOptions } from '../../src/security/audit/auditOptions.ts'
import { ed25519Signer } from '../../src/security/audit/ed25519Signer.ts'
import { pause } from './wait.ts'

const [path = '', sync] = process.argv.slice(2)
const log = auditFile({
  path,
  sync: sync as NonNullable<AuditFileOptions['sync']>,
  signer: ed25519Signer(new Uint8Array(32).fill(1)),
  signEvery: 50,
  maxBytes: 40_000,
})
for (let n = 0; ;) {
  for (let i = 0; i < 100; i++) log.write({ event: 'test:counted', n: ++n, filler: 'x'.repeat(n % 700) })
  await log.flush()
  console.log(JSON.stringify({ flushed: n }))
  await pause(0)
}
