import {
  catchError,
  defaultIfEmpty,
  defer,
  first,
  from,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  timer,
  type Observable,
} from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import { stateMachine } from '../../../operators/stateMachine.ts'
import { AuthenticationError, type SwarmError } from '../../../errors/errors.ts'
import { approvals } from '../../approvals.ts'
import { asSwarmError } from '../../perform.ts'
import type { Behaviour, Wires } from '../../vocabulary/behaviour.ts'
import type { ConnectionInfo, CoreEvent, Stamped } from '../../vocabulary/event.ts'
import { checkXauthCommand, problemOfDecision } from './checkXauthCommand.ts'
import type { Standing } from './conversation.ts'
import type { Por } from './por.ts'
import type { PorRequest, PorResponse } from './porMessages.ts'
import type {
  AuthDecision,
  AuthFailure,
  AuthRequest,
  DeniedStream,
  XauthCommand,
  XauthEvent,
} from './xauthVocabulary.ts'
import { initialXauth, nameOfWork, xauthStep } from './xauthMachine.ts'
import { reasonOf } from './xauthTalk.ts'
import type { InboundRequest, XauthDecisions, XauthEffect, XauthInput, XauthState } from './xauthState.ts'

/** What came over the protocol's stream: a request, or something that is none. */
export type Arrival =
  | { readonly type: 'requested'; readonly request: InboundRequest }
  | { readonly type: 'malformed'; readonly request: string; readonly connection: string; readonly error: SwarmError }

/** What xauth may call. */
export interface XauthPorts {
  /** Connections that are open already. One value. */
  connections(): Observable<readonly ConnectionInfo[]>
  /** Requests of remotes, as they are read; each is answered by `respond`. */
  readonly arrival$: Observable<Arrival>
  /** Our proof, and the owner in it: the one that is valid, or a fresh one, issued later than `afterS`. One value. */
  prove(nowS: number, afterS?: number): Observable<{ readonly proof: Por; readonly owner: string }>
  /** Shows a proof on a connection. One value: the answer. */
  ask(connection: string, request: PorRequest): Observable<PorResponse>
  /** Answers a request. Completes when it is sent. */
  respond(request: string, response: PorResponse): Observable<never>
  /** Whether a proof bears its owner's signature. One value. */
  isSigned(proof: Por): Observable<boolean>
  /** Opens or shuts the gate of a connection. Completes at once. */
  stand(connection: string, standing: Standing, owner?: string): Observable<never>
  /** Streams that were refused, or cut off, because their connection is not authenticated. */
  readonly denied$: Observable<DeniedStream>
  /** Closes one connection. Completes when it is closed. */
  hangUp(connection: string): Observable<never>
}

/** The app's own approval: it hears every request whose proof is valid, and says which are accepted. */
export type Approval = (request$: Observable<AuthRequest>) => Observable<AuthDecision>

/** What {@link xauthBehaviour} is made with. */
export interface XauthSettings extends Omit<XauthDecisions, 'approval'> {
  /** Owners that are trusted from the start. */
  readonly trust: readonly string[]
  /** Who approves. */
  readonly approve: 'list' | 'ask' | Approval
}

/**
 * Authenticates connections by Proof of Representation, and opens the gate of those on which both sides have accepted
 * each other.
 *
 * ```marble
 * event$   -o-----------
 * answer   --y|
 * arrival  ------r------
 * said     ---s--(rsa)--
 * ```
 *
 * @shape  One machine for all connections, whose pure steps are `xauthStep`; see there for the states. When it is started
 *         again after a crash, it knows whom it trusts and has revoked; connections authenticate anew.
 * @errors A failed authentication is `xauth:failed`; of a command `command:failed`.
 * @source XNetwork2's por-auth 1.0.0.
 */
