import { catchError, concatMap, defer, EMPTY, map, merge, of, throwError, type Observable } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import { ConfigError, InvalidCommandError } from '../../../errors/errors.ts'
import type { AccessLimit } from '../../../security/access/accessLimit.ts'
import type { AccessPolicy, AccessRequest } from '../../../security/access/accessPolicy.ts'
import type { Pin } from '../../../security/access/pin.ts'
import type { ShadowReport } from '../../../security/access/shadowPolicy.ts'
import { asSwarmError, perform } from '../../perform.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import type { AnyCommand } from '../../vocabulary/command.ts'
import type { AccessCommand, AccessEvent, Explanation, PolicyChange } from './accessVocabulary.ts'

/** What access may call. */
export interface AccessPorts {
  /** What is decided, as it is decided. */
  readonly decision$: Observable<AccessEvent>
  /** Puts a policy in force, and closes what it does not allow. One value. */
  setPolicy(policy: AccessPolicy): Observable<PolicyChange>
  /** Runs a candidate beside it. One value. */
  setShadow(policy: AccessPolicy | undefined): Observable<void>
  /** What the candidate would have decided differently. One value. */
  report(): Observable<ShadowReport>
  /** Puts limits in force. One value. */
  setLimits(limits: readonly AccessLimit[]): Observable<void>
  /** Puts pins in force. One value. */
  setPins(pins: readonly Pin[]): Observable<void>
  /** Blocks peers and subnets, or no longer. One value: all that are. */
  block(add: readonly string[], remove: readonly string[]): Observable<readonly string[]>
  /** What is decided about a request. One value. */
  explain(request: AccessRequest): Observable<Explanation>
}

/** Rules that come by a stream, each in place of the one before. */
export interface AccessStreams {
  readonly policy$?: Observable<AccessPolicy> | undefined
  readonly limits$?: Observable<readonly AccessLimit[]> | undefined
}

/**
 * Says what is decided, and changes the rules while they are in force.
 *
 * ```marble
 * decision$  -d-------
 * command$   ---p-----
 * setPolicy  ---c|
 * said       -d----cw-
 * ```
 *
 * @shape  Decisions are made where streams, connections, messages, records and commands pass; this tells of them.
 * @errors Rules that are none are `command:failed`, those of a stream `access:refused`; those before stay in force.
 * @source ours.
 */
export const accessBehaviour =
  ({ policy$ = EMPTY, limits$ = EMPTY }: AccessStreams): Behaviour<AccessCommand, AccessEvent, AccessPorts> =>
  ({ command$, cancel$, ports }) =>
    merge(
      ports.decision$,
      following('policy', policy$, (policy) => ports.setPolicy(policy)),
      following('limits', limits$, (limits) => ports.setLimits(limits).pipe(map(() => ({})))),
      command$.pipe(
        ofType('access/set'),
        perform(
          cancel$,
          (command) => checked(command, () => ports.setPolicy(command.policy)),
          (change): AccessEvent => ({ type: 'access:changed', what: 'policy', ...change }),
        ),
      ),
      command$.pipe(
        ofType('access/shadow'),
        perform(
          cancel$,
          (command) => checked(command, () => ports.setShadow(command.policy)),
          (): AccessEvent => ({ type: 'access:changed', what: 'shadow' }),
        ),
      ),
      command$.pipe(
        ofType('access/report'),
        perform(
          cancel$,
          () => ports.report(),
          (report): AccessEvent => ({ type: 'access:reported', report }),
        ),
      ),
      command$.pipe(
        ofType('access/limit'),
        perform(
          cancel$,
          (command) => checked(command, () => ports.setLimits(command.limits)),
          (): AccessEvent => ({ type: 'access:changed', what: 'limits' }),
        ),
      ),
      command$.pipe(
        ofType('access/pin'),
        perform(
          cancel$,
          (command) => checked(command, () => ports.setPins(command.pins)),
          (): AccessEvent => ({ type: 'access:changed', what: 'pins' }),
        ),
      ),
      command$.pipe(
        ofType('access/block'),
        perform(
          cancel$,
          (command) => checked(command, () => ports.block(command.add, command.remove)),
          (blocked): AccessEvent => ({ type: 'access:blocked', blocked }),
        ),
      ),
      command$.pipe(
        ofType('access/explain'),
        perform(
          cancel$,
          ({ request }) => ports.explain(request),
          (explanation): AccessEvent => ({ type: 'access:explained', explanation }),
        ),
      ),
    )

/** Puts rules in force as they come. */
function following<Rules>(
  what: 'policy' | 'limits',
  rules$: Observable<Rules>,
  put: (rules: Rules) => Observable<Partial<PolicyChange>>,
): Observable<AccessEvent> {
  const refused = (error: unknown) => of<AccessEvent>({ type: 'access:refused', what, error: asSwarmError(error) })
  return rules$.pipe(
    concatMap((rules) =>
      defer(() => put(rules)).pipe(
        map((change): AccessEvent => ({ type: 'access:changed', what, ...change })),
        catchError(refused),
      ),
    ),
    catchError(refused),
  )
}

/** A command whose rules are none is a command that is wrong. */
function checked<T>({ type, id }: AnyCommand, work: () => Observable<T>): Observable<T> {
  return defer(work).pipe(
    catchError((cause: unknown) => {
      if (!(cause instanceof ConfigError)) return throwError(() => cause)
      const context = { command: type, commandId: id, cause }
      return throwError(
        () =>
          new InvalidCommandError(cause.message.replace(/^configuration: /, ''), {
            ...context,
            field: cause.field ?? '',
          }),
      )
    }),
  )
}
