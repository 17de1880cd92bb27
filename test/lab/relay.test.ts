import { connections, ping, relay } from 'rxswarm'
import { filter, firstValueFrom, timeout } from 'rxjs'
import { expect, it } from 'vitest'
import { startLab, type Lab, type LabHost } from '../support/lab.ts'
import { type LabNode } from '../support/labNode.ts'
import { inLab } from '../support/labSuite.ts'
import { first, wires } from '../support/swarms.ts'
import { eventually, failure, timed } from '../support/wait.ts'

const BASE = { connections: {}, identify: {}, ping: {}, xstream: {} }

/** How long an event may take that nothing guarantees to come soon. @unit milliseconds */
const SOON_MS = 20_000

/** A relay on the internet. The same seed: the same peer. */
const startRelay = (host: LabHost, seed: number, server: object | true = true) =>
  host.node({ use: { ...BASE, relay: { server } }, seed })

/** A swarm that keeps reservations at these relays, once it has them all. */
async function startHidden(host: LabHost, relays: readonly string[], own: object = {}): Promise<LabNode> {
  const node = await host.node({ use: { ...BASE, relay: { relays, ...own } } })
  await eventually(async () => (await first(node.execute(relay.list()))).reservations.length === relays.length)
  return node
}

/** Two machines behind NATs of their own. */
async function twoHomes(lab: Lab): Promise<readonly [LabHost, LabHost]> {
  const [home, office] = [await lab.router('cone'), await lab.router('symmetric')]
  return [await home.host(), await office.host()]
}

const through = (relayAddress: string, { self }: LabNode) => `${relayAddress}/p2p-circuit/p2p/${self}`
const dial = (from: LabNode, to: string | readonly string[], deadlineMs = 10_000) =>
  first(from.execute(connections.dial({ to }, { deadlineMs })))
const open = (node: LabNode) => first(node.execute(connections.list()))

/** The next event of a type; a behaviour's own, which `LabEvent` does not list. */
const next = (node: LabNode, type: string) =>
  firstValueFrom(
    node.event$.pipe(
      filter((event) => (event.type as string) === type),
      timeout(SOON_MS),
    ),
  )

