import { most, of, quantilesOf, quantileOf, rateOf, sumOf } from './ask.ts'
import type { Board } from './board.ts'
import { bars, lines, stat, table } from './panel.ts'

const failed = rateOf('rxswarm_commands_total', '', 'outcome="failed"')

/** How the nodes are, at a glance. */
export const overviewBoard: Board = {
  name: 'overview',
  title: 'rxswarm: overview',
  description: 'How the nodes are, at a glance: who is up, what they do, what goes wrong, who is let in.',
  rows: [
    {
      title: 'Nodes',
      panels: [
        stat({ title: 'Up', description: 'Nodes that answered the latest scrape.', unit: 'short' }, `sum(${of('up')})`),
        stat(
          { title: 'Down', description: 'Nodes that did not answer the latest scrape.', unit: 'short' },
          `count(${of('up')} == 0) or vector(0)`,
          { thresholds: [['red', 1]] },
        ),
        stat(
          { title: 'Cut off', description: 'Nodes that had connections and have none any more.', unit: 'short' },
          sumOf('rxswarm_network_isolated'),
          { thresholds: [['red', 1]] },
        ),
        stat(
          { title: 'Connections', description: 'Open connections of all nodes.', unit: 'short' },
          sumOf('rxswarm_connections'),
        ),
        stat(
          { title: 'Commands', description: 'Commands a second of all nodes.', unit: 'ops' },
          rateOf('rxswarm_commands_total'),
        ),
        stat(
          { title: 'Failed', description: 'Share of the commands that fail.', unit: 'percentunit' },
          `${failed} / ${rateOf('rxswarm_commands_total')}`,
          {
            thresholds: [
              ['yellow', 0.05],
              ['red', 0.2],
            ],
          },
        ),
        stat(
          { title: 'Breakers', description: 'Circuit breakers that are open or half-open.', unit: 'short' },
          sumOf('rxswarm_circuits'),
          {
            thresholds: [
              ['yellow', 1],
              ['red', 10],
            ],
          },
        ),
        stat(
          { title: 'Alerts', description: 'Alerts about the chosen nodes that fire.', unit: 'short' },
          'count(ALERTS{alertstate="firing",job=~"$job",instance=~"$instance"}) or vector(0)',
          { thresholds: [['red', 1]] },
        ),
        table(
          {
            title: 'Nodes',
            description: 'Who is scraped, in which version, for how long, and with how many peers.',
            unit: 'short',
          },
          [
            { expr: `max by (job, instance, self, version, node_version) (${of('rxswarm_info')})`, legend: 'known' },
            { expr: `max by (job, instance) (time() - ${of('rxswarm_start_time_seconds')})`, legend: 'up for (s)' },
            { expr: `max by (job, instance) (${of('rxswarm_peers')})`, legend: 'peers' },
            { expr: `sum by (job, instance) (${of('rxswarm_connections')})`, legend: 'connections' },
            { expr: `max by (job, instance) (${of('rxswarm_addresses')})`, legend: 'addresses' },
          ],
        ),
      ],
    },
    {
      title: 'Work',
      panels: [
        lines(
          {
            title: 'Commands by outcome',
            description: 'Commands that are over. Refused ones found no place.',
            unit: 'ops',
          },
          [{ expr: rateOf('rxswarm_commands_total', 'outcome'), legend: '{{outcome}}' }],
          { stacked: true },
        ),
        lines(
          { title: 'Duration of commands', description: 'From the intake of a command to its outcome.', unit: 's' },
          quantilesOf('rxswarm_command_duration_seconds'),
        ),
        bars(
          { title: 'Slowest commands', description: 'Within so long 95 % of them are over.', unit: 's' },
          { expr: most(quantileOf(0.95, 'rxswarm_command_duration_seconds', 'command')), legend: '{{command}}' },
          {
            thresholds: [
              ['yellow', 1],
              ['red', 5],
            ],
          },
        ),
        lines(
          { title: 'Commands in flight', description: 'Taken in and not over; open-ended ones stay.', unit: 'short' },
          [{ expr: most(sumOf('rxswarm_commands_in_flight', 'command')), legend: '{{command}}' }],
        ),
        lines({ title: 'Errors', description: 'Commands that failed, by class of the error.', unit: 'ops' }, [
          { expr: rateOf('rxswarm_errors_total', 'error'), legend: '{{error}}' },
        ]),
        lines({ title: 'Events', description: 'What is said most.', unit: 'ops' }, [
          { expr: most(rateOf('rxswarm_events_total', 'type')), legend: '{{type}}' },
        ]),
      ],
    },
    {
      title: 'Traffic',
      panels: [
        lines({ title: 'Bytes', description: 'Bytes on streams, whatever carries them.', unit: 'binBps' }, [
          { expr: rateOf('rxswarm_bytes_total', 'direction'), legend: '{{direction}}' },
        ]),
        lines({ title: 'Peers', description: 'Peers that are connected.', unit: 'short' }, [
          { expr: of('rxswarm_peers'), legend: '{{instance}}' },
        ]),
        lines({ title: 'Streams', description: 'Open streams.', unit: 'short' }, [
          { expr: sumOf('rxswarm_streams', 'instance'), legend: '{{instance}}' },
        ]),
      ],
    },
    {
      title: 'Who is let in',
      panels: [
        lines({ title: 'Authentications', description: 'Proofs that were accepted; outbound are ours.', unit: 'ops' }, [
          { expr: rateOf('rxswarm_xauth_succeeded_total', 'direction'), legend: '{{direction}} accepted' },
          { expr: rateOf('rxswarm_xauth_failed_total', 'direction, reason'), legend: '{{direction}} {{reason}}' },
        ]),
        lines(
          {
            title: 'Streams without authentication',
            description: 'Streams that were denied for lack of it.',
            unit: 'ops',
          },
          [{ expr: rateOf('rxswarm_xauth_denied_total', 'protocol, direction'), legend: '{{direction}} {{protocol}}' }],
        ),
        lines(
          {
            title: 'Authenticated',
            description: 'Connections on which both sides have accepted each other.',
            unit: 'short',
          },
          [{ expr: of('rxswarm_xauth_authenticated'), legend: '{{instance}}' }],
        ),
        lines({ title: 'Access', description: 'What rules decided, and what was beyond a rate limit.', unit: 'ops' }, [
          { expr: rateOf('rxswarm_access_decisions_total', 'effect, rule'), legend: '{{effect}} by {{rule}}' },
          { expr: rateOf('rxswarm_access_limited_total', 'limit'), legend: 'limited by {{limit}}' },
        ]),
        lines({ title: 'Blocked', description: 'Peers, IPs and subnets that are blocked.', unit: 'short' }, [
          { expr: of('rxswarm_access_blocked'), legend: '{{instance}}' },
        ]),
        lines(
          {
            title: 'Audit',
            description: 'Entries of the audit log that found no room. Must stay at zero.',
            unit: 'short',
          },
          [{ expr: of('rxswarm_audit_lost_total'), legend: '{{instance}}' }],
          { thresholds: [['red', 1]] },
        ),
      ],
    },
  ],
}
