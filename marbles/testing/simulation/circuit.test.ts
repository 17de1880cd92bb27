import type { CoreEvent, ConnectionInfo } from 'rxswarm'
import { firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { addressOf, probed } from './probe.ts'
import { withEcho, echo } from './echo.ts'
import { simulate, type SimulatedNode } from 'rxswarm/testing'

const NODES = { relay: {}, alice: {}, bob: { nat: true } }
const behind = (peer: string) => `${addressOf('relay')}/p2p-circuit/p2p/${peer}`

/** Bob, behind a NAT, is connected to the relay, which carries. */
function carried() {
  const probe = probed({ nodes: NODES })
  const stop = probe.node('relay').relay(() => undefined)
  probe.connect('bob', 'relay')
  return { ...probe, stop }
}

const why = (error: unknown) => (error as Error).message

describe('a simulated circuit', () => {
  it('reaches a node behind a NAT, and says through whom', () => {
    const { network, node } = carried()
    const heard: ConnectionInfo[] = []
    network.node('bob').event$.subscribe((event: CoreEvent) => {
      if (event.type === 'connection:open') heard.push(event.connection)
    })
    expect(() => network.until(node('alice').dial(addressOf('bob')))).toThrow('no answer within 5000 ms')
    const { info } = network.until(node('alice').dial([behind('bob')]))
    expect(info).toMatchObject({ peer: 'bob', transport: 'relay', direct: false, direction: 'outbound' })
    expect(info.address).toBe(behind('bob'))
    expect(heard).toMatchObject([{ peer: 'alice', transport: 'relay', direction: 'inbound', address: behind('alice') }])
  })
  it('takes two links there and two back, after the connection to the relay', () => {
    const { network, node } = carried()
    const start = network.now
    network.until(node('alice').dial([behind('bob')]))
    expect(network.now - start).toBe(40 + 80)
  })
  it('carries bytes both ways, in order', async () => {
    const nodes = new Map<string, SimulatedNode>()
    const keep = (node: SimulatedNode) => {
      nodes.set(node.name, node)
      return withEcho.ports.echo(node)
    }
    const network = simulate({ seed: 1, nodes: NODES, ...withEcho, ports: { echo: keep } })
    nodes.get('relay')!.relay(() => undefined)
    network.until(nodes.get('bob')!.dial(addressOf('relay')))
    const answer = network.until(network.node('alice').execute(echo.say(behind('bob'), 'through the wall')))
    expect(answer).toBe('through the wall')
  })
  it('is refused by a node that is no relay, that does not know the peer, or does not want to', () => {
    const { network, node, stop } = carried()
    const refusal = (peer: string) => {
      try {
        network.until(node('alice').dial([behind(peer)]))
      } catch (error) {
        return why(error)
      }
      return 'it was carried'
    }
    expect(refusal('carol')).toContain('carol is not connected to relay')
    stop()
    expect(refusal('bob')).toContain('relay is no relay')
    node('relay').relay((from, to) => `${from} may not call ${to}`)
    expect(refusal('bob')).toContain('alice may not call bob')
  })
  it('stands back for a direct address, and for a direct connection', () => {
    const { network, node } = carried()
    network.inject({ type: 'nat', node: 'bob', on: false })
    expect(network.until(node('alice').dial([behind('bob'), addressOf('bob')])).info.direct).toBe(true)
    const other = carried()
    other.network.until(other.node('alice').dial([behind('bob')]))
    other.network.inject({ type: 'nat', node: 'bob', on: false })
    other.network.until(other.node('alice').dial('/sim/bob/1'))
    expect(other.network.until(other.node('alice').dial('bob')).info.direct).toBe(true)
  })
  it('breaks at both ends when either loses the relay', () => {
    for (const loser of ['alice', 'bob']) {
      const { network, node } = carried()
      network.until(node('alice').dial([behind('bob')]))
      const circuits = () => ['alice', 'bob'].map((name) => node(name).connections.filter((c) => !c.info.direct).length)
      expect(circuits()).toEqual([1, 1])
      node(loser)
        .connections.find(({ peer }) => peer === 'relay')!
        .close()
      network.advance(100)
      expect(circuits()).toEqual([0, 0])
    }
  })
  it('breaks when the relay crashes, once its silence is noticed', () => {
    const { network, node } = carried()
    network.until(node('alice').dial([behind('bob')]))
    network.node('relay').crash()
    network.advance(10_000)
    expect(node('alice').connections).toEqual([])
    expect(node('bob').connections).toEqual([])
  })
  it('closes at the other end when one closes it, and leaves the connections to the relay alone', () => {
    const { network, node } = carried()
    network.until(node('alice').dial([behind('bob')])).close()
    network.advance(100)
    expect(node('bob').connections.map(({ peer }) => peer)).toEqual(['relay'])
    expect(node('alice').connections.map(({ peer }) => peer)).toEqual(['relay'])
  })
  it('leaves nothing behind when its dial is given up', () => {
    for (const after of [10, 45, 65, 85, 105]) {
      const { network, node } = carried()
      const dialling = node('alice')
        .dial([behind('bob')])
        .subscribe()
      network.advance(after)
      dialling.unsubscribe()
      network.advance(1_000)
      expect(node('bob').connections.filter(({ info }) => !info.direct)).toEqual([])
    }
  })
  it('is announced and taken back', async () => {
    const { network, node } = carried()
    const own = firstValueFrom(network.node('bob').event$)
    const takeBack = node('bob').announce([behind('bob')])
    expect(await own).toMatchObject({ type: 'self:peer:update', announced: [addressOf('bob'), behind('bob')] })
    takeBack()
    expect(network.node('bob').addresses).toEqual([addressOf('bob')])
  })
})
