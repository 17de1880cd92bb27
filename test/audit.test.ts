import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { appendFileSync, existsSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VirtualTimeScheduler } from 'rxjs'
import { afterAll, describe, expect, it } from 'vitest'
import type { AuditEvent } from '../src/security/audit/auditEvent.ts'
import { auditFile, type AuditFile } from '../src/security/audit/auditFile.ts'
import type { AuditFileOptions } from '../src/security/audit/auditOptions.ts'
import { ed25519Signer } from '../src/security/audit/ed25519Signer.ts'
import { verifyAudit } from '../src/security/audit/verifyAudit.ts'
import { startChild } from './support/child.ts'
import { runCli } from './support/runCli.ts'
import { eventually, failure } from './support/wait.ts'

const root = mkdtempSync(join(tmpdir(), 'audit-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const signer = ed25519Signer(new Uint8Array(32).fill(1))
const publicKeys = [signer.publicKey]

let folders = 0
const newPath = () => {
  const folder = join(root, String(++folders))
  mkdirSync(folder)
  return join(folder, 'audit.log')
}
const filesOf = (path: string) => readdirSync(join(path, '..')).toSorted()
const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n').slice(0, -1)
const entriesOf = (path: string) => linesOf(path).map((line) => JSON.parse(line) as Record<string, unknown>)
const eventsOf = (path: string) => entriesOf(path).map(({ event }) => event)

function open(path: string, options: Partial<AuditFileOptions> = {}): { log: AuditFile; said: AuditEvent[] } {
  const log = auditFile({ path, ...options })
  const said: AuditEvent[] = []
  log.event$.subscribe((event) => void said.push(event))
  return { log, said }
}

async function written(path: string, count: number, options: Partial<AuditFileOptions> = {}): Promise<AuditEvent[]> {
  const { log, said } = open(path, options)
  for (let n = 1; n <= count; n++) log.write({ event: 'test:counted', n })
  await log.close()
  return said
}

describe('auditFile', () => {
  it('writes a chain that verifies, signed at its end', async () => {
    const path = newPath()
    expect(await written(path, 25, { signer, signEvery: 10 })).toEqual([])
    expect(eventsOf(path).filter((event) => event !== 'test:counted')).toEqual([
      'audit:opened',
      'audit:signed',
      'audit:signed',
      'audit:signed',
    ])
    expect(await verifyAudit(path, { publicKeys })).toEqual({
      ok: true,
      files: [path],
      entries: 29,
      firstSeq: 1,
      lastSeq: 29,
      signedUpTo: 29,
      unsigned: 0,
      signers: publicKeys,
      lost: 0,
      problems: [],
      problemCount: 0,
    })
    expect(filesOf(path)).toEqual(['audit.log'])
  })
  it('goes on with the chain after a restart', async () => {
    const path = newPath()
    for (const count of [3, 0, 4]) expect(await written(path, count, { signer })).toEqual([])
    expect(eventsOf(path).filter((event) => event === 'audit:opened')).toHaveLength(1)
    expect(await verifyAudit(path, { publicKeys })).toMatchObject({ ok: true, entries: 10, unsigned: 0 })
  })
  it('takes the time of the entry and the interval of signatures from its scheduler', async () => {
    const path = newPath()
    const scheduler = new VirtualTimeScheduler()
    const { log } = open(path, { signer, signAfterMs: 60_000, scheduler })
    log.write({ event: 'test:one' })
    await log.flush()
    expect(eventsOf(path)).toEqual(['audit:opened', 'test:one'])
    scheduler.flush()
    await log.flush()
    expect(entriesOf(path)[2]).toMatchObject({ event: 'audit:signed', time: '1970-01-01T00:01:00.000Z', entries: 2 })
    await log.close()
    expect(await verifyAudit(path, { publicKeys })).toMatchObject({ ok: true, signedUpTo: 3 })
  })
  it('rotates by size, names the files by their first line, and chains them', async () => {
    const path = newPath()
    const said = await written(path, 100, { signer, maxBytes: 4_096 })
    const rotated = filesOf(path).filter((name) => name !== 'audit.log')
    expect(rotated.length).toBeGreaterThan(3)
    expect(said.map(({ type }) => type)).toEqual(rotated.map(() => 'audit:rotated'))
    for (const name of rotated) {
      const file = join(path, '..', name)
      const [first] = entriesOf(file)
      expect(first).toMatchObject({ event: 'audit:opened', seq: Number(name.split('.')[1]) })
      expect(eventsOf(file).at(-1)).toBe('audit:signed')
      expect(statSync(file).size).toBeLessThanOrEqual(4_096 + 512)
    }
    expect(await verifyAudit(path, { publicKeys })).toMatchObject({ ok: true, unsigned: 0 })
    expect(await verifyAudit(join(path, '..', rotated[2]!))).toMatchObject({ ok: true })
    rmSync(join(path, '..', rotated[2]!))
    const { problems } = await verifyAudit(path)
    expect(problems).toMatchObject([{ kind: 'gap-between-files', file: join(path, '..', rotated[3]!), line: 1 }])
  })
  it('rotates by age', async () => {
    const path = newPath()
    let at = 0
    const scheduler = new VirtualTimeScheduler()
    scheduler.now = () => at
    const { log, said } = open(path, { maxAgeMs: 1_000, scheduler })
    for (const time of [0, 999, 1_000, 1_500, 2_000]) {
      at = time
      log.write({ event: 'test:aged' })
      await log.flush()
    }
    await log.close()
    expect(said.map(({ type }) => type)).toEqual(['audit:rotated', 'audit:rotated'])
    expect(await verifyAudit(path)).toMatchObject({ ok: true, entries: 8 })
  })
  it('deletes files that are too many, and says so in the log before', async () => {
    const path = newPath()
    const said = await written(path, 100, { signer, maxBytes: 4_096, keep: 2 })
    expect(filesOf(path)).toHaveLength(3)
    expect(said.some(({ type }) => type === 'audit:pruned')).toBe(true)
    const report = await verifyAudit(path, { publicKeys })
    expect(report).toMatchObject({ ok: true })
    expect(report.firstSeq).toBeGreaterThan(1)
    rmSync(report.files[0]!)
    expect((await verifyAudit(path)).problems).toMatchObject([{ kind: 'gap-between-files', line: 1 }])
  })
  it('counts what finds no room, and says so where it was lost', async () => {
    const path = newPath()
    const { log, said } = open(path, { maxQueue: 10 })
    for (let n = 1; n <= 25; n++) log.write({ event: 'test:counted', n })
    await log.flush()
    for (let n = 26; n <= 28; n++) log.write({ event: 'test:counted', n })
    await log.close()
    expect(said).toEqual([
      { type: 'audit:lost', count: 1 },
      { type: 'audit:lost', count: 15, seq: 12 },
    ])
    expect(entriesOf(path).slice(10, 13)).toMatchObject([{ n: 10 }, { event: 'audit:lost', count: 15 }, { n: 26 }])
    expect(await verifyAudit(path)).toMatchObject({ ok: true, lost: 15, entries: 15 })
  })
  it('tells how many were lost so far, in all gaps together; the lines tell each gap by itself', async () => {
    const path = newPath()
    const { log, said } = open(path, { maxQueue: 10 })
    for (let n = 1; n <= 15; n++) log.write({ event: 'test:counted', n })
    await log.flush()
    for (let n = 16; n <= 28; n++) log.write({ event: 'test:counted', n })
    await log.close()
    const lost = said.filter(({ type }) => type === 'audit:lost')
    expect(lost).toEqual([
      { type: 'audit:lost', count: 1 },
      { type: 'audit:lost', count: 5, seq: 12 },
      { type: 'audit:lost', count: 6 },
      { type: 'audit:lost', count: 8, seq: 23 },
    ])
    const lines = entriesOf(path).filter(({ event }) => event === 'audit:lost')
    expect(lines.map(({ count }) => count)).toEqual([5, 3])
    expect(await verifyAudit(path)).toMatchObject({ ok: true, lost: 8, entries: 23 }) // those about the log too
  })
  it('goes on unsigned when the signer fails, and says so', async () => {
    const path = newPath()
    const broken = { publicKey: 'k', sign: () => Promise.reject(new Error('no token')) }
    const said = await written(path, 5, { signer: broken, signEvery: 3 })
    expect(said.map((event) => event.type === 'audit:failed' && event.error.message)).toContain(
      'audit log: the signer failed, so it goes on unsigned: no token',
    )
    expect(await verifyAudit(path)).toMatchObject({ ok: true, entries: 6, signedUpTo: 0, unsigned: 6 })
  })
  it('finds signatures of strangers, and those that are not one', async () => {
    const path = newPath()
    await written(path, 3, { signer })
    const stranger = ed25519Signer(new Uint8Array(32).fill(2))
    const { problems } = await verifyAudit(path, { publicKeys: [stranger.publicKey] })
    expect(problems).toMatchObject([{ kind: 'unknown-signer', line: 5 }])
    const liar = newPath()
    await written(liar, 3, { signer: { publicKey: signer.publicKey, sign: stranger.sign } })
    expect(await verifyAudit(liar)).toMatchObject({ ok: false, signedUpTo: 0, problems: [{ kind: 'bad-signature' }] })
  })
  it.each([
    [{}, 'auditFile.path: must be a path'],
    [{ path: 'a', signer: {} }, 'auditFile.signer: must have a publicKey'],
    [{ path: 'a', maxBytes: 10 }, 'auditFile.maxBytes: must be at least 1024'],
    [{ path: 'a', sync: 'often' }, 'auditFile.sync: must be each, batch or none'],
    [{ path: 'a', fsync: true }, 'auditFile.fsync: is not an option'],
  ])('refuses %j', (options, message) => {
    expect(() => auditFile(options as never)).toThrow(message)
  })
  it('reports a subscriber that throws, and goes on', async () => {
    const path = newPath()
    const { log, said } = open(path, { maxQueue: 1 })
    log.event$.subscribe((event) => {
      if (event.type === 'audit:lost') throw new Error('mine')
    })
    for (let n = 0; n < 3; n++) log.write({ event: 'e' })
    await log.close()
    expect(said.map(({ type }) => type)).toEqual(['audit:lost', 'audit:failed', 'audit:lost', 'audit:failed'])
    expect(await verifyAudit(path)).toMatchObject({ ok: true, lost: 2 })
  })
  it('flushes and closes when there is nothing to do, and twice is once', async () => {
    const path = newPath()
    const { log } = open(path)
    await log.flush()
    await Promise.all([log.close(), log.close()])
    await log.flush()
    log.write({ event: 'too:late' })
    expect(eventsOf(path)).toEqual(['audit:opened'])
  })
})

describe('after a crash', () => {
  it.each((['each', 'batch', 'none'] as const).flatMap((sync) => [1, 2, 3, 4].map((run) => ({ sync, run }))))(
    'kill -9 in the middle of writing loses at most what was not flushed: $sync, $run',
    async ({ sync, run }) => {
      const path = newPath()
      let flushed = 0
      for (const _ of [1, 2]) {
        await using child = startChild('auditor.ts', path, sync)
        for (let i = 0; i < 2 + run; i++) ({ flushed } = await child.said<{ flushed: number }>())
        await new Promise((resolve) => setTimeout(resolve, run * 7))
        child.kill('SIGKILL')
        await child.ended()
      }
      const before = await verifyAudit(path, { publicKeys })
      expect(before.problems.filter(({ kind }) => kind !== 'torn')).toEqual([])
      const said = await written(path, 10, { signer })
      expect(said[0]).toMatchObject({ type: 'audit:recovered' })
      const after = await verifyAudit(path, { publicKeys })
      expect(after).toMatchObject({ ok: true, unsigned: 0, problems: [] })
      const all = after.files.flatMap(entriesOf)
      expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1))
      const counted = all.filter(({ event }) => event === 'test:counted').map(({ n }) => n as number)
      const second = counted.lastIndexOf(1, counted.length - 11)
      expect(counted.slice(second, -10)).toEqual(counted.slice(second, -10).map((_, i) => i + 1))
      expect(counted.length - 10 - second).toBeGreaterThanOrEqual(flushed)
    },
  )
  it('moves aside what is left of the last line, wherever it was cut', async () => {
    const whole = newPath()
    await written(whole, 3)
    const size = statSync(whole).size
    const last = linesOf(whole).at(-1)!.length
    for (let cut = 0; cut <= last + 1; cut++) {
      const path = newPath()
      cpSync(whole, path)
      truncateSync(path, size - cut)
      const torn = last + 1 - cut
      const { problems } = await verifyAudit(path)
      expect(problems).toMatchObject(cut === 0 || torn === 0 ? [] : [{ kind: 'torn', line: 4 }])
      const said = await written(path, 1)
      const isWhole = cut <= 1
      const file = `${path}.torn-4`
      if (isWhole || torn === 0) {
        expect(said).toEqual(cut === 1 ? [{ type: 'audit:recovered', file: path, seq: 4, bytes: 0 }] : [])
      } else {
        expect(said).toEqual([{ type: 'audit:recovered', file: path, seq: 3, bytes: torn, torn: file }])
        expect(readFileSync(file, 'utf8')).toBe(linesOf(whole).at(-1)!.slice(0, torn))
        expect(entriesOf(path)[3]).toMatchObject({ event: 'audit:recovered', bytes: torn, last: 3 })
      }
      expect(await verifyAudit(path), `cut ${cut}`).toMatchObject({ ok: true })
      rmSync(join(path, '..'), { recursive: true })
    }
  }, 120_000)
  it('goes on when it was killed between two files', async () => {
    const path = newPath()
    await written(path, 30, { maxBytes: 2_048 })
    const header = `${linesOf(path)[0]!}\n`
    for (const left of [undefined, '', header.slice(0, 1), header.slice(0, 100), header.slice(0, -1), header]) {
      const copy = newPath()
      cpSync(join(path, '..'), join(copy, '..'), { recursive: true })
      rmSync(copy)
      if (left !== undefined) writeFileSync(copy, left)
      await written(copy, 3, { maxBytes: 2_048 })
      expect(await verifyAudit(copy), JSON.stringify(left)).toMatchObject({ ok: true })
    }
  })
  it('moves aside a long tail of zeros', async () => {
    const path = newPath()
    await written(path, 3)
    appendFileSync(path, Buffer.alloc(300_000))
    expect((await verifyAudit(path)).problems).toMatchObject([{ kind: 'torn', line: 5 }])
    expect(await written(path, 1)).toMatchObject([{ type: 'audit:recovered', seq: 4, bytes: 300_000 }])
    expect(await verifyAudit(path)).toMatchObject({ ok: true, entries: 6 })
  })
  it.each([
    ['changed', (lines: readonly string[]) => lines.with(7, lines[7]!.replace('"n":7', '"n":8')), 8],
    ['removed', (lines: readonly string[]) => lines.toSpliced(5, 1), 6],
    ['without header', (lines: readonly string[]) => lines.with(0, '{}'), 1],
    ['nonsense', () => ['hello', 'world'], 1],
  ])('begins a new chain when the end of the log is broken: %s', async (_, hurt, line) => {
    const path = newPath()
    await written(path, 9)
    writeFileSync(
      path,
      hurt(linesOf(path))
        .map((text) => `${text}\n`)
        .join(''),
    )
    const said = await written(path, 2)
    const [event] = said
    expect(event).toMatchObject({ type: 'audit:broken', line })
    expect(said).toHaveLength(1)
    expect(eventsOf(path)).toEqual(['audit:opened', 'audit:broken', 'test:counted', 'test:counted'])
    expect(entriesOf(path)[0]).toMatchObject({ prev: '0'.repeat(64) })
    expect(await verifyAudit(path)).toMatchObject({ ok: false })
    expect(await written(path, 2)).toEqual([])
    expect(filesOf(path)).toHaveLength(2)
  })
})

