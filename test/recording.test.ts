import {
  access,
  addresses,
  chains,
  connections,
  createSwarm,
  discovery,
  explain,
  gossipsub,
  identify,
  kad,
  keepAlive,
  ofType,
  ping,
  reachability,
  relay,
  rendezvous,
  xauth,
  xstream,
  type AnyModule,
  type TransportName,
} from 'rxswarm'
import { openRecording, recording, replay } from 'rxswarm/observability'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { firstValueFrom, take } from 'rxjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bytes, listenAddress, wires } from './support/swarms.ts'
import { runCli } from './support/runCli.ts'
import { runExample } from './support/runExample.ts'
import { eventually, failure, pause, until } from './support/wait.ts'

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'rxswarm-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const records = { app: { validate: () => true } }

/** Everything that a node can do, made anew. */
const everything = () =>
  [
    connections(),
    addresses(),
    identify(),
    ping({
      policy: { timeout: { timeoutMs: 2_000 }, retry: { retries: 1, backoff: { type: 'constant', delayMs: 20 } } },
    }),
    kad({ records }),
    gossipsub(),
    xstream(),
    keepAlive(),
    discovery(),
    explain(),
    reachability(),
    relay(),
    rendezvous(),
    chains(),
    access({ policy: { rules: [], default: 'allow' } }),
  ] as const

const start = (transport: TransportName, more: readonly AnyModule[] = []) =>
  createSwarm({
    use: [...everything(), ...more] as unknown as ReturnType<typeof everything>,
    transports: [transport],
    listen: [listenAddress(transport)],
  })
type Node = Awaited<ReturnType<typeof start>>

const settled = (work: Promise<unknown>) => work.catch((error: Error) => error.name)
const first = <T>(node: Node, command: Parameters<Node['execute']>[0]) =>
  firstValueFrom(node.execute(command as never), { defaultValue: undefined }) as Promise<T>

/** What a node lives through, with failures. */
async function live(alice: Node, bob: Node): Promise<void> {
  await first(alice, connections.dial({ to: bob.addresses }))
  await until(alice.state$, ({ identify: known }) => known.has(bob.self))
  const heard: unknown[] = []
  alice.execute(gossipsub.subscribe({ topic: 'news' })).subscribe((message) => heard.push(message))
  bob.execute(gossipsub.subscribe({ topic: 'news' })).subscribe()
  bob.execute(xstream.accept()).subscribe((stream) => void stream.end())
  await pause(1_200)
  await Promise.all([
    first(alice, ping.once({ peer: bob.self })),
    settled(first(alice, ping.once({ peer: '12D3KooWGatNpBLFTxSKDGjkaXrXLfFNxLWyUDzuAWVnNC3ZxWjQ' }))),
    settled(first(alice, connections.dial({ to: '/ip4/127.0.0.1/tcp/1' }))),
    firstValueFrom(alice.execute(ping.watch({ peer: bob.self, intervalMs: 20 })).pipe(take(5))),
    settled(first(alice, kad.put({ key: '/app/one', value: bytes('1') }))),
    settled(first(alice, kad.get({ key: '/app/none' }))),
    settled(first(alice, gossipsub.publish({ topic: 'news', data: bytes('hello') }))),
    settled(first(bob, gossipsub.publish({ topic: 'news', data: bytes('hello') }))),
    first(alice, addresses.list()),
    settled(first(alice, explain.peer({ peer: bob.self }))),
    settled(first(alice, xstream.open({ peer: bob.self }))),
  ])
  alice.event$.subscribe((event) => {
    if (event.type === 'peer:disconnect') alice.command$.next(connections.list())
  })
  const leaving = alice.execute(ping.watch({ peer: bob.self, intervalMs: 30 })).subscribe()
  await pause(100)
  leaving.unsubscribe()
  await eventually(() => heard.length > 0)
  await bob.stop()
  await settled(first(alice, ping.once({ peer: bob.self }, { deadlineMs: 500 })))
}

describe.each(wires)('a recording over %s', (transport) => {
  it('of a whole node does the same again', async () => {
    const path = join(folder, `${transport}.jsonl`)
    await using bob = await start(transport)
    const alice = await start(transport, [recording({ path })])
    await live(alice, bob)
    await alice.stop()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const read = await openRecording(path)
    expect(read).toMatchObject({ cut: undefined, lost: 0 })
    const report = replay(read, { use: everything() })
    expect(report.diverged).toBeUndefined()
    expect(report).toMatchObject({ same: true, unanswered: 0, notes: [] })
    expect(report.events.length).toBeGreaterThan(50)
    expect(replay(read, { use: everything() }).eventLines).toEqual(report.eventLines)
  })
})

