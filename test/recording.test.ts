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
  ping,
  reachability,
  relay,
  rendezvous,
  xstream,
  type AnyModule,
  type TransportName,
} from 'rxswarm'
import { readRecording, recording, replay } from 'rxswarm/observability'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { firstValueFrom, take } from 'rxjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bytes, listenAddress, wires } from './support/swarms.ts'
import { eventually, pause, until } from './support/wait.ts'

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
    const read = readRecording(readFileSync(path))
    expect(read).toMatchObject({ cut: undefined, lost: 0 })
    const report = replay(read, { use: everything() })
    if (report.diverged !== undefined)
      console.log(
        report.diverged,
        read.bodies.slice(report.diverged.line - 12, report.diverged.line + 4),
        report.notes,
        report.differences.slice(0, 5),
      )
    expect(report.diverged).toBeUndefined()
    expect(report).toMatchObject({ same: true, unanswered: 0, notes: [] })
    expect(report.events.length).toBeGreaterThan(50)
    expect(replay(read, { use: everything() }).eventLines).toEqual(report.eventLines)
    console.log(read.lines.length, read.bytes, report.events.length)
  })
})
void gunzipSync
