import { spawnSync } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import {
  addresses,
  chains,
  connections,
  createSwarm,
  discovery,
  gossipsub,
  identify,
  kad,
  keepAlive,
  ping,
  reachability,
  relay,
  rendezvous,
  xstream,
  type TransportName,
  type XStream,
} from 'rxswarm'
import { metrics, type MetricsOptions, type Page, type Probe } from 'rxswarm/observability'
import { Counter, register, Registry } from 'prom-client'
import { firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { sample, seriesOf } from '../marbles/observability/metrics/sample.ts'
import { connect, first, group, listenAddress, nth, wires } from './support/swarms.ts'
import { eventually } from './support/wait.ts'

/** A module whose pages can be asked without the module that serves them. */
function shown(options: MetricsOptions) {
  const own = metrics(options)
  const pages: Page[] = []
  const probe: NonNullable<typeof own.probe> = (probed) => {
    const made: Probe = own.probe!(probed)
    pages.push(...own.pages!(made))
    return made
  }
  return { module: { ...own, probe }, pages }
}

async function start(transport: TransportName, options: MetricsOptions = {}) {
  const { module, pages } = shown(options)
  const swarm = await createSwarm({
    use: [connections(), identify(), ping(), gossipsub(), xstream(), module],
    transports: [transport],
    listen: [listenAddress(transport)],
    deadlineMs: 20_000,
  })
  const read = () => firstValueFrom(swarm.execute(metrics.scrape()))
  return Object.assign(swarm, { read, pages })
}

/** A swarm that has everything to tell about. */
const busy = async () =>
  createSwarm({
    use: [
      connections(),
      identify(),
      ping(),
      kad(),
      gossipsub(),
      xstream(),
      relay(),
      chains(),
      rendezvous(),
      discovery(),
      keepAlive(),
      addresses(),
      reachability(),
      metrics({ peerLabels: 3 }),
    ],
    transports: ['tcp', 'quic'],
    listen: [listenAddress('tcp'), listenAddress('quic')],
    deadlineMs: 20_000,
  })

/** A page over HTTP. */
async function served(page: Page): Promise<{ readonly url: string } & AsyncDisposable> {
  const server: Server = createServer((request, response) => void page.answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/metrics`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Reads to the end, and ends too. */
async function drain(stream: XStream): Promise<void> {
  for await (const chunk of stream.source) void chunk
  await stream.end()
}

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
const BYTES = 300_000
/** Header and end of an xstream, and what its other half says. */
const FRAMING = 1_000

describe.each(wires)('metrics over %s', (transport) => {
  it('tell what happened, on both ends', async () => {
    await using swarms = group([await start(transport), await start(transport)])
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(alice, bob)
    for (let index = 0; index < 3; index++) await first(alice.execute(ping.once({ peer: bob.self })))
    bob.execute(xstream.accept()).subscribe((stream) => void drain(stream))
    const stream = await first(alice.execute(xstream.open({ peer: bob.self })))
    await stream.write(new Uint8Array(BYTES))
    await stream.end()
    for await (const chunk of stream.source) void chunk
    const of = { protocol: '/rxswarm/xstream/1.0.0', transport }
    const bytes = (page: string, direction: string) => sample(page, 'rxswarm_bytes_total', { ...of, direction }) ?? 0
    await eventually(async () => bytes(await bob.read(), 'received') >= BYTES)
    const [sent, received] = [await alice.read(), await bob.read()]
    expect(bytes(sent, 'sent')).toBeGreaterThanOrEqual(BYTES)
    expect(bytes(sent, 'sent')).toBeLessThan(BYTES + FRAMING)
    expect(bytes(received, 'received')).toBe(bytes(sent, 'sent'))
    expect(bytes(received, 'sent')).toBeLessThan(FRAMING)

    const outbound = { transport, direction: 'outbound', path: 'direct' }
    expect(sample(sent, 'rxswarm_connections', outbound)).toBe(1)
    expect(sample(received, 'rxswarm_connections', { ...outbound, direction: 'inbound' })).toBe(1)
    expect(sample(sent, 'rxswarm_dials_total', { transport, outcome: 'connected' })).toBe(1)
    expect(sample(sent, 'rxswarm_commands_total', { command: 'ping/once', outcome: 'completed' })).toBe(3)
    expect(sample(sent, 'rxswarm_ping_rtt_seconds_count')).toBe(3)
    expect(sample(sent, 'rxswarm_xstreams_opened_total', { direction: 'outbound' })).toBe(1)
    expect(sample(received, 'rxswarm_xstreams_opened_total', { direction: 'inbound' })).toBe(1)
    const streams = { protocol: '/ipfs/ping/1.0.0', direction: 'outbound', transport }
    expect(sample(sent, 'rxswarm_streams_opened_total', streams)).toBeGreaterThanOrEqual(3)
    expect(sample(sent, 'rxswarm_info', { self: alice.self })).toBe(1)
    expect(sample(sent, 'libp2p_transport_manager_listeners')).toBe(1)
    for (const page of [sent, received]) expect(sample(page, 'rxswarm_metrics_failures_total')).toBeUndefined()
  })
  it('count gossip by topic, and what goes with a connection', async () => {
    await using swarms = group([await start(transport, { peerLabels: 5 }), await start(transport)])
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    const heard = firstValueFrom(bob.execute(gossipsub.subscribe({ topic: 'news' })))
    await connect(alice, bob)
    await eventually(async () => (await first(alice.execute(gossipsub.peers({ topic: 'news' })))).length === 1)
    await first(alice.execute(gossipsub.publish({ topic: 'news', data: new Uint8Array(500) })))
    await heard
    const [sent, received] = [await alice.read(), await bob.read()]
    expect(sample(sent, 'rxswarm_gossip_messages_total', { topic: 'news', direction: 'sent' })).toBe(1)
    expect(sample(sent, 'rxswarm_gossip_message_bytes_total', { topic: 'news', direction: 'sent' })).toBe(500)
    expect(sample(received, 'rxswarm_gossip_message_bytes_total', { topic: 'news', direction: 'received' })).toBe(500)
    expect(sample(sent, 'rxswarm_peer_bytes_total', { peer: bob.self, direction: 'sent' })).toBeGreaterThan(500)
    expect(received).not.toContain(`peer="${alice.self}"`)
    await alice.stop()
    await eventually(async () => sample(await bob.read(), 'rxswarm_connection_duration_seconds_count') === 1)
    const after = await bob.read()
    expect(sample(after, 'rxswarm_connections', { transport })).toBe(0)
    const open = after.split('\n').filter((line) => /^rxswarm_streams\{/.test(line) && !line.endsWith(' 0'))
    expect(open).toEqual([])
  })
})

describe('what gossipsub counts itself', () => {
  const name = (metric: string) => `libp2p_gossipsub_${metric}`
  const topic = { topic: 'news' }

  it('stands beside, for each node by itself', async () => {
    await using swarms = group([await start('tcp'), await start('tcp')])
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    const heard: unknown[] = []
    const listening = bob.execute(gossipsub.subscribe(topic)).subscribe((message) => heard.push(message))
    await connect(alice, bob)
    await eventually(async () => (await first(alice.execute(gossipsub.peers(topic)))).length === 1)
    for (let index = 0; index < 3; index++) {
      await first(alice.execute(gossipsub.publish({ ...topic, data: new Uint8Array(500).fill(index) })))
    }
    await eventually(() => heard.length === 3)
    const [sent, received] = [await alice.read(), await bob.read()]
    const counted: readonly (readonly [string, string, number | undefined, Record<string, string>?])[] = [
      [sent, 'msg_publish_total', 3, topic],
      [sent, 'msg_publish_bytes_total', 1_500, topic],
      [sent, 'msg_publish_peers_total', 3, topic],
      [sent, 'msg_publish_seconds_count', 3, topic],
      [sent, 'rpc_sent_message_total', 3],
      [sent, 'rpc_recv_message_total', 0],
      [sent, 'topic_peers', 1, topic],
      [sent, 'topic_subscription_status', undefined, topic],
      [sent, 'peers_per_protocol', 1, { protocol: '/meshsub/1.2.0' }],
      [sent, 'protocol', 1, { protocol: '/meshsub/1.2.0' }],
      [sent, 'cache_size', 1, { cache: 'peers' }],
      [sent, 'score_avg', 0],
      [received, 'rpc_recv_message_total', 3],
      [received, 'rpc_sent_message_total', 0],
      [received, 'msg_received_prevalidation_total', 3, topic],
      [received, 'pre_validation_valid_total', 3, topic],
      [received, 'pre_validation_duplicate_total', undefined, topic],
      [received, 'msg_publish_total', undefined, topic],
      [received, 'topic_subscription_status', 1, topic],
    ]
    for (const [page, metric, value, labels] of counted) expect(sample(page, name(metric), labels), metric).toBe(value)
    await eventually(async () => {
      const [one, other] = [await alice.read(), await bob.read()]
      const bytes = sample(one, name('rpc_sent_bytes_total'))!
      return bytes > 1_500 && bytes === sample(other, name('rpc_recv_bytes_total'))
    })
    expect(sent).toContain('# TYPE libp2p_gossipsub_rpc_sent_bytes_total counter\n')
    expect(sent).toContain('# TYPE libp2p_gossipsub_heartbeat_duration_seconds histogram\n')

    listening.unsubscribe()
    await eventually(async () => sample(await alice.read(), name('topic_peers'), topic) === undefined)
    for (const page of [await alice.read(), await bob.read()]) {
      expect(sample(page, 'rxswarm_metrics_failures_total')).toBeUndefined()
    }
  })
  it('is left out with the rest of libp2p', async () => {
    await using swarm = await start('tcp', { libp2p: false })
    expect(await swarm.read()).not.toContain('libp2p_')
  })
})

describe('metrics', () => {
  it('count a dial that failed by its class', async () => {
    await using swarm = await start('tcp')
    await first(swarm.execute(connections.dial({ to: '/ip4/127.0.0.1/tcp/1' }, { policy: false }))).catch(
      () => undefined,
    )
    const page = await swarm.read()
    expect(sample(page, 'rxswarm_dials_total', { transport: 'tcp', outcome: 'ECONNREFUSED' })).toBe(1)
    expect(sample(page, 'rxswarm_dials_in_flight')).toBe(0)
    expect(sample(page, 'rxswarm_errors_total', { error: 'DialError', command: 'connections/dial' })).toBe(1)
  })
  it('keep nodes of one process apart, and leave what the user counts alone', async () => {
    const registry = new Registry()
    const mine = new Counter({ name: 'mine_total', help: 'Mine.', registers: [registry] })
    mine.inc(7)
    const before = register.getMetricsAsArray().length
    await using swarms = group([await start('tcp', { registry, defaultLabels: { role: 'a' } }), await start('tcp')])
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(alice, bob)
    await first(alice.execute(ping.once({ peer: bob.self })))
    const [one, two] = [await alice.read(), await bob.read()]
    expect(sample(one, 'mine_total')).toBe(7)
    expect(sample(one, 'rxswarm_ping_rtt_seconds_count', { role: 'a' })).toBe(1)
    expect(sample(two, 'mine_total')).toBeUndefined()
    expect(sample(two, 'rxswarm_ping_rtt_seconds_count')).toBe(0)
    const dials = 'libp2p_connection_manager_dials_total'
    expect(sample(one, dials, { [dials]: 'outbound' })).toBe(1)
    expect(sample(two, dials, { [dials]: 'outbound' })).toBeUndefined()
    expect(register.getMetricsAsArray()).toHaveLength(before)
    await alice.stop()
    expect((await registry.getSingleMetricAsString('mine_total')).trim().endsWith('mine_total 7')).toBe(true)
  })
  it("respect the user's own metrics of libp2p, and count bytes all the same", async () => {
    const own = { streams: 0 }
    const counting = () =>
      new Proxy({} as never, {
        get: (_, name) => {
          if (name === 'trackProtocolStream') return () => void own.streams++
          if (name === 'traceFunction') return (_name: string, traced: unknown) => traced
          if (typeof name === 'string' && name.startsWith('register')) {
            const nothing = () => undefined
            return () => ({
              update: nothing,
              increment: nothing,
              decrement: nothing,
              observe: nothing,
              reset: nothing,
              timer: () => nothing,
            })
          }
          return name === 'trackMultiaddrConnection' ? () => undefined : undefined
        },
      })
    await using other = await start('tcp')
    await using swarm = await createSwarm({
      use: [connections(), identify(), ping(), metrics()],
      transports: ['tcp'],
      libp2p: (options) => ({ ...options, metrics: counting }),
    })
    await connect(swarm, other)
    await first(swarm.execute(ping.once({ peer: other.self })))
    const page = await firstValueFrom(swarm.execute(metrics.scrape()))
    expect(own.streams).toBeGreaterThan(0)
    expect(
      sample(page, 'rxswarm_bytes_total', { protocol: '/ipfs/ping/1.0.0', direction: 'sent' }),
    ).toBeGreaterThanOrEqual(32)
    expect(page).not.toContain('libp2p_')
  })
  it('stay bounded when a peer invents topics', async () => {
    await using swarms = group([await start('tcp'), await start('tcp')])
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(alice, bob)
    for (let index = 0; index < 150; index++) {
      alice
        .execute(gossipsub.publish({ topic: `t"${index}\n`, data: new Uint8Array(1) }, { policy: false }))
        .subscribe({ error: () => undefined })
      bob.execute(gossipsub.subscribe({ topic: `t"${index}\n` })).subscribe()
    }
    await eventually(async () => seriesOf(await bob.read(), 'rxswarm_gossip_topic_peers') > 60)
    const page = await bob.read()
    expect(seriesOf(page, 'rxswarm_gossip_topic_peers')).toBe(65)
    expect(page).toContain('rxswarm_gossip_topic_peers{topic="t\\"0\ufffd"} ')
  })
  it('let the process end: nothing is left of a node that has stopped', async () => {
    const swarm = await start('tcp')
    await swarm.read()
    await swarm.stop()
    expect(await failureOf(swarm.read())).toBe('StoppedError')
  })
})

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: Error) => error.name,
  )

