import { gossipsub, type GossipMessage, type Verdict } from 'rxswarm'
import { describe, expect, it } from 'vitest'
import { multiaddr } from '@multiformats/multiaddr'
import {
  acquaint,
  bytes,
  chain,
  connectAll,
  first,
  joined,
  nth,
  startSwarm,
  startSwarms,
  text,
  wires,
  type FiveSwarm,
} from './support/swarms.ts'
import { eventually, failure, pause, processErrors, until } from './support/wait.ts'

const topic = 'news'

/** Joins a topic and keeps what comes. */
function listen(swarm: FiveSwarm, to = topic) {
  const heard: GossipMessage[] = []
  const listening = swarm
    .execute(gossipsub.subscribe({ topic: to }))
    .subscribe({ next: (message) => heard.push(message) })
  return { heard, texts: () => heard.map(({ data }) => text(data)), stop: () => listening.unsubscribe() }
}

const publish = (swarm: FiveSwarm, message: string, to = topic) =>
  first(swarm.execute(gossipsub.publish({ topic: to, data: bytes(message) })))

describe.each(wires)('gossipsub over %s', (transport) => {
  it.each([
    ['in a chain', chain],
    ['fully connected', connectAll],
  ])('five nodes %s: what anyone publishes, everyone else hears once', async (_shape, tie) => {
    await using swarms = await startSwarms(5, transport)
    await tie(swarms)
    const listeners = swarms.map((swarm) => listen(swarm))
    for (const swarm of swarms) {
      const neighbours = swarm.node.getPeers().length
      await joined(swarm, topic, neighbours)
    }
    await pause(1_500) // meshes form at the heartbeat, of which nothing tells
    for (const [index, swarm] of swarms.entries()) {
      for (let count = 0; count < 4; count++) await publish(swarm, `${index}:${count}`)
    }
    const expected = (own: number) =>
      swarms.flatMap((_, index) => (index === own ? [] : [0, 1, 2, 3].map((count) => `${index}:${count}`)))
    await eventually(() => listeners.every(({ heard }) => heard.length >= 16))
    for (const [index, { texts, heard }] of listeners.entries()) {
      expect(texts().toSorted()).toEqual(expected(index))
      expect(new Set(heard.map(({ id }) => id)).size).toBe(heard.length)
      for (const { data, from } of heard) expect(from).toBe(nth(swarms, Number(text(data)[0])).self)
    }
  })

  it('the first subscriber joins the topic and the last to leave leaves it', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await acquaint(a, b)
    const said: string[] = []
    b.event$.subscribe(({ type }) => {
      if (type === 'gossipsub:joined' || type === 'gossipsub:left') said.push(type)
    })
    const [one, two] = [listen(b), listen(b)]
    await joined(a, topic, 1)
    expect((await first(b.state$)).gossipsub.joined.has(topic)).toBe(true)
    expect(said).toEqual(['gossipsub:joined'])
    await publish(a, 'for both')
    await eventually(() => one.heard.length === 1 && two.heard.length === 1)

    one.stop()
    expect(said).toEqual(['gossipsub:joined'])
    await publish(a, 'for one')
    await eventually(() => two.heard.length === 2)
    expect(one.heard).toHaveLength(1)

    two.stop()
    expect(said).toEqual(['gossipsub:joined', 'gossipsub:left'])
    await until(a.state$, ({ gossipsub: { peers } }) => !peers.has(topic))
    expect((await failure(publish(a, 'for nobody'))).name).toBe('PubsubError')

    const again = listen(b)
    await joined(a, topic, 1)
    await publish(a, 'once more')
    await eventually(() => again.texts().includes('once more'))
  })

  it('publishing to nobody, or to an unknown topic, is a PubsubError and costs nothing else', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    expect((await failure(publish(a, 'alone'))).name).toBe('PubsubError')
    await acquaint(a, b)
    const error = await failure(publish(a, 'nobody listens'))
    expect(error).toMatchObject({ name: 'PubsubError', topic })
    listen(a)
    expect((await failure(publish(a, 'only myself'))).name).toBe('PubsubError')
    const { heard } = listen(b)
    await joined(a, topic, 1)
    await publish(a, 'now')
    await eventually(() => heard.length === 1)
  })

  it('own messages do not come back', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await acquaint(a, b)
    const [own, other] = [listen(a), listen(b)]
    await joined(a, topic, 1)
    await joined(b, topic, 1)
    await publish(a, 'mine')
    await publish(b, 'yours')
    await eventually(() => own.heard.length === 1 && other.heard.length === 1)
    expect(own.texts()).toEqual(['yours'])
    expect(other.texts()).toEqual(['mine'])
  })

  it('peers tells who has joined, and forgets who leaves or goes', async () => {
    await using swarms = await startSwarms(3, transport)
    await connectAll(swarms)
    const [a, b, c] = [nth(swarms, 0), nth(swarms, 1), nth(swarms, 2)]
    const peers = async () => [...(await first(a.execute(gossipsub.peers({ topic }))))].toSorted()
    expect(await peers()).toEqual([])
    const listening = listen(b)
    listen(c)
    await joined(a, topic, 2)
    expect(await peers()).toEqual([b.self, c.self].toSorted())
    listening.stop()
    await expect.poll(peers).toEqual([c.self])
    await c.stop()
    await expect.poll(peers, { timeout: 15_000 }).toEqual([])
    expect((await first(a.state$)).gossipsub.peers.size).toBe(0)
  })

  const refusals: readonly [
    what: string,
    verdict: () => Verdict | boolean | Promise<Verdict>,
    said: 'reject' | 'ignore',
    error: boolean,
  ][] = [
    ['says reject', () => 'reject', 'reject', false],
    ['says false', () => false, 'reject', false],
    ['says ignore', () => 'ignore', 'ignore', false],
    ['rejects', () => Promise.reject(new Error('mine')), 'ignore', true],
    ['never answers', () => new Promise<Verdict>(() => undefined), 'ignore', true],
    [
      'throws',
      () => {
        throw new Error('mine')
      },
      'ignore',
      true,
    ],
  ]
  it.each(refusals)(
    'a message on which the validator %s is refused and not delivered',
    async (_what, verdict, said, fails) => {
      using errors = processErrors()
      await using a = await startSwarm(transport)
      const isBad = ({ data }: GossipMessage) => text(data).startsWith('bad')
      await using b = await startSwarm(transport, {
        gossipsub: { validators: { [topic]: (message) => (isBad(message) ? verdict() : 'accept') } },
      })
      await acquaint(a, b)
      const { texts } = listen(b)
      await joined(a, topic, 1)
      const refused = until(b.event$, ({ type }) => type === 'gossipsub:refused')
      await publish(a, 'bad news')
      const event = await refused
      expect(event).toMatchObject({ topic, peer: a.self, verdict: said })
      expect('error' in event).toBe(fails)
      await publish(a, 'good news')
      await eventually(() => texts().includes('good news'))
      expect(texts()).toEqual(['good news'])
      const own = await failure(publish(b, 'bad news of my own'))
      expect(own).toMatchObject({ name: 'RefusedMessageError', topic })
      expect(errors.seen).toEqual([])
    },
  )

  it('five hundred messages reach both others, none lost and none twice', async () => {
    await using swarms = await startSwarms(3, transport)
    await connectAll(swarms)
    const [a, b, c] = [nth(swarms, 0), nth(swarms, 1), nth(swarms, 2)]
    const listeners = [listen(b), listen(c)]
    await joined(a, topic, 2)
    for (let index = 0; index < 500; index++) await publish(a, `${index}`)
    await eventually(() => listeners.every(({ heard }) => heard.length >= 500), 25_000)
    const expected = Array.from({ length: 500 }, (_, index) => `${index}`).toSorted()
    for (const { texts } of listeners) expect(texts().toSorted()).toEqual(expected)
  })

  it('five hundred messages at once reach both others, none lost and none twice', async () => {
    await using swarms = await startSwarms(3, transport, { deadlineMs: 30_000 })
    await connectAll(swarms)
    const [a, b, c] = [nth(swarms, 0), nth(swarms, 1), nth(swarms, 2)]
    const listeners = [listen(b), listen(c)]
    await joined(a, topic, 2)
    await Promise.all(Array.from({ length: 500 }, (_, index) => publish(a, `${index}`)))
    await eventually(() => listeners.every(({ heard }) => heard.length >= 500), 25_000)
    for (const { texts } of listeners) expect(new Set(texts()).size).toBe(500)
  })

  it('a long message goes through, one that is too long does not', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await acquaint(a, b)
    const { heard } = listen(b)
    await joined(a, topic, 1)
    const data = new Uint8Array((1 << 20) - 4_096).fill(7)
    await first(a.execute(gossipsub.publish({ topic, data })))
    await eventually(() => heard.length === 1)
    expect(heard[0]?.data.byteLength).toBe(data.byteLength)
    const longer = gossipsub.publish({ topic, data: new Uint8Array(data.byteLength + 1) })
    expect(await failure(first(a.execute(longer)))).toMatchObject({ name: 'InvalidCommandError', field: 'data' })
  })

  it.each(['older', 'newer'] as const)(
    'of two connections to a peer the %s one closes, and both still hear each other',
    async (which) => {
      await using swarms = await startSwarms(2, transport)
      const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
      await acquaint(a, b)
      const [atA, atB] = [listen(a), listen(b)]
      await joined(a, topic, 1)
      await joined(b, topic, 1)
      await publish(a, 'first')
      await publish(b, 'first')
      await eventually(() => atA.heard.length === 1 && atB.heard.length === 1)

      await a.node.dial(
        b.addresses.map((address) => multiaddr(address)),
        { force: true },
      )
      await eventually(() => a.node.getConnections().length === 2 && b.node.getConnections().length === 2)
      const closing = a.node.getConnections().toSorted((x, y) => x.timeline.open - y.timeline.open)
      await (which === 'older' ? closing[0] : closing[1])?.close()
      await eventually(() => a.node.getConnections().length === 1 && b.node.getConnections().length === 1)

      let count = 0
      await eventually(async () => {
        const sent = `again ${++count}`
        await Promise.allSettled([publish(a, sent), publish(b, sent)])
        await pause(100)
        return atA.texts().some((one) => one.startsWith('again')) && atB.texts().some((one) => one.startsWith('again'))
      })
      await publish(a, 'last of a')
      await publish(b, 'last of b')
      await eventually(() => atA.texts().includes('last of b') && atB.texts().includes('last of a'))
    },
  )

  it('a peer that comes back is heard again', async () => {
    await using a = await startSwarm(transport)
    const { texts } = listen(a)
    for (const round of ['one', 'two', 'three']) {
      await using b = await startSwarm(transport)
      await acquaint(b, a)
      await joined(b, topic, 1)
      await publish(b, round)
      await eventually(() => texts().includes(round))
    }
    expect(texts()).toEqual(['one', 'two', 'three'])
  })
})
