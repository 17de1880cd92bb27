import { most, of, quantileOf, quantilesOf, rateOf, sumOf } from './ask.ts'
import type { Board } from './board.ts'
import { lines, stat } from './panel.ts'

/** What goes wrong, and what is done about it. */
export const resilienceBoard: Board = {
  name: 'resilience',
  title: 'rxswarm: resilience',
  description: 'What goes wrong, and what is done about it: errors, policies, breakers, lanes, ports, restarts.',
  rows: [
    {
      title: 'Errors',
      panels: [
        lines({ title: 'Errors by command', description: 'Commands that failed.', unit: 'ops' }, [
          { expr: most(rateOf('rxswarm_errors_total', 'command, error')), legend: '{{command}} {{error}}' },
        ]),
        lines(
          { title: 'Timeouts', description: 'Deadlines of commands, and times that policies allow.', unit: 'ops' },
          [{ expr: rateOf('rxswarm_timeouts_total', 'kind, behaviour'), legend: '{{behaviour}} {{kind}}' }],
        ),
        lines({ title: 'Errors in events', description: 'Of events other than outcomes of commands.', unit: 'ops' }, [
          { expr: most(rateOf('rxswarm_event_errors_total', 'event, error')), legend: '{{event}} {{error}}' },
        ]),
      ],
    },
    {
      title: 'Policies and breakers',
      panels: [
        lines({ title: 'Decisions', description: 'What policies did.', unit: 'ops' }, [
          { expr: rateOf('rxswarm_policy_decisions_total', 'policy, decision'), legend: '{{policy}} {{decision}}' },
        ]),
        lines({ title: 'Decisions by behaviour', description: 'Whose calls they were about.', unit: 'ops' }, [
          {
            expr: most(rateOf('rxswarm_policy_decisions_total', 'behaviour, decision')),
            legend: '{{behaviour}} {{decision}}',
          },
        ]),
        lines({ title: 'Rejected', description: 'Calls that policies did not let through, and why.', unit: 'ops' }, [
          {
            expr: rateOf('rxswarm_policy_decisions_total', 'policy, reason', 'decision="rejected"'),
            legend: '{{policy}}: {{reason}}',
          },
        ]),
        lines(
          { title: 'Breakers', description: 'Circuits that are open or half-open.', unit: 'short' },
          [{ expr: sumOf('rxswarm_circuits', 'state, behaviour'), legend: '{{behaviour}} {{state}}' }],
          {
            thresholds: [
              ['yellow', 1],
              ['red', 10],
            ],
          },
        ),
        lines({ title: 'Trips', description: 'Circuits that trip, are probed, and recover.', unit: 'ops' }, [
          {
            expr: rateOf('rxswarm_policy_decisions_total', 'decision', 'decision=~"tripped|probed|recovered|spared"'),
            legend: '{{decision}}',
          },
        ]),
        lines({ title: 'Put off', description: 'Time by which policies put calls off, in each second.', unit: 's' }, [
          {
            expr: rateOf('rxswarm_policy_delay_seconds_total', 'policy, behaviour'),
            legend: '{{behaviour}} {{policy}}',
          },
        ]),
      ],
    },
    {
      title: 'Lanes',
      panels: [
        lines({ title: 'Running and waiting', description: 'Commands in each lane.', unit: 'short' }, [
          { expr: sumOf('rxswarm_lane_running', 'lane'), legend: '{{lane}} running' },
          { expr: sumOf('rxswarm_lane_waiting', 'lane'), legend: '{{lane}} waiting' },
          { expr: sumOf('rxswarm_lane_flows', 'lane'), legend: '{{lane}} flows' },
        ]),
        lines(
          {
            title: 'Waited',
            description: 'Within so long 99 % of the commands of a lane had a place; and the oldest that waits.',
            unit: 's',
          },
          [
            { expr: quantileOf(0.99, 'rxswarm_lane_wait_seconds', 'lane'), legend: '{{lane}} 99 % within' },
            { expr: `max by (lane) (${of('rxswarm_lane_oldest_seconds')})`, legend: '{{lane}} oldest' },
          ],
          {
            thresholds: [
              ['yellow', 1],
              ['red', 5],
            ],
          },
        ),
        lines(
          { title: 'Started and refused', description: 'Refused ones found no place, or gave theirs up.', unit: 'ops' },
          [
            { expr: rateOf('rxswarm_lane_started_total', 'lane'), legend: '{{lane}} started' },
            { expr: rateOf('rxswarm_lane_refused_total', 'lane'), legend: '{{lane}} refused' },
            { expr: rateOf('rxswarm_lane_cancelled_total', 'lane'), legend: '{{lane}} cancelled' },
          ],
        ),
      ],
    },
    {
      title: 'Ports',
      panels: [
        lines(
          {
            title: 'Calls',
            description: 'Of what behaviours may call, those that policies make again too.',
            unit: 'ops',
          },
          [{ expr: most(rateOf('rxswarm_port_calls_total', 'behaviour, port')), legend: '{{behaviour}}.{{port}}' }],
        ),
        lines({ title: 'Duration of calls', description: 'Within so long 95 % of them are over.', unit: 's' }, [
          {
            expr: most(quantileOf(0.95, 'rxswarm_port_call_duration_seconds', 'behaviour, port')),
            legend: '{{behaviour}}.{{port}}',
          },
        ]),
        lines({ title: 'Calls that fail', description: 'By class of the error.', unit: 'ops' }, [
          {
            expr: most(rateOf('rxswarm_port_errors_total', 'behaviour, port, error')),
            legend: '{{behaviour}}.{{port}} {{error}}',
          },
        ]),
      ],
    },
    {
      title: 'Behaviours',
      panels: [
        lines({ title: 'Behaviours', description: 'By how they are.', unit: 'short' }, [
          { expr: sumOf('rxswarm_behaviours', 'state'), legend: '{{state}}' },
        ]),
        lines({ title: 'Crashes', description: 'Behaviours that crashed, and were restarted.', unit: 'ops' }, [
          { expr: rateOf('rxswarm_behaviour_crashes_total', 'behaviour'), legend: '{{behaviour}} crashed' },
          { expr: rateOf('rxswarm_behaviour_restarts_total', 'behaviour'), legend: '{{behaviour}} restarted' },
        ]),
        lines(
          {
            title: 'Code that throws',
            description: 'Callbacks of subscribers, reducers of the state, operators of the chains.',
            unit: 'ops',
          },
          [
            { expr: rateOf('rxswarm_subscriber_failures_total'), legend: 'subscribers and probes' },
            { expr: `${rateOf('rxswarm_reducer_failures_total')} or vector(0)`, legend: 'reducers' },
            { expr: `${rateOf('rxswarm_pipeline_crashes_total')} or vector(0)`, legend: 'command and event chain' },
          ],
        ),
      ],
    },
    {
      title: 'Kept connections',
      panels: [
        lines({ title: 'Kept peers', description: 'By tier and status.', unit: 'short' }, [
          { expr: sumOf('rxswarm_keep_alive_peers', 'tier, status'), legend: '{{tier}} {{status}}' },
        ]),
        lines({ title: 'Lost and found', description: 'What became of kept peers, and of the network.', unit: 'ops' }, [
          { expr: rateOf('rxswarm_keep_alive_events_total', 'event'), legend: 'peer {{event}}' },
          { expr: `${rateOf('rxswarm_network_events_total', 'event')} or vector(0)`, legend: 'network {{event}}' },
        ]),
        lines(
          { title: 'Away for', description: 'How long kept peers were away before they were connected.', unit: 's' },
          quantilesOf('rxswarm_keep_alive_reconnect_seconds'),
        ),
      ],
    },
    {
      title: 'The metrics themselves',
      panels: [
        stat(
          {
            title: 'Labels without room',
            description: 'Updates that went to a series labelled other. Counts are right, labels are not.',
            unit: 'short',
          },
          `${sumOf('rxswarm_metrics_overflow_total')} or vector(0)`,
          { width: 4, height: 8, thresholds: [['yellow', 1]] },
        ),
        stat(
          { title: 'Readings that failed', description: 'What is missing or stale.', unit: 'short' },
          `${sumOf('rxswarm_metrics_failures_total')} or vector(0)`,
          { width: 4, height: 8, thresholds: [['red', 1]] },
        ),
        lines({ title: 'Scrapes', description: 'Duration of a scrape.', unit: 's' }, [
          { expr: of('scrape_duration_seconds'), legend: '{{instance}}' },
        ]),
        lines({ title: 'Samples', description: 'Samples of a scrape, by which Prometheus grows.', unit: 'short' }, [
          { expr: of('scrape_samples_scraped'), legend: '{{instance}}' },
        ]),
      ],
    },
  ],
}
