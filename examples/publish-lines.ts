// A swarm on one machine: the first node publishes a file line by line, the others collect it, fetch its hash from the
// DHT, and report whether what they have is what was sent. Try: npm start -- --help, or npm start -- --dashboard

import { connections, createSwarm, gossipsub, identify, kad, ping } from 'rxswarm'
import { createHash } from 'node:crypto'
import { EMPTY, firstValueFrom, forkJoin, fromEvent, lastValueFrom, merge } from 'rxjs'
import { defaultIfEmpty, filter, ignoreElements, last, map, mergeMap, scan, shareReplay } from 'rxjs'
import { startWith, switchMap, take, takeUntil, takeWhile, timeout } from 'rxjs'
import { readFlags } from './support/flags.ts'
import { frame, readLines, unframe } from './support/lines.ts'
import { lively, pageOf } from './support/lively.ts'
import { show } from './support/terminal.ts'

const TOPIC = 'lines'
const KEY = '/lines/whole'
const HASH_BYTES = 32
const AT_ONCE = 8
const SILENCE_MS = 10_000

const { input, nodes, transport, json, dashboard } = readFlags()
const lines = await readLines(input)
const startedAt = performance.now()
const sha256 = (parts: Iterable<Uint8Array>) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

// Every node is made alike: it can be dialled, keeps hashes for others, and speaks gossip.
const createNode = (index: number) =>
  createSwarm({
    use: [
      connections(),
      identify(),
      ping(),
      kad({ records: { lines: { validate: (_key, value) => value.byteLength === HASH_BYTES } } }),
      gossipsub(),
    ],
    dashboard: index === 0 && dashboard !== undefined && { port: dashboard }, // a page that shows the publisher live
    transports: [transport],
    listen: [
      { quic: '/ip4/127.0.0.1/udp/0/quic-v1', tcp: '/ip4/127.0.0.1/tcp/0', memory: `/memory/lines-${index}` }[
        transport
      ],
    ],
  })
type Node = Awaited<ReturnType<typeof createNode>>
let made = nodes

const publisher = await createNode(0)
const collectors = await Promise.all(Array.from({ length: nodes - 1 }, (_, i) => createNode(i + 1)))
const view = show([publisher, ...collectors], lines.length * collectors.length)

const stop$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')).pipe(take(1), shareReplay(1))
stop$.subscribe() // from now on: a signal that nobody waits for yet is not lost

// What happens, as streams: nothing runs before the last line subscribes.
const connected$ = forkJoin(collectors.map((node) => node.execute(connections.dial({ to: publisher.addresses }))))

const joined$ = publisher.state$.pipe(
  filter(({ gossipsub: { peers } }) => lines.length === 0 || peers.get(TOPIC)?.size === collectors.length),
  take(1),
)
const stored$ = joined$.pipe(
  switchMap(() => publisher.execute(kad.put({ key: KEY, value: sha256(lines) }))),
  shareReplay(1),
)
const published$ = stored$.pipe(
  switchMap(() => lines.entries()),
  mergeMap(([i, line]) => publisher.execute(gossipsub.publish({ topic: TOPIC, data: frame(i, line) })), AT_ONCE),
  ignoreElements(),
)

// Each line at its place; complete with the last one, or when nothing more is heard.
const collected = (node: Node) =>
  node.execute(gossipsub.subscribe({ topic: TOPIC })).pipe(
    map(({ data }) => unframe(data)),
    scan((got, { index, line }) => got.set(index, line), new Map<number, Uint8Array>()),
    startWith(new Map<number, Uint8Array>()),
    timeout({ each: SILENCE_MS, with: () => EMPTY }),
    takeWhile((got) => got.size < lines.length, true),
    last(),
  )
const fetched = (node: Node) =>
  stored$.pipe(
    switchMap(() => node.execute(kad.get({ key: KEY }))),
    last(),
  )

const verified = (node: Node) =>
  forkJoin([collected(node), fetched(node)]).pipe(
    map(([got, hash]) => ({
      delivered: got.size,
      isWhole: sha256(lines.map((_, i) => got.get(i) ?? Buffer.of())).equals(hash),
    })),
  )

const report$ = connected$.pipe(
  switchMap(() => merge(forkJoin(collectors.map(verified)), published$)),
  map((reports) => {
    const delivered = reports.reduce((sum, report) => sum + report.delivered, 0)
    const missing = lines.length * collectors.length - delivered
    const dhtVerified = reports.every(({ isWhole }) => isWhole)
    const elapsedMs = Math.round(performance.now() - startedAt)
    return { nodes, transport, lines: lines.length, delivered, missing, dhtVerified, elapsedMs }
  }),
  takeUntil(stop$),
  defaultIfEmpty(undefined),
)

try {
  const page = dashboard === undefined ? undefined : await firstValueFrom(pageOf(publisher))
  if (page !== undefined) console.log(`The dashboard is at ${page}`)
  const report = await lastValueFrom(report$)
  process.exitCode = report === undefined ? 130 : report.missing === 0 && report.dhtVerified ? 0 : 1
  view.close(report)
  if (json && report !== undefined) console.log(JSON.stringify(report))
  if (page !== undefined && report !== undefined) {
    console.log(`The swarm lives on until Ctrl-C. Look at it here: ${page}`)
    const createGuest = () => createNode(made++)
    const life$ = lively({ host: publisher, others: collectors, createGuest, topic: TOPIC, lines, key: KEY })
    await lastValueFrom(life$.pipe(takeUntil(stop$)), { defaultValue: undefined })
  }
} catch (error) {
  process.exitCode = 1
  view.close()
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : error)
} finally {
  await Promise.all([publisher, ...collectors].map((node) => node.stop({ drainMs: 0 })))
}
