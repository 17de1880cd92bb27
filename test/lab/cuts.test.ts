import { connections, ping } from 'rxswarm'
import { expect, it } from 'vitest'
import { startLab, type Lab } from '../support/lab.ts'
import { closed, type LabNode } from '../support/labNode.ts'
import { inLab } from '../support/labSuite.ts'
import { first, wires } from '../support/swarms.ts'
import { failure, pause, timed } from '../support/wait.ts'

const MIB = 1 << 20

const dial = (from: LabNode, to: string | readonly string[], deadlineMs = 10_000) =>
  first(from.execute(connections.dial({ to }, { deadlineMs })))
const open = (node: LabNode) => first(node.execute(connections.list()))

/** A machine on the internet that is dialled, by one swarm for each transport. */
async function diallers(lab: Lab) {
  const [place, ...others] = [await lab.host(), await lab.host(), await lab.host()]
  const [hub, ...nodes] = await Promise.all([
    place.node(),
    ...others.map((host, index) => host.node({ transports: [wires[index]!] })),
  ])
  const ways = nodes.map((node, index) => ({ node, transport: wires[index]!, to: place.address(hub, wires[index]!) }))
  return { place, hub, ways }
}

inLab('a link', () => {
  it('that goes silent is noticed over QUIC and TCP, and dialled over again when it is back', async () => {
    await using lab = await startLab()
    const { place, hub, ways } = await diallers(lab)
    const connected = await Promise.all(ways.map(({ node, to }) => dial(node, to)))
    const noticed = ways.map(({ node }, index) => closed(node, connected[index]!, 40_000))

    await place.lose(100)
    await Promise.all(noticed)
    for (const { node } of ways) expect(await open(node)).toEqual([])

    await place.lose(0)
    for (const { node, to } of ways) {
      await dial(node, to)
      expect(await node.carry(hub.self, MIB)).toMatchObject({ intact: true })
    }
  })

  it('that is unplugged for a second ends no connection', async () => {
    await using lab = await startLab()
    const { place, hub, ways } = await diallers(lab)
    const connected = await Promise.all(ways.map(({ node, to }) => dial(node, to)))
    await place.unplug()
    await pause(1_000)
    await place.plug()
    for (const [index, { node }] of ways.entries()) {
      expect(await node.carry(hub.self, MIB)).toMatchObject({ intact: true })
      expect((await open(node)).map(({ id }) => id)).toEqual([connected[index]!.id])
    }
  })

  it('that loses 2 % of the packets each way carries 1 MiB, intact', async () => {
    await using lab = await startLab()
    const { place, hub, ways } = await diallers(lab)
    await place.lose(2)
    for (const { node, to } of ways) {
      await dial(node, to)
      expect(await node.carry(hub.self, MIB)).toMatchObject({ intact: true })
    }
  })
})

inLab('an address', () => {
  it('that is a black hole does not hold up the good one behind it', async () => {
    await using lab = await startLab()
    const { hub, ways } = await diallers(lab)
    for (const { node, transport, to } of ways) {
      const hole = to.replace(/\/ip4\/[^/]+/, `/ip4/${lab.blackHole}`)
      const { value, tookMs } = await timed(() => dial(node, [hole, to]))
      expect(value).toMatchObject({ peer: hub.self, transport, address: to })
      expect(tookMs).toBeLessThan(2_000) // 250 ms, and a machine that is busy
      await first(node.execute(connections.hangUp({ peer: hub.self })))
    }
  })

  it('that leads nowhere alone fails by its deadline', async () => {
    await using lab = await startLab()
    const { ways } = await diallers(lab)
    for (const { node, to } of ways) {
      const hole = to.replace(/\/ip4\/[^/]+/, `/ip4/${lab.blackHole}`)
      const { value, tookMs } = await timed(() => failure(dial(node, hole, 1_500)))
      expect(value.name).toBe('DeadlineError')
      expect(tookMs).toBeLessThan(4_000)
    }
  })

  it('that a node loses for another one costs its connections, and nothing else', async () => {
    await using lab = await startLab()
    const home = await lab.router()
    const [inside, place] = [await home.host(), await lab.host()]
    const [alice, hub] = await Promise.all([inside.node(), place.node()])
    for (const transport of wires) {
      const old = await dial(alice, place.address(hub, transport))
      const lost = closed(alice, old, 40_000)
      const before = inside.ip
      await inside.readdress(transport === 'quic' ? '192.168.1.77' : '192.168.1.78')
      await first(alice.execute(ping.once({ peer: hub.self }))).catch(() => undefined)
      await lost
      await dial(alice, place.address(hub, transport))
      expect(await alice.carry(hub.self, MIB)).toMatchObject({ intact: true })
      const listening = await alice.listening()
      expect(listening).toEqual(expect.arrayContaining(wires.map((one) => inside.address(alice, one))))
      expect(listening.filter((address) => address.startsWith(`/ip4/${before}/`))).toEqual([])
      await first(alice.execute(connections.hangUp({ peer: hub.self })))
    }
  })
})
