import { connections, discovery } from 'rxswarm'
import { expect, it } from 'vitest'
import { startLab } from '../support/lab.ts'
import type { LabNode } from '../support/labNode.ts'
import { inLab } from '../support/labSuite.ts'
import { first } from '../support/swarms.ts'
import { eventually, timed } from '../support/wait.ts'

const BASE = { connections: {}, identify: {}, ping: {}, xstream: {} }

const connected = async (node: LabNode) => (await first(node.execute(connections.list()))).map(({ peer }) => peer)

inLab('mDNS', () => {
  it('finds and connects who is on the same local network, and nobody else', async () => {
    await using lab = await startLab()
    const [home, office] = [await lab.router(), await lab.router()]
    const hosts = [await home.host(), await home.host(), await office.host()]
    const use = { ...BASE, discovery: { mdns: { intervalMs: 500 } } }
    const [alice, bob, carol] = await Promise.all(hosts.map((host) => host.node({ use })))

    await eventually(async () => (await connected(alice!)).includes(bob!.self))
    expect(await alice!.carry(bob!.self, 1 << 20)).toMatchObject({ intact: true })
    const found = await first(alice!.execute(discovery.list()))
    expect(found.map(({ peer }) => peer)).toEqual([bob!.self])
    expect(found[0]!.addresses.join(' ')).toContain(`/ip4/${hosts[1]!.ip}/`)
    expect(await connected(carol!)).toEqual([])
    expect(await first(carol!.execute(discovery.list()))).toEqual([])
  })
})

inLab('a bootstrap list', () => {
  it('connects a node behind a NAT, also when its peer comes later and comes back', async () => {
    await using lab = await startLab()
    const home = await lab.router()
    const [inside, place] = [await home.host(), await lab.host()]
    const probe = await place.node({ seed: 9 }) // to learn its peer id
    const address = place.address(probe, 'quic')
    await probe.kill()

    const alice = await inside.node({ use: { ...BASE, discovery: { bootstrap: [address] } } })
    for (let round = 0; round < 2; round++) {
      const hub = await place.node({ seed: 9 })
      const { tookMs } = await timed(() => eventually(async () => (await connected(alice)).includes(hub.self), 20_000))
      expect(tookMs).toBeLessThan(20_000)
      await hub.kill()
      await eventually(async () => (await connected(alice)).length === 0)
    }
  })
})
