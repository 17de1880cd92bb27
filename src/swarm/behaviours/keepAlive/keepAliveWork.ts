import {
  catchError,
  defer,
  EMPTY,
  first,
  ignoreElements,
  map,
  mergeMap,
  of,
  throwError,
  timeout,
  timer,
  type Observable,
} from 'rxjs'
import { TimeoutError } from '../../../errors/errors.ts'
import { asSwarmError } from '../../perform.ts'
import type { Wires } from '../../vocabulary/behaviour.ts'
import type { IsolationEffect, IsolationInput, LatePeer } from './isolationMachine.ts'
import type { KeepAlivePorts } from './keepAliveBehaviour.ts'
import type { KeepAliveEvent } from './keepAliveVocabulary.ts'
import type { KeepEffect, KeepInput } from './keepState.ts'

/** How long a dial of a kept peer may take. @unit milliseconds */
const DIAL_MS = 10_000

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

/** Does the work of an effect of the kept peers. What comes of it are inputs; what fails, too. */
export function keeping(effect: KeepEffect, ports: KeepAlivePorts, scheduler: Clock): Observable<KeepInput> {
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

/** Does the work of an effect of the node as a whole. */
export function healing(effect: IsolationEffect, ports: KeepAlivePorts, scheduler: Clock): Observable<IsolationInput> {
  switch (effect.do) {
    case 'wait':
      return timer(effect.waitMs, scheduler).pipe(map((): IsolationInput => effect.then))
    case 'dial':
      return silently(() => dialling(ports, effect.late, scheduler))
    case 'save':
      return timer(effect.waitMs, scheduler).pipe(mergeMap(() => silently(() => ports.save(effect.lately))))
  }
}

/** Looks at every connection. */
export function sweeping(ports: KeepAlivePorts): Observable<KeepAliveEvent> {
  return defer(() => ports.sweep()).pipe(
    map((swept): KeepAliveEvent => ({ type: 'network:swept', ...swept })),
    catchError(() => EMPTY),
  )
}
