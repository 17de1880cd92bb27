import { catchError, defer, ignoreElements, map, merge, of, timer, type Observable, type SchedulerLike } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import { stateMachine } from '../../../operators/stateMachine.ts'
import { InvalidCommandError, type SwarmError } from '../../../errors/errors.ts'
import type { XStream } from '../../../streams/xstream/XStream.ts'
import { approvals } from '../../approvals.ts'
import { guard, type PolicyOption } from '../../guard.ts'
import { asSwarmError, perform } from '../../perform.ts'
import { remaining } from '../../remaining.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import { contextOf } from '../../vocabulary/command.ts'
import { checkPeer } from '../checkPeer.ts'
import { initialXStream, nameOfWait, xstreamStep, type XStreamEffect, type XStreamInput } from './xstreamMachine.ts'
import type {
  AcceptStreams,
  DecideStream,
  OpenStream,
  XStreamCommand,
  XStreamDecision,
  XStreamEvent,
  XStreamOffer,
} from './xstreamVocabulary.ts'

/** What a peer's attempt to open an xstream came to, when it came to nothing. */
export interface FailedOffer {
  /** The remote peer. */
  readonly peer: string
  /** libp2p's id of the connection. */
  readonly connection: string
  /** What went wrong. */
  readonly error: SwarmError
}

/** An xstream that is over. */
export interface ClosedStream {
  /** The remote peer. */
  readonly peer: string
  /** libp2p's id of the connection. */
  readonly connection: string
  /** From the opener's counter. */
  readonly id: string
  /** Who opened it: `inbound` is the remote. */
  readonly direction: 'inbound' | 'outbound'
  /** What ended it, unless both sides had finished. */
  readonly error?: SwarmError
}

/** What xstream may call. */
export interface XStreamPorts {
  /**
   * Opens an xstream to a peer; dials when there is no connection. One value. Unsubscribing before it is there gives it up.
   *
   * @param deadlineMs How long it is waited for: the peer is told, if it can be. @unit milliseconds
   */
  open(peer: string, limited: boolean, deadlineMs: number): Observable<XStream>
  /** What peers want to open; each waits for its answer. */
  readonly offer$: Observable<XStreamOffer>
  /** Offers that nobody waits for any more, by name. */
  readonly withdrawn$: Observable<string>
  /** Answers an offer: with a reason, no. Completes at once. */
  answer(offer: string, reason?: string): Observable<never>
  /** Xstreams that peers have opened. */
  readonly accepted$: Observable<XStream>
  /** Xstreams that are over, whoever opened them. */
  readonly closed$: Observable<ClosedStream>
  /** Attempts of peers that came to nothing. */
  readonly failed$: Observable<FailedOffer>
}

/** The app's own approval: it hears of every offer, and says which may open. */
export type StreamApproval = (offer$: Observable<XStreamOffer>) => Observable<XStreamDecision>

/** What {@link xstreamBehaviour} is made with. */
export interface XStreamSettings {
  /** Who decides over offers: all are accepted, somebody is asked, or an operator of the app's. */
  readonly approve: 'all' | 'ask' | StreamApproval
  /** How long an offer waits. @unit milliseconds */
  readonly decideMs: number
  /** What guards opening. */
  readonly policy: PolicyOption
}

/**
 * Opens xstreams, and hands out those that peers open.
 *
 * ```marble
 * command$   -o---------
 * open       --s|
 * offer$     ------f----
 * accepted$  --------a--
 * said       ---oc---a--
 * ```
 *
 * @shape  An xstream that a peer opens goes to one `xstream/accept`, to each in turn; without one the peer is told so.
 * @errors Failures of opening are `command:failed`; those of peers `xstream:failed`.
 * @source xstream of XNetwork2.
 */
