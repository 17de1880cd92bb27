import { connections, gossipsub, identify, kad, ping, type AnyModule } from 'rxswarm'
import { marbles } from 'rxswarm/testing'
import { asyncScheduler, map } from 'rxjs'
import { describe, expect } from 'vitest'
import type { WiredSwarm } from '../../../src/swarm/wiring.ts'
import { encodeGossip } from '../../../src/testing/simulation/ports/gossipFrame.ts'
import { FakeNet, type FakeNode } from './fakeNet.ts'
import { fakeSwarmOn } from './fakeSwarmOn.ts'

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytes = (value: string) => new TextEncoder().encode(value)
const records = {
  app: { validate: (_: string, value: Uint8Array) => value.length > 0, select: newest },
}
function newest(_: string, values: readonly Uint8Array[]): number {
  const sorted = values.map((value, at) => ({ at, value: text(value) })).sort((a, b) => b.value.localeCompare(a.value))
  return sorted[0]?.at ?? 0
}

/** A node with its swarm, and what it has said. */
interface Member {
  readonly node: FakeNode
  readonly swarm: WiredSwarm
  readonly said: { readonly type: string; readonly [field: string]: unknown }[]
}

function all(): readonly AnyModule[] {
  return [connections(), identify(), ping(), kad({ records }), gossipsub()]
}

/** Nodes by name, each connected to the next at the first moment. */
function chain(names: readonly string[], use: (name: string) => readonly AnyModule[] = all, latencyMs = 1) {
  const net = new FakeNet(latencyMs)
  const members = names.map((name): Member => {
    const node = net.add(name)
    const swarm = fakeSwarmOn(node, use(name))
    const said: Member['said'] = []
    swarm.event$.subscribe((event) => void said.push(event as never))
    return { node, swarm, said }
  })
  members.forEach(({ swarm }, at) => {
    const next = members[at + 1]?.node
    if (next !== undefined) swarm.execute(connections.dial({ to: next.addresses })).subscribe()
  })
  // a test ends only because nothing runs on a node that has stopped
  after(STOP_MS, () => members.forEach(({ node }) => node.stop()))
  return { net, members, at: (index: number) => members[index]! }
}
/** When every node of a test stops. */
const STOP_MS = 30_000
const after = (ms: number, work: () => void) => void asyncScheduler.schedule(work, ms)
const brief = map((value: unknown) => JSON.stringify(value instanceof Uint8Array ? text(value) : value))

