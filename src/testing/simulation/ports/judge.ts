import { catchError, from, map, of, throwError, timeout, type Observable, type SchedulerLike } from 'rxjs'
import type { GossipMessage } from '../../../swarm/behaviours/gossipsub/gossipsubBehaviour.ts'
import type { MessageValidator, Verdict } from '../../../swarm/behaviours/gossipsub/gossipsubService.ts'
import { asSwarmError } from '../../../swarm/perform.ts'
import type { SwarmError } from '../../../errors/errors.ts'

/** What a validator says of a message, and what it threw if it did. */
export interface Judgement {
  /** What becomes of the message. */
  readonly verdict: Verdict
  /** What the validator threw. */
  readonly error?: SwarmError
}

/** How long a validator may take. @unit milliseconds */
const VALIDATOR_MS = 1_000

/** The message is let through. */
export const ACCEPTED: Judgement = { verdict: 'accept' }

/**
 * What a validator says; one that throws, or takes too long, has the message dropped.
 *
 * @shape  At once when the validator answers at once, else one value. @errors None
 */
export function judge(
  validator: MessageValidator,
  message: GossipMessage,
  scheduler: SchedulerLike,
): Judgement | Observable<Judgement> {
  try {
    const said = validator(message)
    if (!isThenable(said)) return judgementOf(said)
    return from(Promise.resolve(said)).pipe(
      timeout({
        first: VALIDATOR_MS,
        scheduler,
        with: () => throwError(() => new Error(`no verdict in ${VALIDATOR_MS} ms`)),
      }),
      map(judgementOf),
      catchError((error: unknown) => of(dropped(error))),
    )
  } catch (error) {
    return dropped(error)
  }
}

type Said = Awaited<ReturnType<MessageValidator>>

function judgementOf(said: Said): Judgement {
  if (said === false || said === 'reject') return { verdict: 'reject' }
  return said === 'ignore' ? { verdict: 'ignore' } : ACCEPTED
}

function dropped(error: unknown): Judgement {
  return { verdict: 'ignore', error: asSwarmError(error) }
}

function isThenable(said: ReturnType<MessageValidator>): said is Promise<Said> {
  return typeof (said as { then?: unknown } | null | undefined)?.then === 'function'
}
