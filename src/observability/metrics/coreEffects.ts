import type { ConnectionInfo, CoreEvent } from '../../swarm/vocabulary/event.ts'
import type { EffectsOf } from './effects.ts'

/** Whether something is in between: `direct`, or `relayed` by a relay or a chain. */
export function pathOf({ direct }: ConnectionInfo): string {
  return direct ? 'direct' : 'relayed'
}

/** What the events of every swarm do to the metrics. */
export const coreEffects: EffectsOf<CoreEvent> = {
  'connection:open': (m, { connection }) => {
    const { transport, direction } = connection
    m.rxswarm_connections_opened_total.at(transport, direction, pathOf(connection)).value++
  },
  'connection:close': (m, { connection, at }) => {
    const { transport, direction, since } = connection
    m.rxswarm_connections_closed_total.at(transport, direction, pathOf(connection)).value++
    m.rxswarm_connection_duration_seconds.at(transport).observe(Math.max(0, at - since) / 1_000)
  },
  'connection:prune': (m, { connections }) => {
    m.rxswarm_connections_pruned_total.at().value += connections.length
  },
  'behaviour:crashed': (m, { behaviour }) => void m.rxswarm_behaviour_crashes_total.at(behaviour).value++,
  'behaviour:restarted': (m, { behaviour }) => void m.rxswarm_behaviour_restarts_total.at(behaviour).value++,
  'chain:crashed': (m, { chain }) => void m.rxswarm_pipeline_crashes_total.at(chain).value++,
  'subscriber:failed': (m) => void m.rxswarm_subscriber_failures_total.at().value++,
  'reducer:failed': (m, { slice }) => void m.rxswarm_reducer_failures_total.at(slice).value++,
}
