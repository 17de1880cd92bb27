import { connections, gossipsub, identify } from 'rxswarm'
import type { PolicySpec } from 'rxswarm/policies'
import { explore, faults, simulate, type FaultSchedule } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { reconnect, simulatedReconnect } from './reconnect.ts'

const NAMES = ['ann', 'bob', 'cid', 'dee', 'eve', 'fay']
const PATIENT: PolicySpec = {
  retry: { retries: 50, backoff: { type: 'exponential', initialDelayMs: 200, maxDelayMs: 2_000, jitter: 'half' } },
}
const STUBBORN: PolicySpec = { retry: { retries: 1, backoff: { type: 'constant', delayMs: 200 } } }

/** Six friends in a ring, who hear the news. */
function friends(schedule: FaultSchedule, policy: PolicySpec, seed: number | string = 'news') {
  const network = simulate({
    seed,
    nodes: NAMES,
    use: () => [connections(), identify(), gossipsub(), reconnect(policy)] as const,
    ports: { reconnect: simulatedReconnect },
    dialTimeoutMs: 1_000,
    faults: schedule,
  })
  const heard = new Map(NAMES.map((name) => [name, [] as string[]]))
  NAMES.forEach((name, i) => {
    const friend = network.node(name)
    const { addresses } = network.node(NAMES[(i + 1) % NAMES.length]!)
    friend.execute(connections.dial({ to: addresses })).subscribe({ error: () => undefined })
    friend
      .execute(gossipsub.subscribe({ topic: 'news' }))
      .subscribe({ next: ({ data }) => heard.get(name)?.push(new TextDecoder().decode(data)), error: () => undefined })
  })
  const tell = (name: string, news: string) =>
    network
      .node(name)
      .execute(gossipsub.publish({ topic: 'news', data: new TextEncoder().encode(news) }))
      .subscribe({ error: () => undefined })
  const whoHeard = (news: string) => NAMES.filter((name) => heard.get(name)?.includes(news))
  return { network, tell, whoHeard }
}

const SPLIT = faults('-----p-------------------h', {
  p: {
    type: 'partition',
    groups: [
      ['ann', 'bob'],
      ['cid', 'dee', 'eve', 'fay'],
    ],
  },
  h: { type: 'heal' },
})

describe('a partition', () => {
  it('leaves both sides working, and is forgotten after it heals', () => {
    const { network, tell, whoHeard } = friends(SPLIT, PATIENT)
    network.advance(4_000)
    tell('ann', 'before')
    network.advance(11_000)
    tell('ann', 'from the few')
    tell('eve', 'from the many')
    network.advance(20_000)
    tell('ann', 'after')
    network.advance(2_000)
    expect(whoHeard('before')).toEqual(['bob', 'cid', 'dee', 'eve', 'fay'])
    expect(whoHeard('from the few')).toEqual(['bob'])
    expect(whoHeard('from the many')).toEqual(['cid', 'dee', 'fay'])
    expect(whoHeard('after')).toEqual(['bob', 'cid', 'dee', 'eve', 'fay'])
    network.dispose()
  })
  it('lasts for ever among those who give up too soon; explore finds the smallest way there', async () => {
    const found = explore({
      seed: 3,
      runs: 30,
      frames: 20,
      faults: ['partition', 'heal'],
      network: (schedule, seed) => friends(schedule, STUBBORN, seed).network,
      holds: (network) => {
        network.inject({ type: 'heal' })
        network.advance(40_000)
        for (const name of NAMES) {
          const { size } = network.node(name).state().peers
          if (size < 2) throw new Error(`${name} has only ${size} of its two friends`)
        }
      },
    })
    await expect(found).rejects.toThrow(/does not hold under 1 fault[^]*type: 'partition'/)
  })
})
