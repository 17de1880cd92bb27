import { connect, filter, ignoreElements, map, merge, shareReplay, startWith, take, timer, type Observable } from 'rxjs'
import { LONGEST_TIMER_MS } from '../../../errors/optionKinds.ts'
import { ofType } from '../../../operators/ofType.ts'
import { stateMachine } from '../../../operators/stateMachine.ts'
import { perform } from '../../perform.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import type { Outcome } from '../../vocabulary/event.ts'
import { HEARD } from './overheard.ts'
import {
  initialReachability,
  reachabilityStep,
  UNKNOWN,
  type Expiry,
  type ReachabilityDecisions,
  type ReachabilityInput,
} from './reachabilityMachine.ts'
import type { HeldAddress } from './reachabilityOf.ts'
import type {
  AutonatVerdict,
  GatewayFact,
  ReachabilityCommand,
  ReachabilityEvent,
  ReachabilityReport,
} from './reachabilityVocabulary.ts'

/** What reachability hears besides events. */
export interface ReachabilityPorts {
  /** Own addresses, at once and when they change. */
  readonly own$: Observable<readonly HeldAddress[]>
  /** What peers found that were asked to dial us. */
  readonly verdict$: Observable<AutonatVerdict>
  /** What a gateway did. */
  readonly gateway$: Observable<GatewayFact>
}

/**
 * Judges whether others can open a connection to this node, from what peers do and say, what relays hold and what a
 * gateway forwards.
 *
 * ```marble
 * event$    -a-b-c-------
 * command$  ---------r---
 * said      -u-u-p---(rd)
 * ```
 *
 * @shape  Says `reachability:changed` whenever the report differs. Evidence lasts `evidenceMs`, and while an inbound
 *         connection is open; memory: 512 pieces, 64 relays, 64 forwarded addresses, one entry for each open connection.
 *         An event of another type costs one look-up.
 * @errors None of its own: a gateway that fails is `reachability:gateway-failed`.
 * @source ours; AutoNAT v1, identify's observed addresses, circuit relay v2, UPnP IGD.
 */
export const reachabilityBehaviour =
  (decisions: ReachabilityDecisions): Behaviour<ReachabilityCommand, ReachabilityEvent, ReachabilityPorts> =>
  ({ command$, cancel$, event$, ports, scheduler }) => {
    const input$ = merge(
      event$.pipe(
        filter(({ type }) => HEARD.has(type)),
        map((event): ReachabilityInput => ({ type: 'event', event })),
      ),
      ports.own$.pipe(map((own): ReachabilityInput => ({ type: 'own', own }))),
      ports.verdict$.pipe(map((verdict): ReachabilityInput => ({ type: 'verdict', verdict }))),
      ports.gateway$.pipe(map((fact): ReachabilityInput => ({ type: 'gateway', fact }))),
    )
    const wait = ({ atMs }: Expiry): Observable<ReachabilityInput> =>
      timer(Math.min(LONGEST_TIMER_MS, Math.max(0, atMs - scheduler.now())), scheduler).pipe(
        map(() => ({ type: 'expired' })),
      )
    const answers = (report$: Observable<ReachabilityReport>): Observable<ReachabilityEvent | Outcome> =>
      command$.pipe(
        perform(
          cancel$,
          ({ type }) => (type === 'reachability/report' ? report$.pipe(take(1)) : report$),
          (report): ReachabilityEvent => ({ type: 'reachability:reported', report }),
        ),
      ) as Observable<ReachabilityEvent | Outcome>
    return input$.pipe(
      stateMachine({
        initial: initialReachability,
        step: (state, input: ReachabilityInput) => reachabilityStep(decisions, state, input, scheduler.now()),
        perform: wait,
        keyOf: () => 'expiry',
      }),
      connect((said$) => {
        const report$ = said$.pipe(
          ofType('reachability:changed'),
          map(({ status, addresses, reasons }): ReachabilityReport => ({ status, addresses, reasons })),
          startWith(UNKNOWN),
          shareReplay({ bufferSize: 1, refCount: true }),
        )
        return merge(said$, report$.pipe(ignoreElements()), answers(report$))
      }),
    )
  }
