import { ping, type PingCommand, type PingPorts } from 'rxswarm'
import { FAKE_SELF, fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { map } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { pingBehaviour as behaviourOf } from '../../../src/swarm/behaviours/ping/pingBehaviour.ts'

/** As it is without policies. */
const pingBehaviour = behaviourOf({ policy: false })

const once = ping.once({ peer: 'p' })
const watch = ping.watch({ peer: 'p', intervalMs: 6 })
const commands: Record<string, PingCommand> = { o: once, w: watch }
const rtts = { 3: 3, 4: 4 }
const brief = map((fact: object) => {
  const { type, rttMs, error } = fact as { type: string; rttMs?: number; error?: Error }
  return [type, rttMs ?? error?.name].filter((part) => part !== undefined).join(' ')
})
const said = {
  m: 'ping:measured 3',
  x: 'ping:missed UnexpectedError',
  t: 'ping:missed DeadlineError',
  d: 'command:completed',
  i: 'command:failed InvalidCommandError',
}

describe('ping', () => {
  obeysBehaviourLaws(pingBehaviour, [once])

  marbles('measures once', ({ cold, expectObservable }) => {
    const ports: PingPorts = { ping: () => cold('--3|', rtts) }
    const command$ = cold('-o------', commands)
    expectObservable(pingBehaviour(fakeWires({ command$, ports })).pipe(brief)).toBe('---md', said)
  })
  marbles('measures again and again until it is cancelled', ({ cold, hot, expectObservable }) => {
    const command$ = hot(' -w-----------', commands)
    const ports = { ping: () => cold('--3|', rtts) }
    const expected = '     ---m-----m---'
    expectObservable(pingBehaviour(fakeWires({ command$, ports })).pipe(brief), '^------------!').toBe(expected, said)
    const cancel$ = hot('  -----c-------', { c: watch.id })
    expectObservable(pingBehaviour(fakeWires({ command$, cancel$, ports })).pipe(brief)).toBe('---m---------', said)
  })
  marbles('the picture of its doc comment', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-w-----------', commands)
    const port = '          --3|'
    const expected = '    ---m-----m---'
    const ports = { ping: () => cold(port, rtts) }
    expectObservable(pingBehaviour(fakeWires({ command$, ports })).pipe(brief), '^------------!').toBe(expected, said)
  })
  marbles('goes on watching when a ping fails', ({ cold, hot, expectObservable }) => {
    const answers = [cold<number>('-#', {}, new Error('gone')), cold('-3|', rtts)]
    let next = 0
    const ports = { ping: () => answers[next++]! }
    const command$ = hot('-w---------', commands)
    expectObservable(pingBehaviour(fakeWires({ command$, ports })).pipe(brief), '^---------!').toBe('--x-----m-', said)
  })
  marbles('skips a beat while the last ping is under way', ({ cold, hot, expectObservable, expectSubscriptions }) => {
    const slow$ = cold('--------3|', rtts)
    const command$ = hot('-w--', commands)
    const ports = { ping: () => slow$ }
    expectObservable(pingBehaviour(fakeWires({ command$, ports })).pipe(brief), '^-------------!').toBe(
      '---------m----',
      said,
    )
    expectSubscriptions(slow$.subscriptions).toBe(['-^--------!', '-------------^!'])
  })
  marbles('gives up on a ping of a watch after five seconds', ({ cold, hot, expectObservable }) => {
    const command$ = hot('w', { w: ping.watch({ peer: 'p', intervalMs: 60_000 }) })
    const ports = { ping: () => cold('-') }
    expectObservable(pingBehaviour(fakeWires({ command$, ports: ports as never })).pipe(brief), '^ 9s !').toBe(
      '5s t',
      said,
    )
  })
  marbles('refuses to ping itself, nobody, or at no interval', ({ cold, expectObservable }) => {
    const ports = { ping: () => cold('3|', rtts) }
    const refused = (bad: PingCommand) => {
      const command$ = cold('-c-', { c: bad })
      expectObservable(pingBehaviour(fakeWires({ command$, ports })).pipe(brief)).toBe('-i-', said)
    }
    refused(ping.once({ peer: FAKE_SELF }))
    refused(ping.once({ peer: '' }))
    refused(ping.once({} as never))
    refused(ping.watch({ peer: 'p', intervalMs: 0 }))
    refused(ping.watch({ peer: 'p', intervalMs: Number.NaN }))
  })
  it('keeps the latest round trip of each connected peer', () => {
    const { initial, on } = ping().state!
    const measured = on['ping:measured']!(initial, { type: 'ping:measured', at: 0, peer: 'p', rttMs: 7 })
    expect([...measured]).toEqual([['p', 7]])
    expect(on['peer:disconnect']!(measured, { type: 'peer:disconnect', at: 1, peer: 'p' }).size).toBe(0)
    expect(on['peer:disconnect']!(measured, { type: 'peer:disconnect', at: 1, peer: 'q' })).toBe(measured)
  })
})
