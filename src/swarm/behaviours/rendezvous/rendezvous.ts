import type { Multiaddr } from '@multiformats/multiaddr'
import { z } from 'zod'
import { some, someWaitMs } from '../../../errors/optionKinds.ts'
import { problemsIn } from '../../../errors/problemsIn.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { PeerRef } from '../checkPeer.ts'
import type { PointLimits } from './pointDecisions.ts'
import { pointIn, pointsIn } from './pointRef.ts'
import { rendezvousBehaviour, type RendezvousDecisions } from './rendezvousBehaviour.ts'
import { rendezvousPorts } from './rendezvousPorts.ts'
import { RENDEZVOUS, rendezvousService } from './rendezvousService.ts'
import type {
  Discover,
  OwnRegistration,
  Register,
  RegisterOnce,
  RendezvousCommand,
  RendezvousEvent,
  RendezvousPorts,
  Unregister,
  Watch,
} from './rendezvousVocabulary.ts'

/** What a rendezvous point grants. */
export interface RendezvousPointOptions {
  /** Registrations in all. Default: 10 000. */
  readonly registrations?: number
  /** Registrations of one peer. Default: 100. */
  readonly registrationsPerPeer?: number
  /** Registrations in one answer. Default: 1 000. */
  readonly answerMost?: number
  /** Shortest time for which a registration is taken. Default: 7 200 000, two hours. @unit milliseconds */
  readonly minTtlMs?: number
  /** Longest time. Default: 259 200 000, 72 hours. @unit milliseconds */
  readonly maxTtlMs?: number
}

/** Options of {@link rendezvous}. */
export interface RendezvousOptions {
  /** Points that are meant when a command names none: peer ids, or multiaddrs that end with one. Default: none. */
  readonly points?: readonly (PeerRef | Multiaddr)[]
  /** Whether this node is a point for others, and what it grants. Default: false. */
  readonly point?: boolean | RendezvousPointOptions
}

/** Registrations of this node, and what it is to others. */
export interface RendezvousState {
  /** By point and namespace, as `point namespace`; `cause` is the command that keeps it. */
  readonly own: ReadonlyMap<string, OwnRegistration & { readonly cause?: string }>
  /** Registrations at this node since its start; those that it had kept are not counted. */
  readonly accepted: number
}

const TWO_HOURS_MS = 7_200_000
const THREE_DAYS_MS = 259_200_000

const pointSchema = z
  .strictObject({
    registrations: some.default(10_000),
    registrationsPerPeer: some.default(100),
    answerMost: some.max(1_000, 'must be at most 1 000').default(1_000),
    minTtlMs: someWaitMs.min(1_000, 'must be at least 1 000: the wire has seconds').default(TWO_HOURS_MS),
    maxTtlMs: someWaitMs.max(THREE_DAYS_MS, 'must be at most 72 hours').default(THREE_DAYS_MS),
  })
  .refine(({ minTtlMs, maxTtlMs }) => minTtlMs <= maxTtlMs, 'minTtlMs must not be above maxTtlMs')

const point = z
  .custom<PeerRef | Multiaddr>((value) => pointIn(String(value)) !== undefined, {
    error: 'must be a peer id, or an address that ends with one',
  })
  .transform(String)

const schema = z.strictObject({
  points: z.array(point, 'must be a list of points').max(16, 'must be at most 16').default([]),
  point: z.union([z.boolean(), pointSchema], 'must be true, false or what a point grants').default(false),
})

const nameOf = ({ point: at, namespace }: { readonly point: string; readonly namespace: string }) =>
  `${at} ${namespace}`

const state: Slice<RendezvousState, RendezvousEvent | CoreEvent> = {
  initial: { own: new Map(), accepted: 0 },
  on: {
    'rendezvous:registered': withOwn,
    'rendezvous:refreshed': withOwn,
    'rendezvous:unregistered': (known, event) => {
      const own = new Map(known.own)
      return own.delete(nameOf(event)) ? { ...known, own } : known
    },
    'rendezvous:accepted': (known) => ({ ...known, accepted: known.accepted + 1 }),
    'command:cancelled': withoutThoseOf,
    'command:completed': withoutThoseOf,
    'command:failed': withoutThoseOf,
  },
}

/** A registration that was kept is not any more. */
function withoutThoseOf(known: RendezvousState, { cause, command: type }: Extract<CoreEvent, { command: string }>) {
  if (type !== 'rendezvous/register') return known
  const own = [...known.own].filter(([, one]) => one.cause !== cause)
  return own.length === known.own.size ? known : { ...known, own: new Map(own) }
}

function withOwn(known: RendezvousState, event: OwnRegistration & { readonly cause?: string }): RendezvousState {
  const { point: at, namespace, ttlMs, cause } = event
  const registration = { point: at, namespace, ttlMs, ...(cause === undefined ? {} : { cause }) }
  return { ...known, own: new Map(known.own).set(nameOf(registration), registration) }
}