describe('what others do to the file', () => {
  it('is noticed when they take it away, and the chain goes on', async () => {
    const path = newPath()
    const { log, said } = open(path)
    log.write({ event: 'e' })
    await log.flush()
    renameSync(path, `${path}.moved`)
    log.write({ event: 'f' })
    await log.close()
    expect(said).toMatchObject([{ type: 'audit:broken', reason: 'the file was moved or deleted while it was written' }])
    expect(eventsOf(path)).toEqual(['audit:opened', 'audit:broken', 'f'])
    expect(await verifyAudit([`${path}.moved`, path])).toMatchObject({ ok: true })
  })
  it('is noticed when they write into it', async () => {
    const path = newPath()
    const { log, said } = open(path)
    log.write({ event: 'e' })
    await log.flush()
    appendFileSync(path, 'mine\n')
    log.write({ event: 'f' })
    await log.close()
    expect(said).toMatchObject([{ type: 'audit:broken', file: join(path, '..', 'audit.0000000000000001.log') }])
    expect((await verifyAudit(path)).problems).toMatchObject([{ kind: 'not-json', line: 3 }])
  })
})

describe('a disk that fails', () => {
  it('keeps the entries, says so, and goes on when it works again', async () => {
    const path = newPath()
    mkdirSync(path)
    const { log, said } = open(path, { signer })
    log.write({ event: 'e', n: 1 })
    const { name, message } = await failure(log.flush())
    expect([name, message]).toEqual(['StorageError', expect.stringContaining(path)])
    rmSync(path, { recursive: true })
    await eventually(() => existsSync(path) && eventsOf(path).includes('e'))
    await log.close()
    expect(said[0]).toMatchObject({ type: 'audit:failed', error: { name: 'StorageError' } })
    expect(await verifyAudit(path, { publicKeys })).toMatchObject({ ok: true, unsigned: 0 })
  })
  it('is a rejection of close, which says how much is lost', async () => {
    const path = newPath()
    mkdirSync(path)
    const { log, said } = open(path)
    for (let n = 0; n < 5; n++) log.write({ event: 'e' })
    expect((await failure(log.close())).message).toMatch(/; 5 lines are lost$/)
    expect(said.at(-1)).toEqual({ type: 'audit:lost', count: 5 })
    expect(filesOf(path)).toEqual(['audit.log'])
  })
  it('is full, and the log goes on byte for byte when there is room again', async (context) => {
    const mount = join(root, 'full')
    mkdirSync(mount)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', mount], { stdio: 'ignore' })
    } catch {
      return context.skip('no tmpfs can be mounted here')
    }
    try {
      const path = join(mount, 'audit.log')
      writeFileSync(join(mount, 'filler'), Buffer.alloc(256 * 1_024 - 32_768))
      const { log, said } = open(path, { signer, maxQueue: 300 })
      for (let n = 1; n <= 120; n++) log.write({ event: 'test:counted', n, filler: 'x'.repeat(200) })
      expect((await failure(log.flush())).message).toContain('ENOSPC')
      for (let n = 121; n <= 500; n++) log.write({ event: 'test:counted', n })
      rmSync(join(mount, 'filler'))
      await eventually(() => said.some((event) => event.type === 'audit:lost' && event.seq !== undefined))
      await log.close()
      const report = await verifyAudit(path, { publicKeys })
      expect(report.problems).toEqual([])
      const told = entriesOf(path).filter(({ event }) => event === 'test:counted')
      expect(told.length + report.lost).toBe(500)
      expect(told.map(({ n }) => n)).toEqual(told.map((_, i) => i + 1))
    } finally {
      execFileSync('umount', [mount])
    }
  })
})

