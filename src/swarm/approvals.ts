import {
  catchError,
  concat,
  defer,
  map,
  of,
  repeat,
  throwError,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs'
import { UnexpectedError, type SwarmError } from '../errors/errors.ts'
import { asSwarmError } from './perform.ts'

/** An approval that broke is started again after this. @unit milliseconds */
const AGAIN_AFTER_MS = 1_000

/** How {@link approvals} turns what the app decides into inputs. */
export interface ApprovalWords<Decision, Input> {
  /** What the app decided. May throw for what is no decision. */
  readonly decided: (decision: Decision) => Input
  /** The app's operator broke, or ended. */
  readonly failed: (error: SwarmError) => Input
  /** The clock. */
  readonly scheduler: SchedulerLike
}

/**
 * What an operator of the app's decides over requests.
 *
 * ```marble
 * request$  -a-----b--
 * approved  -y-----n--
 * ```
 *
 * @param approve From requests to decisions, in any order and at any time.
 * @shape  An operator that throws or ends is told of nothing for a second, and then started again; what waits for it has a
 *         deadline of its own.
 * @errors None: what the operator throws is an input.
 */
export function approvals<Request, Decision, Input>(
  approve: (request$: Observable<Request>) => Observable<Decision>,
  request$: Observable<Request>,
  { decided, failed, scheduler }: ApprovalWords<Decision, Input>,
): Observable<Input> {
  const ended$ = throwError(() => new UnexpectedError('the approval has ended'))
  return concat(
    defer(() => approve(request$)),
    ended$,
  ).pipe(
    map(decided),
    catchError((error: unknown) => of(failed(asSwarmError(error)))),
    repeat({ delay: () => timer(AGAIN_AFTER_MS, scheduler) }),
  )
}
