import { most, of, quantileOf, rateOf, sumOf } from './ask.ts'
import type { BoardRow } from './board.ts'
import { lines } from './panel.ts'

const relays: BoardRow = {
  title: 'Relays',
  panels: [
    lines(
      {
        title: 'Reservations held',
        description: 'Where others reach this node, and relays that are known.',
        unit: 'short',
      },
      [
        { expr: of('rxswarm_relay_reservations'), legend: '{{instance}} reservations' },
        { expr: of('rxswarm_relay_candidates'), legend: '{{instance}} candidates' },
      ],
    ),
    lines({ title: 'What becomes of reservations', description: 'Lost ones were not renewed in time.', unit: 'ops' }, [
      { expr: rateOf('rxswarm_relay_reservation_events_total', 'event'), legend: '{{event}}' },
    ]),
    lines({ title: 'Upgrades', description: 'Relayed connections that were to become direct.', unit: 'ops' }, [
      { expr: rateOf('rxswarm_relay_upgrades_total', 'result'), legend: '{{result}}' },
    ]),
    lines({ title: 'Served', description: 'Reservations and circuits of others, here.', unit: 'short' }, [
      { expr: of('rxswarm_relay_served_reservations'), legend: '{{instance}} reservations' },
      { expr: of('rxswarm_relay_served_circuits'), legend: '{{instance}} circuits' },
    ]),
    lines({ title: 'Requests', description: 'What was granted here, and what was denied.', unit: 'ops' }, [
      { expr: rateOf('rxswarm_relay_served_total', 'event'), legend: '{{event}}' },
      { expr: rateOf('rxswarm_relay_denied_total', 'request, status'), legend: '{{request}} {{status}}' },
      { expr: rateOf('rxswarm_relay_circuits_total'), legend: 'circuits' },
    ]),
    lines(
      { title: 'Relayed bytes', description: 'Of circuits through this node, told when they close.', unit: 'binBps' },
      [{ expr: rateOf('rxswarm_relay_circuit_bytes_total', 'instance'), legend: '{{instance}}' }],
    ),
  ],
}

const reach: BoardRow = {
  title: 'Reachability and own addresses',
  panels: [
    lines(
      { title: 'Reached', description: 'How others reach the nodes; so many of each.', unit: 'short' },
      [{ expr: sumOf('rxswarm_reachability', 'status'), legend: '{{status}}' }],
      { stacked: true },
    ),
    lines({ title: 'Own addresses', description: 'What became of them.', unit: 'ops' }, [
      { expr: rateOf('rxswarm_address_events_total', 'event'), legend: '{{event}}' },
      {
        expr: `${rateOf('rxswarm_reachability_verdicts_total', 'verdict')} or vector(0)`,
        legend: 'tried by peers: {{verdict}}',
      },
    ]),
    lines(
      {
        title: 'Black holes',
        description: 'Kinds of addresses that are left out of dials because nothing gets through.',
        unit: 'short',
      },
      [{ expr: sumOf('rxswarm_address_black_holed', 'kind'), legend: '{{kind}}' }],
      { thresholds: [['yellow', 1]] },
    ),
  ],
}

const discovery: BoardRow = {
  title: 'Discovery',
  panels: [
    lines({ title: 'Known peers', description: 'Found and not forgotten.', unit: 'short' }, [
      { expr: of('rxswarm_discovery_known_peers'), legend: '{{instance}}' },
    ]),
    lines({ title: 'Found', description: 'By the first source to find them.', unit: 'ops' }, [
      { expr: rateOf('rxswarm_discovery_found_total', 'source'), legend: '{{source}}' },
    ]),
    lines({ title: 'Dialled', description: 'Because they were found, and what failed.', unit: 'ops' }, [
      { expr: rateOf('rxswarm_discovery_dialed_total', 'as'), legend: '{{as}} connected' },
      { expr: rateOf('rxswarm_discovery_failed_total', 'as, error'), legend: '{{as}} {{error}}' },
    ]),
  ],
}

const dht: BoardRow = {
  title: 'DHT',
  panels: [
    lines({ title: 'Routing table', description: 'Peers in it.', unit: 'short' }, [
      { expr: of('rxswarm_kad_routing_table_peers'), legend: '{{instance}}' },
    ]),
    lines({ title: 'Queries', description: 'By kind.', unit: 'ops' }, [
      {
        expr: rateOf('rxswarm_commands_total', 'command, outcome', 'command=~"kad/.*"'),
        legend: '{{command}} {{outcome}}',
      },
    ]),
    lines({ title: 'Duration of queries', description: 'Within so long 95 % of them are over.', unit: 's' }, [
      {
        expr: quantileOf(0.95, 'rxswarm_command_duration_seconds', 'command', 'command=~"kad/.*"'),
        legend: '{{command}}',
      },
    ]),
    lines({ title: 'Records', description: 'Stored on other peers, and found.', unit: 'ops' }, [
      { expr: rateOf('rxswarm_kad_stored_total'), legend: 'stored' },
      { expr: rateOf('rxswarm_kad_replications_total', 'result'), legend: 'replicas {{result}}' },
      { expr: rateOf('rxswarm_kad_found_total'), legend: 'found' },
      { expr: rateOf('rxswarm_kad_records_refused_total', 'error'), legend: 'refused: {{error}}' },
    ]),
    lines({ title: 'Content', description: 'Provided, and providers and peers that were found.', unit: 'ops' }, [
      { expr: rateOf('rxswarm_kad_provided_total'), legend: 'provided' },
      { expr: rateOf('rxswarm_kad_providers_found_total'), legend: 'providers found' },
      { expr: rateOf('rxswarm_kad_peers_found_total'), legend: 'peers found' },
    ]),
    lines({ title: 'Modes', description: 'Servers answer queries; clients only ask.', unit: 'short' }, [
      { expr: sumOf('rxswarm_kad_mode', 'mode'), legend: '{{mode}}' },
    ]),
  ],
}

