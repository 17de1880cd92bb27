import { connections, identify, keepAlive } from 'rxswarm'
import { simulate, type FaultSchedule } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'

const addressOf = (name: string) => `/sim/${name}/1/p2p/${name}`

/** Alice keeps bob; what she says about it, with the second in which she says it. */
function story(faults: FaultSchedule, forMs: number) {
  const network = simulate({
    seed: 7,
    nodes: ['alice', 'bob'],
    use: (name) => [
      connections(),
      identify(),
      keepAlive({ isolatedAfterMs: 1_000, important: name === 'alice' ? [addressOf('bob')] : [] }),
    ],
    faults,
  })
  const said: string[] = []
  network.node('alice').event$.subscribe(({ type, at }) => {
    if (/^(keep-alive|network):(?!retrying)/.test(type)) said.push(`${Math.floor(at / 1_000)} ${type}`)
  })
  network.advance(forMs)
  const { log } = network
  const status = network.node('alice').state().keepAlive.kept.get('bob')?.status
  network.dispose()
  return { said, log, status }
}

describe('keepAlive, simulated', () => {
  it('connects again soon after a restart of the peer', () => {
    const faults: FaultSchedule = [
      { atMs: 10_000, fault: { type: 'crash', node: 'bob' } },
      { atMs: 20_000, fault: { type: 'restart', node: 'bob' } },
    ]
    const { said } = story(faults, 30_000)
    expect(said.filter((one) => one.endsWith('keep-alive:connected'))).toEqual([
      '0 keep-alive:connected',
      expect.stringMatching(/^2[0-6] keep-alive:connected$/),
    ])
    expect(said.filter((one) => one.includes('network:'))).toEqual([
      expect.stringMatching(/^1\d network:isolated$/),
      expect.stringMatching(/^2[0-6] network:recovered$/),
    ])
  })
  it('comes back when a partition heals, however long it lasted', () => {
    const faults: FaultSchedule = [
      { atMs: 10_000, fault: { type: 'partition', groups: [['alice'], ['bob']] } },
      { atMs: 600_000, fault: { type: 'heal' } },
    ]
    const { said, status } = story(faults, 700_000)
    const again = said.filter((one) => one.endsWith('keep-alive:connected')).map((one) => Number(one.split(' ')[0]))
    expect(again[1]).toBeGreaterThanOrEqual(600)
    expect(again[1]).toBeLessThan(662) // the slowest tier dials each minute at least
    expect(again.at(-1)).toBeLessThan(662) // the packets of old dials arrive with the heal, and are soon over
    expect(status).toBe('connected')
  })
  it('gives the same log for the same seed', () => {
    const faults: FaultSchedule = [{ atMs: 5_000, fault: { type: 'restart', node: 'bob' } }]
    expect(story(faults, 20_000).log).toEqual(story(faults, 20_000).log)
  })
})
