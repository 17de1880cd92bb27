import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connections, createSwarm, identify, ping, type BehaviourModule, type Page, type Probe } from 'rxswarm'
import { profiled, profiling, type CpuProfile, type ProfilingEvent, type TimingReport } from 'rxswarm/observability'
import { filter, interval, map } from 'rxjs'
import { afterAll, describe, expect, it } from 'vitest'
import { connect, first, group, nth } from './support/swarms.ts'
import { eventually, failure, until } from './support/wait.ts'

const root = mkdtempSync(join(tmpdir(), 'rxswarm-profiling-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const start = () =>
  createSwarm({
    use: [connections(), identify(), ping(), profiling()],
    transports: ['tcp'],
    listen: ['/ip4/127.0.0.1/tcp/0'],
    deadlineMs: 20_000,
  })

/** Something that shows in a profile by its name. */
function burnsTheCandle(ms: number): number {
  let sum = 0
  for (const end = performance.now() + ms; performance.now() < end;) sum += Math.sqrt(sum + 1)
  return sum
}

/** Keeps the engine busy while a profile is taken. */
async function busy<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => burnsTheCandle(5), 6)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}

interface Node {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly children?: readonly number[]
}

/** What Chrome's tools and speedscope need of a CPU profile. */
function expectProfile({ nodes, samples, timeDeltas, startTime, endTime }: CpuProfile): void {
  const all = nodes as readonly Node[]
  const ids = new Set(all.map(({ id }) => id))
  expect(all[0]!.callFrame.functionName).toBe('(root)')
  expect(all.flatMap(({ children = [] }) => children).every((id) => ids.has(id))).toBe(true)
  expect(samples.length).toBeGreaterThan(10)
  expect(timeDeltas).toHaveLength(samples.length)
  expect(samples.every((id) => ids.has(id))).toBe(true)
  expect(endTime).toBeGreaterThan(startTime)
  expect(all.map(({ callFrame }) => callFrame.functionName)).toContain('burnsTheCandle')
}