describe('the page', () => {
  it('comes in the format that is asked for, whole or zipped, many at once', async () => {
    await using swarm = await start('tcp')
    await using server = await served(nth(swarm.pages, 0))
    const get = async (headers: Record<string, string>, method = 'GET') => fetch(server.url, { headers, method })
    const open = 'application/openmetrics-text; version=1.0.0'
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_, index) =>
        (await get({ accept: index % 2 === 0 ? 'text/plain' : open })).text(),
      ),
    )
    for (const [index, text] of answers.entries()) {
      expect(text.endsWith('# EOF\n')).toBe(index % 2 === 1)
      expect(text.includes('# TYPE rxswarm_events_total counter')).toBe(index % 2 === 0)
    }
    const zipped = await get({ accept: open, 'accept-encoding': 'gzip' })
    expect(zipped.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(zipped.headers.get('content-encoding')).toBe('gzip')
    expect(await zipped.text()).toContain('rxswarm_info{')
    const plain = await get({ accept: 'text/plain', 'accept-encoding': 'identity' })
    expect(plain.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(plain.headers.get('content-encoding')).toBeNull()
    const head = await get({ accept: '*/*' }, 'HEAD')
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect((await get({ accept: 'image/png' })).status).toBe(406)
  })
  it('is taken by promtool, and by the letter', async ({ skip }) => {
    if (!hasPromtool) skip('promtool is not installed')
    await using swarms = group([await busy(), await busy()])
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(alice, bob)
    await first(alice.execute(ping.once({ peer: bob.self })))
    const heard = firstValueFrom(bob.execute(gossipsub.subscribe({ topic: 'news' })))
    await eventually(async () => (await first(alice.execute(gossipsub.peers({ topic: 'news' })))).length === 1)
    await first(alice.execute(gossipsub.publish({ topic: 'news', data: new Uint8Array(1) })))
    await heard
    await first(alice.execute(connections.dial({ to: '/ip4/127.0.0.1/tcp/1' }, { policy: false }))).catch(
      () => undefined,
    )
    await first(alice.execute(kad.findPeer({ peer: bob.self }))).catch(() => undefined)
    const input = await firstValueFrom(alice.execute(metrics.scrape()))
    for (const part of ['libp2p_kad_dht_', 'libp2p_quic_', 'libp2p_tcp_', 'libp2p_gossipsub_', 'rxswarm_relay_']) {
      expect(input).toContain(`\n${part}`)
    }
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' })
    expect(`${stdout}${stderr}`).toBe('')
    expect(status).toBe(0)
  })
  it('is OpenMetrics by the letter', async () => {
    await using swarms = group([await start('tcp'), await start('tcp')])
    const alice = nth(swarms, 0)
    await connect(alice, nth(swarms, 1))
    const text = await firstValueFrom(alice.execute(metrics.scrape({ format: 'openmetrics' })))
    expect(mistakesIn(text)).toEqual([])
    expect(mistakesIn('# TYPE a counter\na 1\n# EOF\n')).toEqual(['a 1'])
  })
})