inLab('a relay on the internet', () => {
  it.each(wires)('carries pings and xstreams over %s between two nodes behind different NATs', async (transport) => {
    await using lab = await startLab()
    const [place, hosts] = [await lab.host(), await twoHomes(lab)]
    const relayed = await startRelay(place, 1, { limited: false })
    const address = place.address(relayed, transport)
    const [alice, bob] = await Promise.all(hosts.map((host) => startHidden(host, [address], { holePunching: false })))

    const connection = await dial(bob!, through(address, alice!))
    expect(connection).toMatchObject({ peer: alice!.self, transport: 'relay', direct: false, limited: false })
    expect(await first(bob!.execute(ping.once({ peer: alice!.self })))).toBeGreaterThan(0)
    expect(await bob!.carry(alice!.self, 1 << 20)).toMatchObject({ intact: true })
    expect(await alice!.carry(bob!.self, 1 << 20)).toMatchObject({ intact: true })
    expect((await open(alice!)).filter(({ peer }) => peer === bob!.self)).toHaveLength(1)
  })

  it('with limits carries what fits, and only for who asks for it', async () => {
    await using lab = await startLab()
    const [place, hosts] = [await lab.host(), await twoHomes(lab)]
    const relayed = await startRelay(place, 1)
    const address = place.address(relayed, 'quic')
    const [alice, bob] = await Promise.all(hosts.map((host) => startHidden(host, [address], { holePunching: false })))

    expect(await dial(bob!, through(address, alice!))).toMatchObject({ limited: true })
    expect(await failure(bob!.carry(alice!.self, 1_000))).toMatchObject({ name: 'RelayError', peer: alice!.self })
    expect(await bob!.carry(alice!.self, 50_000, true)).toMatchObject({ intact: true })
    expect((await failure(bob!.carry(alice!.self, 1 << 20, true))).name).toBe('StreamError')
  })

  it.each(wires)('that is killed and comes back is of use again within 5 s over %s', async (transport) => {
    await using lab = await startLab()
    const [place, hosts] = [await lab.host(), await twoHomes(lab)]
    const killed = await startRelay(place, 1)
    const address = place.address(killed, transport)
    const alice = await startHidden(hosts[0], [address])
    const bob = await hosts[1].node({ use: { ...BASE, relay: { reservations: 0, holePunching: false } } })
    await dial(bob, through(address, alice))

    const lost = next(alice, 'relay:lost')
    await killed.kill()
    await lost
    expect((await failure(dial(bob, through(address, alice), 2_000))).name).toMatch(
      /DialError|DeadlineError|RelayError/,
    )

    const back = await startRelay(place, 1)
    expect(back.self).toBe(killed.self)
    const { tookMs } = await timed(() => eventually(() => reached(bob, alice, address)))
    expect(tookMs).toBeLessThan(5_000)
    expect(await bob.carry(alice.self, 50_000, true)).toMatchObject({ intact: true })
  })

  it('that falls silent is left to another one, and a dial finds the way through it', async () => {
    await using lab = await startLab()
    const [places, hosts] = [[await lab.host(), await lab.host()] as const, await twoHomes(lab)]
    const relays = await Promise.all(places.map((place, index) => startRelay(place, index + 1)))
    const addresses = relays.map((node, index) => places[index]!.address(node, 'quic'))
    const alice = await startHidden(hosts[0], addresses, { holePunching: false })
    const bob = await hosts[1].node({ use: { ...BASE, relay: { reservations: 0, holePunching: false } } })
    const ways = addresses.map((address) => through(address, alice))

    const lost = next(alice, 'relay:lost')
    await places[0].lose(100)
    const connection = await dial(bob, ways)
    expect(connection.address).toContain(relays[1]!.self)
    expect(await bob.carry(alice.self, 50_000, true)).toMatchObject({ intact: true })
    expect(await lost).toMatchObject({ relay: relays[0]!.self })

    const again = next(alice, 'relay:reserved')
    await places[0].lose(0)
    expect(await again).toMatchObject({ relay: relays[0]!.self })
  })

  it('is left for a direct connection when one of both can be reached', async () => {
    await using lab = await startLab()
    const home = await lab.router()
    const [place, inside, outside] = [await lab.host(), await home.host(), await lab.host()]
    const relayed = await startRelay(place, 1)
    const address = place.address(relayed, 'quic')
    const alice = await startHidden(inside, [address])
    const bob = await outside.node({ use: { ...BASE, relay: { reservations: 0 } } })

    expect(await dial(bob, through(address, alice))).toMatchObject({ direct: false })
    await eventually(async () => {
      const between = (await open(bob)).filter(({ peer }) => peer === alice.self)
      return between.length === 1 && between[0]!.direct && between[0]!.address.includes(home.ip)
    })
    expect(await bob.carry(alice.self, 1 << 20)).toMatchObject({ intact: true })
  })

  // A hole is punched from the port on which others see the node. Node can't dial from the port that it listens on over TCP,
  // and the QUIC add-on dials from another one as well: nobody listens where the hole would be.
  it('is kept when both are behind NATs, which is told', async () => {
    await using lab = await startLab()
    const [home, office] = [await lab.router('cone'), await lab.router('cone')]
    const [place, inside, other] = [await lab.host(), await home.host(), await office.host()]
    const relayed = await startRelay(place, 1)
    const address = place.address(relayed, 'quic')
    const [alice, bob] = await Promise.all([startHidden(inside, [address]), startHidden(other, [address])])

    const told = next(bob, 'relay:upgrade-failed')
    await dial(bob, through(address, alice))
    expect(await told).toMatchObject({ peer: alice.self })
    const between = (await open(bob)).filter(({ peer }) => peer === alice.self)
    expect(between.map(({ direct }) => direct)).toEqual([false])
    expect(await bob.carry(alice.self, 50_000, true)).toMatchObject({ intact: true })
  })
})

async function reached(from: LabNode, to: LabNode, relayAddress: string): Promise<boolean> {
  return dial(from, through(relayAddress, to), 2_000).then(
    ({ peer }) => peer === to.self,
    () => false,
  )
}
