import {
  connect,
  distinctUntilChanged,
  filter,
  ignoreElements,
  map,
  merge,
  scan,
  shareReplay,
  startWith,
  subscribeOn,
  take,
  timer,
  type Observable,
} from 'rxjs'
import { ofType } from '../../operators/ofType.ts'
import { stateMachine } from '../../operators/stateMachine.ts'
import { perform } from '../../swarm/perform.ts'
import type { Behaviour } from '../../swarm/vocabulary/behaviour.ts'
import type { Stamped } from '../../swarm/vocabulary/event.ts'
import { askCheck } from './askCheck.ts'
import { heal, type HealPorts } from './heal.ts'
import type { NodeFact } from './healthFacts.ts'
import { healthStep, initialHealth, nameOfRemedy, type HealthInput, type MachineState } from './healthMachine.ts'
import type { HealthDecisions } from './healthOptions.ts'
import { healthAfter, healthState, reportOf } from './healthState.ts'
import type { HealthCommand, HealthEvent, HealthReport } from './healthVocabulary.ts'
import type { Remedy } from './healing.ts'
import type { Built, Look } from './look.ts'
import { peerIn, type PeerFact } from './peerHealth.ts'

/** What health may call. */
export interface HealthPorts extends HealPorts {
  /** What the swarm is made of. */
  readonly built: Built
  /** What is seen of it now. */
  look(): Look
  /** Whether a peer is connected now. */
  isConnected(peer: string): boolean
  /** How late the event loop is, again and again: its 99th percentile since the last time. @unit milliseconds */
  readonly delay$: Observable<number>
}

const ABOUT_NODE = new Set<string>([
  'start',
  'swarm:stopping',
  'network:isolated',
  'network:recovered',
  'behaviour:crashed',
  'behaviour:restarted',
  'behaviour:ended',
  'audit:failed',
  'audit:lost',
] satisfies readonly NodeFact['type'][])

const ABOUT_PEERS = new Set<string>([
  'peer:connect',
  'peer:disconnect',
  'ping:measured',
  'ping:missed',
  'command:failed',
  'connections:hung-up',
  'keep-alive:retrying',
  'keep-alive:connected',
  'keep-alive:given-up',
  'keep-alive:forgotten',
  'keep-alive:paused',
] satisfies readonly PeerFact['type'][])

/**
 * Says how the node, its behaviours and its peers are, and heals what can be healed.
 *
 * ```marble
 * event$  -s---x--r----
 * said    -k---f--l----
 * ```
 *
 * @shape  Events are judged as they come, and what none tells is looked at each `everyMs`. Memory: one record for each check
 *         and behaviour, and for at most 1 024 peers that are not healthy.
 * @errors None.
 * @source ours; the three kinds of checks are those of Kubernetes.
 */
export const healthBehaviour =
  (decisions: HealthDecisions): Behaviour<HealthCommand, HealthEvent, HealthPorts> =>
  ({ command$, cancel$, event$, ports, scheduler, random }) => {
    const { everyMs, checks } = decisions
    const heard$ = event$ as Observable<Stamped<NodeFact | PeerFact>>
    const input$: Observable<HealthInput> = merge(
      heard$.pipe(
        filter((event): event is Stamped<NodeFact> => ABOUT_NODE.has(event.type)),
        map((event) => ({ type: 'heard' as const, event, nowMs: scheduler.now() })),
      ),
      heard$.pipe(
        filter((event): event is Stamped<PeerFact> => ABOUT_PEERS.has(event.type)),
        map((event) => ({ event, peer: peerIn(event) })),
        filter((about): about is { event: Stamped<PeerFact>; peer: string } => about.peer !== undefined),
        map(({ event, peer }) => ({
          type: 'peer' as const,
          event,
          peer,
          isConnected: event.type === 'peer:connect' || ports.isConnected(peer),
          nowMs: scheduler.now(),
        })),
      ),
      timer(0, everyMs, scheduler).pipe(
        map(() => ({ type: 'look' as const, look: ports.look(), nowMs: scheduler.now() })),
      ),
      ports.delay$.pipe(map((delayMs) => ({ type: 'delay' as const, delayMs, nowMs: scheduler.now() }))),
      ...Object.entries(checks).map(([check, asked]) =>
        askCheck(asked, scheduler).pipe(
          subscribeOn(scheduler), // the app's own code does not run while the swarm is wired
          map((verdict) => ({ type: 'verdict' as const, check, verdict, nowMs: scheduler.now() })),
        ),
      ),
    )
    return input$.pipe(
      stateMachine<MachineState, HealthInput, Remedy, HealthEvent>({
        initial: initialHealth,
        step: (state, input) => healthStep(state, input, ports.built, decisions, random),
        perform: (remedy) => heal(remedy, ports, scheduler),
        keyOf: nameOfRemedy,
      }),
      connect((said$) => {
        const report$: Observable<HealthReport> = said$.pipe(
          map((event) => ({ ...event, at: scheduler.now() })),
          scan(healthAfter, healthState.initial),
          startWith(healthState.initial),
          distinctUntilChanged(),
          map(reportOf),
          shareReplay({ bufferSize: 1, refCount: true }),
        )
        const reported = (report: HealthReport): HealthEvent => ({ type: 'health:reported', report })
        return merge(
          report$.pipe(ignoreElements()),
          said$,
          command$.pipe(
            ofType('health/report'),
            perform(cancel$, () => report$.pipe(take(1)), reported),
          ),
          command$.pipe(
            ofType('health/watch'),
            perform(cancel$, () => report$, reported),
          ),
        )
      }),
    )
  }
