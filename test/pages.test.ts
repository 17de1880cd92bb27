import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import type { AddressInfo } from 'node:net'
import { createSwarm, ofType, type ConfigError, type Page } from 'rxswarm'
import { pages, type PagesEvent } from 'rxswarm/observability'
import { describe, expect, it } from 'vitest'
import { startChild } from './support/child.ts'
import { dialled, heard, raw, saying, showing, startPages, statusOf } from './support/pagesByHand.ts'
import { eventually, failure, processErrors, until } from './support/wait.ts'

/** An IP of this machine that others see; a socket to it comes from there too. */
const outward = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address

const get = (path: string, ...headers: readonly string[]) =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`

/** Collects what pages say. */
function saidBy(swarm: { event$: Awaited<ReturnType<typeof startPages>>['swarm']['event$'] }) {
  const said: PagesEvent[] = []
  swarm.event$.subscribe((event) => event.type.startsWith('pages:') && said.push(event as PagesEvent))
  return said
}

describe('pages', () => {
  it('serves the pages of the modules, with a list of them at /, and safe headers', async () => {
    const api = saying('/api/', 'below')
    const { swarm, url, port } = await startPages([
      saying('/a', 'hello'),
      api,
      saying('/local', 'mine', { localOnly: true }),
    ])
    await using _ = swarm
    const answer = await fetch(`${url}a?x=1`)
    expect(await answer.text()).toBe('hello')
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    expect(await (await fetch(`${url}api/deep/er`)).text()).toBe('below')
    expect(await (await fetch(`${url}local`)).text()).toBe('mine')
    const moved = await fetch(`${url}api`, { redirect: 'manual' })
    expect([moved.status, moved.headers.get('location')]).toEqual([308, '/api/'])
    const list = await (await fetch(url)).text()
    for (const path of ['/a', '/api/', '/local']) expect(list).toContain(`<a href="${path}">${path}</a>`)
    expect(url).toBe(`http://127.0.0.1:${port}/`)
  })
  it('shows titles and paths as text, whatever is in them', async () => {
    const title = `<img src=x onerror=alert(1)>"'&`
    const { swarm, url } = await startPages([{ ...saying('/a"><b', 'x'), title }])
    await using _ = swarm
    const list = await (await fetch(url)).text()
    expect(list).not.toContain('<img')
    expect(list).not.toContain('<b')
    expect(list).toContain('&#60;img src=x onerror=alert(1)&#62;&#34;&#39;&#38;')
  })
  it('leads to the dashboard when there is one, and still has the list', async () => {
    const { swarm, url } = await startPages([saying('/dashboard/', 'board'), saying('/a', 'hello')])
    await using _ = swarm
    expect(await (await fetch(url)).text()).toBe('board')
    expect(await (await fetch(`${url}?list`)).text()).toContain('href="/a"')
  })
  it('answers HEAD without a body, and what it does not take with 404 and 405', async () => {
    const { swarm, url, port } = await startPages([
      saying('/a', 'hello'),
      saying('/p', 'posted', { methods: ['POST'] }),
    ])
    await using _ = swarm
    const head = await fetch(`${url}a`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect((await fetch(`${url}none`)).status).toBe(404)
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await fetch(`${url}a`, { method })
      expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, 'GET, HEAD'])
    }
    expect((await fetch(`${url}p`)).headers.get('allow')).toBe('POST')
    expect(await (await fetch(`${url}p`, { method: 'POST', body: 'x' })).text()).toBe('posted')
    for (const method of ['CONNECT', 'TRACE', 'PROPFIND']) {
      const answer = await raw(port, get('/a').replace('GET', method))
      expect([method, statusOf(answer), /allow: ([^\r]*)/i.exec(answer)?.[1]]).toEqual([
        method,
        405,
        expect.any(String),
      ])
    }
    expect(statusOf(await raw(port, get('/a').replace('GET', 'FOO')))).toBe(400)
  })
  it('keeps its reasons to itself when a page fails, and goes on', async () => {
    using errors = processErrors()
    const broken: Page[] = [
      saying('/throws', '', {
        answer: (_, response) => {
          response.setHeader('x-mine', 'secret')
          throw new Error('secret')
        },
      }),
      saying('/rejects', '', { answer: () => Promise.reject(new Error('secret')) }),
      saying('/twice', '', { answer: (_, response) => void response.end('a').end('b') }),
      saying('/late', '', {
        answer: async (_, response) => {
          response.writeHead(200, { 'content-length': 100 }).write('half')
          await new Promise((resolve) => setTimeout(resolve, 10))
          throw new Error('secret')
        },
      }),
    ]
    const { swarm, url, port } = await startPages([...broken, saying('/a', 'hello')])
    await using _ = swarm
    const said = saidBy(swarm)
    for (const path of ['throws', 'rejects']) {
      const answer = await fetch(`${url}${path}`)
      expect([answer.status, answer.headers.get('x-mine')]).toEqual([500, null])
      expect(await answer.text()).not.toContain('secret')
    }
    const late = await raw(port, get('/late'))
    expect(late).toContain('half')
    expect(late).not.toContain('secret')
    expect(await (await fetch(`${url}twice`)).text()).toBe('a')
    expect(await (await fetch(`${url}a`)).text()).toBe('hello')
    const failed = said.filter(({ type }) => type === 'pages:failed')
    expect(failed.map((event) => 'path' in event && event.path)).toEqual(['/throws', '/rejects', '/late', '/twice'])
    expect(failed[0]).toMatchObject({ error: { message: 'secret' } })
    expect(errors.seen).toEqual([])
  })
  it('lets a page read a body up to its bound', async () => {
    const reading: Page = {
      path: '/read',
      title: 'Counts',
      methods: ['POST'],
      answer: async (asked, response) => {
        await new Promise((resolve) => setTimeout(resolve, 20)) // what comes meanwhile is not lost
        let count = 0
        for await (const chunk of asked) count += (chunk as Buffer).length
        response.end(String(count))
      },
    }
    const { swarm, url, port } = await startPages([reading], { maxBodyBytes: 10_000 })
    await using _ = swarm
    const said = saidBy(swarm)
    expect(await (await fetch(`${url}read`, { method: 'POST', body: 'x'.repeat(10_000) })).text()).toBe('10000')
    expect((await fetch(`${url}read`, { method: 'POST', body: 'x'.repeat(10_001) })).status).toBe(413)
    const chunked = `POST /read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`
    const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`
    expect(statusOf(await raw(port, chunked + chunk + chunk + chunk))).toBe(413)
    expect(await raw(port, `${chunked}${chunk}0\r\n\r\n`, 500)).toContain('4096')
    expect(said.filter((event) => event.type === 'pages:refused').map(({ reason }) => reason)).toEqual([
      'too-long',
      'too-long',
    ])
  })
})

describe('pages and callers that they were not made for', () => {
  it('refuses names that are not its own, other sites, and what is no HTTP', async () => {
    using errors = processErrors()
    const shown = [
      saying('/a', 'hello'),
      saying('/local', 'mine', { localOnly: true }),
      saying('/p', 'posted', { methods: ['POST'] }),
    ]
    const { swarm, port } = await startPages(shown, { hosts: ['node.example'] })
    await using _ = swarm
    const said = saidBy(swarm)
    const cases: readonly (readonly [status: number, sent: string])[] = [
      [200, get('/a')],
      [200, get('/a').replace('localhost', 'node.example')],
      [421, get('/a').replace('localhost', 'evil.example')],
      [400, get('/a').replace('Host: localhost\r\n', '')],
      [400, get('/a', 'Host: evil.example')],
      [400, `GET /a HTTP/1.0\r\n\r\n`],
      [403, get('/a', 'Origin: http://evil.example')],
      [403, get('/a', 'Origin: null')],
      [200, get('/a', 'Origin: http://localhost')],
      [403, get('/a', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors')],
      [200, get('/a', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate')],
      [403, get('/local', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate')],
      [403, get('/local').replace('localhost', 'node.example')],
      [403, get('/local', 'X-Forwarded-For: 10.0.0.7')],
      [403, get('/local', 'X-Forwarded-Host: node.example')],
      [403, get('/local', 'CF-Connecting-IP: 10.0.0.7')],
      [403, get('/p', 'Origin: http://evil.example', 'Content-Length: 0').replace('GET', 'POST')],
      [400, 'hello\r\n\r\n'],
      [400, 'GET /a HTTP/9.9\r\n\r\n'],
      [400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
      [400, get('http://localhost/a')],
      [400, get('//a')],
      [400, get('/../a')],
      [400, get('/%2e%2e/a')],
      [400, get('/a%00')],
      [400, get('/%')],
      [431, get('/a', `X-Long: ${'x'.repeat(20_000)}`)],
      [400, get('/a', 'Content-Length: 5', 'Transfer-Encoding: chunked').replace('GET', 'POST')],
      [400, get('/a', 'X: a\rb')],
    ]
    for (const [status, sent] of cases) {
      const answer = await raw(port, sent)
      expect([sent.slice(0, 200), statusOf(answer)]).toEqual([sent.slice(0, 200), status])
      if (status !== 200) expect(answer).not.toMatch(/hello|mine|posted/)
      expect(answer).not.toMatch(/access-control-allow/i)
    }
    await until(swarm.state$, (state) => state.pages.refused > 8)
    expect(said.find((event) => event.type === 'pages:refused' && event.reason === 'host')).toMatchObject({
      path: '/a',
      from: '127.0.0.1',
    })
    expect(errors.seen).toEqual([])
  })
  it('cuts off who sends its headers too slowly, or none', async () => {
    const { swarm, port } = await startPages([saying('/a', 'hello')], { headersMs: 300 })
    await using _ = swarm
    const silent = await dialled(port)
    const slow = await dialled(port)
    slow.write('GET /a HTTP/1.1\r\nHost: localhost\r\n')
    const dripping = setInterval(() => slow.write('X: y\r\n'), 50)
    const answers = await Promise.all([heard(silent, 10_000), heard(slow, 10_000)])
    clearInterval(dripping)
    expect(answers.map(statusOf)).toEqual([408, 408])
  })
  it('cuts off who does not read what a page has for it, and keeps no more of it than a page writes', async () => {
    let isClosed = 0
    let written = 0
    const endless: Page = {
      path: '/endless',
      title: 'Writes as long as it is read',
      answer(_, response) {
        const chunk = Buffer.alloc(65_536)
        const write = () => {
          while (!response.destroyed && response.write(chunk)) written += chunk.length
          written += chunk.length
        }
        response.on('drain', write)
        response.on('close', () => isClosed++)
        write()
      },
    }
    const large = saying('/large', 'x'.repeat(32 * 1_048_576))
    const { swarm, url, port } = await startPages([endless, large, saying('/a', 'hello')], { stallMs: 700 })
    await using _ = swarm
    const said = saidBy(swarm)
    for (const path of ['/endless', '/large']) {
      const socket = await dialled(port)
      socket.pause()
      socket.write(get(path))
      await eventually(() => said.some((event) => event.type === 'pages:refused' && event.path === path))
      socket.destroy()
    }
    expect(isClosed).toBe(1)
    expect(written).toBeLessThan(32 * 1_048_576)
    expect((await (await fetch(`${url}large`)).text()).length).toBe(32 * 1_048_576)
    expect(said.map((event) => event.type === 'pages:refused' && event.reason)).toEqual(['stalled', 'stalled'])
  })
  it('lets a caller read slowly as long as it gets on', async () => {
    const size = 24 * 1_048_576
    const { swarm, port } = await startPages([saying('/large', 'x'.repeat(size))], { stallMs: 600 })
    await using _ = swarm
    const socket = await dialled(port)
    let count = 0
    socket.on('data', (chunk: Buffer) => {
      const parcels = Math.floor(count / 1_048_576)
      count += chunk.length
      if (Math.floor(count / 1_048_576) === parcels) return
      socket.pause()
      setTimeout(() => socket.resume(), 60)
    })
    socket.write(get('/large'))
    await once(socket, 'close')
    expect(count).toBeGreaterThanOrEqual(size)
  })
  it.skipIf(outward === undefined)('answers other machines but for what is local', async () => {
    const { swarm, port } = await startPages([saying('/a', 'hello'), saying('/local', 'mine', { localOnly: true })], {
      host: '0.0.0.0',
    })
    await using _ = swarm
    expect((await until(swarm.state$, () => true)).pages.url).toBe(`http://127.0.0.1:${port}/`)
    const from = async (ip: string, path: string) => (await fetch(`http://${ip}:${port}${path}`)).status
    expect([await from(outward!, '/a'), await from(outward!, '/local'), await from('127.0.0.1', '/local')]).toEqual([
      200, 403, 200,
    ])
  })
  it('gives up a page that never answers', async () => {
    const hanging: Page = { path: '/hang', title: 'Hangs', answer: () => new Promise(() => undefined) }
    const { swarm, url } = await startPages([hanging], { answerMs: 200 })
    await using _ = swarm
    const said = saidBy(swarm)
    expect((await fetch(`${url}hang`)).status).toBe(503)
    expect(said).toMatchObject([{ type: 'pages:failed', path: '/hang', error: { name: 'DeadlineError' } }])
  })
  it('tells 1 000 clients at once that it is full, serves as many as it has places, and is well again when they leave', async () => {
    using errors = processErrors()
    const open = new Set<ServerResponse>()
    const events: Page = {
      path: '/events',
      title: 'Stays open',
      answer(_, response) {
        open.add(response)
        response.on('close', () => open.delete(response))
        response.writeHead(200).write('x')
      },
    }
    const { swarm, url, port } = await startPages([events, saying('/a', 'hello')], {
      maxConnections: 100,
      maxPerLocalIp: 100,
    })
    await using _ = swarm
    const clients = Array.from({ length: 1_000 }, () => {
      const asking = request({ port, host: '127.0.0.1', path: '/events', agent: false })
      asking.end()
      return asking
    })
    const answers = await Promise.all(
      clients.map(async (asking) => (await once(asking, 'response')) as [IncomingMessage]),
    )
    const statuses = answers.map(([{ statusCode }]) => statusCode)
    expect(statuses.filter((status) => status === 200)).toHaveLength(100)
    expect(statuses.filter((status) => status === 503)).toHaveLength(900)
    expect(answers.find(([{ statusCode }]) => statusCode === 503)![0].headers['retry-after']).toBe('5')
    expect(open.size).toBe(100)
    for (const [answer] of answers) answer.on('error', () => undefined).destroy()
    await eventually(() => open.size === 0)
    await eventually(async () => (await fetch(`${url}a`)).status === 200)
    await until(swarm.state$, (state) => state.pages.refused >= 900)
    expect(errors.seen).toEqual([])
  })
  it('gives one IP only so many places, and the others to the others', async () => {
    let open = 0
    const events: Page = {
      path: '/events',
      title: 'Stays open',
      answer(_, response) {
        open++
        response.on('close', () => open--)
        response.writeHead(200).write('x')
      },
    }
    const { swarm, port } = await startPages([events, saying('/a', 'hello')], { maxConnections: 8, maxPerLocalIp: 3 })
    await using _ = swarm
    const said = saidBy(swarm)
    const ask = async (from: string, sent = get('/events')) => {
      const socket = await dialled(port, from)
      socket.write(sent)
      const [first] = (await once(socket, 'data')) as [Buffer]
      return { socket, status: statusOf(first.toString()) }
    }
    const greedy = await Promise.all(Array.from({ length: 6 }, () => ask('127.0.0.1')))
    expect(greedy.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 503, 503, 503])
    expect(open).toBe(3)
    expect((await ask('127.0.0.2', get('/a'))).status).toBe(200)
    greedy.find(({ status }) => status === 200)!.socket.destroy()
    await eventually(() => open === 2)
    expect((await ask('127.0.0.1', get('/a'))).status).toBe(200)
    expect(said.map((event) => event.type === 'pages:refused' && `${event.reason} ${event.from}`)).toEqual(
      Array.from({ length: 3 }, () => 'full 127.0.0.1'),
    )
    for (const { socket } of greedy) socket.destroy()
  })
  it('closes what one IP leaves idle when it comes again, and nothing of the others', async () => {
    const { swarm, port } = await startPages([saying('/a', 'hello')], { maxPerLocalIp: 1 })
    await using _ = swarm
    const [idle, other] = [await dialled(port, '127.0.0.1'), await dialled(port, '127.0.0.2')]
    for (const socket of [idle, other]) {
      socket.write(get('/a').replace('close', 'keep-alive'))
      await once(socket, 'data')
    }
    const closed = once(idle, 'close')
    expect(statusOf(await raw(port, get('/a')))).toBe(200)
    await closed
    other.write(get('/a'))
    expect(statusOf(await heard(other))).toBe(200)
  })
  it('makes room for who comes by closing what is idle', async () => {
    const { swarm, port } = await startPages([saying('/a', 'hello')], { maxConnections: 1 })
    await using _ = swarm
    const idle = await dialled(port)
    idle.write(get('/a').replace('close', 'keep-alive'))
    await once(idle, 'data')
    expect(statusOf(await raw(port, get('/a')))).toBe(200)
  })
  it('cuts off who asks for too much at once on one connection', async () => {
    let asked = 0
    const hanging: Page = { path: '/hang', title: 'Hangs', answer: () => void asked++ }
    const { swarm, port } = await startPages([hanging])
    await using _ = swarm
    const socket = await dialled(port)
    socket.write(get('/hang').replace('close', 'keep-alive').repeat(200))
    await heard(socket, 10_000)
    expect(asked).toBeLessThanOrEqual(8)
  })
})

