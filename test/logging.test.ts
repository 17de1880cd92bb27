import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { context, trace, TraceFlags } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { pino } from 'pino'
import { connections, createSwarm, gossipsub, identify, ping, xauth, type AnyModule, type SwarmOptions } from 'rxswarm'
import { logging, type LoggingOptions } from 'rxswarm/observability'
import { afterAll, describe, expect, it } from 'vitest'
import { bytes, connect, first, group, nth } from './support/swarms.ts'
import { eventually, processErrors, until } from './support/wait.ts'

const root = mkdtempSync(join(tmpdir(), 'rxswarm-logging-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

type Line = Readonly<Record<string, unknown>> & { readonly err?: Readonly<Record<string, unknown>> }
const listen = ['/ip4/127.0.0.1/tcp/0']
const parse = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)

/** Where lines are kept. */
function kept() {
  const texts: string[] = []
  return {
    stream: { write: (line: string) => void texts.push(line) },
    text: () => texts.join(''),
    lines: () => parse(texts.join('')),
  }
}

const start = (options: LoggingOptions, rest: Pick<SwarmOptions<readonly AnyModule[]>, 'libp2p'> = {}) =>
  createSwarm({
    transports: ['tcp'],
    listen,
    deadlineMs: 20_000,
    ...rest,
    use: [connections(), identify(), ping(), gossipsub(), logging(options)],
  })

const node = fileURLToPath(new URL('support/loggingNode.ts', import.meta.url))
const runNode = async (...args: readonly string[]) =>
  new Promise<{ readonly code: unknown; readonly out: string }>((resolve) => {
    const command = ['--conditions=@rxswarm/source', node, ...args]
    execFile(process.execPath, command, { maxBuffer: 1e8 }, (error, out) => resolve({ code: error?.code ?? 0, out }))
  })

describe('logging', () => {
  it('has the right peers, connections and commands in the lines of two nodes', async () => {
    const logs = [kept(), kept()]
    await using swarms = group([
      await start({ destination: logs[0]!.stream, areas: { ping: 'debug' } }),
      await start({ destination: logs[1]!.stream }),
    ])
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(a, b)
    const asked = ping.once({ peer: b.self })
    await first(a.execute(asked))
    const failing = ping.once({ peer: (await generateKeyPair('Ed25519')).publicKey.toString() })
    await first(a.execute(failing)).catch(() => undefined)

    const opened = logs[0]!.lines().find(({ event }) => event === 'connection:open')!
    expect(opened).toMatchObject({ level: 'info', self: a.self, area: 'connection', peer: b.self })
    expect(opened['connection']).toBe(a.node.getConnections()[0]!.id)
    expect(Math.abs(Number(opened['time']) - Date.now())).toBeLessThan(60_000)
    await eventually(() => logs[1]!.lines().some(({ event, peer }) => event === 'peer:connect' && peer === a.self))
    expect(logs[1]!.lines().every(({ self }) => self === b.self)).toBe(true)
    const measured = logs[0]!.lines().find(({ event }) => event === 'ping:measured')
    expect(measured).toMatchObject({ command: asked.id, peer: b.self, level: 'debug' })
    const failed = logs[0]!.lines().find(({ event }) => event === 'command:failed')
    expect(failed).toMatchObject({ command: failing.id, command_type: 'ping/once', level: 'warn' })
  })

  it("folds libp2p's own lines in, by area, and changes their level while it runs", async () => {
    const log = kept()
    await using swarms = group([await start({ destination: log.stream }), await start({ destination: kept().stream })])
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const areas = () => log.lines().flatMap(({ area }) => (String(area).startsWith('libp2p') ? [String(area)] : []))
    expect(areas()).toEqual([])
    expect(a.node.logger.forComponent('libp2p:tcp').enabled).toBe(false)
    await first(a.execute(logging.setLevel({ area: 'libp2p:*', level: 'trace' })))
    expect(a.node.logger.forComponent('libp2p:tcp').enabled).toBe(true)
    await connect(a, b)
    expect(areas().some((area) => area.startsWith('libp2p:connection-manager'))).toBe(true)
    expect(log.lines().some(({ area, peer }) => String(area).startsWith('libp2p') && peer === b.self)).toBe(true)
    const { id } = a.node.getConnections()[0]!
    expect(log.lines().some(({ area, connection }) => String(area).startsWith('libp2p') && connection === id)).toBe(
      true,
    )
    expect(areas().some((area) => area.includes(id))).toBe(false)
    expect(log.text()).not.toMatch(/%[a-z]\b/)
    await first(a.execute(logging.setLevel({ area: 'libp2p:*', level: 'silent' })))
    const before = areas().length
    a.node.logger.forComponent('libp2p:tcp').error('it broke')
    expect(areas()).toHaveLength(before)
    await first(a.execute(logging.setLevel({ area: 'libp2p:tcp', level: 'warn' })))
    a.node.logger.forComponent('libp2p:tcp').error('it broke: %e', new Error('cable'))
    expect(log.lines().at(-1)).toMatchObject({
      level: 'warn',
      area: 'libp2p:tcp',
      msg: 'it broke: cable',
      err: { message: 'cable' },
    })
  })

  it('keeps the lines that libp2p writes while it is made', async () => {
    const log = kept()
    await using _swarm = await start({ destination: log.stream, areas: { 'libp2p:*': 'trace' } })
    const first = log.lines().findIndex(({ area }) => String(area).startsWith('libp2p'))
    const started = log.lines().findIndex(({ event }) => event === 'start')
    expect(first).toBeGreaterThanOrEqual(0)
    expect(first).toBeLessThan(started)
  })

  it("leaves a logger alone that is among libp2p's options", async () => {
    const said: string[] = []
    const say = Object.assign((format: string) => void said.push(format), {
      error: () => undefined,
      trace: () => undefined,
      enabled: true,
      newScope: () => say,
    })
    const logger = { forComponent: () => say }
    const log = kept()
    await using swarm = await start(
      { destination: log.stream, areas: { 'libp2p:*': 'trace' } },
      { libp2p: (options) => ({ ...options, logger }) },
    )
    expect(swarm.node.logger).toBe(logger)
    expect(said.length).toBeGreaterThan(0)
    expect(log.lines().some(({ area }) => String(area).startsWith('libp2p'))).toBe(false)
  })

  it('never has keys, proofs, payloads or what a peer adds to its proof', async () => {
    const [keyA, keyB, owner] = await Promise.all([1, 2, 3].map(() => generateKeyPair('Ed25519')))
    const log = kept()
    const make = (identity: NonNullable<typeof keyA>, stream: { write(line: string): void }) =>
      createSwarm({
        transports: ['tcp'],
        listen,
        identity,
        use: [
          connections(),
          identify(),
          gossipsub(),
          xauth({ owner: owner!, trust: [owner!.publicKey], metadata: { badge: 'tell-nobody-7' } }),
          logging({ destination: stream, level: 'trace', areas: { 'libp2p:*': 'trace' }, maxPerSecond: 1e6 }),
        ],
      })
    await using a = await make(keyA!, log.stream)
    await using b = await make(keyB!, log.stream)
    const signatures: Uint8Array[] = []
    for (const { event$ } of [a, b]) {
      event$.subscribe((event) => event.type === 'xauth:requested' && signatures.push(event.proof.signature))
    }
    const news: string[] = []
    b.execute(gossipsub.subscribe({ topic: 'news' })).subscribe(({ data }) => news.push(new TextDecoder().decode(data)))
    await first(a.execute(connections.dial({ to: b.addresses })))
    await first(a.execute(xauth.authenticate({ peer: b.self })))
    await until(a.state$, ({ gossipsub: { peers } }) => (peers.get('news')?.size ?? 0) > 0)
    await eventually(async () => {
      await first(a.execute(gossipsub.publish({ topic: 'news', data: bytes('the-payload-itself') }))).catch(
        () => undefined,
      )
      return news.length > 0
    })
    await a.stop()
    await b.stop()

    const text = log.text()
    expect(signatures.length).toBeGreaterThan(0)
    expect(text).toContain('gossipsub:message')
    expect(text).toContain('xauth:authenticated')
    const forms = (raw: Uint8Array) => {
      const buffer = Buffer.from(raw)
      return [buffer.toString('hex'), buffer.toString('base64'), buffer.toString('latin1'), buffer.join(',')]
    }
    const secrets = [
      ...[keyA, keyB, owner].flatMap((key) => [...forms(key!.raw), ...forms(key!.raw.subarray(0, 32))]),
      ...forms(bytes('the-payload-itself')),
      'tell-nobody-7',
      ...signatures.flatMap(forms),
    ]
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]/u)
  })

  it("writes to a file, and to a logger of the user's with its own form", async () => {
    const path = join(root, 'node.log')
    await (await start({ destination: path, level: 'warn' })).stop()
    const again = await start({ destination: path })
    await again.stop()
    const last = parse(readFileSync(path, 'utf8')).at(-1)
    expect(last).toMatchObject({ event: 'swarm:stopped', self: again.self })
    expect(statSync(path).mode & 0o007).toBe(0)

    const log = kept()
    const logger = pino({ base: { app: 'shop' }, level: 'debug' }, log.stream)
    const swarm = await start({ logger })
    await swarm.stop()
    expect(log.lines().find(({ event }) => event === 'swarm:stopped')).toMatchObject({ level: 30, app: 'shop' })
    expect(log.lines().some(({ event, level }) => event === 'self:peer:update' && level === 20)).toBe(true)
  })

  it('says what is wrong with a file that can not be opened', async () => {
    await expect(start({ destination: join(root, 'no', 'such.log') })).rejects.toMatchObject({
      name: 'ConfigError',
      problems: [{ path: 'use[4]' }],
    })
  })

  it('puts the ids of the active span into lines, when OpenTelemetry has a context manager', async () => {
    const log = kept()
    await using swarm = await start({ destination: log.stream })
    const spanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: TraceFlags.SAMPLED }
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    try {
      await context.with(trace.setSpan(context.active(), trace.wrapSpanContext(spanContext)), () =>
        first(swarm.execute(logging.setLevel({ area: 'x', level: 'info' }))),
      )
    } finally {
      context.disable()
    }
    expect(log.lines().find(({ event }) => event === 'logging:level-changed')).toMatchObject({
      trace_id: '1'.repeat(32),
      span_id: '2'.repeat(16),
    })
  })
})

