import { networkRowsOfBehaviours } from './networkRows.ts'
import { most, of, quantileOf, quantilesOf, rateOf, sumOf } from './ask.ts'
import type { Board } from './board.ts'
import { bars, lines } from './panel.ts'

/** Connections, and what goes over them. */
export const networkBoard: Board = {
  name: 'network',
  title: 'rxswarm: network',
  description: 'Connections, dials, streams and bytes; relays, reachability, discovery, DHT, gossip, rendezvous.',
  rows: [
    {
      title: 'Connections',
      panels: [
        lines(
          {
            title: 'Open connections',
            description: 'By what carries them, who opened them, and the path.',
            unit: 'short',
          },
          [
            {
              expr: sumOf('rxswarm_connections', 'transport, direction, path'),
              legend: '{{transport}} {{direction}} {{path}}',
            },
          ],
        ),
        lines({ title: 'Opened and closed', description: 'Much of both is churn.', unit: 'ops' }, [
          { expr: rateOf('rxswarm_connections_opened_total', 'direction'), legend: 'opened {{direction}}' },
          { expr: rateOf('rxswarm_connections_closed_total', 'direction'), legend: 'closed {{direction}}' },
          { expr: rateOf('rxswarm_connections_pruned_total'), legend: 'closed for being too many' },
        ]),
        lines(
          { title: 'How long connections last', description: 'Of those that were closed.', unit: 's' },
          quantilesOf('rxswarm_connection_duration_seconds'),
        ),
        lines({ title: 'Peers', description: 'Peers that are connected.', unit: 'short' }, [
          { expr: of('rxswarm_peers'), legend: '{{instance}}' },
        ]),
        lines(
          { title: 'Round trips', description: 'As pings measure them.', unit: 's' },
          quantilesOf('rxswarm_ping_rtt_seconds'),
        ),
        lines({ title: 'Pings without answer', description: 'Of watched peers, by class of the error.', unit: 'ops' }, [
          { expr: rateOf('rxswarm_ping_missed_total', 'error'), legend: '{{error}}' },
        ]),
      ],
    },
    {
      title: 'Dials',
      panels: [
        lines(
          {
            title: 'Dials of addresses',
            description: 'By how they ended: connected, or the class of the error.',
            unit: 'ops',
          },
          [{ expr: rateOf('rxswarm_dials_total', 'transport, outcome'), legend: '{{transport}} {{outcome}}' }],
          { stacked: true },
        ),
        lines({ title: 'Duration of dials', description: 'Within so long 95 % of them are over.', unit: 's' }, [
          {
            expr: quantileOf(0.95, 'rxswarm_dial_duration_seconds', 'transport, result'),
            legend: '{{transport}} {{result}}',
          },
        ]),
        lines(
          { title: 'Dials under way', description: 'Many that stay are addresses that do not answer.', unit: 'short' },
          [
            { expr: of('rxswarm_dials_in_flight'), legend: '{{instance}}' },
            { expr: rateOf('rxswarm_dials_started_total', 'transport'), legend: '{{transport}} begun each second' },
          ],
        ),
      ],
    },
    {
      title: 'Streams and bytes',
      panels: [
        lines(
          { title: 'Received', description: 'Bytes by protocol; the ten that are the most.', unit: 'binBps' },
          [{ expr: most(rateOf('rxswarm_bytes_total', 'protocol', 'direction="received"')), legend: '{{protocol}}' }],
          { stacked: true },
        ),
        lines(
          { title: 'Sent', description: 'Bytes by protocol; the ten that are the most.', unit: 'binBps' },
          [{ expr: most(rateOf('rxswarm_bytes_total', 'protocol', 'direction="sent"')), legend: '{{protocol}}' }],
          { stacked: true },
        ),
        lines({ title: 'Bytes by transport', description: 'QUIC included.', unit: 'binBps' }, [
          { expr: rateOf('rxswarm_bytes_total', 'transport, direction'), legend: '{{transport}} {{direction}}' },
        ]),
        lines({ title: 'Open streams', description: 'By protocol; the ten that are the most.', unit: 'short' }, [
          { expr: most(sumOf('rxswarm_streams', 'protocol, direction')), legend: '{{direction}} {{protocol}}' },
        ]),
        lines({ title: 'Streams opened', description: 'By protocol; the ten that are the most.', unit: 'ops' }, [
          { expr: most(rateOf('rxswarm_streams_opened_total', 'protocol')), legend: '{{protocol}}' },
        ]),
        lines(
          {
            title: 'How streams end',
            description: 'Closed by both sides, reset by the remote, or aborted here.',
            unit: 'ops',
          },
          [{ expr: rateOf('rxswarm_streams_closed_total', 'how'), legend: '{{how}}' }],
        ),
        bars(
          {
            title: 'How long streams last',
            description: 'Within so long 95 % of them are over, by protocol.',
            unit: 's',
          },
          { expr: most(quantileOf(0.95, 'rxswarm_stream_duration_seconds', 'protocol')), legend: '{{protocol}}' },
          { width: 24 },
        ),
      ],
    },
    ...networkRowsOfBehaviours,
  ],
}
