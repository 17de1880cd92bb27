import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  connections,
  createSwarm,
  discovery,
  identify,
  kad,
  ofType,
  ping,
  type DiscoveryOptions,
  type TransportName,
} from 'rxswarm'
import { BehaviorSubject, filter, firstValueFrom, take, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { group, listenAddress, nth, wires } from './support/swarms.ts'
import { inNamespace, mayUnshare } from './support/netns.ts'
import { failure, pause, timed, until } from './support/wait.ts'

type Identity = Awaited<ReturnType<typeof generateKeyPair>>

const makeOn = (transport: TransportName) => (options: DiscoveryOptions, listen?: string, identity?: Identity) =>
  createSwarm({
    use: [connections(), identify(), ping(), kad(), discovery(options)],
    transports: [transport],
    listen: [listen ?? listenAddress(transport)],
    ...(identity === undefined ? {} : { identity }),
  })

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const at = (transport: TransportName, port: number) =>
  transport === 'tcp' ? `/ip4/127.0.0.1/tcp/${port}` : `/ip4/127.0.0.1/udp/${port}/quic-v1`

const quick = { type: 'exponential', initialDelayMs: 100, maxDelayMs: 400, jitter: 'half' } as const

describe.each(wires)('discovery over %s', (transport) => {
  const make = makeOn(transport)

  it('finds the peers of its bootstrap list by itself, and keeps as many connected as it wants', async () => {
    await using targets = group(await Promise.all([make({}), make({}), make({})]))
    const list = targets.flatMap(({ addresses }) => addresses)
    await using swarm = await make({
      bootstrap: [...list, ...targets.slice(0, 1).flatMap(({ addresses }) => addresses)],
      dial: false,
    })
    const state = await until(swarm.state$, ({ peers }) => peers.size === 2)
    expect(targets.map(({ self }) => self)).toEqual(expect.arrayContaining([...state.peers.keys()]))
    await until(swarm.state$, ({ discovery: { known } }) => known === 2)
    await pause(500)
    expect(swarm.node.getPeers()).toHaveLength(2)

    const lost = nth(
      targets.filter(({ self }) => state.peers.has(self)),
      0,
    )
    await lost.stop()
    await until(swarm.state$, ({ peers }) => peers.size === 2 && !peers.has(lost.self))
  })

  it('waits for a bootstrap peer that comes up late, and finds it again after a restart', async () => {
    const identity = await generateKeyPair('Ed25519')
    const peer = peerIdFromPrivateKey(identity).toString()
    const address = at(transport, await freePort())
    await using swarm = await make({ bootstrap: { list: [`${address}/p2p/${peer}`], backoff: quick } })
    const failed = await firstValueFrom(swarm.event$.pipe(ofType('discovery:failed')))
    expect(failed).toMatchObject({ as: 'bootstrap', peer, error: { name: expect.stringMatching(/Error$/) as unknown } })

    const first = await make({}, address, identity)
    await until(swarm.state$, ({ peers }) => peers.has(peer))
    await first.stop()
    await until(swarm.state$, ({ peers }) => !peers.has(peer), 20_000)
    await using _second = await make({}, address, identity)
    await until(swarm.state$, ({ peers }) => peers.has(peer))
  })

  it('refuses whoever answers in the place of a bootstrap peer', async () => {
    const expected = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
    await using impostor = await make({})
    const [address = ''] = impostor.addresses
    const swarm$ = make({ bootstrap: [address.replace(impostor.self, expected)], dial: false })
    await using swarm = await swarm$
    const { error } = await firstValueFrom(swarm.event$.pipe(ofType('discovery:impostor')))
    expect(error).toMatchObject({ name: 'AuthenticationError', peer: expected })
    expect(swarm.node.getPeers()).toEqual([])
    expect(await firstValueFrom(swarm.execute(discovery.list()))).toEqual([])
  })

  it('follows a list that changes', async () => {
    await using targets = group(await Promise.all([make({}), make({})]))
    const [first, second] = [nth(targets, 0), nth(targets, 1)]
    const list = new BehaviorSubject<readonly string[]>([])
    await using swarm = await make({ bootstrap: list, dial: false })
    list.next(first.addresses)
    await until(swarm.state$, ({ peers }) => peers.has(first.self))
    list.next(second.addresses)
    await until(swarm.state$, ({ peers }) => peers.has(second.self))
  })

  it('meets everybody by walking the DHT, from one bootstrap peer, and dials them', async () => {
    await using seed = await make({})
    await using swarms = group(
      await Promise.all(Array.from({ length: 5 }, () => make({ bootstrap: seed.addresses, dht: { soonMs: 300 } }))),
    )
    for (const swarm of swarms) {
      await until(swarm.state$, ({ peers }) => peers.size === 5)
      // those who came by themselves are met by the walks as well
      await until(swarm.state$, ({ discovery: { known } }) => known === 5)
    }
    const known = await firstValueFrom(nth(swarms, 0).execute(discovery.list()))
    expect(known.map(({ peer }) => peer).toSorted()).toEqual(
      [seed, ...swarms.slice(1)].map(({ self }) => self).toSorted(),
    )
    expect(new Set(known.flatMap(({ by }) => by))).toEqual(new Set(['bootstrap', 'dht']))
  })

  it('leaves the DHT alone while that is switched off', async () => {
    await using seed = await make({})
    await using other = await make({ bootstrap: seed.addresses })
    await using swarm = await make({ bootstrap: seed.addresses, dial: false })
    await until(swarm.state$, ({ peers }) => peers.has(seed.self))
    await pause(1_000)
    expect((await firstValueFrom(swarm.execute(discovery.list()))).map(({ by }) => by)).toEqual([['bootstrap']])
    expect(await firstValueFrom(swarm.execute(discovery.switch({ source: 'dht', on: true })))).toBe(true)
    await until(swarm.event$, (event) => event.type === 'peer:found' && event.peer === other.self)
  })
})

describe('discovery', () => {
  it('is not made without kad when the DHT is to be walked', async () => {
    const made = createSwarm({ use: [connections(), discovery({ dht: true })], transports: ['memory'] })
    expect(await failure(made)).toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('kad') as unknown,
    })
  })

  it('stops in the middle of its dials, with nothing left', async () => {
    const nobody = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
    const list = [`/ip4/127.0.0.1/tcp/9/p2p/${nobody}`]
    const swarm = await makeOn('tcp')({ bootstrap: { list, backoff: { type: 'constant', delayMs: 1 } } })
    const failures = firstValueFrom(swarm.event$.pipe(ofType('discovery:failed'), take(3), toArray()))
    expect(await failures).toHaveLength(3)
    const after: string[] = []
    swarm.event$.pipe(filter(({ type }) => type.startsWith('discovery:'))).subscribe(({ type }) => after.push(type))
    const { tookMs } = await timed(() => swarm.stop())
    expect(tookMs).toBeLessThan(3_000)
    expect(after).toEqual([])
  })
})