describe('the lock', () => {
  it('lets one writer write at a time', async () => {
    const path = newPath()
    const first = open(path)
    await first.log.flush()
    const second = open(path)
    second.log.write({ event: 'second' })
    expect((await failure(second.log.flush())).message).toContain('is written by this process')
    await first.log.close()
    await eventually(() => eventsOf(path).includes('second'))
    await second.log.close()
    expect(await verifyAudit(path)).toMatchObject({ ok: true, entries: 2 })
  })
  it('holds between processes', async () => {
    const path = newPath()
    await using child = startChild('auditor.ts', path, 'none')
    await child.said()
    const { log } = open(path)
    expect((await failure(log.flush())).message).toMatch(/is written by process \d+ on /)
    child.kill('SIGKILL')
    await child.ended()
    await log.close()
    expect(await verifyAudit(path)).toMatchObject({ ok: true })
  })
  it('is not taken from a process of another machine', async () => {
    const path = newPath()
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: 1, host: 'elsewhere', started: '', token: 't' }))
    const { log } = open(path)
    expect((await failure(log.flush())).message).toContain('process 1 on elsewhere')
    await failure(log.close())
    expect(existsSync(`${path}.lock`)).toBe(true)
  })
})

describe('rxswarm audit verify', () => {
  it('says that a log is intact', async () => {
    const path = newPath()
    await written(path, 3, { signer })
    const { code, stdout, stderr } = await runCli('audit', 'verify', path, '--key', signer.publicKey)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toBe(`intact: 5 lines (seq 1 to 5) in 1 file\nsigned up to seq 5 by ${signer.publicKey}\n`)
  })
  it('lists the places where it is not', async () => {
    const path = newPath()
    await written(path, 20)
    const lines = linesOf(path)
    writeFileSync(path, `${lines.with(16, lines[16]!.replace('"n":16', '"n":61')).toSpliced(10, 1).join('\n')}\n`)
    const { code, stdout } = await runCli('audit', 'verify', path)
    expect([code, stdout.split('\n')]).toEqual([
      1,
      [
        'audit.log:11: line 11 is missing before it',
        'audit.log:16: line changed (seq 17): its hash does not fit its text',
        'NOT INTACT: 19 lines (seq 1 to 21) in 1 file, 2 problems',
        'not signed: who can write the file could have written all of it anew',
        '',
      ],
    ])
    const json = await runCli('audit', 'verify', '--json', path)
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toEqual(await verifyAudit(path))
  })
  it.each([
    [[], 'which command?'],
    [['audit'], 'there is no such command'],
    [['audit', 'verify'], 'which FILE?'],
    [['audit', 'verify', 'a', 'b'], 'one FILE at a time'],
    [['audit', 'verify', 'a', '--loud'], "Unknown option '--loud'"],
    [['audit', 'verify', 'a', '--key', 'x'], '--key "x" is no Ed25519 key'],
    [['audit', 'verify', '/nowhere/audit.log'], "audit log /nowhere/audit.log can't be read"],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await runCli(...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
  })
  it('helps', async () => {
    const { code, stdout } = await runCli('audit', 'verify', '--help')
    expect([code, stdout]).toEqual([0, expect.stringContaining('usage: rxswarm audit verify FILE')])
    expect((await runCli('--help')).stdout).toContain('audit verify')
  })
})
