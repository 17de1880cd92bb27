import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { generateKeyPair } from '@libp2p/crypto/keys'
import {
  access,
  audit,
  auditFile,
  connections,
  createSwarm,
  identify,
  ping,
  verifyAudit,
  xauth,
  type AccessPolicy,
  type BehaviourModule,
  type SwarmError,
} from 'rxswarm'
import { firstValueFrom, NEVER } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { first } from './support/swarms.ts'

const run = promisify(execFile)
const cli = fileURLToPath(new URL('../src/cli/rxswarm.ts', import.meta.url))
const policy: AccessPolicy = { rules: [{ id: 'no-pings', effect: 'deny', protocol: '/ipfs/ping/*' }], default: 'allow' }
const listen = ['/ip4/127.0.0.1/tcp/0']
const nothing = { defaultValue: undefined }

describe('audit of a swarm', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rxswarm-audit-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('lets go of the file when the node can not start, or is not even tried', async () => {
    const path = join(folder, 'audit.log')
    const use = [connections(), audit({ path })] as const
    await using other = await createSwarm({ use: [connections()], transports: ['tcp'], listen })
    const taken = other.addresses[0]!.replace(/\/p2p\/.*/, '')
    const broken: BehaviourModule<'broken', never, never> = {
      name: 'broken',
      commands: {},
      ports: () => {
        throw new Error('mine')
      },
      behaviour: () => NEVER,
    }
    const failures = [
      { to: 'listen', start: () => createSwarm({ use, transports: ['tcp'], listen: [taken] }) },
      { to: 'make ports', start: () => createSwarm({ use: [...use, broken], transports: ['tcp'], listen }) },
    ]
    for (const { to, start } of failures) {
      await expect(start(), to).rejects.toMatchObject({ name: 'ConfigError' })
      const mine = auditFile({ path })
      mine.write({ event: `app:${to}` })
      await mine.flush()
      await mine.close()
    }
  })

  it('notes who was let in and who was not, signed by the node, and shows what was changed', async () => {
    const path = join(folder, 'audit.log')
    const owner = await generateKeyPair('Ed25519')
    const stranger = await generateKeyPair('Ed25519')
    let self = ''
    {
      await using hub = await createSwarm({
        use: [connections(), identify(), ping(), xauth({ owner }), access({ policy }), audit({ path })],
        transports: ['tcp'],
        listen,
      })
      self = hub.self
      await using guest = await createSwarm({
        use: [connections(), identify(), ping(), xauth({ owner })],
        transports: ['tcp'],
        listen,
      })
      await using foe = await createSwarm({
        use: [connections(), identify(), ping(), xauth({ owner: stranger })],
        transports: ['tcp'],
        listen,
      })
      await first(guest.execute(connections.dial({ to: hub.addresses })))
      await first(guest.execute(xauth.authenticate({ peer: hub.self })))
      await first(guest.execute(ping.once({ peer: hub.self }, { policy: false }))).catch((error: SwarmError) => error)
      await first(foe.execute(connections.dial({ to: hub.addresses })))
      await first(foe.execute(xauth.authenticate({ peer: hub.self }))).catch((error: SwarmError) => error)
      await firstValueFrom(hub.execute(audit.note({ event: 'app:signed-in', fields: { user: 'u' } })), nothing)
      await firstValueFrom(hub.execute(audit.flush()), nothing)
    }
    const report = await verifyAudit(path, { publicKeys: [self] })
    expect(report).toMatchObject({ ok: true, problems: [], unsigned: 0 })
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const events = entries.map(({ event }) => event)
    for (const event of ['xauth:authenticated', 'xauth:failed', 'access:denied', 'access:allowed', 'app:signed-in']) {
      expect(events).toContain(event)
    }
    const denied = lines.find((line) => line.includes('"event":"access:denied"'))
    expect(denied).toMatch(/"event":"access:denied","peer":"12D3\w+","ip":"127\.0\.0\.1"/)
    const failed = lines.find((line) => line.includes('"event":"xauth:failed"'))
    expect(failed).toMatch(/"event":"xauth:failed","peer":"12D3\w+","ip":"127\.0\.0\.1"/)

    const at = events.indexOf('app:signed-in')
    await writeFile(path, lines.toSpliced(at, 1).join('\n') + '\n')
    expect((await verifyAudit(path)).problems[0]).toMatchObject({ line: at + 1 })
    const { stdout, code } = await run(process.execPath, [
      '--conditions=@rxswarm/source',
      cli,
      'audit',
      'verify',
      path,
    ]).then(
      (done) => ({ ...done, code: 0 }),
      (error: { stdout: string; code: number }) => error,
    )
    expect(code).toBe(1)
    expect(stdout).toContain(`audit.log:${at + 1}:`)
  })

  it('names what is wrong with its options, and leaves nothing open', async () => {
    const error = await createSwarm({ use: [audit({ path: '', maxBytes: 1 })], listen: [] }).catch(
      (cause: SwarmError) => cause,
    )
    expect(error).toMatchObject({ name: 'ConfigError' })
    expect((error as SwarmError).message).toContain('audit.path')
    expect((error as SwarmError).message).toContain('audit.maxBytes')
  })

  it('says that it can not write, and the swarm goes on', async () => {
    await writeFile(join(folder, 'file'), '')
    await using hub = await createSwarm({
      use: [connections(), audit({ path: join(folder, 'file', 'audit.log') })],
      transports: ['tcp'],
      listen: [],
    })
    const error = await firstValueFrom(hub.execute(audit.flush()), nothing).catch((cause: SwarmError) => cause)
    expect(error).toMatchObject({ name: 'StorageError' })
    expect(await first(hub.execute(connections.list()))).toEqual([])
  })
})
