import { catchError, concat, EMPTY, map, merge, mergeMap, of, pairwise, switchMap, type Observable } from 'rxjs'
import { stateMachine } from '../../../operators/stateMachine.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import { checkKeepCommand } from './checkKeepCommand.ts'
import {
  initialIsolation,
  isolationStep,
  nameOfIsolationWork,
  type IsolationInput,
  type LatePeer,
} from './isolationMachine.ts'
import { isolationInput, keepInput, knownInput, type Heard } from './keepAliveHeard.ts'
import type { KeepAliveCommand, KeepAliveEvent } from './keepAliveVocabulary.ts'
import { healing, keeping, sweeping } from './keepAliveWork.ts'
import { keepStep } from './keepMachine.ts'
import { initialKeep, nameOfKeepWork, type Kept, type KeepDecisions, type KeepInput } from './keepState.ts'

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
    const heard$ = event$ as Observable<Heard>
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

function keptOf({ peer, addresses }: LatePeer): Kept {
  return { peer, addresses, tier: 'important', status: 'idle', failures: 0, isRefused: false, sinceMs: 0 }
}

function remember(lasting: Map<string, Kept>, kept: ReadonlyMap<string, Kept>): void {
  lasting.clear()
  for (const [peer, one] of kept) lasting.set(peer, one.status === 'paused' ? one : { ...one, status: 'idle' })
}
