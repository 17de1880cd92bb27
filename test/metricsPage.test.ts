import { connect as connectSocket } from 'node:net'
import { once } from 'node:events'
import { createSwarm } from 'rxswarm'
import { metrics, pages } from 'rxswarm/observability'
import { Gauge, Registry } from 'prom-client'
import { firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { sample } from '../marbles/observability/metrics/sample.ts'
import { eventually, until } from './support/wait.ts'

/** A swarm with metrics and their page. */
async function start(registry?: Registry) {
  const swarm = await createSwarm({
    use: [metrics(registry === undefined ? {} : { registry }), pages()],
    transports: ['memory'],
    listen: [],
  })
  const { pages: served } = await until(swarm.state$, (state) => state.pages.url !== undefined)
  const url = `${served.url}metrics`
  const get = async (headers: Record<string, string> = {}, method = 'GET') => fetch(url, { headers, method })
  return Object.assign(swarm, { get, page: new URL(url) })
}

describe('/metrics', () => {
  it.each([
    ['*/*', 'text/plain; version=0.0.4; charset=utf-8'],
    [';;,q=,\u00ff', 'text/plain; version=0.0.4; charset=utf-8'],
    ['text/*;q=0.1, application/*;q=0.2', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    ['text/plain;q=0, */*;q=0.1', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    ['application/openmetrics-text;version=1.0.0', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
  ])('asked for %s comes as %s', async (accept, type) => {
    await using swarm = await start()
    const answer = await swarm.get({ accept })
    const text = await answer.text()
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type])
    expect(answer.headers.get('vary')).toBe('accept, accept-encoding')
    expect(text.endsWith('# EOF\n')).toBe(type.startsWith('application/'))
  })
  it('says what there is to who takes none of it', async () => {
    await using swarm = await start()
    for (const accept of ['image/png', '*/*;q=0', 'application/openmetrics-text;version=2.0.0']) {
      const answer = await swarm.get({ accept })
      expect([answer.status, answer.headers.get('vary')]).toEqual([406, 'accept, accept-encoding'])
      expect(await answer.text()).toBe(
        'Available: text/plain; version=0.0.4; charset=utf-8, application/openmetrics-text; version=1.0.0; charset=utf-8\n',
      )
    }
  })
  it('has for HEAD what it has for GET, but for the page; and takes nothing else', async () => {
    await using swarm = await start()
    for (const accept of ['text/plain', 'application/openmetrics-text', 'image/png']) {
      const [whole, head] = [await swarm.get({ accept }), await swarm.get({ accept }, 'HEAD')]
      expect(await head.text()).toBe('')
      expect((await whole.text()).length).toBeGreaterThan(0)
      expect(head.status).toBe(whole.status)
      for (const name of ['content-type', 'vary', 'cache-control', 'content-encoding']) {
        expect(head.headers.get(name), name).toBe(whole.headers.get(name))
      }
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await swarm.get({}, method)
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    }
  })
  it('is there for others while many do not read it', async () => {
    await using swarm = await start()
    const { port, host } = swarm.page
    const sockets = Array.from({ length: 40 }, () => connectSocket(Number(port), '127.0.0.1').pause())
    for (const socket of sockets) {
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(4))
    }
    const scrapes = async () =>
      sample(await (await swarm.get()).text(), 'rxswarm_metrics_scrapes_total', { format: 'prometheus' }) ?? 0
    await eventually(async () => (await scrapes()) > 40)
    expect((await swarm.get()).status).toBe(200)
    for (const socket of sockets) socket.destroy()
  })
  it('goes on without a metric that never comes, scrape after scrape', async () => {
    const registry = new Registry()
    let asked = 0
    const collect = async (): Promise<void> => (asked++, new Promise(() => undefined))
    const _never = new Gauge({ name: 'never', help: 'Never.', registers: [registry], collect })
    await using swarm = await start(registry)
    const pages_ = await Promise.all(Array.from({ length: 16 }, async () => (await swarm.get()).text()))
    for (const page of pages_) {
      expect(page).toContain('\nrxswarm_peers 0\n')
      expect(page).not.toContain('never ')
    }
    const text = await firstValueFrom(swarm.execute(metrics.scrape()))
    expect(sample(text, 'rxswarm_metrics_failures_total', { reading: 'never' })).toBeGreaterThanOrEqual(16)
    expect(asked).toBe(17)
  })
})
