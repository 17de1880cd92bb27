import { catchError, exhaustMap, map, merge, of, throwError, timer, timeout, type Observable } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import type { PolicySpec } from '../../../policies/policySpec.ts'
import { guard, type PolicyOption } from '../../guard.ts'
import { asSwarmError, perform } from '../../perform.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import type { Command } from '../../vocabulary/command.ts'
import { DeadlineError, InvalidCommandError, type SwarmError } from '../../../errors/errors.ts'
import { LONGEST_TIMER_MS } from '../../../errors/optionKinds.ts'
import { checkPeer } from '../checkPeer.ts'

/** What ping may call. */
export interface PingPorts {
  /** One round trip; dials when there is no connection. One value, in milliseconds. */
  ping(peer: string): Observable<number>
}

/** One round trip. */
export type PingOnce = Command<'ping/once', { readonly peer: string }, number>

/** Round trips until the subscriber leaves. */
export type PingWatch = Command<'ping/watch', { readonly peer: string; readonly intervalMs: number }, number>

/** What can be asked of ping. */
export type PingCommand = PingOnce | PingWatch

/** What ping can say. */
export type PingEvent =
  | {
      readonly type: 'ping:measured'
      readonly peer: string
      /** @unit milliseconds, there and back */
      readonly rttMs: number
      readonly cause?: string
    }
  | { readonly type: 'ping:missed'; readonly peer: string; readonly error: SwarmError; readonly cause?: string }

/** How long one round trip of a watch may take. @unit milliseconds */
const ROUND_TRIP_MS = 5_000

/** What guards a behaviour's single pings. */
export interface PingDecisions {
  readonly policy: PolicyOption
}

/** What guards a single ping unless it is told otherwise: one retry, of all pings together a fifth of the calls and one a second. */
export const PING_POLICY = {
  retry: { retries: 1, backoff: { type: 'constant', delayMs: 100 }, budget: { share: 0.2, minPerSecond: 1 } },
} as const satisfies PolicySpec

/**
 * Measures round trips, once or again and again.
 *
 * ```marble
 * command$  -w-----------
 * ping      --3|
 * said      ---m-----m---
 * ```
 *
 * @shape  A watch pings at its interval and skips a beat while the last ping is under way; a failed ping is `ping:missed`
 *         and the watch goes on. Bound: one ping at a time per watch.
 * @errors A failed `ping/once` is `command:failed`.
 * @source libp2p ping 1.0.0.
 */
export const pingBehaviour =
  ({ policy }: PingDecisions): Behaviour<PingCommand, PingEvent, PingPorts> =>
  ({ command$, cancel$, ports, self, ...wires }) => {
    const { scheduler } = wires
    const roundTrip = (peer: string) =>
      ports.ping(peer).pipe(map((rttMs): PingEvent => ({ type: 'ping:measured', peer, rttMs })))
    const watch = ({ peer, intervalMs }: PingWatch) =>
      timer(0, intervalMs, scheduler).pipe(
        exhaustMap(() =>
          roundTrip(peer).pipe(
            timeout({ first: ROUND_TRIP_MS, scheduler, with: () => throwError(() => tooSlow(peer)) }),
            catchError((error: unknown) => of<PingEvent>({ type: 'ping:missed', peer, error: asSwarmError(error) })),
          ),
        ),
      )
    return merge(
      command$.pipe(
        ofType('ping/once'),
        perform(
          cancel$,
          ({ peer }) => (checkPeer(peer, self), roundTrip(peer)),
          (said) => said,
          guard<PingOnce>(wires, policy, ({ peer }) => peer),
        ),
      ),
      command$.pipe(
        ofType('ping/watch'),
        perform(
          cancel$,
          (command) => (checkWatch(command, self), watch(command)),
          (said) => said,
        ),
      ),
    )
  }

function checkWatch({ peer, intervalMs }: PingWatch, self: string): void {
  checkPeer(peer, self)
  if (typeof intervalMs === 'number' && intervalMs > 0 && intervalMs <= LONGEST_TIMER_MS) return
  const message = `intervalMs: must be a number above 0, at most ${LONGEST_TIMER_MS}, not ${String(intervalMs)}`
  throw new InvalidCommandError(message, { field: 'intervalMs', peer })
}

function tooSlow(peer: string): DeadlineError {
  return new DeadlineError(`ping: ${peer} did not answer within ${ROUND_TRIP_MS} ms`, {
    peer,
    deadlineMs: ROUND_TRIP_MS,
  })
}
