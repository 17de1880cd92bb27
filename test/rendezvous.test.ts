import { MemoryDatastore } from 'datastore-core'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import {
  access,
  connections,
  createSwarm,
  identify,
  rendezvous,
  type RendezvousChange,
  type RendezvousEvent,
  type RendezvousPointOptions,
  type SwarmOptions,
  type TransportName,
} from 'rxswarm'
import { filter, firstValueFrom, toArray, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { PointStore } from '../src/swarm/behaviours/rendezvous/pointStore.ts'
import {
  decodeDiscovered,
  decodeRegistered,
  decodeRequest,
  encodeAnswer,
  encodeDiscover,
  encodeRegister,
  RENDEZVOUS_PROTOCOL,
} from '../src/swarm/behaviours/rendezvous/rendezvousWire.ts'
import { BOTH_FORMS } from '../src/swarm/behaviours/rendezvous/pointDecisions.ts'
import { openRecord } from '../src/swarm/libp2p/peerRecords.ts'
import { startBareNode } from './support/bareNode.ts'
import { all, first, listenAddress, wires } from './support/swarms.ts'
import { until } from './support/wait.ts'

const SHORT: RendezvousPointOptions = { minTtlMs: 1_000 }

type Options = Omit<Partial<SwarmOptions<readonly unknown[]>>, 'use' | 'commandChain' | 'eventChain'>

const startPoint = (transport: TransportName, point: RendezvousPointOptions | true = SHORT, options: Options = {}) =>
  createSwarm({
    use: [connections(), identify(), rendezvous({ point })],
    transports: [transport],
    listen: [listenAddress(transport)],
    ...options,
  })
const startGuest = (transport: TransportName, points: readonly { readonly addresses: readonly string[] }[]) =>
  createSwarm({
    use: [connections(), identify(), rendezvous({ points: points.map(({ addresses }) => addresses[0]!) })],
    transports: [transport],
    listen: [listenAddress(transport)],
  })
const changes = (watch$: Observable<RendezvousChange>) => {
  const seen: RendezvousChange[] = []
  const subscription = watch$.subscribe((change) => seen.push(change))
  return Object.assign(seen, { [Symbol.dispose]: () => subscription.unsubscribe() })
}
const eventually = async (holds: () => boolean, withinMs = 10_000) => {
  for (let waited = 0; !holds(); waited += 50) {
    if (waited > withinMs) throw new Error(`not within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

it('a point whose store can not be read leaves it as it is', async () => {
  const datastore = new MemoryDatastore()
  const unreadable = Object.assign(Object.create(datastore) as MemoryDatastore, {
    has: () => {
      throw new Error('the disk is gone')
    },
  })
  const store = new PointStore(unreadable)
  await expect(store.load(0)).rejects.toMatchObject({ name: 'StorageError' })
  const put = {
    peer: 'a',
    namespace: 'n',
    records: { standard: new Uint8Array(1) },
    recordSeq: 1n,
    expiresAt: 9,
    seq: 1,
  }
  await expect(store.save([{ put }])).rejects.toMatchObject({ name: 'StorageError' })
  expect(await new PointStore(datastore).load(0)).toMatchObject({ registrations: [], seq: 0 })
})

describe.each(wires)('rendezvous over %s', (transport) => {
  it('registers at two points, is found at both, and dialled by its id alone', async () => {
    await using one = await startPoint(transport)
    await using two = await startPoint(transport)
    await using alice = await startGuest(transport, [one, two])
    await using bob = await startGuest(transport, [one, two])
    const registered = await all(alice.execute(rendezvous.registerOnce({ namespace: 'chat' })))
    expect(registered.map(({ point }) => point).toSorted()).toEqual([one.self, two.self].toSorted())
    expect(registered.map(({ ttlMs }) => ttlMs)).toEqual([7_200_000, 7_200_000])
    const found = await all(bob.execute(rendezvous.discover({ namespace: 'chat' })))
    expect(found.map(({ peer }) => peer)).toEqual([alice.self, alice.self])
    expect(found[0]!.addresses).toEqual(alice.addresses)
    expect(await all(bob.execute(rendezvous.discover({ namespace: 'other' })))).toEqual([])
    expect(await all(bob.execute(rendezvous.discover()))).toHaveLength(2)
    const { peer } = await first(bob.execute(connections.dial({ to: alice.self })))
    expect(peer).toBe(alice.self)
  })
  it('keeps a registration, renews it, and takes it back when nobody keeps it any more', async () => {
    await using point = await startPoint(transport)
    await using alice = await startGuest(transport, [point])
    await using bob = await startGuest(transport, [point])
    using seen = changes(bob.execute(rendezvous.watch({ namespace: 'n', intervalMs: 100 })))
    const kept: number[] = []
    const keeping = alice.execute(rendezvous.register({ namespace: 'n', ttlMs: 2_000 })).subscribe(({ ttlMs }) => kept.push(ttlMs)) // prettier-ignore
    await eventually(() => kept.length >= 3)
    expect(seen.map(({ kind, peer }) => [kind, peer])).toEqual([['added', alice.self]])
    await until(alice.state$, (state) => state.rendezvous.own.size === 1)
    keeping.unsubscribe()
    await eventually(() => seen.at(-1)?.kind === 'removed')
    await until(alice.state$, (state) => state.rendezvous.own.size === 0)
    expect(await all(bob.execute(rendezvous.discover({ namespace: 'n' })))).toEqual([])
  })
  it.each([
    ['in both forms at a point that keeps both', BOTH_FORMS, ['standard', 'rust']],
    ['in the form of rust-libp2p at a point that reads no other', '', ['standard', 'rust']],
    ['in the standard form at any other', 'welcome', ['standard']],
  ] as const)('registers %s', async (_what, text, forms) => {
    await using point = await startBareNode(transport, { withIdentify: true })
    const seen: string[] = []
    await point.handle(RENDEZVOUS_PROTOCOL, async (stream) => {
      const messages = lpStream(stream)
      const request = decodeRequest((await messages.read()).subarray())
      if (request.type !== 'register') return
      const { form } = await openRecord(request.record)
      seen.push(form)
      const isRead = text !== '' || form === 'rust'
      if (isRead) await messages.write(encodeAnswer({ type: 'register', status: 'OK', text, ttlS: 7_200 }))
      await stream.close()
    })
    await using alice = await startGuest(transport, [{ addresses: point.getMultiaddrs().map(String) }])
    const registered = await all(alice.execute(rendezvous.registerOnce({ namespace: 'n' })))
    expect(registered).toEqual([{ point: point.peerId.toString(), namespace: 'n', ttlMs: 7_200_000 }])
    expect(seen).toEqual(forms)
  })
  it('takes leave of its points when it stops', async () => {
    await using point = await startPoint(transport)
    const alice = await startGuest(transport, [point])
    await using bob = await startGuest(transport, [point])
    const gone = firstValueFrom(point.event$.pipe(filter(({ type }) => type === 'rendezvous:removed')))
    const kept = alice.execute(rendezvous.register({ namespace: 'n' })).subscribe({ error: () => undefined })
    await until(alice.state$, (state) => state.rendezvous.own.size === 1)
    await alice.stop()
    expect(await gone).toMatchObject({ namespace: 'n', reason: 'unregistered' })
    kept.unsubscribe()
    expect(await all(bob.execute(rendezvous.discover()))).toEqual([])
  })
  it('registers anew when its addresses change, and who watches hears of it', async () => {
    await using point = await startPoint(transport)
    await using alice = await startGuest(transport, [point])
    await using bob = await startGuest(transport, [point])
    using seen = changes(bob.execute(rendezvous.watch({ namespace: 'n', intervalMs: 100 })))
    using _keeping = changes(alice.execute(rendezvous.register({ namespace: 'n' })) as never)
    await eventually(() => seen.length === 1)
    await first(alice.execute(connections.listen({ address: listenAddress(transport) })))
    await eventually(() => seen.at(-1)?.kind === 'updated')
    expect(seen.at(-1)!.addresses).toHaveLength(2)
  })
  it('goes on when one of two points is gone, and comes back to it', async () => {
    const identity = await generateKeyPair('Ed25519')
    const one = await startPoint(transport, SHORT, { identity })
    const [address] = one.addresses
    await using two = await startPoint(transport)
    await using alice = await startGuest(transport, [one, two])
    await using bob = await startGuest(transport, [one, two])
    const failed: string[] = []
    alice.event$.pipe(filter(({ type }) => type === 'rendezvous:failed')).subscribe((event) => {
      const { point } = event as Extract<RendezvousEvent, { type: 'rendezvous:failed' }>
      failed.push(point)
    })
    using seen = changes(bob.execute(rendezvous.watch({ namespace: 'n', intervalMs: 100 })))
    using _keeping = changes(alice.execute(rendezvous.register({ namespace: 'n', ttlMs: 2_000 })) as never)
    await eventually(() => seen.length > 0)
    await one.stop({ drainMs: 0 })
    await eventually(() => failed.includes(one.self), 20_000)
    expect(seen.filter(({ kind }) => kind === 'removed')).toEqual([])
    expect(await all(bob.execute(rendezvous.discover({ namespace: 'n', points: [two.self] })))).toHaveLength(1)
    const listen = [address!.replace(/\/p2p\/.*/, '')]
    await using _again = await startPoint(transport, SHORT, { identity, listen })
    await eventually(() => alice.node.getPeers().some((peer) => peer.toString() === one.self), 20_000)
    const { addresses } = await first(bob.execute(rendezvous.discover({ namespace: 'n', points: [address!] })))
    expect(addresses).toEqual(alice.addresses)
  })
  it('has what was registered, and understands its cookies, after a restart with its datastore', async () => {
    const datastore = new MemoryDatastore()
    const identity = await generateKeyPair('Ed25519')
    const point = await startPoint(transport, SHORT, { datastore, identity })
    await using alice = await startGuest(transport, [point])
    await first(alice.execute(rendezvous.registerOnce({ namespace: 'n' })))
    await using raw = await startBareNode(transport)
    const before = await ask(raw, point.addresses, encodeDiscover({ namespace: 'n', limit: 10 }))
    const { cookie } = decodeDiscovered(before)
    const listen = [point.addresses[0]!.replace(/\/p2p\/.*/, '')]
    await point.stop({ drainMs: 0 })
    await using again = await startPoint(transport, SHORT, { datastore, identity, listen })
    await using bob = await startGuest(transport, [again])
    expect((await first(bob.execute(rendezvous.discover({ namespace: 'n' })))).peer).toBe(alice.self)
    await using later = await startBareNode(transport)
    const since = decodeDiscovered(
      await ask(later, again.addresses, encodeDiscover({ namespace: 'n', limit: 10, cookie })),
    )
    expect(since).toMatchObject({ status: 'OK', registrations: [] })
    await first(bob.execute(rendezvous.registerOnce({ namespace: 'n' })))
    const more = decodeDiscovered(
      await ask(later, again.addresses, encodeDiscover({ namespace: 'n', limit: 10, cookie })),
    )
    expect(more.registrations).toHaveLength(1)
  })
  it('goes on, and says so, when its datastore fails', async () => {
    const datastore = new MemoryDatastore()
    const broken = Object.assign(Object.create(datastore) as MemoryDatastore, {
      put: (key: { toString(): string }, ...rest: [never]) => {
        if (key.toString().startsWith('/rxswarm')) throw new Error('the disk is full')
        return datastore.put(key as never, ...rest)
      },
    })
    await using point = await startPoint(transport, SHORT, { datastore: broken })
    const said = firstValueFrom(point.event$.pipe(filter(({ type }) => type === 'rendezvous:store-failed')))
    await using alice = await startGuest(transport, [point])
    await first(alice.execute(rendezvous.registerOnce({ namespace: 'n' })))
    expect(await said).toMatchObject({ error: { name: 'StorageError' } })
    await using bob = await startGuest(transport, [point])
    expect(await all(bob.execute(rendezvous.discover({ namespace: 'n' })))).toHaveLength(1)
  })
  it('fails with the status of the point, or why it was not asked', async () => {
    await using point = await startPoint(transport, { registrations: 2, registrationsPerPeer: 1 })
    await using alice = await startGuest(transport, [point])
    const outcome = (command: ReturnType<typeof rendezvous.registerOnce>) =>
      first(alice.execute(command)).then(
        () => 'OK',
        (error: { status?: string; name: string }) => error.status ?? error.name,
      )
    expect(await outcome(rendezvous.registerOnce({ namespace: 'n' }))).toBe('OK')
    expect(await outcome(rendezvous.registerOnce({ namespace: 'm' }))).toBe('E_UNAVAILABLE')
    expect(await outcome(rendezvous.registerOnce({ namespace: 'n', ttlMs: 5_000 }))).toBe('E_INVALID_TTL')
    expect(await outcome(rendezvous.registerOnce({ namespace: 'n', ttlMs: 73 * 3_600_000 }))).toBe('E_INVALID_TTL')
    expect(await outcome(rendezvous.registerOnce({ namespace: 'x'.repeat(256) }))).toBe('InvalidCommandError')
    await using nobody = await createSwarm({
      use: [connections(), identify()],
      transports: [transport],
      listen: [listenAddress(transport)],
    })
    const wrong = rendezvous.registerOnce({ namespace: 'n', points: [nobody.addresses[0]!] })
    expect(await outcome(wrong)).toBe('UnsupportedProtocolError')
    await using deaf = await createSwarm({
      use: [connections(), identify(), rendezvous({ points: [point.addresses[0]!] })],
      transports: [transport],
      listen: [],
    })
    await expect(first(deaf.execute(rendezvous.registerOnce({ namespace: 'n' })))).rejects.toMatchObject({
      name: 'RendezvousError',
      status: 'NO_ADDRESS',
    })
  })

  it('says no in the words of the protocol to who may not ask', async () => {
    const policy = { rules: [{ effect: 'deny', protocol: RENDEZVOUS_PROTOCOL }], default: 'allow' } as const
    await using point = await createSwarm({
      use: [connections(), identify(), access({ policy }), rendezvous({ point: true })],
      transports: [transport],
      listen: [listenAddress(transport)],
    })
    await using alice = await startGuest(transport, [point])
    const refused = { name: 'RendezvousError', status: 'E_NOT_AUTHORIZED' }
    await expect(first(alice.execute(rendezvous.registerOnce({ namespace: 'n' })))).rejects.toMatchObject(refused)
    await expect(first(alice.execute(rendezvous.discover({ namespace: 'n' })))).rejects.toMatchObject(refused)
  })

  describe('of a hostile client', () => {
    it('refuses records that are forged, foreign, stale, too long or none', async () => {
      await using point = await startPoint(transport)
      const [own, other] = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
      await using raw = await startBareNode(transport, { identity: own })
      const say = async (record: Uint8Array, namespace = 'n') =>
        decodeRegistered(await ask(raw, point.addresses, encodeRegister(namespace, record, undefined))).status
      const good = await sealed(own, 5n)
      expect(await say(good)).toBe('OK')
      const forged = good.slice()
      forged[forged.length - 3]! ^= 1
      expect(await say(forged)).toBe('E_INVALID_SIGNED_PEER_RECORD')
      expect(await say(await sealed(other, 9n))).toBe('E_NOT_AUTHORIZED')
      expect(await say(await sealed(other, 9n, own))).toBe('E_INVALID_SIGNED_PEER_RECORD')
      expect(await say(await sealed(own, 4n))).toBe('E_INVALID_SIGNED_PEER_RECORD')
      expect(await say(await sealed(own, 6n, own, 0))).toBe('E_INVALID_SIGNED_PEER_RECORD')
      expect(await say(new Uint8Array(9_000))).toBe('E_INVALID_SIGNED_PEER_RECORD')
      expect(await say(new Uint8Array(0))).toBe('E_INVALID_SIGNED_PEER_RECORD')
      expect(await say(good, 'x'.repeat(256))).toBe('E_INVALID_NAMESPACE')
      expect(await say(good, '')).toBe('E_INVALID_NAMESPACE')
    })
    it('resets garbage, says who sent it, and serves the others meanwhile', async () => {
      await using point = await startPoint(transport)
      await using raw = await startBareNode(transport)
      await using alice = await startGuest(transport, [point])
      const refused = firstValueFrom(point.event$.pipe(filter(({ type }) => type === 'rendezvous:refused')))
      const connection = await raw.dial(point.addresses.map((address) => multiaddr(address)))
      const stalled = await connection.newStream(RENDEZVOUS_PROTOCOL)
      stalled.send(new Uint8Array([200, 1, 8])) // it never goes on
      const garbage = await connection.newStream(RENDEZVOUS_PROTOCOL)
      const closed = over(garbage)
      garbage.send(new Uint8Array([3, 1, 2, 3]))
      expect(await refused).toMatchObject({ request: 'unreadable', peer: raw.peerId.toString() })
      await closed
      const huge = await connection.newStream(RENDEZVOUS_PROTOCOL)
      const cut = over(huge)
      huge.send(new Uint8Array([0xff, 0xff, 0xff, 0x7f]))
      await cut
      await first(alice.execute(rendezvous.registerOnce({ namespace: 'n' })))
    })
    it('answers several requests on one stream', async () => {
      await using point = await startPoint(transport)
      await using raw = await startBareNode(transport)
      const connection = await raw.dial(point.addresses.map((address) => multiaddr(address)))
      const stream = await connection.newStream(RENDEZVOUS_PROTOCOL)
      const messages = lpStream(stream)
      for (let n = 0; n < 3; n++) {
        await messages.write(encodeDiscover({ namespace: 'n', limit: 1 }))
        expect(decodeDiscovered((await messages.read()).subarray()).status).toBe('OK')
      }
      await stream.close()
    })
  })
  it('of a lying point believes nothing that is not signed or of another namespace, and takes the latest record', async () => {
    await using liar = await startBareNode(transport, { withIdentify: true })
    const [victim, honest] = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
    const forged = await sealed(victim, 5n)
    forged[forged.length - 3]! ^= 1
    const records = [
      { namespace: 'n', record: forged },
      { namespace: 'other', record: await sealed(victim, 5n) },
      { namespace: 'n', record: await sealed(victim, 5n, honest) },
      { namespace: 'n', record: await sealed(honest, 5n) },
      { namespace: 'n', record: await sealed(honest, 4n) },
    ]
    await liar.handle(RENDEZVOUS_PROTOCOL, async (stream) => {
      const messages = lpStream(stream)
      await messages.read()
      const registrations = records.map((one) => ({ ...one, ttlS: 7_200 }))
      await messages.write(encodeAnswer({ type: 'discover', status: 'OK', registrations, cookie: new Uint8Array(0) }))
    })
    await using alice = await startGuest(transport, [{ addresses: liar.getMultiaddrs().map(String) }])
    const ignored = firstValueFrom(alice.event$.pipe(filter(({ type }) => type === 'rendezvous:ignored')))
    const found = await firstValueFrom(alice.execute(rendezvous.discover({ namespace: 'n' })).pipe(toArray()))
    expect(found.map(({ peer, addresses }) => [peer, addresses[0]])).toEqual([[peerIdFromPrivateKey(honest).toString(), expect.stringContaining('/tcp/5/')]]) // prettier-ignore
    expect(await ignored).toMatchObject({ count: 3 })
  })
})

/** Waits until a stream is reset: bare QUIC takes that for its end. */
const over = (stream: Stream) =>
  new Promise((resolve) => {
    for (const type of ['close', 'remoteCloseWrite'] as const) stream.addEventListener(type, resolve)
  })

/** One request, one answer, by hand. */
async function ask(
  node: Awaited<ReturnType<typeof startBareNode>>,
  addresses: readonly string[],
  request: Uint8Array,
): Promise<Uint8Array> {
  const connection = await node.dial(addresses.map((address) => multiaddr(address)))
  const stream = await connection.newStream(RENDEZVOUS_PROTOCOL)
  const messages = lpStream(stream)
  await messages.write(request)
  const answer = await messages.read({ signal: AbortSignal.timeout(5_000) })
  await stream.close()
  return answer.subarray()
}

/** A record of one key, sealed by it or by another. */
async function sealed(of: PrivateKey, seq: bigint, by: PrivateKey = of, addresses = 1): Promise<Uint8Array> {
  const record = new PeerRecord({
    peerId: peerIdFromPrivateKey(of),
    multiaddrs: [...Array(addresses).keys()].map((n) => multiaddr(`/ip4/127.0.0.1/tcp/${Number(seq) + n}`)),
    seqNumber: seq,
  })
  return (await RecordEnvelope.seal(record, by)).marshal()
}
