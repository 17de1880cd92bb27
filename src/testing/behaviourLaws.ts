import { map, NEVER } from 'rxjs'
import { marbles } from './marbles.ts'
import { failingPorts, fakePorts, fakeWires } from './fakes.ts'
import type { Behaviour } from '../swarm/vocabulary/behaviour.ts'
import type { AnyCommand } from '../swarm/vocabulary/command.ts'
import type { Fact } from '../swarm/vocabulary/event.ts'

/**
 * What every behaviour keeps, whatever else it does: five tests for the top of its marble file.
 *
 * @param behaviour The behaviour.
 * @param commands  One command of each type that it answers and that uses a port, with fields that are valid.
 */
export function obeysBehaviourLaws<C extends AnyCommand, E extends Fact, Ports extends object>(
  behaviour: Behaviour<C, E, Ports>,
  commands: readonly C[],
): void {
  const silent = () => fakePorts<Ports>(() => NEVER)
  marbles('law: says nothing before it hears something', ({ cold, expectObservable }) => {
    expectObservable(behaviour(fakeWires({ command$: cold<C>('---'), ports: silent() }))).toBe('---')
  })
  for (const command of commands) {
    marbles(`law: a failing port fails ${command.type}, and not the behaviour`, ({ cold, expectObservable }) => {
      const command$ = cold('-c-c-', { c: command })
      const said$ = behaviour(fakeWires({ command$, ports: failingPorts<Ports>() }))
      expectObservable(said$.pipe(map(({ type, cause }) => `${type} ${cause}`))).toBe('-f-f-', {
        f: `command:failed ${command.id}`,
      })
    })
    marbles(`law: ${command.type} stops its work when it is cancelled, and says nothing`, (run) => {
      const { cold, hot, expectObservable, expectSubscriptions } = run
      const work$ = cold('-----')
      const command$ = hot('-c---', { c: command })
      const cancel$ = hot('---x-', { x: command.id })
      const said$ = behaviour(fakeWires({ command$, cancel$, ports: fakePorts<Ports>(() => work$) }))
      const aboutIt$ = said$.pipe(map(({ type, cause }) => `${type} ${cause}`))
      expectObservable(aboutIt$, '^----!')
      expectSubscriptions(work$.subscriptions).toBe('-^-!')
    })
  }
  marbles('law: lets go of its wires when nobody listens', ({ hot, expectObservable, expectSubscriptions }) => {
    const command$ = hot<C>('-----')
    expectObservable(behaviour(fakeWires({ command$, ports: silent() })), '^--!')
    for (const subscription of command$.subscriptions) expectSubscriptions([subscription]).toBe('^--!')
  })
}
