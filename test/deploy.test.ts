import { createServer, get, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { boards } from '../deploy/boards/boards.ts'
import { filledIn, variablesOf, type GrafanaBoard } from './support/asGrafana.ts'
import { startBusySwarms, type BusySwarms } from './support/busySwarms.ts'
import { prometheusLacks, promtool, startPrometheus, type Prometheus } from './support/prometheus.ts'
import { eventually, pause } from './support/wait.ts'

const lacks = prometheusLacks()
const CLASSIC = 'text/plain;version=0.0.4'
/** Long enough for rates over 5 s, and for everything to have happened twice. @unit seconds */
const WATCHED_S = 12
/** On a machine that is busy with something else, things happen later. @unit seconds */
const WATCHED_AT_MOST_S = 40

const boardOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`../deploy/grafana/boards/${name}.json`, import.meta.url), 'utf8')) as GrafanaBoard
const queries = boards.flatMap(({ name }) =>
  boardOf(name).panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ board: name, title, expr }))),
)

/** Passes on what Prometheus asks for, but takes nothing newer than the text of 2014. */
async function onlyClassic(host: string) {
  const asked: string[] = []
  const answered: string[] = []
  const server = createServer((request, response) => {
    asked.push(String(request.headers.accept))
    const passOn = (answer: IncomingMessage) => {
      answered.push(String(answer.headers['content-type']))
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    }
    get(`http://${host}${request.url ?? ''}`, { headers: { accept: CLASSIC } }, passOn).on('error', () =>
      response.destroy(),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answered,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

describe.skipIf(lacks !== undefined)(`deploy/prometheus${lacks === undefined ? '' : ` (skipped: ${lacks})`}`, () => {
  it.each([
    ['config', ['check', 'config', 'prometheus.yml']],
    ['rules', ['check', 'rules', 'rxswarm.rules.yml']],
    ['tests of the rules', ['test', 'rules', 'rxswarm.test.yml']],
  ])('has %s that promtool finds right', (_, args) => {
    const { code, text } = promtool(args)
    expect(text).toContain('SUCCESS')
    expect(text).not.toContain('FAILED')
    expect(code).toBe(0)
  })
})

describe.skipIf(lacks !== undefined)('a real Prometheus', () => {
  const stack = new AsyncDisposableStack()
  let swarms: BusySwarms
  let prometheus: Prometheus
  let classic: Awaited<ReturnType<typeof onlyClassic>>
  const window = { start: 0, end: 0 }
  const variables = new Map<string, ReadonlyMap<string, string>>()
  const value = async (expr: string) =>
    (await prometheus.range(expr, window.end, window.end)).map(({ values }) => Number(values[0]?.[1]))

  /** What a query of a board gives from the beginning until now, or until the end. */
  const numbersOf = async ({ board, expr }: (typeof queries)[number]) => {
    const end = window.end === 0 ? Date.now() / 1_000 : window.end
    const found = await prometheus.range(filledIn(expr, variables.get(board)!), window.start, end)
    return found.flatMap(({ values }) => values.map(([, one]) => Number(one))).filter(Number.isFinite)
  }

  beforeAll(async () => {
    swarms = stack.use(await startBusySwarms())
    classic = stack.use(await onlyClassic(swarms.hosts[0]!))
    const targets = [...swarms.hosts, '127.0.0.1:1'] // nobody answers there
    prometheus = stack.use(await startPrometheus({ targets, classic: [classic.host] }))
    const first = async () => prometheus.range('count(up == 1) > 0', Date.now() / 1_000 - 1, Date.now() / 1_000)
    await eventually(async () => (await first()).length > 0)
    window.start = Date.now() / 1_000
    await pause(WATCHED_S * 1_000)
    for (const { name } of boards) variables.set(name, await variablesOf(boardOf(name), prometheus))
    const late = () => Date.now() / 1_000 > window.start + WATCHED_AT_MOST_S
    for (const query of queries) while ((await numbersOf(query)).length === 0 && !late()) await pause(500)
    window.end = Date.now() / 1_000
  })
  afterAll(() => stack.disposeAsync())

  it('scrapes every node, and says so of one that is not there', async () => {
    interface Target {
      readonly health: string
      readonly lastError: string
      readonly labels: { readonly instance: string; readonly job: string }
    }
    const { activeTargets } = await prometheus.ask<{ readonly activeTargets: readonly Target[] }>('targets')
    const told = activeTargets.map(({ labels: { job, instance }, health }) => [job, instance, health])
    expect(new Set(told)).toEqual(
      new Set([
        ...swarms.hosts.map((host) => ['rxswarm', host, 'up']),
        ['rxswarm', '127.0.0.1:1', 'down'],
        ['rxswarm-classic', classic.host, 'up'],
      ]),
    )
    expect(
      activeTargets
        .filter(({ health }) => health === 'up')
        .map(({ lastError }) => lastError)
        .join(''),
    ).toBe('')
  })
  it('is given OpenMetrics, and the older text by one that asks for that; the metrics are the same', async () => {
    const read = 'rxswarm_metrics_scrapes_total{job="rxswarm",format="openmetrics"}'
    expect((await value(read)).filter((times) => times >= WATCHED_S / 2)).toHaveLength(swarms.hosts.length)
    expect(classic.asked[0]).toContain('application/openmetrics-text')
    expect(new Set(classic.answered)).toEqual(new Set(['text/plain; version=0.0.4; charset=utf-8']))
    const namesAt = (job: string, instance: string) =>
      prometheus.ask<readonly string[]>('label/__name__/values', {
        'match[]': `{job="${job}",instance="${instance}",__name__=~"rxswarm_.*|nodejs_.*|process_.*|libp2p_.*"}`,
      })
    const names = await namesAt('rxswarm', swarms.hosts[0]!)
    expect(names.length).toBeGreaterThan(150)
    expect(await namesAt('rxswarm-classic', classic.host)).toEqual(names)
    const about = { metric: 'rxswarm_bytes' }
    const metadata = await prometheus.ask<readonly { type: string; unit: string }[]>('targets/metadata', about)
    expect(metadata[0]).toMatchObject({ type: 'counter', unit: 'bytes' })
  })
  it('tells nodes in one process apart', async () => {
    const labels = await prometheus.ask<readonly string[]>('label/self/values', { 'match[]': 'rxswarm_info' })
    expect(labels).toHaveLength(swarms.hosts.length)
  })
  it('has text of a node that promtool has nothing to say against', async () => {
    const text = await (await fetch(`http://${swarms.hosts[1]!}/metrics`, { headers: { accept: CLASSIC } })).text()
    const own = text.split(/(?=^# HELP )/m).filter((family) => !family.startsWith('# HELP libp2p_')) // libp2p names its own
    expect(own.length).toBeGreaterThan(100)
    expect(promtool(['check', 'metrics'], own.join(''))).toEqual({ code: 0, text: '' })
    expect(promtool(['check', 'metrics'], text).text).not.toContain('error while linting')
  })
  it.each(queries)('shows $title on the board $board: $expr', async (query) => {
    expect((await numbersOf(query)).length).toBeGreaterThan(0)
  })
  it('evaluates every rule, and raises alerts of what happens', async () => {
    interface Rule {
      readonly name: string
      readonly type: 'alerting' | 'recording'
      readonly health: string
      readonly lastError?: string
      readonly state?: string
    }
    const { groups } = await prometheus.ask<{ readonly groups: readonly { readonly rules: readonly Rule[] }[] }>(
      'rules',
    )
    const rules = groups.flatMap((group) => group.rules)
    expect(rules.filter(({ type }) => type === 'alerting').length).toBeGreaterThan(15)
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    const inState = (state: string) => rules.filter((rule) => rule.state === state).map(({ name }) => name)
    expect(inState('firing')).toContain('RxswarmBehaviourCrashing')
    expect(inState('pending')).toEqual(expect.arrayContaining(['RxswarmNodeDown', 'RxswarmBreakerOpen']))
    expect(inState('firing')).not.toContain('RxswarmAuditLosing')
    for (const { name } of rules.filter(({ type }) => type === 'recording')) {
      expect((await prometheus.range(`{__name__="${name}"}`, window.start, window.end)).length, name).toBeGreaterThan(0)
    }
  })
  it('has nothing to complain about', () => expect(prometheus.said).toBe(''))
})