describe('a recording of two who authenticate and rendezvous, one the point and relay of the other', () => {
  it('does the same again, on both sides', async () => {
    const made = (isPoint: boolean, owner: PrivateKey, at: readonly string[]) =>
      [
        connections(),
        identify(),
        ping(),
        xauth({ owner }),
        xstream(),
        rendezvous(isPoint ? { point: true } : { points: [at[0]!] }),
        relay(isPoint ? { server: true } : { relays: at, reservations: 1 }),
      ] as const
    const owners = [await generateKeyPair('Ed25519'), await generateKeyPair('Ed25519')] as const
    const paths = ['point.jsonl', 'guest.jsonl'].map((name) => join(folder, name))
    const listen = [listenAddress('tcp')]
    const point = await createSwarm({ use: [...made(true, owners[0], []), recording({ path: paths[0]! })], listen })
    const at = point.addresses
    const guest = await createSwarm({ use: [...made(false, owners[1], at), recording({ path: paths[1]! })], listen })
    guest.execute(rendezvous.register({ namespace: 'room' })).subscribe({ error: () => undefined })
    await settled(firstValueFrom(guest.execute(rendezvous.discover({ namespace: 'room' }))))
    point.execute(xstream.accept()).subscribe((stream) => void stream.end())
    await settled(firstValueFrom(guest.execute(xstream.open({ peer: point.self }))))
    await pause(300)
    await guest.stop()
    await point.stop()
    for (const [i, path] of paths.entries()) {
      const report = replay(await openRecording(path), { use: made(i === 0, owners[i]!, at) })
      expect(report.diverged).toBeUndefined()
      expect(report).toMatchObject({ same: true, unanswered: 0 })
      expect(report.events.length).toBeGreaterThan(10)
    }
  })
})

describe('a file of a recording', () => {
  const node = (more: ReturnType<typeof recording>) =>
    createSwarm({ use: [connections(), ping(), more], listen: [listenAddress('tcp')] })
  const read = async (path: string) => openRecording(path)

  it('is begun and ended by commands, and packed', async () => {
    const path = join(folder, 'middle.jsonl.gz')
    await using bob = await node(recording())
    await using alice = await node(recording())
    await firstValueFrom(alice.execute(connections.dial({ to: bob.addresses })))
    const started = await firstValueFrom(alice.execute(recording.start({ path, gzip: true })))
    expect(started).toEqual({ path })
    expect(await failure(firstValueFrom(alice.execute(recording.start({ path }))))).toMatchObject({
      code: 'ERR_INVALID_COMMAND',
    })
    await firstValueFrom(alice.execute(ping.once({ peer: bob.self })))
    await pause(250)
    const packedSoFar = await read(path)
    expect(packedSoFar.cut).toMatch(/without its end/)
    const report = await firstValueFrom(alice.execute(recording.stop()))
    expect(await failure(firstValueFrom(alice.execute(recording.stop())))).toMatchObject({
      code: 'ERR_INVALID_COMMAND',
    })
    const whole = await read(path)
    expect(whole).toMatchObject({ cut: undefined, header: { from: 'middle' } })
    expect(report).toEqual({ path, lines: whole.lines.length + 1, chars: whole.bytes, lost: 0 })
    expect(gunzipSync(readFileSync(path)).byteLength).toBe(whole.bytes)
    const replayed = replay(whole, { use: [connections(), ping()] })
    expect(replayed.notes.join()).toContain('it began while the swarm ran')
    expect(replayed.events.map(({ type }) => type)).toContain('ping:measured')
    await expect(openRecording(path, { maxBytes: 300 })).rejects.toMatchObject({ code: 'ERR_TOO_LONG' })
  })
  it('is not written over, and what can not be written is told', async () => {
    const path = join(folder, 'there.jsonl')
    writeFileSync(path, 'mine', { mode: 0o644 })
    const failures: unknown[] = []
    for (const wrong of [path, join(folder, 'no', 'such.jsonl')]) {
      await using alice = await node(recording({ path: wrong }))
      await until(alice.state$, (state) => state.recording.failures === 1)
      failures.push(await failure(firstValueFrom(alice.execute(recording.start({ path: wrong })))))
      await firstValueFrom(alice.execute(connections.list()))
    }
    expect(failures).toMatchObject([{ code: 'ERR_STORAGE' }, { code: 'ERR_STORAGE' }])
    expect(String(failures[0])).toContain('it is there already')
    expect(readFileSync(path, 'utf8')).toBe('mine')
    {
      await using alice = await node(recording({ path, overwrite: true }))
      expect(alice.self).not.toBe('')
    }
    expect(await read(path)).toMatchObject({ cut: undefined })
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })
  it('that is full ends, and the node goes on', async () => {
    const path = join(folder, 'full.jsonl')
    await using alice = await node(recording({ path, maxChars: 6_000 }))
    const full = firstValueFrom(alice.event$.pipe(ofType('recording:full')))
    for (let i = 0; i < 40; i++) await firstValueFrom(alice.execute(connections.list()))
    const { report } = await full
    expect(report.chars).toBeLessThanOrEqual(6_000)
    const whole = await read(path)
    expect(whole).toMatchObject({ cut: undefined, lost: 0 })
    expect(replay(whole, { use: [connections(), ping()] })).toMatchObject({ same: true, diverged: undefined })
  })
  it('for which the disk is too slow says what it lost, and is replayed up to there', async () => {
    const path = join(folder, 'lost.jsonl')
    const alice = await node(recording({ path, bufferChars: 3_000 }))
    const lost = firstValueFrom(alice.event$.pipe(ofType('recording:lost')))
    for (let i = 0; i < 40; i++) alice.command$.next(connections.list())
    expect((await lost).count).toBeGreaterThan(0)
    await firstValueFrom(alice.execute(connections.list()))
    await alice.stop()
    const cut = await read(path)
    expect(cut.lost).toBeGreaterThan(0)
    const report = replay(cut, { use: [connections(), ping()] })
    expect(report).toMatchObject({ same: true, diverged: undefined })
    expect(report.notes.join()).toMatch(/lines found no room when it was recorded/)
  })
  it('that was packed and damaged is refused, or read as far as it goes', async () => {
    const path = join(folder, 'packed.jsonl.gz')
    {
      await using alice = await node(recording({ path, gzip: true }))
      for (let i = 0; i < 40; i++) await firstValueFrom(alice.execute(connections.list()))
    }
    const bytes = readFileSync(path)
    expect(await read(path)).toMatchObject({ cut: undefined })
    writeFileSync(path, bytes.subarray(0, bytes.byteLength - 200))
    expect((await read(path)).cut).toMatch(/without its end/)
    writeFileSync(path, bytes.fill(7, 40, 80))
    await expect(read(path)).rejects.toMatchObject({ code: 'ERR_INVALID_MESSAGE' })
  })
})

