import { connections, identify, ping } from 'rxswarm'
import { balance } from 'rxswarm/operators'
import { definePolicy } from 'rxswarm/policies'
import { faults, seeded, simulate } from 'rxswarm/testing'
import { catchError, map, of, type Observable, type SchedulerLike } from 'rxjs'
import { describe, expect, it } from 'vitest'

const RELAYS = ['steady', 'flapping', 'other']
const use = () => [connections({ policy: false }), identify(), ping({ policy: false })] as const

/** A minute in which one of three relays is down every other three seconds. The share of calls that one way of choosing gets through. */
function share(
  choose: (call: (relay: string) => Observable<unknown>, scheduler: SchedulerLike) => () => Observable<unknown>,
): number {
  using network = simulate({
    seed: 'flap',
    nodes: ['client', ...RELAYS],
    use,
    link: { latencyMs: { type: 'uniform', minMs: 5, maxMs: 15 } },
    dialTimeoutMs: 300,
    faults: faults('c--r--'.repeat(10), {
      c: { type: 'crash', node: 'flapping' },
      r: { type: 'restart', node: 'flapping' },
    }),
  })
  const client = network.node('client')
  for (const relay of RELAYS) {
    if (relay !== 'flapping') network.until(client.execute(connections.dial({ to: network.node(relay).addresses })))
  }
  const next = choose((peer) => client.execute(ping.once({ peer }, { deadlineMs: 300 })), network.scheduler)
  let [asked, answered] = [0, 0]
  for (; network.now < 60_000; network.advance(100)) {
    asked++
    next()
      .pipe(
        map(() => answered++),
        catchError(() => of(undefined)),
      )
      .subscribe()
  }
  return answered / asked
}

describe('a relay that comes and goes', () => {
  it('takes its share of the calls with it when every relay has a turn', () => {
    const turns = share((call) => {
      let turn = 0
      return () => call(RELAYS[turn++ % RELAYS.length]!)
    })
    expect(turns).toBeLessThan(0.9)
  })
  it('is shed by a balancer, and what it still spoils is tried once more elsewhere', () => {
    const balanced = share((call, scheduler) => {
      const random = seeded('choice')
      const balancer = balance({ targets$: of(RELAYS), idOf: (relay: string) => relay, random, scheduler })
      const again = definePolicy({ retry: { retries: 1, backoff: { type: 'constant', delayMs: 10 } } }, { scheduler })
      return () => balancer.run(call).pipe(again)
    })
    expect(balanced).toBeGreaterThan(0.98)
  })
})