export const xauthBehaviour = ({
  trust,
  approve,
  ...settings
}: XauthSettings): Behaviour<XauthCommand, XauthEvent, XauthPorts> => {
  const lasting = listsOf(initialXauth(trust)) // a crash forgets conversations, and never whom we trust
  return ({ command$, cancel$, event$, ports, self, scheduler }) => {
    const decisions = { ...settings, approval: approve === 'list' ? approve : 'ask' } as const
    const asked$ = (event$ as Observable<unknown> as Observable<{ type: 'xauth:requested' } & AuthRequest>).pipe(
      ofType('xauth:requested'),
      map(({ type: _type, ...request }) => request as AuthRequest),
    )
    const already$ = defer(() => ports.connections()).pipe(
      catchError(() => of([])),
      mergeMap((open) => from(open)),
      map((connection): XauthInput => ({ type: 'opened', connection })),
    )
    const said$ = merge(
      (event$ as Observable<Stamped<CoreEvent>>).pipe(mergeMap(connectionInput)),
      already$,
      ports.arrival$,
      approve === 'list' || approve === 'ask'
        ? of<XauthInput>()
        : approvals(approve, asked$, { decided, failed: approvalFailed, scheduler }),
      cancel$.pipe(map((id): XauthInput => ({ type: 'cancelled', id }))),
      command$.pipe(
        map((command): XauthInput => ({ type: 'command', command, error: checkXauthCommand(command, self) })),
      ),
    ).pipe(
      stateMachine({
        initial: { ...initialXauth(trust), ...lasting },
        step: (state, input: XauthInput) => {
          const step = xauthStep(decisions, state, input, scheduler.now())
          Object.assign(lasting, listsOf(step.state))
          return step
        },
        perform: (effect) => performing(effect, ports, settings, scheduler),
        keyOf: nameOfWork,
      }),
    )
    return merge(said$, ports.denied$.pipe(map((denied): XauthEvent => ({ type: 'xauth:denied', ...denied }))))
  }
}

/** The part of the state that outlives a crash. */
function listsOf({ trusted, revoked }: XauthState): Pick<XauthState, 'trusted' | 'revoked'> {
  return { trusted, revoked }
}

function connectionInput(event: Stamped<CoreEvent>): Observable<XauthInput> {
  if (event.type === 'connection:open') return of({ type: 'opened', connection: event.connection })
  if (event.type === 'connection:close') return of({ type: 'closed', connection: event.connection.id })
  return of()
}

type Clock = Wires<never, never>['scheduler']

function decided(decision: AuthDecision): XauthInput {
  const problem = problemOfDecision(Object(decision) as AuthDecision)
  if (problem === undefined) return { type: 'decided', decision }
  throw new TypeError(`of a decision, ${problem[0]} ${problem[1]}`)
}

function approvalFailed(error: SwarmError): XauthInput {
  return { type: 'approval-failed', error }
}

/** Does the work of an effect. What comes of it are inputs; what fails, too. */
function performing(
  effect: XauthEffect,
  ports: XauthPorts,
  { metadata }: Pick<XauthSettings, 'metadata'>,
  scheduler: Clock,
): Observable<XauthInput> {
  const silently = (work: () => Observable<unknown>) =>
    defer(work).pipe(
      catchError(() => of()), // a connection that is gone says so itself
      ignoreElements(),
    )
  switch (effect.do) {
    case 'ask':
      return ask(effect, ports, metadata, scheduler.now() / 1_000)
    case 'verify':
      return defer(() => ports.isSigned(effect.request.por)).pipe(
        catchError(() => of(false)),
        defaultIfEmpty(false),
        map((signed): XauthInput => ({ type: 'verified', request: effect.request, signed })),
      )
    case 'respond':
      return silently(() => ports.respond(effect.request, effect.response))
    case 'stand':
      return silently(() => ports.stand(effect.connection, effect.standing, effect.owner))
    case 'hang-up':
      return silently(() => ports.hangUp(effect.connection))
    case 'wait':
      return timer(effect.waitMs, scheduler).pipe(map(() => effect.then))
  }
}

function ask(
  { connection, after }: Extract<XauthEffect, { do: 'ask' }>,
  ports: XauthPorts,
  metadata: XauthSettings['metadata'],
  nowS: number,
): Observable<XauthInput> {
  const failed = (reason: AuthFailure, error: unknown): XauthInput => ({
    type: 'ask-failed',
    connection,
    reason,
    error: asSwarmError(error),
  })
  return defer(() => ports.prove(nowS, after)).pipe(
    first(),
    map((proven) => ({ proven: later(proven, after) })),
    catchError((error: unknown) => of({ failure: failed('no proof', error) })),
    mergeMap((one) => {
      if ('failure' in one) return of(one.failure)
      const { proof, owner } = one.proven
      const shown = { owner, issuedAtS: proof.issuedAtS, expiresAtS: proof.expiresAtS, metadata: {} }
      return defer(() => ports.ask(connection, { por: proof, metadata })).pipe(
        first(),
        map((response): XauthInput => ({ type: 'asked', connection, shown, response })),
        catchError((error: unknown) => of(failed(reasonOf(error), error))),
      )
    }),
  )
}

/** A proof that is not later than the last one would only be refused. */
function later<Proven extends { readonly proof: Por }>(proven: Proven, after: number | undefined): Proven {
  if (after === undefined || proven.proof.issuedAtS > after) return proven
  throw new AuthenticationError('there is no proof of ours that was issued after the last one')
}
