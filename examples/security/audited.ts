import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { audit, connections, createSwarm, verifyAudit } from 'rxswarm'
import { lastValueFrom } from 'rxjs'

const folder = await mkdtemp(join(tmpdir(), 'audited-'))
const path = join(folder, 'audit.log')
await using node = await createSwarm({ use: [connections(), audit({ path })], listen: [] })
const note = audit.note({ event: 'app:signed-in', fields: { user: 'ann' } })
await lastValueFrom(node.execute(note), { defaultValue: undefined }) // it is in the file now
await node.stop() // and now it is signed
const { ok, unsigned } = await verifyAudit(path, { publicKeys: [node.self] })
console.log(ok ? 'intact' : 'changed', unsigned)
await rm(folder, { recursive: true })
