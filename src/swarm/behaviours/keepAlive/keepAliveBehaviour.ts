import {
  catchError,
  concat,
  defer,
  EMPTY,
  first,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  pairwise,
  switchMap,
  throwError,
  timeout,
  timer,
  type Observable,
} from 'rxjs'
import { stateMachine } from '../../../operators/stateMachine.ts'
import { TimeoutError } from '../../../errors/errors.ts'
import { asSwarmError } from '../../perform.ts'
import type { Behaviour, Wires } from '../../vocabulary/behaviour.ts'
import type { CoreEvent, Stamped } from '../../vocabulary/event.ts'
import { checkKeepCommand } from './checkKeepCommand.ts'
import {
  initialIsolation,
  isolationStep,
  nameOfIsolationWork,
  type IsolationEffect,
  type IsolationInput,
  type LatePeer,
} from './isolationMachine.ts'
import type { KeepAliveCommand, KeepAliveEvent } from './keepAliveVocabulary.ts'
import { keepStep } from './keepMachine.ts'
import {
  initialKeep,
  nameOfKeepWork,
  type Kept,
  type KeepDecisions,
  type KeepEffect,
  type KeepInput,
} from './keepState.ts'

/** What keepAlive may call. */
export interface KeepAlivePorts {
  /** Remembers a peer's addresses, and spares its connections when some must close. One value. */
  keep(peer: string, addresses: readonly string[]): Observable<unknown>
  /** Spares it no more. One value. */
  release(peer: string): Observable<unknown>
  /** A usable connection. One value. */
  dial(peer: string, addresses: readonly string[]): Observable<unknown>
  /** Whether a connected peer still answers, on any connection. One value. */
  probe(peer: string): Observable<boolean>
  /** Closes the connections to a peer that answers no more, without a word to it. Completes. */
  cut(peer: string): Observable<unknown>
  /** Probes every connection, closes the dead ones, and looks up own addresses again. One value. */
  sweep(): Observable<{ readonly probed: number; readonly closed: number }>
  /** Keeps who was connected lately for the next start. Completes. */
  save(lately: readonly LatePeer[]): Observable<unknown>
  /** Who is connected, and who was before the node was started. One value, as soon as it has started. */
  readonly known$: Observable<{ readonly peers: readonly string[]; readonly lately: readonly LatePeer[] }>
  /** The IPs of this host, and again whenever they have changed. */
  readonly network$: Observable<readonly string[]>
}

/** What {@link keepAliveBehaviour} is made with. */
export interface KeepAliveSettings extends KeepDecisions {
  /** Kept from the start, and never given up. */
  readonly important: readonly LatePeer[]
  /** How long nobody may be connected. @unit milliseconds */
  readonly isolatedAfterMs: number
}

/** How long a dial of a kept peer may take. @unit milliseconds */
const DIAL_MS = 10_000

/** Changes of who was connected lately are saved together. @unit milliseconds */
const SAVE_AFTER_MS = 1_000

/**
 * Keeps connections to chosen peers, and brings a node back that has lost all of them.
 *
 * ```marble
 * event$  -w------
 * dial    --c|
 * said    cr-----c
 * ```
 *
 * @shape  A kept peer that goes is dialled again: at first quickly, then slower and slower, an important one for ever. A
 *         connected one is probed, so that a dead connection is noticed before its transport does. When the network of this
 *         host changes, or nobody is connected any more, everybody who is away is tried at once. Bound: 1 024 kept peers, 16
 *         dials of them at once.
 * @errors A failed command is `command:failed`; a failed dial is told with the next retry. Nothing else fails.
 * @source ours; js-libp2p's reconnect queue gives up after five tries.
 */
export const keepAliveBehaviour = ({
  important,
  isolatedAfterMs,
  ...decisions
}: KeepAliveSettings): Behaviour<KeepAliveCommand, KeepAliveEvent, KeepAlivePorts> => {
  // a crash forgets no peer that was to be kept
  const lasting = new Map(important.map((one) => [one.peer, keptOf(one)]))
  return ({ command$, cancel$, event$, ports, self, scheduler, random }) => {
    const heard$ = event$ as Observable<Stamped<CoreEvent> | Stamped<KeepAliveEvent> | HungUp>
    const known$ = ports.known$.pipe(catchError(() => EMPTY))
    const kept$ = merge(
      heard$.pipe(mergeMap(keepInput)),
      known$.pipe(map(({ peers }): KeepInput => ({ type: 'known', peers }))),
      cancel$.pipe(map((id): KeepInput => ({ type: 'cancelled', id }))),
      command$.pipe(
        map((command): KeepInput => ({ type: 'command', command, error: checkKeepCommand(command, self) })),
      ),
    ).pipe(
      stateMachine({
        initial: initialKeep(lasting),
        step: (state, input: KeepInput) => {
          const step = keepStep(decisions, state, input, scheduler.now(), random)
          if (step.state.kept !== state.kept) remember(lasting, step.state.kept)
          return step
        },
        perform: (effect) => keeping(effect, ports, scheduler),
        keyOf: nameOfKeepWork,
      }),
    )
    const isolation$ = merge(heard$.pipe(mergeMap(isolationInput)), known$.pipe(map(knownInput))).pipe(
      stateMachine({
        initial: initialIsolation,
        step: (state, input: IsolationInput) => isolationStep(isolatedAfterMs, state, input, scheduler.now(), random),
        perform: (effect) => healing(effect, ports, scheduler),
        keyOf: nameOfIsolationWork,
      }),
    )
    const change$ = ports.network$.pipe(
      catchError(() => EMPTY),
      pairwise(),
      map(([before, now]): KeepAliveEvent => ({
        type: 'network:changed',
        added: now.filter((ip) => !before.includes(ip)),
        removed: before.filter((ip) => !now.includes(ip)),
      })),
      switchMap((changed) => concat(of(changed), sweeping(ports))),
    )
    return merge(kept$, isolation$, change$)
  }
}

