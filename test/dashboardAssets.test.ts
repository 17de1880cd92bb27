import { createSwarm, connections, type ConfigError } from 'rxswarm'
import { pages } from 'rxswarm/observability'
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { runExample } from './support/runExample.ts'
import { failure, until } from './support/wait.ts'

let nodes = 0
const start = () =>
  createSwarm({
    use: [connections()],
    dashboard: true,
    transports: ['memory'],
    listen: [`/memory/dashboard-page-${process.pid}-${++nodes}`],
  })
type Shown = Awaited<ReturnType<typeof start>>
const urlOf = async ({ state$ }: Shown) => (await until(state$, (state) => state.pages.url !== undefined)).pages.url!

/** Asks for a path as it is: `fetch` would make it tidy first. */
const askedFor = (url: string, path: string) =>
  new Promise<number>((resolve, reject) => {
    const { hostname, port } = new URL(url)
    request({ hostname, port, path }, (response) => resolve(response.resume().statusCode!))
      .on('error', reject)
      .end()
  })

/** What a page names: its own files, and the modules of its import map. */
const namedIn = (html: string) => [
  ...[...html.matchAll(/\b(?:href|src)="([^"]+)"/g)].map(([, path]) => path!),
  ...[...html.matchAll(/:"(\/dashboard\/[^"]+)"/g)].map(([, path]) => path!),
]

