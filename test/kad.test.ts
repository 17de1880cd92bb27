import { connections, kad, type KadOptions } from 'rxswarm'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import {
  acquaint,
  all,
  bytes,
  chain,
  connect,
  connectAll,
  first,
  group,
  last,
  nth,
  startSwarm,
  startSwarms,
  text,
  wires,
  type FiveSwarm,
} from './support/swarms.ts'
import { startChild } from './support/child.ts'
import { failure, processErrors, timed, until } from './support/wait.ts'

const cidOf = async (content: string) => CID.createV1(raw.code, await sha256.digest(bytes(content)))

/** Values are `v1:…`, `v2:…`; the highest version wins. */
const versioned: KadOptions = {
  records: {
    app: {
      validate: (_key, value) => /^v\d+:/.test(text(value)),
      select: (_key, values) => {
        const versions = values.map((value) => Number(/^v(\d+)/.exec(text(value))?.[1]))
        return versions.indexOf(Math.max(...versions))
      },
    },
  },
}

describe.each(wires)('kad over %s, five nodes in a chain', (transport) => {
  it('every node finds and dials every other by its peer id', async () => {
    await using swarms = await startSwarms(5, transport)
    await chain(swarms)
    for (const from of swarms) {
      for (const to of swarms) {
        if (from === to) continue
        // a routing table has taken its neighbours in a moment after identify, of which nothing tells
        const find = () => outcome(first(from.execute(kad.findPeer({ peer: to.self }))))
        await expect.poll(find, poll).toBe('settled')
        expect(await first(from.execute(kad.findPeer({ peer: to.self })))).toMatchObject({ peer: to.self })
        expect(await first(from.execute(connections.dial({ to: to.self })))).toMatchObject({ peer: to.self, transport })
      }
    }
    for (const swarm of swarms) await until(swarm.state$, ({ peers }) => peers.size === 4)
  })

  it('what one node puts every node gets', async () => {
    await using swarms = await startSwarms(5, transport)
    await chain(swarms)
    for (const [index, swarm] of swarms.entries()) {
      const key = `/app/from-${index}`
      const stored = await first(swarm.execute(kad.put({ key, value: bytes(`value ${index}`) })))
      expect(stored.key).toBe(key)
      expect(stored.peers.length).toBeGreaterThan(0)
      expect(stored.peers).not.toContain(swarm.self)
    }
    for (const reader of swarms) {
      for (const [index] of swarms.entries()) {
        expect(text(await last(reader.execute(kad.get({ key: `/app/from-${index}` }))))).toBe(`value ${index}`)
      }
    }
  })

  it('what one node provides every other node finds', async () => {
    await using swarms = await startSwarms(5, transport)
    await chain(swarms)
    const provider = nth(swarms, 0)
    const cid = await cidOf('content')
    const provided = await first(provider.execute(kad.provide({ cid })))
    expect(provided.cid).toBe(cid.toString())
    expect(provided.peers.length).toBeGreaterThan(0)
    for (const seeker of swarms.slice(1)) {
      await expect.poll(() => providers(seeker, cid), poll).toEqual([provider.self])
    }
    const second = nth(swarms, 4)
    await first(second.execute(kad.provide({ cid })))
    const both = [provider.self, second.self].toSorted()
    await expect.poll(() => providers(nth(swarms, 2), cid), poll).toEqual(both)
    expect(await all(nth(swarms, 2).execute(kad.findProviders({ cid, max: 1 })))).toHaveLength(1)
  })

  it('closest peers are other nodes, each once', async () => {
    await using swarms = await startSwarms(5, transport)
    await chain(swarms)
    const closest = async () =>
      (await all(nth(swarms, 0).execute(kad.closestPeers({ key: 'anything' })))).map(({ peer }) => peer)
    await expect.poll(async () => (await closest()).length, poll).toBeGreaterThanOrEqual(3)
    const peers = await closest()
    expect(new Set(peers).size).toBe(peers.length)
    const others = swarms.map(({ self }) => self)
    for (const peer of peers) expect(others).toContain(peer)
  })

  it('a record, a peer and content that nobody has come to an end', async () => {
    await using swarms = await startSwarms(5, transport)
    await chain(swarms)
    const seeker = nth(swarms, 2)
    expect((await failure(first(seeker.execute(kad.get({ key: '/app/none' }))))).name).toBe('NotFoundError')
    const nobody = '12D3KooWCd3eX8r5ihRvzK7P1yPq5aakaBJhG5GNj18YTztPhoCa'
    expect((await failure(first(seeker.execute(kad.findPeer({ peer: nobody }))))).name).toBe('NotFoundError')
    expect(await all(seeker.execute(kad.findProviders({ cid: await cidOf('nobody has it') })))).toEqual([])
  })
})