describe('the ports of the built-in behaviours, simulated', () => {
  marbles('connections: dials, lists and hangs up', ({ flush }) => {
    const { at } = chain(['a', 'b'])
    const seen: unknown[] = []
    after(100, () =>
      at(0)
        .swarm.execute(connections.list())
        .subscribe((list) => seen.push(list)),
    )
    after(110, () =>
      at(0)
        .swarm.execute(connections.hangUp({ peer: 'b' }))
        .subscribe((count) => seen.push(count)),
    )
    after(120, () =>
      at(0)
        .swarm.execute(connections.hangUp({ peer: 'b' }))
        .subscribe({ error: ({ name }) => seen.push(name) }),
    )
    flush()
    expect(seen).toMatchObject([
      [{ peer: 'b', direction: 'outbound', transport: 'quic', encryption: 'native', multiplexer: 'quic' }],
      1,
      'UnknownPeerError',
    ])
    expect(at(1).said.map(({ type }) => type)).toContain('peer:disconnect')
  })
  marbles('connections: tells addresses from peers and from itself', ({ flush }) => {
    const { at } = chain(['a'])
    const errors: unknown[] = []
    for (const to of ['nobody', ['b'], '/sim/a/1', ['/sim/a/1', 'b']]) {
      at(0)
        .swarm.execute(connections.dial({ to }))
        .subscribe({ error: (error) => errors.push([error.name, error.field]) })
    }
    flush()
    expect(errors).toEqual([
      ['UnknownPeerError', undefined],
      ['UnknownPeerError', undefined],
      ['InvalidCommandError', 'to'],
      ['InvalidCommandError', 'to'],
    ])
  })
  marbles('connections: listens and no longer listens', ({ flush }) => {
    const { at } = chain(['a'])
    const seen: unknown[] = []
    const run = (command: never) =>
      at(0)
        .swarm.execute(command)
        .subscribe({ next: (value) => seen.push(value), error: ({ name }) => seen.push(name) })
    run(connections.listen({ address: '/sim/a/2' }) as never)
    run(connections.unlisten({ address: '/sim/a/2' }) as never)
    run(connections.unlisten({ address: '/sim/a/2' }) as never)
    flush()
    expect(seen).toEqual([['/sim/a/2/p2p/a'], '/sim/a/2', 'InvalidCommandError'])
  })
  marbles('identify: both ends ask at once, and learn the addresses', ({ flush }) => {
    const { at } = chain(['a', 'b'], () => [connections(), identify({ agentVersion: 'me/1' }), ping()])
    flush()
    for (const [here, there] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const { said, node } = at(here === 'a' ? 0 : 1)
      expect(said.filter(({ type }) => type === 'peer:identify')).toMatchObject([
        {
          peer: there,
          connection: 'c1',
          agentVersion: 'me/1',
          addresses: [`/sim/${there}/1/p2p/${there}`],
          observedAddress: `/sim/${here}/1`,
          protocols: ['/ipfs/id/1.0.0', '/ipfs/id/push/1.0.0', '/ipfs/ping/1.0.0'],
        },
      ])
      expect(said.filter(({ type }) => type === 'peer:update')).toHaveLength(1)
      expect(node.addressesOf(there)).toEqual([`/sim/${there}/1/p2p/${there}`])
    }
  })
  marbles('identify: asks again, and tells when it has changed', ({ flush }) => {
    const { at } = chain(['a', 'b'])
    const seen: unknown[] = []
    after(100, () =>
      at(0)
        .swarm.execute(identify.once({ peer: 'b' }))
        .subscribe((identity) => seen.push(identity)),
    )
    after(200, () => {
      const { node } = at(1)
      node.listen('/sim/b/2')
      node.say({ type: 'self:peer:update', peer: 'b', announced: node.addresses, protocols: node.protocols })
    })
    flush()
    expect(seen).toMatchObject([{ peer: 'b', addresses: ['/sim/b/1/p2p/b'] }])
    expect(at(0).node.addressesOf('b')).toEqual(['/sim/b/1/p2p/b', '/sim/b/2/p2p/b'])
    expect(at(0).said.filter(({ type }) => type === 'peer:update')).toHaveLength(2)
  })
  marbles('ping: counts there and back, and not the opening of its stream', ({ flush }) => {
    const { at } = chain(['a', 'b'], all, 7)
    const seen: unknown[] = []
    after(100, () =>
      at(0)
        .swarm.execute(ping.once({ peer: 'b' }))
        .subscribe((rttMs) => seen.push(rttMs)),
    )
    flush()
    expect(seen).toEqual([14])
  })
  marbles('kad: a record that one end of a chain puts is got at the other', ({ flush }) => {
    const { at } = chain(['a', 'b', 'c', 'd', 'e', 'f'])
    const seen: unknown[] = []
    const put = kad.put({ key: '/app/x', value: bytes('1') })
    after(1_000, () =>
      at(0)
        .swarm.execute(put)
        .subscribe((stored) => seen.push(stored)),
    )
    after(2_000, () =>
      at(5)
        .swarm.execute(kad.get({ key: '/app/x' }))
        .pipe(brief)
        .subscribe((value) => seen.push(value)),
    )
    after(3_000, () =>
      at(5)
        .swarm.execute(kad.findPeer({ peer: 'a' }))
        .subscribe((found) => seen.push(found)),
    )
    flush()
    expect(seen).toMatchObject([
      { key: '/app/x', peers: expect.arrayContaining(['b', 'c', 'd', 'e', 'f']) },
      '"1"',
      { peer: 'a', addresses: ['/sim/a/1/p2p/a'] },
    ])
  })
  marbles('kad: keeps the better record, and tells of the worse', ({ flush }) => {
    const { at } = chain(['a', 'b', 'c'])
    const seen: unknown[] = []
    const put = (value: string) => kad.put({ key: '/app/x', value: bytes(value) })
    after(1_000, () => at(0).swarm.execute(put('2')).subscribe())
    after(2_000, () =>
      at(2)
        .swarm.execute(put('1'))
        .subscribe({ error: ({ name }) => seen.push(name) }),
    )
    after(3_000, () =>
      at(2)
        .swarm.execute(kad.get({ key: '/app/x' }))
        .pipe(brief)
        .subscribe((value) => seen.push(value)),
    )
    flush()
    expect(seen).toEqual(['InvalidRecordError', '"2"'])
    expect(at(2).said.filter(({ type }) => type === 'kad:record-refused')).toMatchObject([{ key: '/app/x' }])
  })
  marbles('kad: names providers, and the peers closest to a key', ({ flush }) => {
    const { at } = chain(['a', 'b', 'c', 'd'])
    const seen: unknown[] = []
    after(1_000, () =>
      at(0)
        .swarm.execute(kad.provide({ cid: 'cid' }))
        .subscribe(),
    )
    after(2_000, () =>
      at(3)
        .swarm.execute(kad.findProviders({ cid: 'cid' }))
        .subscribe((found) => seen.push(found)),
    )
    after(3_000, () =>
      at(3)
        .swarm.execute(kad.closestPeers({ key: 'k' }))
        .subscribe((found) => seen.push((found as { peer: string }).peer)),
    )
    flush()
    expect(seen[0]).toEqual({ peer: 'a', addresses: ['/sim/a/1/p2p/a'] })
    expect(seen.slice(1).map(String).toSorted()).toEqual(['a', 'b', 'c'])
  })
  marbles('kad: fails without peers, and when none answers; a client does not answer', ({ flush }) => {
    const { at } = chain(['a', 'b', 'c'], (name) => [
      connections(),
      identify(),
      ping(),
      kad({ records, mode: name === 'c' ? 'client' : 'server', policy: false }),
    ])
    const { at: alone } = chain(['z'])
    const seen: unknown[] = []
    const get = () => kad.get({ key: '/app/x' })
    const told = (who: Member, what: string) => ({
      error: ({ name, message }: Error) => seen.push(`${who.node.name} ${what} ${name}: ${message}`),
    })
    alone(0)
      .swarm.execute(get())
      .subscribe(told(alone(0), 'alone'))
    after(1_000, () =>
      at(0)
        .swarm.execute(get())
        .subscribe(told(at(0), 'finds nothing')),
    )
    after(1_000, () =>
      at(0)
        .swarm.execute(kad.closestPeers({ key: 'k' }))
        .subscribe((found) => seen.push((found as { peer: string }).peer)),
    )
    after(2_000, () => (at(1).node.isDown = true))
    after(2_100, () =>
      at(0)
        .swarm.execute(get())
        .subscribe(told(at(0), 'hears nobody')),
    )
    flush()
    expect(seen.map(String).toSorted()).toEqual([
      'a finds nothing NotFoundError: /app/x: no peer that answered has a valid record',
      'a hears nobody DhtError: none of the 1 peers that were asked has answered',
      'b',
      'z alone DhtError: no DHT peer within 1000 ms: connect to one that serves the same protocol first',
    ])
  })
  marbles('gossipsub: a message reaches everybody along a chain, once', ({ flush }) => {
    const { members, at } = chain(['a', 'b', 'c', 'd', 'e'], () => [connections(), identify(), gossipsub()])
    const heard: string[] = []
    for (const { node, swarm } of members) {
      swarm.execute(gossipsub.subscribe({ topic: 't' })).subscribe((message) => {
        const { data, from } = message as { data: Uint8Array; from: string }
        heard.push(`${node.name}<${from} ${text(data)}`)
      })
    }
    const publish = gossipsub.publish({ topic: 't', data: bytes('hello') })
    after(2_000, () =>
      at(0)
        .swarm.execute(publish)
        .subscribe((published) => heard.push(JSON.stringify(published))),
    )
    flush()
    expect(heard).toEqual(['{"topic":"t","peers":["b"]}', 'b<a hello', 'c<a hello', 'd<a hello', 'e<a hello'])
    expect(
      at(1)
        .said.filter(({ type }) => type === 'gossipsub:peer-joined')
        .map(({ peer }) => peer),
    ).toEqual(['a', 'c'])
  })
  marbles('gossipsub: a validator decides over own and foreign messages', ({ flush }) => {
    const { at } = chain(['a', 'b', 'c'], (name) => [
      connections(),
      identify(),
      gossipsub({
        validators: {
          t: ({ data }) => {
            if (text(data) === 'throw' && name !== 'a') throw new Error('no')
            return name === 'a' || text(data) === 'good' ? 'accept' : 'reject'
          },
          mine: () => false,
        },
      }),
    ])
    const heard: string[] = []
    for (const index of [0, 1, 2]) {
      for (const topic of ['t', 'mine']) {
        at(index)
          .swarm.execute(gossipsub.subscribe({ topic }))
          .subscribe((message) => {
            heard.push(`${at(index).node.name} ${text((message as { data: Uint8Array }).data)}`)
          })
      }
    }
    const publish = (topic: string, data: string) =>
      at(0)
        .swarm.execute(gossipsub.publish({ topic, data: bytes(data) }))
        .subscribe({ error: ({ name }) => heard.push(name) })
    after(2_000, () => publish('t', 'bad'))
    after(2_100, () => publish('t', 'throw'))
    after(2_200, () => publish('t', 'good'))
    after(2_300, () => publish('mine', 'good'))
    flush()
    expect(heard).toEqual(['b good', 'c good', 'PubsubError'])
    expect(at(1).said.filter(({ type }) => type === 'gossipsub:refused')).toMatchObject([
      { topic: 't', peer: 'a', verdict: 'reject' },
      { topic: 't', peer: 'a', verdict: 'ignore', error: { message: 'no' } },
    ])
  })
  marbles('gossipsub: tells who joins and leaves', ({ flush }) => {
    const { at } = chain(['a', 'b'], () => [connections(), identify(), gossipsub()])
    const joining = at(1)
      .swarm.execute(gossipsub.subscribe({ topic: 't' }))
      .subscribe()
    const seen: unknown[] = []
    const ask = () =>
      at(0)
        .swarm.execute(gossipsub.peers({ topic: 't' }))
        .subscribe((peers) => seen.push(peers))
    after(1_000, ask)
    after(2_000, () => joining.unsubscribe())
    after(3_000, ask)
    flush()
    expect(seen).toEqual([['b'], []])
    expect(at(0).said.filter(({ type }) => /peer-(joined|left)/.test(type))).toMatchObject([
      { type: 'gossipsub:peer-joined', topic: 't', peer: 'b' },
      { type: 'gossipsub:peer-left', topic: 't', peer: 'b' },
    ])
  })
  marbles('gossipsub: a publish waits for a peer that does not read, for a second', ({ flush }) => {
    const { at } = chain(['a', 'b'], (name) => [connections(), identify(), ...(name === 'a' ? [gossipsub()] : [])])
    const { node } = at(1)
    // b reads no gossip, and has joined
    node.handle('/meshsub/1.2.0', () => undefined)
    after(10, () =>
      node.connections[0]?.open('/meshsub/1.2.0').subscribe((stream) => {
        stream.send(encodeGossip('topics', ['session', 't']))
      }),
    )
    const seen: unknown[] = []
    const big = gossipsub.publish({ topic: 't', data: new Uint8Array(300_000) })
    after(1_000, () =>
      at(0)
        .swarm.execute(big)
        .subscribe(() => seen.push(asyncScheduler.now())),
    )
    after(3_000, () =>
      at(0)
        .swarm.execute(big)
        .subscribe(() => seen.push(asyncScheduler.now())),
    )
    flush()
    expect(seen).toEqual([2_000, 3_000])
  })
  marbles('gossipsub: resets a stream on which something else than gossip comes', ({ flush }) => {
    const { at } = chain(['a', 'b'], () => [connections(), identify(), gossipsub()])
    const statuses: unknown[] = []
    for (const junk of [
      [3, 99, 0, 0],
      [2, 1, 0],
      [0xff, 0xff, 0xff, 0xff, 0xff],
      [4, 7, 0, 9, 9],
    ]) {
      after(100, () =>
        at(0)
          .node.connections[0]?.open('/meshsub/1.2.0')
          .subscribe((stream) => {
            stream.chunk$.subscribe({ error: ({ name }) => statuses.push(name) })
            stream.send(Uint8Array.from(junk))
          }),
      )
    }
    flush()
    expect(statuses).toEqual(['StreamError', 'StreamError', 'StreamError', 'StreamError'])
  })
  marbles('gossipsub: fails to publish where nobody has joined', ({ flush }) => {
    const { at } = chain(['a', 'b'])
    const seen: unknown[] = []
    const publish = gossipsub.publish({ topic: 't', data: bytes('x') })
    after(1_000, () =>
      at(0)
        .swarm.execute(publish)
        .subscribe({ error: ({ name }) => seen.push(name) }),
    )
    flush()
    expect(seen).toEqual(['PubsubError'])
  })
})
