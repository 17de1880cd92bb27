import { connections, ofType, ping } from 'rxswarm'
import { health } from 'rxswarm/observability'
import { simulate } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'

describe('health in a simulated network', () => {
  it('dials a peer again over whose connection nothing comes back, until it is well', () => {
    using net = simulate({
      seed: 7,
      nodes: ['alice', 'bob'],
      use: () => [connections(), ping(), health()],
      ports: { health: () => ({}) }, // it looks at the swarm itself
      idleTimeoutMs: 600_000, // a connection that nobody notices is dead
    })
    const alice = net.node('alice')
    net.until(alice.execute(connections.dial({ to: net.node('bob').addresses })))
    alice.execute(ping.watch({ peer: 'bob', intervalMs: 1_000 })).subscribe({ error: () => undefined })
    const said: string[] = []
    alice.event$.pipe(ofType('health:peer-changed')).subscribe(({ is }) => said.push(is))
    alice.event$.pipe(ofType('health:healing')).subscribe(({ action, attempt }) => said.push(`${action} ${attempt}`))
    alice.event$.pipe(ofType('health:healed')).subscribe(({ check }) => said.push(`healed ${check}`))
    net.advance(5_000)
    expect([said, alice.state().health.isReady]).toEqual([[], true])
    net.inject({ type: 'block', from: 'bob', to: 'alice' })
    net.advance(60_000)
    net.inject({ type: 'unblock', from: 'bob', to: 'alice' })
    net.advance(120_000)
    expect(said.slice(0, 3)).toEqual(['degraded', 'unhealthy', 'redial 1'])
    expect(said.at(-1)).toBe('healed peer/bob')
    expect(alice.state().health.peers.size).toBe(0)
    expect(alice.state().peers.has('bob')).toBe(true)
  })
})