describe.each(wires)('kad over %s, when peers go', (transport) => {
  it('a peer that stops in the middle of queries leaves every command settled within its deadline', async () => {
    const swarms = await startSwarms(5, transport)
    await connectAll(swarms)
    const [asker, victim] = [nth(swarms, 0), nth(swarms, 4)]
    await first(asker.execute(kad.put({ key: '/app/kept', value: bytes('kept') })))
    const deadlineMs = 4_000
    const { value: outcomes, tookMs } = await timed(async () => {
      const commands = Array.from({ length: 30 }, (_, index) =>
        outcome(all(asker.execute(kad.put({ key: `/app/${index}`, value: bytes('x') }, { deadlineMs })))),
      )
      for (const connection of victim.node.getConnections()) connection.abort(new Error('gone'))
      const stopping = victim.stop({ drainMs: 0 })
      const settled = await Promise.all(commands)
      await stopping
      return settled
    })
    expect(tookMs).toBeLessThan(deadlineMs + 3_000)
    for (const one of outcomes) expect(one).toMatch(/^(settled|DhtError|DeadlineError|DialError|StreamError)$/)
    expect(text(await last(asker.execute(kad.get({ key: '/app/kept' }))))).toBe('kept')
    await first(asker.execute(kad.put({ key: '/app/later', value: bytes('later') })))
    await swarms[Symbol.asyncDispose]()
  })

  it('a peer that is killed in the middle of queries leaves every command settled within its deadline', async () => {
    await using children = group([startChild('peer.ts', transport), startChild('peer.ts', transport)])
    await using swarms = await startSwarms(3, transport)
    await connectAll(swarms)
    const asker = nth(swarms, 0)
    for (const child of children) await connect(asker, await child.said<{ self: string; addresses: string[] }>())
    await first(asker.execute(kad.put({ key: '/app/kept', value: bytes('kept') })))
    const deadlineMs = 5_000
    using errors = processErrors()
    const { value: outcomes, tookMs } = await timed(async () => {
      const puts = Array.from({ length: 20 }, (_, index) =>
        outcome(all(asker.execute(kad.put({ key: `/app/${index}`, value: bytes('x') }, { deadlineMs })))),
      )
      const gets = Array.from({ length: 20 }, (_, index) =>
        outcome(all(asker.execute(kad.get({ key: `/app/none-${index}` }, { deadlineMs })))),
      )
      for (const child of children) child.kill('SIGKILL')
      return Promise.all([...puts, ...gets])
    })
    expect(tookMs).toBeLessThan(deadlineMs + 3_000)
    for (const one of outcomes) {
      expect(one).toMatch(/^(settled|NotFoundError|DhtError|DeadlineError|DialError|StreamError)$/)
    }
    expect(text(await last(asker.execute(kad.get({ key: '/app/kept' }, { deadlineMs: 20_000 }))))).toBe('kept')
    expect(errors.seen).toEqual([])
  })

  it('a node that knows no DHT peer says so soon', async () => {
    await using alone = await startSwarm(transport)
    const { value: error, tookMs } = await timed(() => failure(first(alone.execute(kad.get({ key: '/app/x' })))))
    expect(error.name).toBe('DhtError')
    expect(tookMs).toBeLessThan(4_500)
  })
})

