import { ofType } from 'rxswarm'
import type { Behaviour, BehaviourModule, CoreEvent } from 'rxswarm'
import { definePolicy, type PolicySpec } from 'rxswarm/policies'
import type { SimulatedNode } from 'rxswarm/testing'
import { catchError, exhaustMap, groupBy, map, mergeMap, of, type Observable } from 'rxjs'
import { peerIdFromString } from '@libp2p/peer-id'
import { defer } from 'rxjs'

// What it may call, and what it can say.
export interface ReconnectPorts {
  dial(peer: string): Observable<unknown>
}
export type ReconnectEvent =
  | { readonly type: 'reconnect:reconnected'; readonly peer: string }
  | { readonly type: 'reconnect:gave-up'; readonly peer: string; readonly reason: string }

// What it does: dials every peer that is lost, one dial for each at a time, by the policy it is given.
export const reconnectBehaviour =
  (policy: PolicySpec): Behaviour<never, ReconnectEvent, ReconnectPorts> =>
  ({ event$, ports, scheduler, random }) => {
    const patiently = definePolicy(policy, { scheduler, random })
    return (event$ as Observable<CoreEvent>).pipe(
      ofType('peer:disconnect'),
      groupBy(({ peer }) => peer),
      mergeMap((lost$) =>
        lost$.pipe(
          exhaustMap(({ peer }) =>
            defer(() => ports.dial(peer)).pipe(
              patiently,
              map((): ReconnectEvent => ({ type: 'reconnect:reconnected', peer })),
              catchError(({ name: reason }: Error) => of<ReconnectEvent>({ type: 'reconnect:gave-up', peer, reason })),
            ),
          ),
        ),
      ),
    )
  }

// What ties it to a node, and to a simulated one.
export const reconnect = (policy: PolicySpec): BehaviourModule<'reconnect', never, ReconnectEvent, ReconnectPorts> => ({
  name: 'reconnect',
  commands: {},
  ports: (node) => ({ dial: (peer) => defer(() => node.dial(peerIdFromString(peer))) }),
  behaviour: reconnectBehaviour(policy),
})
export const simulatedReconnect = (node: SimulatedNode): ReconnectPorts => ({ dial: (peer) => node.dial(peer) })
