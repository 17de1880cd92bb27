import { connections, gossipsub, identify, kad, ping } from 'rxswarm'
import { simulate, type SimulateOptions } from 'rxswarm/testing'
import { toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'

const bytes = (value: string) => new TextEncoder().encode(value)
const text = (value: Uint8Array) => new TextDecoder().decode(value)
const records = { app: { validate: (_: string, value: Uint8Array) => value.length > 0 } }
const everything = () => [connections(), identify(), ping(), kad({ records }), gossipsub()] as const
const gossiping = () => [connections(), identify(), gossipsub()] as const
const addressOf = (name: string) => `/sim/${name}/1/p2p/${name}`

/** All five behaviours on every node, each connected to the next. */
function chain(count: number, options: Partial<SimulateOptions<ReturnType<typeof everything>>> = {}) {
  const network = simulate({ seed: 7, nodes: count, use: everything, ...options })
  network.names.slice(1).forEach((name, at) => {
    network
      .node(network.names[at]!)
      .execute(connections.dial({ to: [addressOf(name)] }))
      .subscribe()
  })
  network.advance(3_000)
  return network
}

/** Gossip alone: each node is connected to the next two, so that messages have to be passed on. */
function gossip(count: number, options: Partial<SimulateOptions<ReturnType<typeof gossiping>>> = {}) {
  const network = simulate({ seed: 7, nodes: count, use: gossiping, ...options })
  const { names } = network
  const heard: string[] = []
  const dial = (from: number, to: number) =>
    network
      .node(names[from % count]!)
      .execute(connections.dial({ to: [addressOf(names[to % count]!)] }))
      .subscribe({ error: () => undefined })
  const connect = () => names.forEach((_, at) => (dial(at, at + 1), dial(at, at + 2)))
  const listen = (name: string) =>
    network
      .node(name)
      .execute(gossipsub.subscribe({ topic: 't' }))
      .subscribe({ next: ({ data, from }) => heard.push(`${name}<${from} ${text(data)}`), error: () => undefined })
  names.forEach(listen)
  connect()
  network.advance(3_000)
  const publish = (name: string, data: string) =>
    network.until(network.node(name).execute(gossipsub.publish({ topic: 't', data: bytes(data) })))
  const heardOf = (data: string) => heard.filter((line) => line.endsWith(` ${data}`)).toSorted()
  const others = (name: string, data: string) =>
    names
      .filter((other) => other !== name)
      .map((other) => `${other}<${name} ${data}`)
      .toSorted()
  return { network, connect, listen, publish, heardOf, others }
}

describe('the models on a simulated network', () => {
  it('find each other by the DHT along a chain of twenty', () => {
    const network = chain(20)
    const last = network.until(network.node('n1').execute(kad.findPeer({ peer: 'n20' })))
    expect(last).toEqual({ peer: 'n20', addresses: [addressOf('n20')] })
    expect(network.until(network.node('n20').execute(connections.dial({ to: 'n1' }))).peer).toBe('n1')
  })
  it('get at one end what was put at the other, though packets are lost', () => {
    const network = chain(20, { link: { latencyMs: { type: 'uniform', minMs: 5, maxMs: 40 }, loss: 0.01 } })
    const stored = network.until(network.node('n1').execute(kad.put({ key: '/app/x', value: bytes('hello') })))
    expect(stored.peers.length).toBeGreaterThan(10)
    expect(text(network.until(network.node('n20').execute(kad.get({ key: '/app/x' }))))).toBe('hello')
    network.until(network.node('n5').execute(kad.provide({ cid: 'cid' })))
    const providers = network.until(
      network
        .node('n15')
        .execute(kad.findProviders({ cid: 'cid' }))
        .pipe(toArray()),
    )
    expect(providers).toEqual([{ peer: 'n5', addresses: [addressOf('n5')] }])
  })
  it('go on with a query when a node crashes in the middle of it', () => {
    const network = chain(8)
    network.until(network.node('n1').execute(kad.put({ key: '/app/x', value: bytes('hello') })))
    const got$ = network
      .node('n8')
      .execute(kad.get({ key: '/app/x' }))
      .pipe(toArray())
    let got: readonly Uint8Array[] = []
    got$.subscribe((values) => (got = values))
    network.node('n4').crash()
    network.advance(30)
    network.node('n5').crash()
    network.advance(4_900)
    expect(got.map(text)).toEqual(['hello'])
    const closest = network.until(
      network
        .node('n8')
        .execute(kad.closestPeers({ key: 'k' }))
        .pipe(toArray()),
    )
    expect(closest.map(({ peer }) => peer).toSorted()).toEqual(['n1', 'n2', 'n3', 'n6', 'n7'])
  })
  it('pass a message on to everybody, once, though packets are lost', () => {
    const { network, publish, heardOf, others } = gossip(20, { link: { loss: 0.01, latencyMs: 10 } })
    const published = publish('n3', 'first')
    expect(published.peers.toSorted()).toEqual(['n1', 'n2', 'n4', 'n5'])
    publish('n20', 'second')
    network.advance(2_000)
    expect(heardOf('first')).toEqual(others('n3', 'first'))
    expect(heardOf('second')).toEqual(others('n20', 'second'))
  })
  it('mesh again when a partition is over', () => {
    const { network, connect, publish, heardOf, others } = gossip(12)
    const groups = [network.names.slice(0, 6), network.names.slice(6)]
    network.inject({ type: 'partition', groups })
    network.advance(10_000)
    publish('n1', 'apart')
    network.advance(2_000)
    expect(heardOf('apart')).toEqual(others('n1', 'apart').filter((line) => groups[0]!.includes(line.split('<')[0]!)))
    network.inject({ type: 'heal' })
    network.advance(3_000)
    connect()
    network.advance(3_000)
    publish('n1', 'together')
    network.advance(2_000)
    expect(heardOf('together')).toEqual(others('n1', 'together'))
  })
  it('hear again from a node that has started anew, before anybody noticed', () => {
    const { network, connect, listen, publish, heardOf, others } = gossip(6)
    publish('n2', 'before')
    network.node('n2').restart()
    listen('n2')
    connect()
    network.advance(3_000)
    publish('n2', 'after')
    publish('n5', 'to all')
    network.advance(1_000)
    expect(heardOf('after')).toEqual(others('n2', 'after'))
    expect(heardOf('to all')).toEqual(others('n5', 'to all'))
  })
  it('fall silent when their node crashes: the streams of others stay open until they notice', () => {
    const { network } = gossip(3)
    const toCrashed = () =>
      network
        .until(network.node('n1').execute(connections.list()))
        .filter(({ peer }) => peer === 'n2')
        .flatMap(({ streams }) => streams.map(({ status }) => status))
    const before = toCrashed()
    network.node('n2').crash()
    network.advance(1_000)
    expect(before).toContain('open')
    expect(toCrashed()).toEqual(before)
    network.advance(5_000)
    expect(toCrashed()).toEqual([])
  })
  it('are not asked any more once they are clients, and again when they serve', () => {
    const network = chain(5)
    const closest = () =>
      network
        .until(
          network
            .node('n1')
            .execute(kad.closestPeers({ key: 'k' }))
            .pipe(toArray()),
        )
        .map(({ peer }) => peer)
        .toSorted()
    network.until(network.node('n3').execute(kad.setMode({ mode: 'client' })))
    network.advance(500)
    expect(closest()).toEqual(['n2', 'n4', 'n5'])
    network.until(network.node('n3').execute(kad.setMode({ mode: 'server' })))
    network.advance(500)
    expect(closest()).toEqual(['n2', 'n3', 'n4', 'n5'])
  })
  it('write the same log for the same seed', () => {
    const run = (seed: number) => {
      const network = chain(6, { seed, link: { latencyMs: { type: 'exponential', meanMs: 20 }, loss: 0.02 } })
      network.names.forEach((name) =>
        network
          .node(name)
          .execute(gossipsub.subscribe({ topic: 't' }))
          .subscribe(),
      )
      network.advance(1_000)
      network
        .node('n1')
        .execute(kad.put({ key: '/app/x', value: bytes('x') }))
        .subscribe()
      network
        .node('n2')
        .execute(gossipsub.publish({ topic: 't', data: bytes('x') }))
        .subscribe()
      network
        .node('n3')
        .execute(ping.watch({ peer: 'n4', intervalMs: 300 }))
        .subscribe()
      network.advance(500)
      network.node('n4').crash()
      network.advance(8_000)
      network.node('n4').restart()
      network.advance(1_000)
      network.dispose()
      return network.log
    }
    const first = run(1)
    expect(run(1)).toEqual(first)
    expect(run(2)).not.toEqual(first)
  })
})
