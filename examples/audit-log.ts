import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditFile, ed25519Signer, verifyAudit } from 'rxswarm/security'

const folder = await mkdtemp(join(tmpdir(), 'audit-'))
const path = join(folder, 'audit.log')
const signer = ed25519Signer(crypto.getRandomValues(new Uint8Array(32)))

const log = auditFile({ path, signer, keep: 30 })
log.event$.subscribe((event) => console.error(event)) // the log about itself: failed, lost, rotated, recovered, broken
log.write({ event: 'access:denied', peer: '12D3KooW…', ip: '192.0.2.7', rule: 'blocklist' })
await log.close()

const { ok, entries, unsigned } = await verifyAudit(path, { publicKeys: [signer.publicKey] })
console.log(`${ok ? 'intact' : 'changed'}, ${entries} lines, ${unsigned} of them unsigned`)
await rm(folder, { recursive: true })