describe('a file that is no recording', () => {
  it('is refused without being read whole', async () => {
    const long = join(folder, 'long')
    writeFileSync(long, '')
    truncateSync(long, 2 ** 30)
    await expect(openRecording(long)).rejects.toMatchObject({ code: 'ERR_TOO_LONG' })
    const before = process.memoryUsage().arrayBuffers
    await expect(openRecording(long, { maxBytes: 2 ** 31, maxLineChars: 1_000 })).rejects.toMatchObject({
      code: 'ERR_TOO_LONG',
      message: 'recording: line 1 has more than 1000 characters',
    })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26)
    writeFileSync(long, gzipSync(Buffer.alloc(2 ** 26)))
    await expect(openRecording(long, { maxLineChars: 1_000 })).rejects.toMatchObject({ code: 'ERR_TOO_LONG' })
  })
  it.each(['/dev/zero', tmpdir(), join(tmpdir(), 'no', 'such')])('is refused when it is %s', async (path) => {
    await expect(openRecording(path)).rejects.toMatchObject({ code: 'ERR_STORAGE' })
    expect(await runCli('recording', 'verify', path)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^rxswarm: recording: .* can't be read: .*\n$/),
    })
  })
})

describe('rxswarm recording', () => {
  it('does not mind a reader who has read enough', async () => {
    const path = join(folder, 'head.jsonl')
    {
      await using alice = await createSwarm({ use: [connections(), recording({ path })], listen: [] })
      for (let i = 0; i < 500; i++) await firstValueFrom(alice.execute(connections.list()))
    }
    const child = spawn(process.execPath, [
      'src/cli/rxswarm.ts',
      'recording',
      'marbles',
      path,
      '--behaviour',
      'connections',
    ])
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', (chunk) => (stderr += String(chunk)))
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })
  it('shows, verifies and prints', async () => {
    const path = join(folder, 'cli.jsonl')
    {
      await using alice = await createSwarm({ use: [connections(), recording({ path })], listen: [] })
      await firstValueFrom(alice.execute(connections.list()))
    }
    const shown = await runCli('recording', 'show', path)
    expect(shown.code).toBe(0)
    expect(shown.stdout).toMatch(/^ +1 {2}connections\/list$/m)
    expect(JSON.parse((await runCli('recording', 'show', path, '--json')).stdout)).toMatchObject({ lost: 0 })
    expect(await runCli('recording', 'verify', path)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^whole: \d+ lines\n$/),
    })
    const printed = await runCli('recording', 'marbles', path, '--behaviour', 'connections', '--from', '0')
    expect(printed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("marbles('connections does what it did from 0 to"),
    })

    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.slice(0, -40))
    expect(await runCli('recording', 'verify', path)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^CUT: /),
    })
    writeFileSync(path, text.replace('connections/list', 'connections/LIST'))
    expect(await runCli('recording', 'verify', path)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^CHANGED: recording: line \d+: /),
    })
    expect(await runCli('recording', 'show', path)).toMatchObject({ code: 2 })
    for (const wrong of [
      ['show'],
      ['show', 'a', 'b'],
      ['marbles', path],
      ['marbles', path, '--behaviour', 'x', '--from', '-1'],
    ]) {
      expect(await runCli('recording', ...wrong)).toMatchObject({ code: 2, stderr: expect.stringContaining('usage:') })
    }
  })
})

describe('examples/observe/record-and-replay', () => {
  it('says what it finds', async () => {
    const { code, stdout, stderr } = await runExample('observe/record-and-replay.ts')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.trimEnd().split('\n')).toEqual([
      'replayed: the same',
      'with another policy: different, it would have tried again',
      "marbles('ping does what it did from 0 to … ms', ({ cold, hot, expectObservable }) => {",
    ])
  })
})
