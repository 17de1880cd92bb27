import type { Slice } from '../../swarm/vocabulary/behaviour.ts'
import type { CoreEvent, Stamped } from '../../swarm/vocabulary/event.ts'
import type { CheckState, HealthEvent, HealthReport, HealthState } from './healthVocabulary.ts'

/** Peers that are listed in a report. */
const MOST_LISTED = 64

const initial: HealthState = { isStarted: false, isReady: false, isLive: true, checks: new Map(), peers: new Map() }

/** Who has not said anything yet is not ready, and not beyond help. */
function judged(state: HealthState, checks: ReadonlyMap<string, CheckState>): HealthState {
  let [isStarted, isReady, isLive] = [checks.has('started'), checks.has('started'), true]
  for (const { status, affects } of checks.values()) {
    if (status === 'ok') continue
    if (affects === 'startup') isStarted = false
    if (affects === 'liveness' && status === 'failed') isLive = false
    isReady = false
  }
  return { ...state, checks, isStarted, isReady, isLive }
}

/** The part of `state$` that health adds. */
export const healthState: Slice<HealthState, HealthEvent | CoreEvent> = {
  initial,
  on: {
    'health:changed': (state, { check, affects, is, reason, at }) =>
      judged(
        state,
        new Map(state.checks).set(check, {
          status: is,
          affects,
          since: at,
          ...(reason === undefined ? {} : { reason }),
        }),
      ),
    'health:peer-changed': (state, { peer, is, reason, rttMs, at }) => {
      const peers = new Map(state.peers)
      if (is === 'degraded' || is === 'unhealthy') {
        peers.set(peer, { status: is, reason, since: at, ...(rttMs === undefined ? {} : { rttMs }) })
      } else peers.delete(peer)
      return { ...state, peers }
    },
    'behaviour:crashed': (state, { behaviour }) => (behaviour === 'health' ? initial : state),
  },
}

/** A state with what one more event tells. */
export function healthAfter(state: HealthState, event: Stamped<HealthEvent>): HealthState {
  const reduce = healthState.on[event.type] as
    ((state: HealthState, event: Stamped<HealthEvent>) => HealthState) | undefined
  return reduce?.(state, event) ?? state
}

/** A state as a report. */
export function reportOf({ isStarted, isReady, isLive, checks, peers }: HealthState): HealthReport {
  return {
    isStarted,
    isReady,
    isLive,
    checks: [...checks].map(([check, state]) => ({ check, ...state })),
    peers: [...peers].slice(0, MOST_LISTED).map(([peer, health]) => ({ peer, ...health })),
    morePeers: Math.max(0, peers.size - MOST_LISTED),
  }
}
