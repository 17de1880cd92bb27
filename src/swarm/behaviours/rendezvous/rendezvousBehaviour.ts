import {
  connect,
  defer,
  EMPTY,
  catchError,
  filter,
  map,
  merge,
  mergeMap,
  of,
  take,
  throwError,
  toArray,
  type Observable,
} from 'rxjs'
import { InvalidCommandError, type SwarmError } from '../../../errors/errors.ts'
import { LONGEST_TIMER_MS } from '../../../errors/optionKinds.ts'
import { ofType } from '../../../operators/ofType.ts'
import { asSwarmError, perform } from '../../perform.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import { contextOf } from '../../vocabulary/command.ts'
import { asking, watching } from './asking.ts'
import { flawOfNamespace, type PointLimits } from './pointDecisions.ts'
import { pointsIn } from './pointRef.ts'
import { registering, staying } from './registering.ts'
import type { PointRef, RendezvousCommand, RendezvousEvent, RendezvousPorts } from './rendezvousVocabulary.ts'
import { serving } from './serving.ts'

/** What {@link rendezvousBehaviour} is made with. */
export interface RendezvousDecisions {
  /** Points that commands mean which name none. */
  readonly points: readonly PointRef[]
  /** What this node grants as a point; nothing: it is none. */
  readonly limits: PointLimits | undefined
}

/**
 * Registers at rendezvous points, asks them who is there, and is one.
 *
 * ```marble
 * command$  -w-----------
 * point     --a|
 * said      ---(fa)-----
 * ```
 *
 * @shape  Several points are asked side by side; what one says of a peer and what another says of it are one.
 * @errors A point that fails is `rendezvous:failed`; a command fails when all its points did.
 * @source libp2p rendezvous, specification r3.
 */
export const rendezvousBehaviour =
  ({ points, limits }: RendezvousDecisions): Behaviour<RendezvousCommand, RendezvousEvent, RendezvousPorts> =>
  (wires) => {
    const { command$, cancel$, ports, self } = wires
    /** At each point that a command names; one that fails does not end the others. */
    const atEach = (
      command: RendezvousCommand,
      work: (ref: PointRef) => Observable<RendezvousEvent>,
    ): Observable<RendezvousEvent> => merge(...pointsOf(command, points, self).map(work))
    const said = (event: RendezvousEvent) => event
    return merge(
      limits === undefined ? EMPTY : serving(limits, wires),
      command$.pipe(
        ofType('rendezvous/register'),
        perform(
          cancel$,
          (command) => {
            check(command)
            return atEach(command, (ref) => merge(ports.hold(ref, command.namespace), staying(ref, command, wires)))
          },
          said,
        ),
      ),
      command$.pipe(
        ofType('rendezvous/register-once'),
        perform(
          cancel$,
          (command) => {
            check(command)
            const { namespace } = command
            return atEach(command, (ref) =>
              registering(ref, command, wires).pipe(
                map((ttlMs): RendezvousEvent => {
                  return { type: 'rendezvous:registered', point: ref.point, namespace, ttlMs }
                }),
                catchError(failedAt(ref, namespace, 'register')),
              ),
            ).pipe(unlessAllFailed())
          },
          said,
        ),
      ),
      command$.pipe(
        ofType('rendezvous/unregister'),
        perform(
          cancel$,
          (command) => {
            check(command)
            const { namespace } = command
            return atEach(command, (ref) =>
              defer(() => ports.unregister(ref, namespace)).pipe(
                take(1),
                map((): RendezvousEvent => ({ type: 'rendezvous:unregistered', point: ref.point, namespace })),
                catchError(failedAt(ref, namespace, 'register')),
              ),
            ).pipe(unlessAllFailed())
          },
          said,
        ),
      ),
      command$.pipe(
        ofType('rendezvous/discover'),
        perform(
          cancel$,
          (command) => {
            check(command)
            const { namespace, limit = Infinity } = command
            return atEach(command, (ref) =>
              asking(ref, namespace, limit, wires).pipe(catchError(failedAt(ref, namespace, 'discover'))),
            ).pipe(unlessAllFailed())
          },
          said,
        ),
      ),
      command$.pipe(
        ofType('rendezvous/watch'),
        perform(
          cancel$,
          (command) => {
            check(command)
            const { namespace, intervalMs = WATCH_MS } = command
            return watching(pointsOf(command, points, self), namespace, intervalMs, wires)
          },
          said,
        ),
      ),
    )
  }

/** How often a watch asks when it is not told. @unit milliseconds */
export const WATCH_MS = 10_000

/** Points of one command. */
const MOST_POINTS = 16

function pointsOf(command: RendezvousCommand, usual: readonly PointRef[], self: string): readonly PointRef[] {
  const named = command.points === undefined ? usual : pointsIn(command.points)
  const wrong = (message: string) =>
    new InvalidCommandError(`points: ${message}`, { ...contextOf(command), field: 'points' })
  if (command.points !== undefined && command.points.length > MOST_POINTS) throw wrong(`must be ${MOST_POINTS} at most`)
  if (named.length === 0) throw wrong('there is none; name one here, or give some to rendezvous({ points })')
  if (named.some(({ point }) => point === self)) throw wrong(`${self} is this node itself`)
  return named
}

function check(command: RendezvousCommand): void {
  const { namespace } = command
  const wrong = (field: string, message: string) =>
    new InvalidCommandError(`${field}: ${message}`, { ...contextOf(command), field })
  const isOptional = command.type === 'rendezvous/discover'
  if (!(namespace === undefined && isOptional)) {
    if (typeof namespace !== 'string') throw wrong('namespace', 'must be text')
    const flaw = flawOfNamespace(namespace)
    if (flaw !== undefined) throw wrong('namespace', flaw)
  }
  const isList = (list: unknown) => Array.isArray(list) && list.every((one) => typeof one === 'string' && one !== '')
  if (command.points !== undefined && !isList(command.points)) throw wrong('points', 'must be peer ids or multiaddrs')
  const positive = (field: string, value: unknown, most: number) => {
    if (value === undefined || (typeof value === 'number' && value > 0 && value <= most)) return
    throw wrong(field, `must be a number above 0, at most ${most}, not ${JSON.stringify(value)}`)
  }
  if ('ttlMs' in command) positive('ttlMs', command.ttlMs, Number.MAX_SAFE_INTEGER)
  if ('intervalMs' in command) positive('intervalMs', command.intervalMs, LONGEST_TIMER_MS)
  if ('limit' in command) positive('limit', command.limit, Infinity)
}

function failedAt({ point }: PointRef, namespace: string | undefined, asked: 'register' | 'discover') {
  return (error: unknown): Observable<RendezvousEvent> =>
    of({
      type: 'rendezvous:failed',
      point,
      ...(namespace === undefined ? {} : { namespace }),
      asked,
      error: asSwarmError(error),
    })
}

/** What went well as it comes, what failed at the end; when everything has failed, the error of the first instead. */
function unlessAllFailed() {
  const isFailure = (event: RendezvousEvent) => event.type === 'rendezvous:failed'
  return (event$: Observable<RendezvousEvent>): Observable<RendezvousEvent> =>
    event$.pipe(
      connect((shared$) =>
        merge(
          shared$.pipe(filter((event) => !isFailure(event))),
          shared$.pipe(
            toArray(),
            mergeMap((all) => {
              const failures = all.filter(isFailure)
              const [first] = failures as readonly { readonly error: SwarmError }[]
              return first !== undefined && failures.length === all.length ? throwError(() => first.error) : failures
            }),
          ),
        ),
      ),
    )
}