describe('a destination', () => {
  it('that is slow has bounded memory, and what it lost is told and counted', async () => {
    let released: (() => void) | undefined
    const texts: string[] = []
    const stalled = new Writable({
      highWaterMark: 1,
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        texts.push(chunk)
        if (released === undefined) released = done
        else done()
      },
    })
    await using swarm = await start({
      destination: stalled,
      maxBufferBytes: 5_000,
      maxPerSecond: 1e6,
      areas: { 'libp2p:*': 'silent' },
    })
    const lost = until(swarm.event$, ({ type }) => (type as string) === 'logging:lost')
    for (let n = 0; n < 200; n++) await first(swarm.execute(logging.setLevel({ area: 'x', level: 'info' })))
    await lost
    expect(stalled.writableLength).toBeLessThan(2_000)
    expect((await first(swarm.state$)).logging.lost).toBeGreaterThan(0)
    released!()
    await eventually(() => stalled.writableLength === 0)
    await first(swarm.execute(logging.setLevel({ area: 'y', level: 'info' })))
    await eventually(() => texts.some((text) => text.includes('"y"')))
    const lines = texts.map((text) => JSON.parse(text) as Line)
    const changes = lines.filter(({ event }) => event === 'logging:level-changed').length
    const told = lines
      .filter(({ event }) => event === 'logging:lost')
      .reduce((sum, { count }) => sum + Number(count), 0)
    expect(told).toBeGreaterThan(100)
    expect(changes + told).toBe(201)
  })

  it('that breaks or throws is told once, and the node goes on', async () => {
    using errors = processErrors()
    const broken = new PassThrough()
    const throwing = {
      write: () => {
        throw new Error('no')
      },
    }
    for (const destination of [broken, throwing]) {
      await using swarm = await start({ destination })
      const failures: unknown[] = []
      swarm.event$.subscribe((event) => event.type === 'logging:failed' && failures.push(event.error))
      if (destination === broken) broken.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      for (let n = 0; n < 3; n++) {
        await first(swarm.execute(logging.setLevel({ area: 'x', level: 'info' })))
      }
      await swarm.stop()
      if (destination === broken) expect(failures).toMatchObject([{ name: 'StorageError' }])
    }
    expect(errors.seen).toEqual([])
  })

  it('that is the standard output has the last lines, however the process ends', async () => {
    for (const ending of ['naturally', 'exit', 'crash', 'at once']) {
      const { code, out } = await runNode('-', ending, '20')
      expect([ending, code]).toEqual([ending, ending === 'crash' ? 1 : 0])
      const events = parse(out).map(({ event }) => event)
      expect([ending, events.filter((event) => event === 'logging:level-changed').length]).toEqual([ending, 20])
      expect([ending, events.includes('swarm:stopped')]).toEqual([ending, ending !== 'at once'])
    }
  })

  it('that nobody reads keeps neither the node nor its process', async () => {
    // a pipe of the shell's, whose reader never reads
    const run = `"${process.execPath}" --conditions=@rxswarm/source "${node}" - naturally 2000`
    const shell = spawn('bash', ['-c', `{ ${run}; echo ended $? >&2; } | sleep 60`], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    })
    let said = ''
    shell.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    try {
      await eventually(() => said.includes('ended 0'), 40_000)
    } finally {
      process.kill(-shell.pid!, 'SIGKILL')
      await once(shell, 'close')
    }
  })

  it('that is a pipe whose reader has gone breaks nothing', async () => {
    const child = spawn(process.execPath, ['--conditions=@rxswarm/source', node, '-', 'exit', '2000'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.stdout.once('data', () => child.stdout.destroy())
    const [code] = (await once(child, 'close')) as [number]
    expect([code, errors]).toEqual([0, ''])
  })
})
