import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { connections, createSwarm, identify, keepAlive, type KeepAliveOptions, type TransportName } from 'rxswarm'
import { MemoryDatastore } from 'datastore-core'
import { Key, type Datastore } from 'interface-datastore'
import { describe, expect, it } from 'vitest'
import { startChild, type Child } from './support/child.ts'
import { connect, first, listenAddress, wires } from './support/swarms.ts'
import { eventually, failure, pause, processErrors, timed, until } from './support/wait.ts'

const start = (transport: TransportName, options: KeepAliveOptions = {}, datastore?: Datastore) =>
  createSwarm({
    use: [connections(), identify(), keepAlive(options)],
    transports: [transport],
    listen: [listenAddress(transport)],
    ...(datastore === undefined ? {} : { datastore }),
  })

interface Told {
  readonly self: string
  readonly addresses: readonly string[]
}

/** Where who was connected lately is kept. */
const LATELY = new Key('/rxswarm/keep-alive/lately')

/** A peer in a process of its own, that comes back under the same key and port. */
async function phoenix(transport: TransportName) {
  const raw = Buffer.from((await generateKeyPair('Ed25519')).raw).toString('base64')
  let child: Child | undefined
  let listen = listenAddress(transport)
  const rise = async (): Promise<Told> => {
    child = startChild('kept.ts', transport, raw, listen)
    const told = await child.said<Told>()
    listen = told.addresses[0]!.replace(/\/p2p\/.*/, '')
    return told
  }
  const fall = async () => {
    child?.kill('SIGKILL')
    await child?.[Symbol.asyncDispose]()
  }
  return { rise, fall, [Symbol.asyncDispose]: fall }
}