const gossip: BoardRow = {
  title: 'Gossip',
  panels: [
    lines(
      { title: 'Messages', description: 'Published here (sent) or delivered here (received), by topic.', unit: 'ops' },
      [{ expr: most(rateOf('rxswarm_gossip_messages_total', 'topic, direction')), legend: '{{topic}} {{direction}}' }],
    ),
    lines({ title: 'Payload', description: 'Of these messages.', unit: 'binBps' }, [
      {
        expr: most(rateOf('rxswarm_gossip_message_bytes_total', 'topic, direction')),
        legend: '{{topic}} {{direction}}',
      },
    ]),
    lines({ title: 'Topics', description: 'Peers that have joined, and those in the mesh.', unit: 'short' }, [
      { expr: most(sumOf('rxswarm_gossip_topic_peers', 'topic')), legend: '{{topic}} joined' },
      { expr: most(sumOf('rxswarm_gossip_mesh_peers', 'topic')), legend: '{{topic}} mesh' },
    ]),
    lines({ title: 'Refused', description: 'What a validator did not let through.', unit: 'ops' }, [
      { expr: rateOf('rxswarm_gossip_refused_total', 'topic, verdict'), legend: '{{topic}} {{verdict}}' },
    ]),
    lines(
      { title: 'Sent to, each', description: 'Peers that a published message was sent to directly.', unit: 'short' },
      [
        {
          expr: `${rateOf('rxswarm_gossip_recipients_total')} / ${rateOf('rxswarm_gossip_messages_total', '', 'direction="sent"')}`,
          legend: 'peers a message',
        },
      ],
    ),
    lines({ title: 'Subscriptions', description: 'Topics that somebody listens to.', unit: 'short' }, [
      { expr: of('rxswarm_gossip_topics'), legend: '{{instance}}' },
    ]),
  ],
}

const rendezvous: BoardRow = {
  title: 'Rendezvous',
  panels: [
    lines({ title: 'Registrations', description: 'Of these nodes at rendezvous points.', unit: 'short' }, [
      { expr: of('rxswarm_rendezvous_registrations'), legend: '{{instance}}' },
    ]),
    lines({ title: 'Asked', description: 'What became of registrations and questions.', unit: 'ops' }, [
      { expr: rateOf('rxswarm_rendezvous_events_total', 'event'), legend: '{{event}}' },
      { expr: rateOf('rxswarm_rendezvous_failures_total', 'asked, error'), legend: '{{asked}} {{error}}' },
    ]),
    lines({ title: 'Served', description: 'Registrations of others, here.', unit: 'ops' }, [
      { expr: rateOf('rxswarm_rendezvous_served_total', 'event'), legend: '{{event}}' },
      { expr: rateOf('rxswarm_rendezvous_refused_total', 'request, status'), legend: '{{request}} {{status}}' },
    ]),
  ],
}

const xstreams: BoardRow = {
  title: 'Xstreams and chains',
  panels: [
    lines({ title: 'Open', description: 'Xstreams and chains.', unit: 'short' }, [
      { expr: sumOf('rxswarm_xstreams', 'direction'), legend: 'xstreams {{direction}}' },
      { expr: sumOf('rxswarm_chains', 'direction'), legend: 'chains {{direction}}' },
    ]),
    lines({ title: 'Opened and over', description: 'Error is none when both sides had finished.', unit: 'ops' }, [
      { expr: rateOf('rxswarm_xstreams_opened_total', 'direction'), legend: 'xstreams opened {{direction}}' },
      { expr: rateOf('rxswarm_xstreams_closed_total', 'error'), legend: 'xstreams over, error {{error}}' },
      { expr: rateOf('rxswarm_chains_opened_total', 'direction'), legend: 'chains opened {{direction}}' },
      { expr: rateOf('rxswarm_chains_closed_total', 'error'), legend: 'chains over, error {{error}}' },
    ]),
    lines(
      {
        title: 'Carried for others',
        description: 'Bytes of chains through this node, told when they end.',
        unit: 'binBps',
      },
      [{ expr: rateOf('rxswarm_chain_carried_bytes_total', 'instance'), legend: '{{instance}}' }],
    ),
  ],
}

/** What behaviours add to the network, for nodes that use them. */
export const networkRowsOfBehaviours: readonly BoardRow[] = [
  relays,
  reach,
  discovery,
  dht,
  gossip,
  rendezvous,
  xstreams,
]