describe('the page of the dashboard', () => {
  it('comes with a policy that allows its own files alone, all of which are there', async () => {
    await using swarm = await start()
    const url = await urlOf(swarm)
    const answer = await fetch(`${url}dashboard/`)
    const policy = answer.headers.get('content-security-policy')!
    expect(policy).toMatch(/^default-src 'none'; script-src 'self' 'sha256-[\w+/=]+'; style-src 'self';/)
    expect(policy).toContain("connect-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/script-src[^;]*unsafe|http|\*/)
    const html = await answer.text()
    const files = namedIn(html)
    expect(files.length).toBeGreaterThan(40)
    for (const file of new Set(files)) {
      expect(file).toMatch(/^\/dashboard\/[0-9a-f]{16}\/(dashboard\/page|dashboard\/model|lib)\/|plainEvent\.ts$/)
      const got = await fetch(new URL(file, url))
      expect([file, got.status, got.headers.get('cache-control')]).toEqual([
        file,
        200,
        'public, max-age=31536000, immutable',
      ])
    }
    expect(html.match(/<script(?![^>]* src=)[^>]*>/g)).toEqual(['<script type="importmap">'])
  })
  it('has code without types, which loads nothing from elsewhere and names no module that is not there', async () => {
    await using swarm = await start()
    const url = await urlOf(swarm)
    const html = await (await fetch(`${url}dashboard/`)).text()
    const known = new Set(namedIn(html).map((path) => new URL(path, url).href))
    const mapped = Object.keys(
      (JSON.parse(/<script type="importmap">(.*?)<\/script>/.exec(html)![1]!) as { imports: object }).imports,
    )
    for (const file of known) {
      if (!/\.(js|ts)$/.test(file)) continue
      const got = await fetch(file)
      expect(got.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
      const code = await got.text()
      expect(code).not.toContain('sourceMappingURL')
      if (file.includes('/lib/')) continue
      expect(code).not.toMatch(/\bimport type\b|\binterface \w+ \{/)
      for (const [, from] of code.matchAll(/^(?:import|export)\b[^'"]*?from '([^']+)'/gm)) {
        if (from!.startsWith('.')) expect(known).toContain(new URL(from!, file).href)
        else expect(mapped).toContain(from)
      }
      for (const [address] of code.matchAll(/https?:\/\/[\w.]+/g)) expect(address).toBe('http://www.w3.org')
    }
    const sheet = await (await fetch([...known].find((file) => file.endsWith('style.css'))!)).text()
    expect(sheet).not.toMatch(/@import|url\((?!["']?(data:|#))/)
  })
  it('is sent once and compressed: browsers ask whether it has changed', async () => {
    await using swarm = await start()
    const url = await urlOf(swarm)
    const first = await fetch(`${url}dashboard/`)
    expect(first.headers.get('content-encoding')).toBe('gzip')
    const etag = first.headers.get('etag')!
    const again = await fetch(`${url}dashboard/`, { headers: { 'if-none-match': etag } })
    expect([again.status, await again.text()]).toEqual([304, ''])
    const plain = await fetch(`${url}dashboard/`, { headers: { 'accept-encoding': 'identity' } })
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(await plain.text()).toBe(await first.text())
    const head = await fetch(`${url}dashboard/`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })
  it('finds no file by what is asked for', async () => {
    await using swarm = await start()
    const url = await urlOf(swarm)
    const version = /\/dashboard\/([0-9a-f]{16})\//.exec(await (await fetch(`${url}dashboard/`)).text())![1]!
    for (const path of [
      '/dashboard/page/main.ts',
      '/dashboard/plainEvent.ts',
      '/dashboard/../package.json',
      `/dashboard/${version}/../../package.json`,
      `/dashboard/${version}/dashboard/page/%2e%2e/%2e%2e/dashboard.ts`,
      `/dashboard/${version}/dashboard/page/..%2f..%2fdashboard.ts`,
      `/dashboard/${version}/lib/constructor`,
      `/dashboard/${version}/dashboard/dashboard.ts`,
      '/dashboard/__proto__',
      '/dashboard//etc/passwd',
    ])
      expect([path, [400, 404].includes(await askedFor(url, path))]).toEqual([path, true])
  })
  it('is compressed history, and for those alone who take it so', async () => {
    await using swarm = await start()
    const url = await urlOf(swarm)
    const past = await fetch(`${url}dashboard/history`)
    expect([past.status, past.headers.get('content-encoding')]).toEqual([200, 'gzip'])
    expect(await past.json()).toMatchObject({ version: 1, position: 0, view: { self: swarm.self } })
    expect((await fetch(`${url}dashboard/history`, { headers: { 'accept-encoding': 'identity' } })).status).toBe(406)
  })
})

describe('the option dashboard', () => {
  it('adds the page, at a port of choice, or to the pages that are in use', async () => {
    const own = { transports: ['memory'], listen: [] } as const
    await using one = await createSwarm({ use: [connections(), pages()], dashboard: { maxClients: 1 }, ...own })
    const { url, port } = (await until(one.state$, (state) => state.pages.url !== undefined)).pages
    expect((await fetch(`${url!}dashboard/`)).status).toBe(200)
    await using two = await createSwarm({ use: [connections()], dashboard: { port: port! }, ...own })
    const { problem } = (await until(two.state$, (state) => state.pages.problem !== undefined)).pages
    expect(problem).toContain(String(port))
    await using three = await createSwarm({ use: [connections()], dashboard: false, ...own })
    expect('pages' in (await until(three.state$, () => true))).toBe(false)
  })
  it('is told of by its own name when it is wrong', async () => {
    const problems = async (dashboard: unknown, ...more: readonly unknown[]) => {
      const options = { use: [connections(), ...more], dashboard, transports: ['memory'], listen: [] }
      return ((await failure(createSwarm(options as never))) as ConfigError).problems.map(({ path }) => path)
    }
    expect(await problems('yes')).toEqual(['dashboard'])
    expect(await problems({ port: -1, maxClients: 0, colour: 'red' })).toEqual([
      'dashboard.maxClients',
      'dashboard.colour',
      'dashboard.port',
    ])
    expect(await problems({ port: 1 }, pages())).toEqual(['dashboard.port'])
    expect(await problems(true, 7)).toContain('use[1]')
  })
  it('shows the example, which lives on until Ctrl-C', async () => {
    const args = ['--dashboard', '--input', 'LICENSE', '--transport', 'memory']
    const { code, stdout, stderr } = await runExample('publish-lines.ts', args, { interruptAt: 'until Ctrl-C' })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^The dashboard is at http:\/\/127\.0\.0\.1:\d+\/dashboard\/$/m)
    expect(code).toBe(0)
  })
})