describe('pages and the port', () => {
  it('a port that is in use is told at once, the node runs, and it is tried again', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    await using swarm = await createSwarm({
      use: [showing(saying('/a', 'hello')), pages({ port })],
      transports: ['memory'],
      listen: ['/memory/pages-port'],
    })
    const { problem } = (await until(swarm.state$, (state) => state.pages.problem !== undefined)).pages
    expect(problem).toContain(`pages.port: 127.0.0.1:${port} is in use by another program`)
    const again = until(swarm.event$.pipe(ofType('pages:failed')), () => true)
    expect(await again).toMatchObject({ error: { name: 'ConfigError' }, retryInMs: expect.any(Number) })
    other.close()
    const { url } = (await until(swarm.state$, (state) => state.pages.url !== undefined)).pages
    expect(await (await fetch(`${url!}a`)).text()).toBe('hello')
  })
  it('options that can not be used are problems of the swarm', async () => {
    const bad = { host: 'a b', port: 70_000, hosts: ['x:1'], maxConnections: 0, maxPerIp: 0, stallMs: -1, other: 1 }
    const error = (await failure(createSwarm({ use: [pages(bad)], transports: ['memory'] }))) as ConfigError
    expect(error.problems.map(({ path }) => path)).toEqual([
      'use[0]: pages.host',
      'use[0]: pages.port',
      'use[0]: pages.hosts[0]',
      'use[0]: pages.maxConnections',
      'use[0]: pages.maxPerIp',
      'use[0]: pages.stallMs',
      'use[0]: pages.other',
    ])
  })
  it('is free as soon as the swarm has stopped, and nothing keeps the process', async () => {
    const { swarm, url, port } = await startPages([saying('/a', 'hello')])
    await (await fetch(`${url}a`)).text()
    await swarm.stop()
    expect((await failure(fetch(`${url}a`))).message).toContain('fetch failed')
    const { swarm: next } = await startPages([], { port })
    await next.stop()
    await using child = startChild('pagesOnce.ts')
    const { text, exitAfterMs } = await child.said<{ text: string; exitAfterMs: number }>()
    const { code, errors } = await child.ended()
    expect([text, code, errors]).toEqual(['hello', 0, ''])
    expect(exitAfterMs).toBeLessThan(1_500)
  })
})