describe.skipIf(!mayUnshare)('mDNS, in a network namespace (skipped where none may be made)', () => {
  const lines = async (scene: string) => {
    const { code, stdout, stderr } = await inNamespace('mdnsNodes.ts', scene)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
  }

  it('two nodes find each other, lose sight when one is switched off, and find each other again', async () => {
    const [found, forgotten, off, again] = await lines('eachOther')
    expect(found).toMatchObject({ one: 'mdns', other: 'mdns', addresses: 1 })
    expect(forgotten).toEqual({ forgotten: true, reason: 'gone' })
    expect(off).toEqual({ whileOff: 0 })
    expect(again).toEqual({ again: true })
  })
  it('one that is not heard of any more is forgotten after its time, and found when it is heard again', async () => {
    const [said] = await lines('silent')
    expect(said).toMatchObject({ reason: 'expired', again: true })
    expect(said?.['afterMs']).toBeGreaterThanOrEqual(1_450)
  })
  it("one of ours and one of libp2p's own find each other", async () => {
    expect(await lines('foreign')).toEqual([{ weFound: 'mdns', theyFound: true }])
  })
  it('a flood is bounded and told of, and a liar is not believed', async () => {
    const [said] = await lines('flood')
    expect(said).toMatchObject({
      liar: ['/ip4/10.1.2.3/tcp/1'],
      kinds: expect.arrayContaining(['new-peers']) as unknown,
    })
    const dropped = said?.['dropped'] as readonly { readonly reason: string }[] | undefined
    const reasons = dropped?.map(({ reason }) => reason)
    expect(reasons).toEqual(['foreign-peer', 'self', 'self', 'malformed'])
    expect(said?.['found']).toBeLessThanOrEqual(17)
    expect(said?.['known']).toBeLessThanOrEqual(16)
  })
  it('answers all who ask at once, ten times a second at most, and nobody when it only listens', async () => {
    const [silent, speaking] = await lines('asked')
    expect(silent).toMatchObject({ kinds: 0, nodes: 0 })
    const { kinds, nodes, tookMs } = speaking as {
      readonly kinds: number
      readonly nodes: number
      readonly tookMs: number
    }
    for (const answers of [kinds, nodes]) {
      expect(answers).toBeGreaterThan(0)
      expect(answers).toBeLessThanOrEqual(2 + tookMs / 100)
    }
  })
  it('an interface that there is not is told of', async () => {
    expect(await lines('nowhere')).toEqual([{ as: 'mdns', message: 'mdns: there is no interface wlan7' }])
  })
})