/** What `connections` says of a hang-up that the app has asked for. */
interface HungUp {
  readonly type: 'connections:hung-up'
  readonly peer: string
}

function keptOf({ peer, addresses }: LatePeer): Kept {
  return { peer, addresses, tier: 'important', status: 'idle', failures: 0, isRefused: false, sinceMs: 0 }
}

function remember(lasting: Map<string, Kept>, kept: ReadonlyMap<string, Kept>): void {
  lasting.clear()
  for (const [peer, one] of kept) lasting.set(peer, one.status === 'paused' ? one : { ...one, status: 'idle' })
}

type Heard = Stamped<CoreEvent> | Stamped<KeepAliveEvent> | HungUp

function keepInput(event: Heard): Observable<KeepInput> {
  switch (event.type) {
    case 'peer:connect':
      return of({ type: 'came', peer: event.peer })
    case 'peer:disconnect':
      return of({ type: 'went', peer: event.peer })
    case 'connections:hung-up':
      return of({ type: 'hung-up', peer: event.peer })
    case 'peer:identify':
      return of({ type: 'identified', peer: event.peer, addresses: event.addresses })
    case 'network:changed':
    case 'network:isolated':
      return of({ type: 'shaken' })
    default:
      return EMPTY
  }
}

function isolationInput(event: Heard): Observable<IsolationInput> {
  switch (event.type) {
    case 'peer:connect':
      return of({ type: 'came', peer: event.peer })
    case 'peer:disconnect':
      return of({ type: 'went', peer: event.peer })
    case 'connections:hung-up':
      return of({ type: 'hung-up', peer: event.peer })
    case 'peer:identify':
      return of({ type: 'identified', peer: event.peer, addresses: event.addresses })
    case 'network:changed':
      return of({ type: 'network-changed' })
    default:
      return EMPTY
  }
}

function knownInput(known: Omit<Extract<IsolationInput, { type: 'known' }>, 'type'>): IsolationInput {
  return { type: 'known', ...known }
}

type Clock = Wires<never, never>['scheduler']

/** Dials with a bound; what comes of it is an input. */
function dialling(ports: KeepAlivePorts, { peer, addresses }: LatePeer, scheduler: Clock): Observable<unknown> {
  const late = () => throwError(() => new TimeoutError(`dial ${peer}: no connection within ${DIAL_MS} ms`, { peer }))
  return defer(() => ports.dial(peer, addresses)).pipe(first(), timeout({ first: DIAL_MS, with: late, scheduler }))
}

function silently(work: () => Observable<unknown>): Observable<never> {
  return defer(work).pipe(
    catchError(() => EMPTY), // done as well as it can be: the next event tells what came of it
    ignoreElements(),
  )
}

/** Does the work of an effect. What comes of it are inputs; what fails, too. */
function keeping(effect: KeepEffect, ports: KeepAlivePorts, scheduler: Clock): Observable<KeepInput> {
  switch (effect.do) {
    case 'remember': {
      const { command } = effect
      return defer(() => ports.keep(command.peer, command.addresses)).pipe(
        first(),
        map((): KeepInput => ({ type: 'remembered', command })),
        catchError((error: unknown) => of<KeepInput>({ type: 'command-failed', command, error: asSwarmError(error) })),
      )
    }
    case 'release': {
      const { command } = effect
      return defer(() => ports.release(command.peer)).pipe(
        first(),
        map((): KeepInput => ({ type: 'released', command })),
        catchError((error: unknown) => of<KeepInput>({ type: 'command-failed', command, error: asSwarmError(error) })),
      )
    }
    case 'let-go':
      return silently(() => ports.release(effect.peer))
    case 'wait':
      return timer(effect.waitMs, scheduler).pipe(map((): KeepInput => ({ type: 'due', peer: effect.peer })))
    case 'dial': {
      const { peer } = effect
      return dialling(ports, effect, scheduler).pipe(
        map((): KeepInput => ({ type: 'dialled', peer })),
        catchError((error: unknown) => of<KeepInput>({ type: 'dial-failed', peer, error: asSwarmError(error) })),
      )
    }
    case 'cut':
      return silently(() => ports.cut(effect.peer))
    case 'wait-to-probe':
      return timer(effect.waitMs, scheduler).pipe(map((): KeepInput => ({ type: 'probe-due', peer: effect.peer })))
    case 'probe': {
      const { peer } = effect
      return defer(() => ports.probe(peer)).pipe(
        first(),
        catchError(() => of(true)), // it is gone, and says so itself
        map((isAlive): KeepInput => ({ type: 'probed', peer, isAlive })),
      )
    }
  }
}

function healing(effect: IsolationEffect, ports: KeepAlivePorts, scheduler: Clock): Observable<IsolationInput> {
  switch (effect.do) {
    case 'wait':
      return timer(effect.waitMs, scheduler).pipe(map((): IsolationInput => effect.then))
    case 'dial':
      return silently(() => dialling(ports, effect.late, scheduler))
    case 'save':
      return timer(SAVE_AFTER_MS, scheduler).pipe(mergeMap(() => silently(() => ports.save(effect.lately))))
  }
}

function sweeping(ports: KeepAlivePorts): Observable<KeepAliveEvent> {
  return defer(() => ports.sweep()).pipe(
    map((swept): KeepAliveEvent => ({ type: 'network:swept', ...swept })),
    catchError(() => EMPTY),
  )
}