/** What OpenMetrics 1.0 does not allow, line by line. */
function mistakesIn(text: string): readonly string[] {
  const lines = text.split('\n')
  const mistakes: string[] = []
  if (lines.pop() !== '' || lines.pop() !== '# EOF') mistakes.push('it does not end with # EOF')
  const [types, seen] = [new Map<string, string>(), new Set<string>()]
  let family = ''
  for (const line of lines) {
    const meta = /^# (TYPE|UNIT|HELP) ([a-zA-Z_:][\w:]*) (.*)$/.exec(line)
    if (meta !== null) {
      const [, kind, name = '', value = ''] = meta
      if (kind === 'TYPE' && types.has(name)) mistakes.push(line)
      if (kind === 'TYPE') types.set((family = name), value)
      if (name !== family || (kind === 'UNIT' && !name.endsWith(`_${value}`))) mistakes.push(line)
      continue
    }
    const sampled =
      /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\+Inf|-?[\d.]+(?:e[+-]?\d+)?|NaN)$/.exec(
        line,
      )
    const suffixes = { counter: ['_total'], histogram: ['_bucket', '_sum', '_count'] }[types.get(family) ?? ''] ?? ['']
    const [, name = '', labels = ''] = sampled ?? []
    const isOfFamily = suffixes.some((suffix) => name === `${family}${suffix}`)
    if (sampled === null || !isOfFamily || seen.has(`${name}{${labels}}`) || /le="\d+"/.test(labels))
      mistakes.push(line)
    seen.add(`${name}{${labels}}`)
  }
  return mistakes
}