describe.each(wires)('kad over %s, modes', (transport) => {
  it('goes from server to client and back, and others see it', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const serves = (state: Awaited<ReturnType<typeof identities>>) => state.protocols.includes('/rxswarm/kad/1.0.0')
    const identities = async () => b.node.peerStore.get(a.node.peerId)
    await connect(a, b)
    await until(b.event$, (event) => event.type === 'peer:update' || event.type === 'peer:identify', 500).catch(
      () => undefined,
    )
    expect((await first(a.state$)).kad).toEqual({ mode: 'server', acts: 'server' })

    expect(await first(a.execute(kad.setMode({ mode: 'client' })))).toBe('client')
    expect((await first(a.state$)).kad).toEqual({ mode: 'client', acts: 'client' })
    expect(a.node.getProtocols()).not.toContain('/rxswarm/kad/1.0.0')
    await expect.poll(async () => serves(await identities()), { timeout: 10_000 }).toBe(false)
    await first(a.execute(kad.put({ key: '/app/as-client', value: bytes('still asks') })))

    expect(await first(a.execute(kad.setMode({ mode: 'server' })))).toBe('server')
    expect(a.node.getProtocols()).toContain('/rxswarm/kad/1.0.0')
    await expect.poll(async () => serves(await identities()), { timeout: 10_000 }).toBe(true)
    expect(text(await last(b.execute(kad.get({ key: '/app/as-client' }))))).toBe('still asks')
  })

  it('auto is a client while no address is public', async () => {
    await using a = await startSwarm(transport, { kad: { mode: 'auto' } })
    await using b = await startSwarm(transport)
    await connect(a, b)
    expect((await first(a.state$)).kad).toEqual({ mode: 'auto', acts: 'client' })
    expect(a.node.getProtocols()).not.toContain('/rxswarm/kad/1.0.0')
    await first(a.execute(kad.put({ key: '/app/auto', value: bytes('x') })))
    expect(await first(a.execute(kad.setMode({ mode: 'server' })))).toBe('server')
    expect(await first(a.execute(kad.setMode({ mode: 'auto' })))).toBe('client')
    expect((await first(a.state$)).kad).toEqual({ mode: 'auto', acts: 'client' })
  })

  it('auto is a server while an address is announced that is public', async () => {
    const port = transport === 'quic' ? 'udp/4001/quic-v1' : 'tcp/4001'
    await using a = await startSwarm(transport, {
      kad: { mode: 'auto' },
      libp2p: (options) => ({
        ...options,
        addresses: { ...options.addresses, announce: [`/ip4/93.184.216.34/${port}`] },
      }),
    })
    const state = await until(a.state$, ({ kad: { acts } }) => acts === 'server')
    expect(state.kad).toEqual({ mode: 'auto', acts: 'server' })
    expect(a.node.getProtocols()).toContain('/rxswarm/kad/1.0.0')
  })

  it('a server whose peers are all clients gives what it keeps itself', async () => {
    await using hub = await startSwarm(transport)
    await using client = await startSwarm(transport, { kad: { mode: 'client' } })
    await acquaint(client, hub)
    const stored = await first(client.execute(kad.put({ key: '/app/x', value: bytes('x') })))
    expect(stored.peers).toEqual([hub.self])
    expect(text(await last(client.execute(kad.get({ key: '/app/x' }))))).toBe('x')
    expect(text(await last(hub.execute(kad.get({ key: '/app/x' }))))).toBe('x')
  })

  it('a network of clients only is a DhtError', async () => {
    await using swarms = await startSwarms(2, transport, { kad: { mode: 'client' } })
    await chain(swarms)
    const error = await failure(first(nth(swarms, 0).execute(kad.put({ key: '/app/x', value: bytes('x') }))))
    expect(error.name).toBe('DhtError')
  })
})

