import type { CommandLane } from '../../swarm/commandLanes.ts'
import type { Meters } from './meters.ts'

/** Reads what runs and waits in the lanes. */
export function readLanes(m: Meters, lanes: readonly CommandLane[]): void {
  for (const {
    lane,
    running,
    waiting,
    flows,
    oldestMs,
    started,
    refused,
    cancelled,
    served,
    waits,
    waitedMs,
  } of lanes) {
    m.rxswarm_lane_running.at(lane).value = running
    m.rxswarm_lane_waiting.at(lane).value = waiting
    m.rxswarm_lane_flows.at(lane).value = flows
    m.rxswarm_lane_oldest_seconds.at(lane).value = oldestMs / 1_000
    m.rxswarm_lane_started_total.at(lane).value = started
    m.rxswarm_lane_refused_total.at(lane).value = refused
    m.rxswarm_lane_cancelled_total.at(lane).value = cancelled
    const wait = m.rxswarm_lane_wait_seconds.at(lane)
    for (const [bucket, count] of waits.entries()) wait.counts[bucket] = count
    wait.counts[0]! += Math.max(0, started - served) // who did not have to wait
    wait.value = waitedMs / 1_000
  }
}
