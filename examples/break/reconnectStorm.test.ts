import { connections, identify } from 'rxswarm'
import type { PolicySpec } from 'rxswarm/policies'
import { faults, simulate } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { reconnect, simulatedReconnect } from './reconnect.ts'

/** Thirty nodes lose their hub for ten seconds. How many come back in the worst tenth of a second, and when the last one does. */
function storm(retry: NonNullable<Exclude<PolicySpec, readonly unknown[]>['retry']>) {
  const guests = Array.from({ length: 30 }, (_, i) => `guest${i + 1}`)
  using network = simulate({
    seed: 'storm',
    nodes: ['hub', ...guests],
    use: () => [connections(), identify(), reconnect({ retry })] as const,
    ports: { reconnect: simulatedReconnect },
    dialTimeoutMs: 500,
    faults: faults('--c---------r', { c: { type: 'crash', node: 'hub' }, r: { type: 'restart', node: 'hub' } }),
  })
  const back: number[] = []
  for (const name of guests) {
    const guest = network.node(name)
    guest.execute(connections.dial({ to: network.node('hub').addresses })).subscribe()
    guest.event$.subscribe(({ type, at }) => type === 'reconnect:reconnected' && back.push(at))
  }
  network.advance(40_000)
  const tenths = Map.groupBy(back, (at) => Math.floor(at / 100))
  return {
    back: back.length,
    worst: Math.max(...[...tenths.values()].map(({ length }) => length)),
    lastAt: Math.max(...back),
  }
}

describe('a hub that restarts', () => {
  it('is run over by guests that all wait alike', () => {
    const { back, worst } = storm({ retries: 30, backoff: { type: 'constant', delayMs: 1_000 } })
    expect(back).toBe(30)
    expect(worst).toBeGreaterThanOrEqual(15)
  })
  it('is not, when chance has a say in how long they wait', () => {
    const { back, worst, lastAt } = storm({
      retries: 30,
      backoff: { type: 'exponential', initialDelayMs: 500, maxDelayMs: 8_000, jitter: 'full' },
    })
    expect(back).toBe(30)
    expect(worst).toBeLessThanOrEqual(5)
    expect(lastAt).toBeLessThan(12_000 + 10_000)
  })
})
