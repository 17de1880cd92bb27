import { createSwarm, connections, gossipsub, identify, kad, ping, type BehaviourModule, type PeerState } from 'rxswarm'
import { dashboard, pages, type DashboardEvent, type DashboardOptions, type PagesOptions } from 'rxswarm/observability'
import { Subject, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { HistoryPage } from '../src/observability/dashboard/model/feed.ts'
import { reduceView } from '../src/observability/dashboard/model/reduceView.ts'
import { plainValue } from '../src/observability/plainEvent.ts'
import { feedOf, openFeed, type FeedReader } from './support/feedReader.ts'
import { eventually, failure, processErrors, until } from './support/wait.ts'

interface Said {
  readonly type: string
  readonly [field: string]: unknown
}
type Talking = BehaviourModule<'talking', never, Said, { readonly said$: Observable<Said> }>

/** A module that says whatever it is told. */
const talking = (said$: Observable<Said>): Talking => ({
  name: 'talking',
  commands: {},
  ports: () => ({ said$ }),
  behaviour: ({ ports }) => ports.said$,
})

let nodes = 0
const memory = () => ({ transports: ['memory'], listen: [`/memory/dashboard-${process.pid}-${++nodes}`] }) as const

async function talker(options: DashboardOptions = {}, served: PagesOptions = {}) {
  const said$ = new Subject<Said>()
  const swarm = await createSwarm({ use: [talking(said$), dashboard(options), pages(served)], ...memory() })
  const { url } = (await until(swarm.state$, (state) => state.pages.url !== undefined)).pages
  const told: DashboardEvent[] = []
  swarm.event$.subscribe((event) => {
    if (/^(dashboard|alert):/.test(event.type)) told.push(event as DashboardEvent)
  })
  return { said$, swarm, url: url!, told }
}

const real = () =>
  createSwarm({
    use: [connections(), identify(), ping(), kad(), gossipsub()],
    dashboard: true,
    transports: ['tcp'],
    listen: ['/ip4/127.0.0.1/tcp/0'],
  })
const joined = (topic: string): Said => ({ type: 'gossipsub:joined', topic })
/** Says half a megabyte that the page must know, and waits until it does. */
async function flood(said$: Subject<Said>, reader: FeedReader, round: number): Promise<void> {
  for (let i = 0; i < 500; i++) said$.next(joined(`${round} ${i} ${'x'.repeat(1_000)}`))
  await eventually(() => reader.view?.topics.at(-1)?.topic.startsWith(`${round} 499 `) === true)
}
const acknowledge = (url: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${url}dashboard/acknowledge`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })

describe('the feed of the dashboard', () => {
  it('tells what the node itself knows: peers, topics, addresses, alerts, lanes', async () => {
    await using host = await real()
    await using one = await real()
    await using two = await real()
    const { url } = (await until(host.state$, (state) => state.pages.url !== undefined)).pages
    const feed = await feedOf(url!)
    for (const node of [one, two]) node.execute(connections.dial({ to: host.addresses })).subscribe()
    host.execute(gossipsub.subscribe({ topic: 'news' })).subscribe()
    for (const node of [one, two]) node.execute(gossipsub.subscribe({ topic: 'news' })).subscribe()
    host.execute(ping.watch({ peer: one.self, intervalMs: 200 })).subscribe()
    await until(host.state$, ({ gossipsub: { peers } }) => peers.get('news')?.size === 2)
    await eventually(() => feed.view?.peers.find(({ peer }) => peer === one.self)?.rttMs !== undefined)
    await eventually(() => feed.view!.peers.every(({ agent }) => agent !== undefined))

    const state = await until(host.state$, () => true)
    const view = feed.view!
    const linksOf = ({ peer, connections: open }: PeerState) => [
      peer,
      [...open.values()].map(({ id, address, direction, transport, since, limited }) => [
        id,
        address,
        direction,
        transport,
        since,
        limited,
      ]),
    ]
    expect(
      view.peers.map(({ peer, links }) => [
        peer,
        links.map((link) => [link.connection, link.address, link.direction, link.transport, link.since, link.limited]),
      ]),
    ).toEqual([...state.peers.values()].map(linksOf))
    expect(view.peers.map(({ topics, health }) => [topics, health])).toEqual(view.peers.map(() => [['news'], 'good']))
    expect(view.topics).toEqual([
      { topic: 'news', joined: true, peers: [...state.gossipsub.peers.get('news')!.values()] },
    ])
    expect(view.addresses).toEqual(state.addresses)
    expect(view.self).toBe(host.self)
    expect(view.dht).toMatchObject(state.kad)
    expect(view.phase).toBe(state.phase)
    const { sample } = await feed.got('sample', 3)
    expect(sample).toMatchObject({ lanes: [{ lane: 'control' }, { lane: 'normal' }, { lane: 'bulk' }] })
    const count = () => feed.view!.peers.reduce((sum, { links }) => sum + links.length, 0)
    await eventually(() => feed.view!.sample!.connections === count() && count() === host.node.getConnections().length)
    expect(feed.frames.filter(({ type }) => type === 'lagging')).toEqual([])
    feed.close()
  })
  it('has the same view as who comes later, and as the past gives', async () => {
    const { said$, swarm, url } = await talker()
    await using _ = swarm
    said$.next(joined('before'))
    const feed = await feedOf(url)
    for (let i = 0; i < 300; i++) said$.next({ type: 'gossipsub:peer-joined', topic: `t${i % 9}`, peer: `p${i}` })
    await feed.got('sample', 2)
    const later = await feedOf(url)
    const { view, position } = await later.got('hello')
    await eventually(() => feed.position >= position)
    const past = (await (await fetch(`${url}dashboard/history`)).json()) as HistoryPage
    expect(past.items.slice(0, position - past.position).reduce(reduceView, past.view)).toEqual(view)
    expect(view.topics).toHaveLength(10)
    await later.got('sample')
    await eventually(() => feed.position === later.position)
    expect(feed.view).toEqual(later.view)
  })
  it('sends a view in place of more telling events than a batch holds', async () => {
    const { said$, swarm, url } = await talker()
    await using _ = swarm
    const feed = await feedOf(url)
    for (let i = 0; i < 5_000; i++) said$.next({ type: 'gossipsub:peer-joined', topic: 't', peer: `p${i % 1_000}` })
    await eventually(() => feed.view?.topics[0]?.peers.length === 1_000)
    const batches = feed.frames.filter((frame) => frame.type === 'batch')
    expect(batches.every(({ items, examples }) => items.length <= 512 && examples.length <= 12)).toBe(true)
    expect(batches.some(({ view }) => view !== undefined)).toBe(true)
    const told = batches.flatMap(({ items, skipped }) => [items.length, ...Object.values(skipped)])
    expect(told.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(5_000)
  })
  it('counts what comes in masses, and shows some of it', async () => {
    const { said$, swarm, url } = await talker()
    await using _ = swarm
    const feed = await feedOf(url)
    const data = new Uint8Array(100)
    for (let i = 0; i < 2_000; i++) said$.next({ type: 'gossipsub:message', topic: 't', data, from: 'p', id: `${i}` })
    const { sample } = await feed.got('sample')
    expect(sample.events['gossipsub:message']).toBe(2_000)
    const batches = feed.frames.filter((frame) => frame.type === 'batch')
    const examples = batches.flatMap((batch) => batch.examples)
    const skipped = batches.reduce((sum, batch) => sum + (batch.skipped['gossipsub:message'] ?? 0), 0)
    expect(examples.length + skipped).toBe(2_000)
    expect(examples[0]).toMatchObject({ type: 'gossipsub:message', data: { bytes: 100 } })
    expect(feed.view!.counters['gossipsub:message']).toBe(2_000)
  })

  it('leaves out a page that does not read, and gives it a fresh view when it does', async () => {
    const { said$, swarm, url, told } = await talker({ maxUnreadBytes: 16_384, stallMs: 60_000 }, { stallMs: 60_000 })
    await using _ = swarm
    const [slow, quick] = [await feedOf(url), await feedOf(url)]
    await slow.got('hello')
    slow.pause(true)
    for (let round = 0; round < 40; round++) await flood(said$, quick, round)
    said$.next(joined('last'))
    slow.pause(false)
    const lagging = await slow.got('lagging')
    expect(lagging.skipped).toBeGreaterThan(0)
    await slow.got('hello', 2)
    await eventually(() => slow.position === quick.position)
    expect(slow.view).toEqual(quick.view)
    expect(slow.view!.topics.at(-1)!.topic).toBe('last')
    expect(quick.frames.filter(({ type }) => type === 'lagging')).toEqual([])
    expect(told.filter(({ type }) => type === 'dashboard:left')).toEqual([])
  })
  it('lets go of a page that has stopped reading for too long', async () => {
    const { said$, swarm, url, told } = await talker({ maxUnreadBytes: 16_384, stallMs: 100 }, { stallMs: 60_000 })
    await using _ = swarm
    const [stuck, quick] = [await feedOf(url), await feedOf(url)]
    stuck.pause(true)
    const stalled = () => told.some((event) => event.type === 'dashboard:left' && event.reason === 'stalled')
    let round = 0
    await eventually(async () => {
      await flood(said$, quick, round++)
      return stalled()
    })
    expect((await until(swarm.state$, () => true)).dashboard.clients).toBe(1)
    expect(quick.isOver).toBe(false)
  })
  it('takes 64 pages of a thousand that come at once, and the node goes on', async () => {
    using errors = processErrors()
    const { said$, swarm, url, told } = await talker({}, { maxConnections: 1_100, maxPerLocalIp: 1_100 })
    await using _ = swarm
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => openFeed(url)))
    const readers = answers.filter((answer) => typeof answer !== 'number')
    expect(readers).toHaveLength(64)
    expect(answers.filter((answer) => answer === 503)).toHaveLength(936)
    const refused = await fetch(`${url}dashboard/feed`)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
    said$.next(joined('on it goes'))
    await Promise.all(readers.map((reader) => eventually(() => reader.view?.topics[0]?.topic === 'on it goes')))
    const count = () => told.reduce((sum, event) => sum + (event.type === 'dashboard:refused' ? event.count : 0), 0)
    await eventually(() => count() === 937)
    for (const reader of readers) reader.close()
    await until(swarm.state$, (state) => state.dashboard.clients === 0)
    expect(typeof (await openFeed(url))).toBe('object')
    expect(errors.seen).toEqual([])
  })
  it('is there again for a page that comes back', async () => {
    const { said$, swarm, url, told } = await talker()
    await using _ = swarm
    const first = await feedOf(url)
    await first.got('hello')
    first.close()
    await until(swarm.state$, (state) => state.dashboard.clients === 0)
    said$.next(joined('meanwhile'))
    const again = await feedOf(url)
    expect((await again.got('hello')).view.topics.map(({ topic }) => topic)).toEqual(['meanwhile'])
    expect(told.map(({ type }) => type)).toEqual(['dashboard:joined', 'dashboard:left', 'dashboard:joined'])
  })
  it('says goodbye when the node stops, and holds nothing up', async () => {
    const { swarm, url } = await talker()
    const feed = await feedOf(url)
    await feed.got('hello')
    await swarm.stop()
    expect(await feed.got('bye')).toMatchObject({ retry: false })
    await eventually(() => feed.isOver)
    expect(feed.view!.phase).toBe('stopping')
    await failure(fetch(`${url}dashboard/`))
  })
  it('takes names of others for text, whatever they hold', async () => {
    const { said$, swarm, url } = await talker()
    await using _ = swarm
    const feed = await feedOf(url)
    const names = ['<script>alert(1)</script>', '\n\nevent: bye\ndata: {}\n\n', '__proto__', '\u2028\u0000']
    for (const topic of names) said$.next(joined(topic))
    await eventually(() => feed.view?.topics.length === names.length)
    expect(feed.view!.topics.map(({ topic }) => topic)).toEqual(names.map(plainValue))
    expect(feed.frames.filter(({ type }) => type === 'bye')).toEqual([])
    const page = await (await fetch(`${url}dashboard/`)).text()
    expect(page).not.toContain('alert(1)')
  })
})

describe('alerts of the dashboard', () => {
  const rule = { id: 'news', title: 'News', severity: 'info', when: { event: 'talk:said' }, calmMs: 60_000 } as const

  it('are raised without a page that looks, and acknowledged from it', async () => {
    const { said$, swarm, url, told } = await talker({ alerts: [rule] })
    await using _ = swarm
    said$.next({ type: 'talk:said' })
    await until(swarm.state$, (state) => state.dashboard.alerts.has('news#1'))
    const feed = await feedOf(url)
    await eventually(() => feed.view?.alerts[0]?.state === 'raised')
    expect((await acknowledge(url, '{"alert":"news#1"}')).status).toBe(204)
    await eventually(() => feed.view?.alerts[0]?.state === 'acknowledged')
    const { alerts } = (await until(swarm.state$, () => true)).dashboard
    expect([...alerts.values()]).toEqual(feed.view!.alerts)
    expect(told.map(({ type }) => type)).toContain('alert:acknowledged')
  })
  it('are not acknowledged by other sites, or by what is no word of the page', async () => {
    const { said$, swarm, url } = await talker({ alerts: [rule] })
    await using _ = swarm
    said$.next({ type: 'talk:said' })
    await until(swarm.state$, (state) => state.dashboard.alerts.has('news#1'))
    const good = '{"alert":"news#1"}'
    const status = async (body: string, headers?: Readonly<Record<string, string>>) =>
      (await acknowledge(url, body, headers)).status
    expect(await status(good, { origin: 'http://evil.example' })).toBe(403)
    expect(await status(good, { origin: 'null' })).toBe(403)
    expect(await status(good, { 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await status(good, { 'sec-fetch-site': 'same-site' })).toBe(403)
    expect(await status(good, { 'content-type': 'text/plain' })).toBe(415)
    expect(await status('{"alert":"no such#1"}')).toBe(404)
    for (const bad of ['', '{', '[]', 'null', '{"alert":7}', `{"alert":"${'x'.repeat(300)}"}`])
      expect([bad, await status(bad)]).toEqual([bad, 400])
    expect(await status(`{"alert":"${'x'.repeat(5_000)}"}`)).toBe(413)
    expect((await fetch(`${url}dashboard/acknowledge`)).status).toBe(405)
    expect((await fetch(`${url}dashboard/feed`, { method: 'POST' })).status).toBe(405)
    expect((await until(swarm.state$, () => true)).dashboard.alerts.get('news#1')?.state).toBe('raised')
    expect(await status(good, { origin: new URL(url).origin, 'sec-fetch-site': 'same-origin' })).toBe(204)
  })
})