describe.each(wires)('kad over %s, rules', (transport) => {
  const refusals: readonly [what: string, validate: (key: string, value: Uint8Array) => boolean | Promise<boolean>][] =
    [
      ['returns false', () => false],
      [
        'throws',
        () => {
          throw new Error('mine')
        },
      ],
      ['rejects', () => Promise.reject(new Error('mine'))],
      ['never answers', () => new Promise(() => undefined)],
    ]

  it.each(refusals)('an own record on which the rule %s is an InvalidRecordError', async (_what, validate) => {
    await using swarms = await startSwarms(2, transport, {
      kad: { records: { app: { validate }, ok: { validate: () => true } } },
    })
    await chain(swarms)
    const a = nth(swarms, 0)
    const error = await failure(first(a.execute(kad.put({ key: '/app/x', value: bytes('x') }))))
    expect(error).toMatchObject({ name: 'InvalidRecordError', key: '/app/x' })
    await first(a.execute(kad.put({ key: '/ok/x', value: bytes('x') })))
  })

  it.each(refusals)('a foreign record on which the rule %s is refused, told and not kept', async (_what, validate) => {
    await using lenient = await startSwarm(transport, { kad: { records: { app: { validate: () => true } } } })
    await using strict = await startSwarm(transport, { kad: { records: { app: { validate } } } })
    await connect(lenient, strict)
    using errors = processErrors()
    const refused = until(strict.event$, ({ type }) => type === 'kad:record-refused')
    const error = await failure(first(lenient.execute(kad.put({ key: '/app/x', value: bytes('x') }))))
    expect(error.name).toBe('DhtError')
    expect(await refused).toMatchObject({ key: '/app/x', error: { name: 'InvalidRecordError' } })
    expect((await failure(first(strict.execute(kad.get({ key: '/app/x' }))))).name).toBe('NotFoundError')
    expect(errors.seen).toEqual([])
  })

  it('a key without a namespace, or of one without a rule, is an InvalidRecordError both ways', async () => {
    await using swarms = await startSwarms(2, transport)
    await chain(swarms)
    const a = nth(swarms, 0)
    for (const key of ['x', '/app', '/app/', 'app/x', '', '/other/x', '/constructor/x', '/__proto__/x']) {
      const errors = [
        await failure(first(a.execute(kad.put({ key, value: bytes('x') })))),
        await failure(first(a.execute(kad.get({ key })))),
      ]
      for (const error of errors) expect(error).toMatchObject({ name: 'InvalidRecordError', field: 'key' })
    }
  })

  it('the newer value wins by select, wherever the older one lies', async () => {
    await using swarms = await startSwarms(4, transport, { kad: versioned })
    await connectAll(swarms)
    const [a, b, c, d] = [nth(swarms, 0), nth(swarms, 1), nth(swarms, 2), nth(swarms, 3)]
    const key = '/app/doc'
    await first(a.execute(kad.put({ key, value: bytes('v1:old') })))
    await first(b.execute(kad.put({ key, value: bytes('v2:new') })))
    for (const reader of [a, b, c, d]) expect(text(await last(reader.execute(kad.get({ key }))))).toBe('v2:new')
  })

  // go-libp2p refuses it on every peer that keeps a newer one; js-libp2p overwrites
  it('an older value that is put later does not replace the newer one', async () => {
    await using swarms = await startSwarms(4, transport, { kad: versioned })
    await connectAll(swarms)
    const [a, b, c, d] = [nth(swarms, 0), nth(swarms, 1), nth(swarms, 2), nth(swarms, 3)]
    const key = '/app/doc'
    await first(b.execute(kad.put({ key, value: bytes('v2:new') })))
    await outcome(first(c.execute(kad.put({ key, value: bytes('v1:old') }))))
    for (const reader of [a, b, d]) expect(text(await last(reader.execute(kad.get({ key }))))).toBe('v2:new')
  })

  it('the values of one get are each better than the one before', async () => {
    await using swarms = await startSwarms(4, transport, { kad: versioned })
    await connectAll(swarms)
    const key = '/app/many'
    for (const [index, swarm] of swarms.entries()) {
      await outcome(first(swarm.execute(kad.put({ key, value: bytes(`v${index}:x`) }))))
    }
    const values = (await all(nth(swarms, 0).execute(kad.get({ key })))).map(text)
    expect(values.at(-1)).toBe('v3:x')
    expect(values).toEqual(values.toSorted())
    expect(new Set(values).size).toBe(values.length)
  })

  it('a record of the greatest length goes through, one byte more does not', { timeout: 60_000 }, async () => {
    await using swarms = await startSwarms(3, transport, { kad: { records: { app: { validate: () => true } } } })
    await connectAll(swarms)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const value = new Uint8Array(1 << 20).fill(7)
    await first(a.execute(kad.put({ key: '/app/big', value }, { deadlineMs: 20_000 })))
    const found = await last(b.execute(kad.get({ key: '/app/big' }, { deadlineMs: 20_000 })))
    expect(found.byteLength).toBe(value.byteLength)
    const error = await failure(first(a.execute(kad.put({ key: '/app/bigger', value: new Uint8Array((1 << 20) + 1) }))))
    expect(error).toMatchObject({ name: 'InvalidRecordError', field: 'value' })
  })

  it('a hundred puts at once all reach their peers', async () => {
    await using swarms = await startSwarms(3, transport)
    await connectAll(swarms)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const put = (index: number) => kad.put({ key: `/app/${index}`, value: bytes(`${index}`) }, { deadlineMs: 20_000 })
    const stored = await Promise.all(
      Array.from({ length: 100 }, (_, index) => outcome(first(a.execute(put(index))), true)),
    )
    expect(stored.filter((one) => one !== 'settled')).toEqual([])
    for (const index of [0, 17, 50, 99]) {
      expect(text(await last(b.execute(kad.get({ key: `/app/${index}` }))))).toBe(`${index}`)
    }
  })

  // js-libp2p takes no other hash from the wire, and says nothing: a provide that "succeeds" must be findable
  it('content whose hash no peer takes is refused, or found', async () => {
    await using swarms = await startSwarms(2, transport)
    await chain(swarms)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const cid = CID.createV1(raw.code, identity.digest(bytes('inline')))
    const provided = await outcome(first(a.execute(kad.provide({ cid }))))
    if (provided === 'InvalidCommandError') return
    expect(provided).toBe('settled')
    await expect.poll(() => providers(b, cid), poll).toEqual([a.self])
  })

  // js-libp2p drops provider records without an address, and says nothing
  it('a node without an address can not provide, or is found', async () => {
    await using a = await startSwarm(transport, { listen: [] })
    await using others = await startSwarms(2, transport)
    const [b, c] = [nth(others, 0), nth(others, 1)]
    await chain(others)
    await acquaint(a, b)
    await acquaint(a, c)
    const cid = await cidOf('of a node without an address')
    const provided = await outcome(first(a.execute(kad.provide({ cid }))))
    if (provided === 'DhtError') return
    expect(provided).toBe('settled')
    await expect.poll(() => providers(b, cid), poll).toEqual([a.self])
  })
})

/** Kademlia does not acknowledge provider records, so they show up a moment later. */
const poll = { timeout: 10_000 }

const providers = async (seeker: FiveSwarm, cid: CID) =>
  (await all(seeker.execute(kad.findProviders({ cid })))).map(({ peer }) => peer).toSorted()

const outcome = (promise: Promise<unknown>, inFull = false): Promise<string> =>
  promise.then(
    () => 'settled',
    (error: Error) => (inFull ? `${error.name}: ${error.message}` : error.name),
  )