describe.each(wires)('keepAlive over %s', (transport) => {
  it('a kept peer that is killed and started again is connected again', { timeout: 60_000 }, async () => {
    await using peer = await phoenix(transport)
    const { self, addresses } = await peer.rise()
    await using a = await start(transport, { probeEveryMs: 1_000 })
    const connected = () => until(a.event$, (event) => event.type === 'keep-alive:connected' && event.peer === self)
    const before = connected()
    await first(a.execute(keepAlive.keep({ peer: self, addresses, tier: 'important' })))
    await before
    for (let round = 0; round < 2; round++) {
      const gone = until(a.event$, ({ type }) => type === 'keep-alive:retrying')
      await peer.fall()
      const { tookMs: noticedMs } = await timed(() => gone)
      expect(noticedMs).toBeLessThan(5_000) // probed each second, and given 2 s; QUIC alone takes 10 to 15 s
      const again = connected()
      const { tookMs } = await timed(async () => {
        await peer.rise()
        await again
      })
      expect(tookMs).toBeLessThan(8_000)
    }
    expect(a.node.getConnections()).toHaveLength(1)
  })

  it('a peer that closes the connection is connected again at once; one that the app hangs up on is let be', async () => {
    await using b = await start(transport)
    await using a = await start(transport)
    const kept = (status: string) =>
      until(a.state$, ({ keepAlive: { kept: all } }) => all.get(b.self)?.status === status)
    await first(a.execute(keepAlive.keep({ peer: b.self, addresses: b.addresses })))
    await kept('connected')
    await until(b.state$, ({ peers }) => peers.has(a.self))
    const again = until(a.event$, ({ type }) => type === 'keep-alive:connected')
    await first(b.execute(connections.hangUp({ peer: a.self })))
    const { tookMs } = await timed(() => again)
    expect(tookMs).toBeLessThan(2_000)

    await first(a.execute(connections.hangUp({ peer: b.self })))
    await kept('paused')
    await pause(1_000)
    expect(a.node.getConnections()).toEqual([])

    await first(a.execute(keepAlive.keep({ peer: b.self })))
    await kept('connected')
    expect(await first(a.execute(keepAlive.list()))).toMatchObject([{ peer: b.self, status: 'connected' }])
    await first(a.execute(keepAlive.forget({ peer: b.self })))
    expect(a.node.getConnections()).toHaveLength(1)
    expect((await failure(first(a.execute(keepAlive.forget({ peer: b.self }))))).name).toBe('UnknownPeerError')
  })

  it('an address where another peer answers is not hammered', async () => {
    await using b = await start(transport)
    await using a = await start(transport)
    const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
    const retry = until(a.event$, (event) => event.type === 'keep-alive:retrying')
    const addresses = b.addresses.map((address) => address.replace(b.self, other))
    await first(a.execute(keepAlive.keep({ peer: other, addresses, tier: 'important' })))
    expect(await retry).toMatchObject({ tier: 'slowest', error: { name: 'AuthenticationError' } })
    expect(a.node.getConnections()).toEqual([])
  })

  it('one that is cut off comes back by those it was connected to', { timeout: 60_000 }, async () => {
    await using peer = await phoenix(transport)
    const { self, addresses } = await peer.rise()
    await using a = await start(transport, { isolatedAfterMs: 300 })
    await connect(a, { addresses })
    await until(a.state$, ({ identify: known }) => known.has(self))
    const isolated = until(a.event$, ({ type }) => type === 'network:isolated', 30_000)
    await peer.fall()
    await isolated
    await until(a.state$, ({ keepAlive: { isIsolated } }) => isIsolated)
    const recovered = until(a.event$, ({ type }) => type === 'network:recovered', 30_000)
    await peer.rise()
    expect(await recovered).toMatchObject({ peer: self })
    await until(a.state$, ({ keepAlive: { isIsolated } }) => !isIsolated)
  })

  it('one that is started again comes back by those it was connected to before', async () => {
    const datastore = new MemoryDatastore()
    await using b = await start(transport)
    await using one = await start(transport, {}, datastore)
    await connect(one, b)
    await eventually(async () => datastore.has(LATELY), 5_000)
    await one.stop()
    await using again = await start(transport, { isolatedAfterMs: 100 }, datastore)
    expect(await until(again.event$, ({ type }) => type === 'network:recovered')).toMatchObject({ peer: b.self })
  })

  it('stops while it dials, waits and probes, and leaves nothing behind', async () => {
    using errors = processErrors()
    await using b = await start(transport)
    const a = await start(transport, { probeEveryMs: 1, important: b.addresses })
    const nobody = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
    await until(a.state$, ({ peers }) => peers.has(b.self))
    await first(a.execute(keepAlive.keep({ peer: nobody, addresses: [`/ip4/127.0.0.1/tcp/9/p2p/${nobody}`] })))
    await pause(200)
    await a.stop()
    await a.stop()
    expect(errors.seen).toEqual([])
  })
})

it('a kept peer that is dead, and whose connection says nothing, is noticed by the probe', async () => {
  const probed = { probeEveryMs: 200 }
  await using peer = await phoenix('quic')
  const { self, addresses } = await peer.rise()
  await using a = await start('quic', { ...probed, important: addresses })
  await until(a.state$, ({ keepAlive: { kept } }) => kept.get(self)?.status === 'connected')
  const noticed = until(a.event$, ({ type }) => type === 'keep-alive:lost')
  await peer.fall()
  const { tookMs } = await timed(() => noticed)
  expect(tookMs).toBeLessThan(4_000)
})

const inNamespace = [
  '-rn',
  'sh',
  '-c',
  'ip link set lo up && exec "$0" "$@"',
  process.execPath,
  '--conditions=@rxswarm/source',
]
const canUnshare = spawnSync('unshare', ['-rn', 'true']).status === 0

it.skipIf(!canUnshare)(
  'another IP of this host is noticed, and announced on every listener',
  { timeout: 40_000 },
  async () => {
    const script = fileURLToPath(new URL('support/movedNode.ts', import.meta.url))
    const { stdout } = await promisify(execFile)('unshare', [...inNamespace, script], { timeout: 30_000 })
    const [added, removed] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(added).toMatchObject({ type: 'network:changed', added: ['10.9.9.9/24'], removed: [], announced: 4 })
    expect(removed).toMatchObject({ type: 'network:changed', added: [], removed: ['10.9.9.9/24'], announced: 2 })
  },
)