describe('profiling', () => {
  it('takes a CPU profile with the functions that ran', async () => {
    await using swarm = await start()
    const { profile, samples } = await busy(first(swarm.execute(profiling.cpu({ durationMs: 300 }))))
    expect(samples).toBe(profile!.samples.length)
    expectProfile(profile!)
  })
  it('writes one to a file that only its owner reads', async () => {
    await using swarm = await start()
    const path = join(root, 'node.cpuprofile')
    const taken = await busy(first(swarm.execute(profiling.cpu({ durationMs: 200, intervalUs: 500, path }))))
    expect(taken).toEqual({ samples: taken.samples, path })
    expectProfile(JSON.parse(readFileSync(path, 'utf8')) as CpuProfile)
    expect(statSync(path).mode & 0o077).toBe(0)
  })

  it('writes a heap snapshot with what Chrome needs, and says before that everything will stand still', async () => {
    await using swarm = await start()
    const said: ProfilingEvent[] = []
    swarm.event$.subscribe((event) => event.type.startsWith('profiling:') && said.push(event as ProfilingEvent))
    const path = join(root, 'node.heapsnapshot')
    const taken = await first(swarm.execute(profiling.heap({ path })))
    expect(taken).toMatchObject({ path, bytes: statSync(path).size })
    expect(said).toMatchObject([
      { type: 'profiling:started', kind: 'heap', blocks: true },
      { type: 'profiling:heap-taken' },
    ])
    const snapshot = JSON.parse(readFileSync(path, 'utf8')) as {
      readonly snapshot: {
        readonly meta: { readonly node_fields: readonly string[]; readonly edge_fields: readonly string[] }
        readonly node_count: number
        readonly edge_count: number
      }
      readonly nodes: readonly number[]
      readonly edges: readonly number[]
      readonly strings: readonly string[]
    }
    const { meta, node_count, edge_count } = snapshot.snapshot
    expect(snapshot.nodes).toHaveLength(node_count * meta.node_fields.length)
    expect(snapshot.edges).toHaveLength(edge_count * meta.edge_fields.length)
    expect(snapshot.strings).toContain('burnsTheCandle')
    expect(statSync(path).mode & 0o077).toBe(0)
    rmSync(path)
  })

  it('takes one profile at a time in the whole process, and the next when it is over', async () => {
    await using swarms = group([await start(), await start()])
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const running = first(a.execute(profiling.cpu({ durationMs: 300 })))
    for (const asked of [
      profiling.cpu({ durationMs: 5 }),
      profiling.heap({ path: join(root, 'no') }),
      profiling.timing(),
    ]) {
      expect(await failure(first(b.execute(asked)))).toMatchObject({ name: 'OverloadedError', retryable: true })
    }
    await running
    await first(b.execute(profiling.timing({ durationMs: 5 })))
  })

  it('ends with its command', async () => {
    await using swarm = await start()
    const path = join(root, 'cancelled.cpuprofile')
    const leaving = swarm.execute(profiling.cpu({ durationMs: 60_000, path })).subscribe()
    await until(swarm.state$, ({ profiling: { taking } }) => taking === 'cpu')
    leaving.unsubscribe()
    await until(swarm.state$, ({ profiling: { taking } }) => taking === undefined)
    await eventually(() =>
      first(swarm.execute(profiling.timing({ durationMs: 5 }))).then(
        () => true,
        () => false,
      ),
    )
    const stopping = swarm.execute(profiling.cpu({ durationMs: 60_000, path })).subscribe({ error: () => undefined })
    await swarm.stop({ drainMs: 0 })
    stopping.unsubscribe()
    expect(readdirSync(root).filter((name) => name.startsWith('cancelled'))).toEqual([])
  })

  it('says what is wrong with a file that can not be written, and leaves nothing behind', async () => {
    await using swarm = await start()
    const path = join(root, 'no', 'such', 'folder')
    for (const asked of [profiling.cpu({ durationMs: 5, path }), profiling.heap({ path })]) {
      expect(await failure(first(swarm.execute(asked)))).toMatchObject({
        name: 'StorageError',
        message: expect.stringContaining('ENOENT') as string,
      })
    }
    // the file is written, and can't have its name: it is taken by a folder
    expect(await failure(first(swarm.execute(profiling.cpu({ durationMs: 5, path: root }))))).toMatchObject({
      name: 'StorageError',
    })
    expect(readdirSync(join(root, '..')).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('tells how late the event loop is', async () => {
    await using swarm = await start()
    const late = until(swarm.execute(profiling.loop({ everyMs: 100, resolutionMs: 5 })), ({ maxMs }) => maxMs > 50)
    const timer = setInterval(() => burnsTheCandle(80), 90)
    const { count, minMs, meanMs, p99Ms, maxMs, utilization } = await late.finally(() => clearInterval(timer))
    expect(count).toBeGreaterThan(0)
    expect(minMs).toBeLessThanOrEqual(meanMs)
    expect(meanMs).toBeLessThanOrEqual(maxMs)
    expect(p99Ms).toBeGreaterThan(0)
    expect(utilization).toBeGreaterThan(0)
  })

  it('tells where the time of two nodes goes, by command, port, event and named operator', async () => {
    const listening: BehaviourModule<'listening', never, never> = {
      name: 'listening',
      commands: {},
      ports: () => undefined,
      behaviour: ({ event$ }) =>
        event$.pipe(
          map(() => burnsTheCandle(1)),
          filter((n): n is never => n < 0),
        ),
    }
    await using a = await createSwarm({
      use: [connections(), identify(), ping(), profiling(), listening],
      transports: ['tcp'],
      listen: ['/ip4/127.0.0.1/tcp/0'],
    })
    await using b = await start()
    await connect(a, b)
    const ticks = interval(5)
      .pipe(
        profiled(
          'burning',
          map(() => burnsTheCandle(2)),
        ),
      )
      .subscribe()
    const pings = a.execute(ping.watch({ peer: b.self, intervalMs: 10 })).subscribe()
    const measured = first(a.execute(profiling.timing({ durationMs: 300 })))
    await first(a.execute(ping.once({ peer: b.self })))
    const report = await measured
    ticks.unsubscribe()
    pings.unsubscribe()
    const names = report.rows.map(({ kind, name }) => `${kind} ${name}`)
    expect(names).toEqual(
      expect.arrayContaining(['event listening', 'command ping/once', 'work ping/once', 'operator burning']),
    )
    expect(names.some((name) => name.startsWith('port ping.'))).toBe(true)
    const burning = report.rows.find(({ name }) => name === 'burning')!
    expect(burning.selfMs).toBeGreaterThanOrEqual(burning.count * 1.5)
    const file = report.toSpeedscope()
    const profile = file.profiles[0]!
    expect(profile.weights).toHaveLength(profile.samples.length)
    expect(profile.samples.flat().every((frame) => frame < file.shared.frames.length)).toBe(true)
  })
})

/** Serves the pages of a swarm as the module `pages` does, but to everybody. */
async function served() {
  let probe: Probe | undefined
  const module = profiling()
  const kept = {
    ...module,
    probe: (probed: Parameters<NonNullable<typeof module.probe>>[0]) => (probe = module.probe!(probed)),
  }
  const swarm = await createSwarm({
    use: [connections(), kept],
    transports: ['tcp'],
    listen: ['/ip4/127.0.0.1/tcp/0'],
  })
  const pages: readonly Page[] = module.pages!(probe!)
  const thrown: unknown[] = []
  const server: Server = createServer((request, response) => {
    const page = pages.find(({ path }) => path === request.url!.split('?')[0])!
    void (async () => page.answer(request, response))().catch((error: unknown) => {
      thrown.push(error)
      response.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    swarm,
    pages,
    thrown,
    post: (path: string, init: RequestInit = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', ...init }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await swarm.stop()
    },
  }
}

describe('the pages of profiling', () => {
  it('are for this machine alone, and act by POST', async () => {
    await using site = await served()
    expect(site.pages.every(({ localOnly }) => localOnly === true)).toBe(true)
    for (const path of ['/debug/profile', '/debug/heap', '/debug/timing']) {
      expect(site.pages.find((page) => page.path === path)!.methods).toEqual(['POST'])
    }
    for (const headers of [{ origin: 'http://evil.example' }, { 'x-forwarded-for': '10.1.1.1' }] as const) {
      const answer = await site.post('/debug/loop', { headers })
      expect([answer.status, await answer.text()]).toEqual([403, 'profiling is for callers on this machine\n'])
    }
  })
  it('give a CPU profile, timing for speedscope, and the delay of the loop', async () => {
    await using site = await served()
    const answer = await busy(site.post('/debug/profile?seconds=0.3&intervalUs=500'))
    expect(answer.headers.get('content-disposition')).toContain('.cpuprofile')
    expectProfile((await answer.json()) as CpuProfile)
    const timing = (await (await site.post('/debug/timing?seconds=0.05')).json()) as TimingReport
    expect(timing.durationMs).toBeGreaterThan(10)
    const file = (await (await site.post('/debug/timing?seconds=0.05&format=speedscope')).json()) as object
    expect(file).toMatchObject({ $schema: expect.stringContaining('speedscope') as string })
    expect(await (await site.post('/debug/loop?seconds=0.05', { method: 'GET' })).json()).toHaveProperty('p99Ms')
  })
  it('give a heap snapshot, and keep no file of it', async () => {
    await using site = await served()
    const answer = await site.post('/debug/heap')
    const snapshot = (await answer.json()) as object
    expect(Object.keys(snapshot)).toEqual(expect.arrayContaining(['snapshot', 'nodes', 'edges', 'strings']))
    await eventually(() => readdirSync(tmpdir()).every((name) => !/^rxswarm-[\w-]+\.heapsnapshot/.test(name)))
  })
  it('refuse what is wrong, too long, or one too many', async () => {
    await using site = await served()
    for (const query of ['seconds=many', 'seconds=61', 'seconds=0', 'seconds=-1', 'intervalUs=1']) {
      expect([query, (await site.post(`/debug/profile?${query}`)).status]).toEqual([query, 400])
    }
    const running = site.post('/debug/timing?seconds=0.5')
    await until(site.swarm.state$, ({ profiling: { taking } }) => taking === 'timing')
    expect((await site.post('/debug/profile?seconds=0.1')).status).toBe(503)
    expect((await running).status).toBe(200)
    expect(site.thrown).toEqual([])
  })
  it('end a profile whose caller leaves', async () => {
    await using site = await served()
    const leaving = new AbortController()
    const gone = site.post('/debug/profile?seconds=60', { signal: leaving.signal }).catch(() => 'gone')
    await until(site.swarm.state$, ({ profiling: { taking } }) => taking === 'cpu')
    leaving.abort()
    expect(await gone).toBe('gone')
    await until(site.swarm.state$, ({ profiling: { taking } }) => taking === undefined)
    await eventually(async () => (await site.post('/debug/timing?seconds=0.01')).status === 200)
    expect(site.thrown).toEqual([])
  })
})
