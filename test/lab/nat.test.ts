import { connections, gossipsub, kad, ping } from 'rxswarm'
import { expect, it } from 'vitest'
import { startLab } from '../support/lab.ts'
import { closed, type LabNode } from '../support/labNode.ts'
import { inLab } from '../support/labSuite.ts'
import { bytes, first, text, wires } from '../support/swarms.ts'
import { eventually, failure } from '../support/wait.ts'

const MIB = 1 << 20

/** Closes what is between two swarms, until both know it. */
async function hangUp(a: LabNode, b: LabNode): Promise<void> {
  await first(a.execute(connections.hangUp({ peer: b.self })))
  await eventually(async () => (await first(b.execute(connections.list()))).every(({ peer }) => peer !== a.self))
}

inLab('behind a NAT', () => {
  it('a node dials out by QUIC and TCP, and is reached over that connection', async () => {
    await using lab = await startLab()
    const home = await lab.router()
    const [inside, outside] = [await home.host(), await lab.host()]
    const [alice, bob] = await Promise.all([inside.node(), outside.node()])

    for (const transport of wires) {
      const { id, peer } = await first(alice.execute(connections.dial({ to: outside.address(bob, transport) })))
      expect(peer).toBe(bob.self)
      const [seen, ...others] = await first(bob.execute(connections.list()))
      expect(others).toEqual([])
      expect(seen).toMatchObject({ peer: alice.self, direction: 'inbound', transport })
      expect(seen!.address).toContain(`/ip4/${home.ip}/`)

      expect(await first(bob.execute(ping.once({ peer: alice.self })))).toBeGreaterThan(0)
      expect(await bob.carry(alice.self, MIB)).toMatchObject({ intact: true })
      expect(await alice.carry(bob.self, MIB)).toMatchObject({ intact: true })
      expect((await first(alice.execute(connections.list()))).map((one) => one.id)).toEqual([id])
      await hangUp(alice, bob)
    }
  })

  it('nobody is reached from behind another one, and the error says what was tried', async () => {
    await using lab = await startLab()
    const [home, office] = [await lab.router(), await lab.router()]
    const [inside, other, outside] = [await home.host(), await office.host(), await lab.host()]
    const [alice, bob, hub] = await Promise.all([inside.node(), other.node(), outside.node()])
    for (const node of [alice, bob]) {
      await first(node.execute(connections.dial({ to: outside.address(hub, 'quic') })))
    }
    const seen = await first(hub.execute(connections.list()))
    const mapped = seen.find(({ peer }) => peer === alice.self)!.address // open to the hub, to nobody else
    expect(mapped).toContain(`/ip4/${home.ip}/udp/`)

    const own = [inside.address(alice, 'quic'), inside.address(alice, 'tcp')]
    const tell = { policy: false, deadlineMs: 15_000 } as const
    const error = await failure(first(bob.execute(connections.dial({ to: [...own, mapped] }, tell))))
    expect(error).toMatchObject({ name: 'DialError', code: 'ERR_DIAL', retryable: true, peer: alice.self })
    expect(JSON.stringify(error)).toContain(`${inside.ip}:4001: connect EHOSTUNREACH`)
    expect(JSON.stringify(error)).toContain('timed out')
    expect(await first(bob.execute(connections.list()))).toHaveLength(1)
    expect(await first(alice.execute(connections.list()))).toHaveLength(1)
  })

  it('a cone NAT shows the same port to everybody, a symmetric one another to each', async () => {
    await using lab = await startLab()
    const [cone, symmetric] = [await lab.router('cone'), await lab.router('symmetric')]
    const hosts = [await lab.host(), await lab.host(), await cone.host(), await symmetric.host()] as const
    const [one, two, alice, bob] = await Promise.all([
      hosts[0].node(),
      hosts[1].node(),
      hosts[2].node(),
      hosts[3].node(),
    ])
    for (const node of [alice, bob]) {
      await first(node.execute(connections.dial({ to: hosts[0].address(one, 'quic') })))
      await first(node.execute(connections.dial({ to: hosts[1].address(two, 'quic') })))
    }
    const seen = await Promise.all([one, two].map((hub) => first(hub.execute(connections.list()))))
    const addresses = (of: string) => seen.map((list) => list.find(({ peer }) => peer === of)!.address)
    expect(new Set(addresses(alice.self)).size).toBe(1)
    expect(new Set(addresses(bob.self)).size).toBe(2)
  })

  it('two nodes have a topic and a DHT in common through a third', async () => {
    await using lab = await startLab()
    const [home, office] = [await lab.router(), await lab.router('symmetric')]
    const hosts = [await lab.host(), await home.host(), await office.host()] as const
    const use = { connections: {}, identify: {}, ping: {}, kad: {}, gossipsub: {} }
    const [hub, alice, bob] = await Promise.all([
      hosts[0].node({ use }),
      hosts[1].node({ use }),
      hosts[2].node({ use }),
    ])
    for (const node of [alice, bob]) {
      await first(node.execute(connections.dial({ to: hosts[0].address(hub, 'quic') })))
    }
    const heard: string[] = []
    const subscriptions = [hub, alice].map((node) =>
      node.execute(gossipsub.subscribe({ topic: 'news' })).subscribe({
        next: ({ data }) => node === alice && heard.push(text(data)),
        error: () => undefined, // the node ends before the subscription does
      }),
    )
    await eventually(async () => {
      await first(bob.execute(gossipsub.publish({ topic: 'news', data: bytes('from bob') }))).catch(() => undefined)
      return heard.includes('from bob')
    })
    for (const subscription of subscriptions) subscription.unsubscribe()

    const key = '/app/greeting'
    await first(bob.execute(kad.put({ key, value: bytes('hello') })))
    expect(text(await first(alice.execute(kad.get({ key }))))).toBe('hello')
  })
})

inLab('a router that was switched off and on', () => {
  it('with the same address: connections over QUIC and TCP go on', async () => {
    await using lab = await startLab()
    const home = await lab.router()
    const [inside, outside] = [await home.host(), await lab.host()]
    const [alice, bob] = await Promise.all([inside.node(), outside.node()])
    for (const transport of wires) {
      const { id } = await first(alice.execute(connections.dial({ to: outside.address(bob, transport) })))
      await home.restart()
      expect(await alice.carry(bob.self, MIB)).toMatchObject({ intact: true })
      expect((await first(alice.execute(connections.list()))).map((one) => one.id)).toEqual([id])
      await hangUp(alice, bob)
    }
  })

  it.each(wires)(
    'with another address: a connection over %s is lost, which is noticed, and made anew',
    async (transport) => {
      await using lab = await startLab()
      const home = await lab.router()
      const [inside, outside] = [await home.host(), await lab.host()]
      const [alice, bob] = await Promise.all([inside.node(), outside.node()])
      const to = outside.address(bob, transport)

      const old = await first(alice.execute(connections.dial({ to })))
      const lost = closed(alice, old, 30_000)
      await home.restart({ ip: '11.0.1.101' })
      await first(alice.execute(ping.once({ peer: bob.self }))).catch(() => undefined) // something has to be under way
      await lost
      await first(alice.execute(connections.dial({ to })))
      expect(await alice.carry(bob.self, MIB)).toMatchObject({ intact: true })
      const seen = await first(bob.execute(connections.list()))
      expect(seen.at(-1)!.address).toContain('/ip4/11.0.1.101/')
    },
  )
})
