import { asyncScheduler } from 'rxjs'
import { problemsIn } from '../../errors/problemsIn.ts'
import type { BehaviourModule, Slice } from '../../swarm/vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../swarm/vocabulary/command.ts'
import type { CoreEvent } from '../../swarm/vocabulary/event.ts'
import { dashboardBehaviour, type DashboardPorts } from './dashboardBehaviour.ts'
import { dashboardSchema, type DashboardOptions } from './dashboardOptions.ts'
import { dashboardPorts, preciseMs } from './dashboardPorts.ts'
import { dashboardPages } from './dashboardServer.ts'
import type { AcknowledgeAlert, DashboardCommand, DashboardEvent } from './dashboardVocabulary.ts'
import { DashboardWatch } from './dashboardWatch.ts'
import type { AlertView } from './model/dashboardView.ts'
import { VIEW_BOUNDS } from './model/viewBounds.ts'

/** Alerts, and who looks. */
export interface DashboardState {
  /** By name: those that are out, and the last that were. Bound: 100. */
  readonly alerts: ReadonlyMap<string, AlertView>
  /** Pages that look now. */
  readonly clients: number
  /** Pages that found no place since the start. */
  readonly refused: number
}

const state: Slice<DashboardState, DashboardEvent | CoreEvent> = {
  initial: { alerts: new Map(), clients: 0, refused: 0 },
  on: {
    'alert:raised': (state, { type: _type, at, ...alert }) =>
      withAlert(state, { ...alert, state: 'raised', raisedAt: at }),
    'alert:acknowledged': (state, { alert, at }) => {
      const before = state.alerts.get(alert)
      return before?.state === 'raised'
        ? withAlert(state, { ...before, state: 'acknowledged', acknowledgedAt: at })
        : state
    },
    'alert:resolved': (state, { alert, at }) => {
      const before = state.alerts.get(alert)
      return before === undefined ? state : withAlert(state, { ...before, state: 'resolved', resolvedAt: at })
    },
    'dashboard:joined': (state, { clients }) => ({ ...state, clients }),
    'dashboard:left': (state, { clients }) => ({ ...state, clients }),
    'dashboard:refused': (state, { count }) => ({ ...state, refused: state.refused + count }),
  },
}

function withAlert(state: DashboardState, alert: AlertView): DashboardState {
  const alerts = new Map(state.alerts).set(alert.alert, alert)
  if (alerts.size > VIEW_BOUNDS.alerts) {
    const over = [...alerts.values()].find((one) => one.state === 'resolved') ?? alert
    alerts.delete(over.alert)
  }
  return { ...state, alerts }
}

function module(
  options: DashboardOptions = {},
): BehaviourModule<'dashboard', DashboardCommand, DashboardEvent, DashboardPorts, DashboardState> {
  const { value, problems } = problemsIn('dashboard', dashboardSchema, options)
  return {
    name: 'dashboard',
    problems,
    commands: {
      'dashboard/acknowledge': {
        answers: { 'alert:acknowledged': ({ alert, rule }) => ({ alert, rule }) },
      },
    },
    state,
    options: value,
    probe: (probed) =>
      new DashboardWatch(probed, value, probed.scheduler === asyncScheduler ? preciseMs : () => probed.scheduler.now()),
    pages: (probe) => dashboardPages(probe as DashboardWatch, value),
    ports: (node, probe) => dashboardPorts(node, probe as DashboardWatch),
    behaviour: dashboardBehaviour(problems.length > 0 ? [] : value.alerts),
  }
}

/**
 * A live page of the node and of the swarm as the node sees it: `dashboard()` for `use`, beside `pages()`, and its command.
 *
 * @shape  The page is at `/dashboard/` of what `pages` serves. Alerts are raised with and without a page that looks.
 */
export const dashboard = Object.assign(module, {
  /**
   * Says that somebody looks after an alert: it stays until it is resolved, and is drawn as looked after.
   *
   * @param alert Its name, as `alert:raised` and `state.dashboard.alerts` have it: `isolated#1`.
   * @errors `InvalidCommandError` for one that is not raised
   */
  acknowledge: ({ alert }: { readonly alert: string }, meta?: CommandMeta): AcknowledgeAlert =>
    command('dashboard/acknowledge', { alert }, meta),
})
