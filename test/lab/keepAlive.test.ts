import { connections, keepAlive } from 'rxswarm'
import { filter, firstValueFrom, timeout } from 'rxjs'
import { expect, it } from 'vitest'
import { startLab } from '../support/lab.ts'
import type { LabNode } from '../support/labNode.ts'
import { inLab } from '../support/labSuite.ts'
import { first, wires } from '../support/swarms.ts'
import { timed } from '../support/wait.ts'

const USE = { connections: {}, identify: {}, ping: {}, xstream: {}, keepAlive: {} }

/** The next event of a type; a behaviour's own, which `LabEvent` does not list. */
const next = (node: LabNode, type: string, withinMs = 20_000) =>
  firstValueFrom(
    node.event$.pipe(
      filter((event) => (event.type as string) === type),
      timeout(withinMs),
    ),
  )

const connected = async (node: LabNode) => (await first(node.execute(connections.list()))).map(({ peer }) => peer)

inLab('a kept peer', () => {
  it.each(wires)('is connected over %s again by itself after its link was silent', async (transport) => {
    await using lab = await startLab()
    const home = await lab.router()
    const [inside, place] = [await home.host(), await lab.host()]
    const [alice, hub] = await Promise.all([inside.node({ use: USE }), place.node()])
    const addresses = [place.address(hub, transport)]
    const kept = next(alice, 'keep-alive:connected')
    await first(alice.execute(keepAlive.keep({ peer: hub.self, addresses, tier: 'important' })))
    await kept

    const isolated = next(alice, 'network:isolated', 40_000)
    await place.lose(100)
    await isolated
    expect(await connected(alice)).toEqual([])

    const [again, recovered] = [next(alice, 'keep-alive:connected', 40_000), next(alice, 'network:recovered', 40_000)]
    await place.lose(0)
    const { tookMs } = await timed(() => Promise.all([again, recovered]))
    expect(tookMs).toBeLessThan(10_000)
    expect(await alice.carry(hub.self, 1 << 20)).toMatchObject({ intact: true })
  })

  it('is connected again soon when the node has got another address', async () => {
    await using lab = await startLab()
    const home = await lab.router()
    const [inside, place] = [await home.host(), await lab.host()]
    const [alice, hub] = await Promise.all([inside.node({ use: USE }), place.node()])
    const addresses = wires.map((transport) => place.address(hub, transport))
    const kept = next(alice, 'keep-alive:connected')
    await first(alice.execute(keepAlive.keep({ peer: hub.self, addresses, tier: 'important' })))
    await kept

    const changed = next(alice, 'network:changed')
    const again = next(alice, 'keep-alive:connected')
    await inside.readdress('192.168.1.77')
    expect(await changed).toMatchObject({ added: ['192.168.1.77/24'], removed: ['192.168.1.2/24'] })
    const { tookMs } = await timed(() => again)
    expect(tookMs).toBeLessThan(10_000)
    expect(await alice.carry(hub.self, 1 << 20)).toMatchObject({ intact: true })
  })
})
