import { counter, gauge, histogram, LIVES, WAITS } from './metricSpec.ts'

/** What every swarm has, whatever its behaviours. */
export const coreMetrics = {
  rxswarm_info: gauge('Always 1; the labels say which node and which versions.', 'self', 'version', 'node_version'),
  rxswarm_start_time_seconds: gauge('When the swarm was started, since the Unix epoch.'),
  rxswarm_phase: gauge('1 for the phase that the swarm is in: running, stopping or stopped.', 'phase'),
  rxswarm_peers: gauge('Peers that are connected.'),
  rxswarm_addresses: gauge('Own addresses that are announced.'),
  rxswarm_events_total: counter('Events that were said.', 'type'),
  rxswarm_event_errors_total: counter(
    'Errors that events other than outcomes of commands carry, by class.',
    'event',
    'error',
  ),
  rxswarm_behaviours: gauge('Behaviours, by how they are: running, restarting or ended.', 'state'),
  rxswarm_behaviour_crashes_total: counter('Crashes of behaviours.', 'behaviour'),
  rxswarm_behaviour_restarts_total: counter('Restarts of behaviours after a crash.', 'behaviour'),
  rxswarm_pipeline_crashes_total: counter('Crashes of the command chain or the event chain.', 'chain'),
  rxswarm_subscriber_failures_total: counter('Callbacks of subscribers or probes that threw.'),
  rxswarm_reducer_failures_total: counter('Reducers of the state that threw.', 'slice'),

  rxswarm_commands_total: counter(
    'Commands that are over, by outcome: completed, failed, cancelled, or refused before they were taken in.',
    'command',
    'outcome',
  ),
  rxswarm_commands_in_flight: gauge('Commands that were taken in and are not over.', 'command'),
  rxswarm_command_duration_seconds: histogram(
    WAITS,
    'From the intake of a command to its outcome, in whole milliseconds; open-ended commands without a deadline are left out.',
    'command',
  ),
  rxswarm_errors_total: counter('Commands that failed, by class of the error.', 'error', 'command'),
  rxswarm_timeouts_total: counter(
    'What took too long: a command its deadline, or a call the time that a policy allows.',
    'kind',
    'behaviour',
  ),
  rxswarm_lane_running: gauge('Commands of a lane that run.', 'lane'),
  rxswarm_lane_waiting: gauge('Commands of a lane that wait for a place.', 'lane'),
  rxswarm_lane_flows: gauge('Principals, peers and behaviours that have commands waiting in a lane.', 'lane'),
  rxswarm_lane_oldest_seconds: gauge('How long the oldest command of a lane has waited.', 'lane'),
  rxswarm_lane_started_total: counter('Commands of a lane that were handed to their behaviours.', 'lane'),
  rxswarm_lane_refused_total: counter('Commands of a lane that found no place, or gave theirs up.', 'lane'),
  rxswarm_lane_cancelled_total: counter('Commands of a lane that were over while they waited.', 'lane'),
  rxswarm_lane_wait_seconds: histogram(
    WAITS,
    'How long commands waited in their lane, those included that did not have to.',
    'lane',
  ),

  rxswarm_policy_decisions_total: counter(
    'What policies did: retried, rejected, dropped, delayed, tripped, probed, recovered, spared, hedged, timed-out, fell-back.',
    'decision',
    'policy',
    'reason',
    'behaviour',
  ),
  rxswarm_policy_delay_seconds_total: counter('Time by which policies put calls off.', 'policy', 'behaviour'),
  rxswarm_circuits: gauge('Circuit breakers that are open or half-open.', 'state', 'behaviour'),

  rxswarm_port_calls_total: counter('Calls of ports, those that policies make again too.', 'behaviour', 'port'),
  rxswarm_port_call_duration_seconds: histogram(
    WAITS,
    'From the subscription of a call to its end; of each port the first calls of every second are measured.',
    'behaviour',
    'port',
    'outcome',
  ),
  rxswarm_port_errors_total: counter('Calls of ports that failed, by class.', 'behaviour', 'port', 'error'),

  rxswarm_connections: gauge('Open connections.', 'transport', 'direction', 'path'),
  rxswarm_connections_opened_total: counter('Connections that were opened.', 'transport', 'direction', 'path'),
  rxswarm_connections_closed_total: counter('Connections that were closed.', 'transport', 'direction', 'path'),
  rxswarm_connections_pruned_total: counter('Connections that were closed because there were too many.'),
  rxswarm_connection_duration_seconds: histogram(LIVES, 'How long closed connections were open.', 'transport'),
  rxswarm_dials_started_total: counter('Dials of an address that began, whoever wanted them.', 'transport'),
  rxswarm_dials_total: counter(
    'Dials of an address that are over, by outcome: connected, or the class of the error.',
    'transport',
    'outcome',
  ),
  rxswarm_dials_in_flight: gauge('Dials of an address that are under way.'),
  rxswarm_dial_duration_seconds: histogram(WAITS, 'How long dials of an address took.', 'transport', 'result'),
  rxswarm_streams: gauge('Open streams; inbound are those that the remote opened.', 'protocol', 'direction'),
  rxswarm_streams_opened_total: counter('Streams that were opened.', 'protocol', 'direction', 'transport'),
  rxswarm_streams_closed_total: counter(
    'Streams that are over, by how they ended: closed, reset or aborted.',
    'protocol',
    'direction',
    'how',
  ),
  rxswarm_stream_duration_seconds: histogram(LIVES, 'How long closed streams were open.', 'protocol'),
  rxswarm_bytes_total: counter(
    'Bytes on streams after their protocol was agreed on: sent or received, whatever carries them.',
    'protocol',
    'direction',
    'transport',
  ),
  rxswarm_peer_bytes_total: counter(
    'Bytes on streams by peer; only with the option peerLabels, beyond which peers are other.',
    'peer',
    'direction',
  ),
  rxswarm_peer_connections: gauge(
    'Open connections by peer; only with the option peerLabels, beyond which peers are other.',
    'peer',
  ),

  rxswarm_metrics_overflow_total: counter('Updates that went to a series labelled other, for lack of room.', 'metric'),
  rxswarm_metrics_failures_total: counter('Readings that failed, and are missing or stale.', 'reading'),
  rxswarm_metrics_scrapes_total: counter('Times that the metrics were read.', 'format'),
} as const