function module(
  options: RendezvousOptions = {},
): BehaviourModule<'rendezvous', RendezvousCommand, RendezvousEvent, RendezvousPorts, RendezvousState> {
  const { value, problems } = problemsIn('rendezvous', schema, options)
  const isPoint = problems.length === 0 && value.point !== false
  const limits: PointLimits | undefined = !isPoint
    ? undefined
    : value.point === true
      ? pointSchema.parse({})
      : (value.point as PointLimits)
  const decisions: RendezvousDecisions = { points: problems.length > 0 ? [] : pointsIn(value.points), limits }
  return {
    name: 'rendezvous',
    problems,
    commands: {
      'rendezvous/register': {
        openEnded: true,
        answers: { 'rendezvous:registered': registrationIn, 'rendezvous:refreshed': registrationIn },
      },
      'rendezvous/register-once': { answers: { 'rendezvous:registered': registrationIn } },
      'rendezvous/unregister': { answers: { 'rendezvous:unregistered': ({ point: at }) => at } },
      'rendezvous/discover': {
        answers: {
          'rendezvous:found': ({ peer, namespace, addresses, point: at, ttlMs }) => {
            return { peer, namespace, addresses, point: at, ttlMs }
          },
        },
      },
      'rendezvous/watch': {
        openEnded: true,
        answers: {
          'rendezvous:changed': ({ kind, peer, namespace, addresses, points }) => {
            return { kind, peer, namespace, addresses, points }
          },
        },
      },
    },
    services: { [RENDEZVOUS]: rendezvousService },
    state,
    options: decisions,
    ports: rendezvousPorts,
    behaviour: rendezvousBehaviour(decisions),
  }
}

const registrationIn = ({ point: at, namespace, ttlMs }: OwnRegistration) => ({ point: at, namespace, ttlMs })

/** Which points a command means. */
interface At {
  /** Peer ids, or multiaddrs that end with one. Default: those of the options. */
  readonly points?: readonly (PeerRef | Multiaddr)[]
}

const at = ({ points }: At) => (points === undefined ? {} : { points: points.map(String) })

/**
 * Registers at rendezvous points, asks them who is there, and is one: `rendezvous({ points, point })` for `use`, and its
 * commands.
 */
export const rendezvous = Object.assign(module, {
  /**
   * Registers this node at every point, and keeps it registered: it is renewed before its end, and made anew when own
   * addresses have changed or a point is back.
   *
   * @param namespace 1 to 255 bytes.
   * @param ttlMs     How long a registration is to hold without renewal; a point says what it grants. Default: what the
   *                  points take, two hours. @unit milliseconds
   * @shape  Open-ended. `execute` emits the registration at each point when it is made, and each time it is renewed; one
   *         that fails is the event `rendezvous:failed`. The last to leave takes it back.
   * @errors `InvalidCommandError`.
   */
  register: (
    { namespace, ttlMs, ...rest }: At & { readonly namespace: string; readonly ttlMs?: number },
    meta?: CommandMeta,
  ): Register =>
    command('rendezvous/register', { ...at(rest), namespace, ...(ttlMs === undefined ? {} : { ttlMs }) }, meta),
  /**
   * Registers this node at every point, once; it is over when its time is.
   *
   * @shape  `execute` emits what each point has granted. @errors When every point failed: `RendezvousError` with the status
   */
  registerOnce: (
    { namespace, ttlMs, ...rest }: At & { readonly namespace: string; readonly ttlMs?: number },
    meta?: CommandMeta,
  ): RegisterOnce =>
    command('rendezvous/register-once', { ...at(rest), namespace, ...(ttlMs === undefined ? {} : { ttlMs }) }, meta),
  /** Takes a registration back. @shape `execute` emits each point that was told; there is no answer. */
  unregister: ({ namespace, ...rest }: At & { readonly namespace: string }, meta?: CommandMeta): Unregister =>
    command('rendezvous/unregister', { ...at(rest), namespace }, meta),
  /**
   * Asks every point who is registered now.
   *
   * @param namespace Default: all.
   * @param limit     Most peers of each point. Default: no limit.
   * @shape  `execute` emits each peer, once a point. Only records that the peer itself has signed, and no older than one
   *         known before.
   * @errors When every point failed: `RendezvousError` with the status, or why it could not be asked.
   */
  discover: (
    { namespace, limit, ...rest }: At & { readonly namespace?: string; readonly limit?: number } = {},
    meta?: CommandMeta,
  ): Discover =>
    command(
      'rendezvous/discover',
      { ...at(rest), ...(namespace === undefined ? {} : { namespace }), ...(limit === undefined ? {} : { limit }) },
      meta,
    ),
  /**
   * Who comes to a namespace, changes its addresses and leaves, at several points together.
   *
   * @param intervalMs How often each point is asked for what is new. Default: 10 000. @unit milliseconds
   * @shape  Open-ended. `execute` emits `added` for each peer that is there, then each change; a peer has left when it is
   *         registered at no point any more. The protocol does not tell of that: it is seen when a registration runs out,
   *         or within ten intervals.
   */
  watch: (
    { namespace, intervalMs, ...rest }: At & { readonly namespace: string; readonly intervalMs?: number },
    meta?: CommandMeta,
  ): Watch =>
    command('rendezvous/watch', { ...at(rest), namespace, ...(intervalMs === undefined ? {} : { intervalMs }) }, meta),
})
