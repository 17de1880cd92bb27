import { dashboard, type AlertRule, type DashboardPorts } from 'rxswarm/observability'
import { fakePorts, fakeSwarm, fakeWires, inVirtualTime, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { EMPTY, map, NEVER, of } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { dashboardBehaviour } from '../../../src/observability/dashboard/dashboardBehaviour.ts'
import { emptyView, type AlertView } from '../../../src/observability/dashboard/model/dashboardView.ts'
import { reduceView } from '../../../src/observability/dashboard/model/reduceView.ts'
import { aSample } from './aSample.ts'

const alone: AlertRule = {
  id: 'alone',
  title: 'Nobody is there',
  severity: 'warning',
  when: { metric: 'connections', op: '<', value: 1 },
  calmMs: 1_000,
}
const at = (atMs: number, connections: number) => {
  const sample = aSample(atMs, { connections })
  return { sample, view: reduceView(emptyView({ self: 'me' }), sample) }
}
const samples = { a: at(0, 0), b: at(1_000, 1), c: at(2_000, 1) }
const isOut: AlertView = {
  alert: 'alone#1',
  rule: 'alone',
  title: 'Nobody is there',
  severity: 'warning',
  state: 'raised',
  raisedAt: 0,
  value: 0,
}

describe('dashboard', () => {
  obeysBehaviourLaws(dashboardBehaviour([alone]), [dashboard.acknowledge({ alert: 'alone#1' })])

  marbles('raises an alert, and resolves it when it has been calm', ({ cold, expectObservable }) => {
    const sample$ = cold(' -a-b-c-', samples)
    const expected = '     -r---s-'
    const ports: DashboardPorts = { ...fakePorts<DashboardPorts>(() => EMPTY), event$: NEVER, sample$ }
    const said$ = dashboardBehaviour([alone])(fakeWires({ command$: NEVER, ports }))
    const { title, severity } = alone
    expectObservable(said$).toBe(expected, {
      r: { type: 'alert:raised', alert: 'alone#1', rule: 'alone', title, severity, value: 0 },
      s: { type: 'alert:resolved', alert: 'alone#1', rule: 'alone' },
    })
  })
  marbles('takes the word of who looks after an alert, unless it is resolved or none', ({ cold, expectObservable }) => {
    const command$ = cold('-a---b-c-', {
      a: dashboard.acknowledge({ alert: 'alone#1' }),
      b: dashboard.acknowledge({ alert: 'resolved#1' }),
      c: dashboard.acknowledge({ alert: 'none' }),
    })
    const alerts: Readonly<Record<string, AlertView>> = {
      'alone#1': isOut,
      'resolved#1': { ...isOut, alert: 'resolved#1', state: 'resolved' },
    }
    const ports: DashboardPorts = { event$: NEVER, sample$: NEVER, alert: (alert) => of(alerts[alert]) }
    const said$ = dashboardBehaviour([])(fakeWires({ command$, ports }))
    const told$ = said$.pipe(
      map((event) => `${event.type}${'error' in event ? ` ${(event.error as Error).name}` : ''}`),
    )
    expectObservable(told$).toBe('-(kd)f-f', {
      k: 'alert:acknowledged',
      d: 'command:completed',
      f: 'command:failed InvalidCommandError',
    })
  })

  it('keeps its alerts in the state, and what is answered', () => {
    inVirtualTime(() => {
      const ports = { dashboard: { event$: NEVER, sample$: of(samples.a), alert: () => of(isOut) } }
      const swarm = fakeSwarm([dashboard({ alerts: [alone] })], { ports })
      const answers: unknown[] = []
      swarm.execute(dashboard.acknowledge({ alert: 'alone#1' })).subscribe((answer) => answers.push(answer))
      expect(answers).toEqual([{ alert: 'alone#1', rule: 'alone' }])
      const { alerts } = (swarm.state() as unknown as { dashboard: { alerts: ReadonlyMap<string, AlertView> } })
        .dashboard
      expect([...alerts.values()]).toEqual([{ ...isOut, state: 'acknowledged', acknowledgedAt: 0 }])
    })
  })
  it.each([
    [{ maxClients: 0 }, 'dashboard.maxClients'],
    [{ alerts: [{ ...alone, when: { metric: 'no such', op: '<', value: 1 } }] }, 'dashboard.alerts[0].when.metric'],
    [{ alerts: [alone, alone] }, 'dashboard.alerts'],
    [{ alerts: [{ ...alone, id: 'a b' }] }, 'dashboard.alerts[0].id'],
    [{ colour: 'red' }, 'dashboard.colour'],
  ])('tells what is wrong with %j', (options, path) => {
    expect(dashboard(options as never).problems?.map((problem) => problem.path)).toEqual([path])
  })
})
