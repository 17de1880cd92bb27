import type { CoreEvent } from 'rxswarm'
import type { SimulatedConnection } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { addressOf, probed } from './probe.ts'

const failure = (body: () => unknown): string => {
  try {
    body()
  } catch (error) {
    const { name, message } = error as Error
    return `${name}: ${message}`
  }
  return 'it did not fail'
}

/** What a node says from now on, as `40 peer:connect`. */
const heard = (network: ReturnType<typeof probed>['network'], name: string) => {
  const all: string[] = []
  network.node(name).event$.subscribe((event: CoreEvent) => all.push(`${network.now} ${event.type}`))
  return all
}

describe('a simulated connection', () => {
  it('is dialled in one round trip on QUIC, in two on TCP', () => {
    const quic = probed()
    quic.connect('alice', 'bob')
    expect(quic.network.now).toBe(40)
    const tcp = probed({ transport: 'tcp' })
    tcp.connect('alice', 'bob')
    expect(tcp.network.now).toBe(80)
  })
  it("tells both ends in libp2p's order, and closes at the other end a latency later", () => {
    const { network, connect } = probed()
    const [alice, bob] = [heard(network, 'alice'), heard(network, 'bob')]
    connect('alice', 'bob').close()
    network.advance(100)
    expect(alice).toEqual(['40 peer:connect', '40 connection:open', '40 peer:disconnect', '40 connection:close'])
    expect(bob).toEqual(['20 peer:connect', '20 connection:open', '60 peer:disconnect', '60 connection:close'])
  })
  it('tells of a peer once, however many connections there are to it', () => {
    const { network, node, connect } = probed()
    const alice = heard(network, 'alice')
    const first = connect('alice', 'bob')
    const second = network.until(node('alice').dial('/sim/bob/1'))
    first.close()
    second.close()
    expect(alice.map((line) => line.split(' ')[1])).toEqual([
      'peer:connect',
      'connection:open',
      'connection:open',
      'connection:close',
      'peer:disconnect',
      'connection:close',
    ])
  })
  it('is used again by who dials again, and by who dials at the same time', () => {
    const { network, node, connect } = probed()
    let same: SimulatedConnection | undefined
    node('alice')
      .dial(addressOf('bob'))
      .subscribe((connection) => (same = connection))
    const first = connect('alice', 'bob')
    expect(same).toBe(first)
    expect(network.until(node('alice').dial('bob'))).toBe(first)
    expect(node('alice').connections).toEqual([first])
  })
  it('can not be had from a peer of whom nothing is known, from oneself, or by other addresses', () => {
    const { network, node } = probed()
    const dial = (to: string) => failure(() => network.until(node('alice').dial(to)))
    expect(dial('bob')).toContain('UnknownPeerError: bob: neither connected nor is an address known')
    expect(dial('alice')).toContain('InvalidCommandError: to: alice is this node itself')
    expect(dial('/sim/alice/1')).toContain('InvalidCommandError')
    expect(dial('/ip4/127.0.0.1/tcp/1')).toContain('InvalidCommandError')
    expect(network.now).toBe(0)
  })
  it('is refused after a round trip where nobody listens', () => {
    const { network, node } = probed({ nodes: { alice: {}, bob: { listen: false } } })
    expect(failure(() => network.until(node('alice').dial('/sim/bob/1')))).toBe(
      'DialError: dial /sim/bob/1: bob does not listen there',
    )
    expect(network.now).toBe(40)
  })
  it('is not had in time where nobody is, behind a NAT, or over a link that is blocked', () => {
    const { network, node } = probed({ nodes: { alice: {}, bob: { nat: true }, carol: {} }, dialTimeoutMs: 1_000 })
    network.inject({ type: 'block', from: 'carol', to: 'alice' })
    for (const to of ['nobody', 'bob', 'carol']) {
      const before = network.now
      expect(failure(() => network.until(node('alice').dial(`/sim/${to}/1`)))).toContain('no answer within 1000 ms')
      expect(network.now - before).toBe(1_000)
    }
  })
  it('can be dialled out of a NAT, and into it once the NAT is gone', () => {
    const { network, node, connect } = probed({ nodes: { alice: {}, bob: { nat: true } } })
    expect(connect('bob', 'alice').isOpen).toBe(true)
    network.node('bob').restart()
    network.inject({ type: 'nat', node: 'bob', on: false })
    expect(network.until(node('alice').dial('/sim/bob/1')).isOpen).toBe(true)
  })
  it('is not accepted from anybody else than who was expected', () => {
    const { network, node } = probed()
    expect(failure(() => network.until(node('alice').dial('/sim/bob/1/p2p/carol')))).toContain('AuthenticationError')
    network.advance(100)
    expect(node('bob').connections).toEqual([])
  })
  it('comes from the first address that answers', () => {
    const { network, node } = probed()
    const connection = network.until(node('alice').dial(['/sim/nobody/1', '/sim/bob/9', '/sim/bob/1']))
    expect(connection.peer).toBe('bob')
    expect(network.now).toBe(250 + 40 + 40)
  })
  it('is not opened by a dial that is given up', () => {
    const { network, node } = probed()
    const alice = heard(network, 'alice')
    const dialling = node('alice').dial('/sim/bob/1').subscribe()
    network.advance(30)
    dialling.unsubscribe()
    network.advance(10_000)
    expect(alice).toEqual([])
    expect(node('bob').connections).toEqual([])
  })
  it('closes on each side by itself when nothing passes for the idle timeout', () => {
    const { network, node, connect } = probed({
      faults: [{ atMs: 10_000, fault: { type: 'partition', groups: [['bob']] } }],
    })
    connect('alice', 'bob')
    network.advance(12_900)
    expect(node('alice').connections).toHaveLength(1)
    const [alice, bob] = [heard(network, 'alice'), heard(network, 'bob')]
    network.advance(5_000)
    // the last keep-alives left at 8 020, 2 000 ms after the ones before, and were heard 20 ms later
    expect(alice).toEqual(['13040 peer:disconnect', '13040 connection:close'])
    expect(bob).toEqual(['13040 peer:disconnect', '13040 connection:close'])
  })
  it('survives a partition that is shorter', () => {
    const partition = { type: 'partition', groups: [['alice'], ['bob']] } as const
    const faults = [
      { atMs: 10_000, fault: partition },
      { atMs: 12_500, fault: { type: 'heal' } as const },
    ]
    const { network, node, connect } = probed({ faults })
    connect('alice', 'bob')
    network.advance(60_000)
    expect(node('alice').connections).toHaveLength(1)
    expect(node('bob').connections).toHaveLength(1)
  })
  it('lives in one direction while the other is blocked: the deaf end closes first', () => {
    const { network, node, connect } = probed()
    connect('alice', 'bob')
    network.inject({ type: 'block', from: 'alice', to: 'bob' })
    const [alice, bob] = [heard(network, 'alice'), heard(network, 'bob')]
    network.advance(30_000)
    expect(bob[0]).toBe('5040 peer:disconnect')
    expect(alice[0]).toBe('9040 peer:disconnect') // bob's last keep-alive was heard at 4 040
    network.inject({ type: 'unblock', from: 'alice', to: 'bob' })
    expect(network.until(node('alice').dial('bob')).isOpen).toBe(true)
  })
  it('is missed by the others when a node crashes, and only after the idle timeout', () => {
    const { network, connect } = probed()
    connect('alice', 'bob')
    network.advance(1_000)
    const [alice, bob] = [heard(network, 'alice'), heard(network, 'bob')]
    network.node('bob').crash()
    network.advance(10_000)
    expect(bob).toEqual([])
    expect(alice).toEqual(['5040 peer:disconnect', '5040 connection:close'])
  })
  it('is closed by a node that stops, and refused by it afterwards', () => {
    const { network, node, connect } = probed()
    connect('alice', 'bob')
    const [alice, bob] = [heard(network, 'alice'), heard(network, 'bob')]
    network.node('bob').stop()
    network.advance(1_000)
    expect(alice).toEqual(['60 peer:disconnect', '60 connection:close'])
    expect(bob).toEqual([
      '40 swarm:stopping',
      '40 connection:close',
      '40 transport:close',
      '40 stop',
      '40 swarm:stopped',
    ])
    expect(failure(() => network.until(node('alice').dial('bob')))).toContain('does not listen there')
  })
  it('is unknown to a node that has restarted, which the other end learns by its next keep-alive', () => {
    const { network, node, connect } = probed()
    connect('alice', 'bob')
    network.advance(1_000)
    const alice = heard(network, 'alice')
    network.node('bob').restart()
    network.advance(10_000)
    expect(alice).toEqual(['2060 peer:disconnect', '2060 connection:close'])
    expect(network.until(node('alice').dial('bob')).isOpen).toBe(true)
  })
  it('is dialled anew beside one that carries nothing', () => {
    const { network, node, connect } = probed({ idleTimeoutMs: 60_000 })
    const first = connect('alice', 'bob')
    network.node('bob').restart()
    const second = network.until(node('alice').dial('bob'))
    expect(second).not.toBe(first)
    expect(network.now).toBe(40 + 2_000 + 40)
  })
  it('is offered with new protocols, which the node says of itself', () => {
    const { network, node } = probed()
    const alice = heard(network, 'alice')
    const letGo = node('alice').handle('/new/1', () => undefined)
    expect(node('alice').protocols).toEqual(['/new/1'])
    letGo()
    expect(node('alice').protocols).toEqual([])
    expect(alice).toEqual(['0 self:peer:update', '0 self:peer:update'])
  })
  it('closes when its listener does', () => {
    const { network, node, connect } = probed()
    expect(node('bob').listen('/sim/bob/0')).toEqual(['/sim/bob/2/p2p/bob'])
    connect('alice', 'bob')
    network.until(node('alice').dial('/sim/bob/2'))
    expect(node('bob').unlisten('/sim/bob/2')).toBe(true)
    expect(node('bob').unlisten('/sim/bob/2')).toBe(false)
    expect(node('bob').connections.map(({ info }) => info.id)).toEqual(['c1'])
    expect(failure(() => node('bob').listen('/sim/alice/3'))).toContain('is not of this node, bob')
    expect(network.node('bob').addresses).toEqual(['/sim/bob/1/p2p/bob'])
  })
})