export const xstreamBehaviour =
  ({ approve, decideMs, policy }: XStreamSettings): Behaviour<XStreamCommand, XStreamEvent, XStreamPorts> =>
  ({ command$, cancel$, event$, ports, self, ...wires }) => {
    const decisions = { approval: approve === 'all' ? approve : 'ask', decideMs } as const
    const asked$ = (event$ as Observable<unknown> as Observable<{ type: 'xstream:offered' } & XStreamOffer>).pipe(
      ofType('xstream:offered'),
      map(({ type: _type, ...offer }) => offer as XStreamOffer),
    )
    const left = remaining(wires)
    return merge(
      command$.pipe(
        ofType('xstream/open'),
        perform(
          cancel$,
          (command) => {
            const { peer, limited } = command
            checkPeer(peer, self)
            return ports.open(peer, limited === true, left(command))
          },
          (stream, { peer }): XStreamEvent => ({ type: 'xstream:opened', peer, stream }),
          guard<OpenStream>(wires, policy, ({ peer }) => peer),
        ),
      ),
      merge(
        command$.pipe(
          ofType('xstream/accept', 'xstream/decide'),
          map((command): XStreamInput => ({ type: 'command', command, error: check(command, self) })),
        ),
        cancel$.pipe(map((id): XStreamInput => ({ type: 'cancelled', id }))),
        ports.offer$.pipe(map((offer): XStreamInput => ({ type: 'offered', offer }))),
        ports.withdrawn$.pipe(map((offer): XStreamInput => ({ type: 'withdrawn', offer }))),
        ports.accepted$.pipe(map((stream): XStreamInput => ({ type: 'accepted', stream }))),
        approve === 'all' || approve === 'ask'
          ? of<XStreamInput>()
          : approvals(approve, asked$, { decided, failed: approvalFailed, scheduler: wires.scheduler }),
      ).pipe(
        stateMachine({
          initial: initialXStream,
          step: (state, input: XStreamInput) => xstreamStep(decisions, state, input),
          perform: (effect) => performing(effect, ports, wires.scheduler),
          keyOf: nameOfWait,
        }),
      ),
      ports.closed$.pipe(map((closed): XStreamEvent => ({ type: 'xstream:closed', ...closed }))),
      ports.failed$.pipe(map((failed): XStreamEvent => ({ type: 'xstream:failed', ...failed }))),
    )
  }

function performing(
  effect: XStreamEffect,
  { answer }: XStreamPorts,
  scheduler: SchedulerLike,
): Observable<XStreamInput> {
  switch (effect.do) {
    case 'answer':
      return defer(() => answer(effect.offer, effect.reason)).pipe(
        catchError(() => of()), // a peer that is gone says so itself
        ignoreElements(),
      )
    case 'drop':
      return defer(() => {
        effect.stream.abort(new Error('nobody takes streams here any more'))
        return of<XStreamInput>()
      })
    case 'wait':
      return timer(effect.waitMs, scheduler).pipe(map((): XStreamInput => ({ type: 'late', offer: effect.offer })))
  }
}

function decided(decision: XStreamDecision): XStreamInput {
  const { offer, accept } = Object(decision) as Partial<Record<keyof XStreamDecision, unknown>>
  if (typeof offer === 'string' && typeof accept === 'boolean') return { type: 'decided', decision }
  throw new TypeError('an approval must name the offer and say whether it accepts')
}

function approvalFailed(error: SwarmError): XStreamInput {
  return { type: 'approval-failed', error }
}

/** What is wrong with the fields of a command, if anything. */
function check(command: AcceptStreams | DecideStream, self: string): SwarmError | undefined {
  try {
    const wrong = (field: string, message: string) =>
      new InvalidCommandError(`${field}: ${message}`, { ...contextOf(command), field })
    if (command.type === 'xstream/accept') {
      if (command.peer !== undefined) checkPeer(command.peer, self)
      return undefined
    }
    if (typeof command.offer !== 'string') return wrong('offer', 'must name an offer as text')
    if (typeof command.accept !== 'boolean') return wrong('accept', 'must be true or false')
    const { reason } = command
    return reason === undefined || typeof reason === 'string' ? undefined : wrong('reason', 'must be text')
  } catch (error) {
    return asSwarmError(error, command)
  }
}
