import { asyncScheduler, type Observable, type SchedulerLike, type Subscription } from 'rxjs'
import { z } from 'zod'
import { ConfigError } from '../errors/errors.ts'
import { parseOptions } from '../errors/parseOptions.ts'
import { requireChance } from './backoff.ts'
import type { CircuitSnapshot, CircuitState } from './circuit.ts'
import { parsePolicy } from './definePolicy.ts'
import { KeyRegistry } from './keyRegistry.ts'
import { policy, type Policy } from './policy.ts'
import type { PolicyListener } from './policyEvent.ts'
import type { ParsedPolicy, PolicySpec } from './policySpec.ts'
import { callable, clock, count, share, some, someMs } from '../errors/optionKinds.ts'
import { surroundings } from './schemas.ts'

/** How many keys may be ejected at once: have a circuit that is not closed. */
export interface EjectionCap {
  /** Of the known keys; rounded down. Default: 0.1. */
  readonly share?: number
  /** So many may be ejected however few are known, as long as one is left. Default: 0. */
  readonly atLeast?: number
  /** How many are known. Default: the keys that the policy has seen and not forgotten. */
  readonly known?: (() => number) | undefined
}

/** The decisions of {@link keyed}. */
export interface KeyedOptions<Subject> {
  /** The stack that each key gets for itself; a retry budget is shared by all. */
  readonly policy: PolicySpec
  /** The key of what a call is about. Default: `String`. */
  readonly by?: (subject: Subject) => string
  /** Keys that are remembered; of more, the longest unused are forgotten, those in trouble last. Default: 10 000. */
  readonly maxKeys?: number
  /** An unused key is forgotten after this. Default: 600 000. @unit milliseconds */
  readonly expireAfterMs?: number
  /** How many may be ejected at once. */
  readonly ejection?: EjectionCap
  /** The chance of jitter; needed when a backoff has jitter. @unit 0 (inclusive) to 1 (exclusive) */
  readonly random?: () => number
  /** Hears of everything the policies do; `key` says where. */
  readonly onEvent?: PolicyListener
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

/** Where a key is. */
export interface KeyState {
  /** Of its circuit breaker; closed when it has none. */
  readonly circuit: CircuitState
  /** Calls in its bulkhead. */
  readonly running: number
  /** Calls that wait in its bulkhead. */
  readonly waiting: number
}

/** What remains of a keyed policy after a restart: plain data. */
export interface KeyedSnapshot {
  /** The circuit of each key that is remembered. */
  readonly circuits: Readonly<Record<string, CircuitSnapshot>>
}

/** A policy for each key. */
export interface Keyed<Subject> {
  /** The policy of a subject's key; a key function that throws is the error of that call alone. */
  (subject: Subject): Policy
  /** Every key; replays its latest, and emits when a circuit changes, all changes of a moment at once. */
  readonly state$: Observable<ReadonlyMap<string, KeyState>>
  /** Keys that are remembered. */
  readonly size: number
  /** Holds the circuit of a key open by hand, until the returned subscription ends. */
  isolate(subject: Subject): Subscription
  /** What remains after a restart: plain data. */
  snapshot(): KeyedSnapshot
  /** Takes a snapshot's place; keys that are not in it stay as they are. */
  restore(snapshot: KeyedSnapshot): void
}

/** An {@link EjectionCap} with its defaults. */
export const ejectionCap = z
  .strictObject({ share: share.default(0.1), atLeast: count.default(0), known: callable<() => number>().optional() })
  .prefault({})

const schema = z.strictObject({
  policy: z.unknown().optional(),
  by: callable<(subject: never) => string>().default(() => String),
  maxKeys: some.default(10_000),
  expireAfterMs: someMs.default(600_000),
  ejection: ejectionCap,
  random: callable<() => number>().optional(),
  onEvent: surroundings.onEvent,
  scheduler: clock.default(asyncScheduler),
})

/** {@link KeyedOptions} that have been looked at. */
export type KeyedDecisions = Omit<z.output<typeof schema>, 'policy' | 'by'> & { readonly policy: ParsedPolicy }

/**
 * Gives each key, such as a peer, or a peer and a protocol, a stack of policies of its own.
 *
 * ```marble
 * calls   a-a-b-a---
 * result  #-#-b-R---
 * ```
 *
 * @param options See {@link KeyedOptions}.
 * @unit   Calls of a key share that key's breaker, bulkhead and rate; nothing else.
 * @shape  `source$.pipe(perPeer(peer))`. A call costs the same with ten keys as with a hundred thousand. Never more than
 *         `ejection.share` of the known keys are ejected, rounded down, and at least one is always left: a circuit that
 *         would go beyond that stays closed and says `policy:spared`; when keys are forgotten, the longest ejected are
 *         let in again. A key is in use as long as a call holds a place in its bulkhead. Memory: `maxKeys` stacks, and those of
 *         keys that are held open by hand.
 * @errors As the stack. `ConfigError` at construction, also for a breaker of cockatiel's, which would count for all keys.
 * @source Envoy's outlier detection.
 */
export function keyed<Subject = string>(options: KeyedOptions<Subject>): Keyed<Subject> {
  const { by, ...decisions } = parseOptions('keyed', schema, options)
  const parsed = parsePolicy('keyed.policy', options.policy)
  refuseShared(parsed, Array.isArray(options.policy), decisions.random)
  const registry = new KeyRegistry({ ...decisions, policy: parsed })
  const keyOf = (subject: Subject): string => {
    const key: unknown = (by as (subject: Subject) => string)(subject)
    if (typeof key === 'string') return key
    throw new TypeError(`keyed: by must give text, and gave ${typeof key}`)
  }
  const of = (subject: Subject): Policy => {
    try {
      return registry.policyOf(keyOf(subject))
    } catch (error) {
      return policy(() => (_source, _call, out) => out.error(error))
    }
  }
  return Object.defineProperties(of, {
    state$: { value: registry.state$ },
    size: { get: () => registry.size },
    isolate: { value: (subject: Subject) => registry.isolate(keyOf(subject)) },
    snapshot: { value: () => registry.snapshot() },
    restore: { value: (snapshot: KeyedSnapshot) => registry.restore(snapshot) },
  }) as Keyed<Subject>
}

function refuseShared(parsed: ParsedPolicy, isList: boolean, random: (() => number) | undefined): void {
  parsed.forEach(({ breaker, retry }, index) => {
    const path = isList ? `keyed.policy[${index}]` : 'keyed.policy'
    if (retry !== undefined) requireChance('keyed', retry.backoff, random)
    if (breaker === undefined) return
    requireChance('keyed', breaker.halfOpenAfterMs, random)
    if ('type' in breaker.breaker) return
    const message = 'one breaker would count for all keys; describe it as data: { type, threshold, … }'
    throw new ConfigError([{ path: `${path}.breaker.breaker`, message }])
  })
}
