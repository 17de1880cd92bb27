import { isObservable, type ObservableInput } from 'rxjs'
import { z } from 'zod'
import { callable, count, someMs, someWaitMs } from '../../errors/optionKinds.ts'
import type { Verdict } from './healthVocabulary.ts'

/** A check of the app's own. */
export interface HealthCheck {
  /** What it says; subscribed when the node is made. As a function: called for each subscription. */
  readonly check$: ObservableInput<Verdict | boolean> | (() => ObservableInput<Verdict | boolean>)
  /** What it means when it fails. Default: readiness. */
  readonly affects?: 'readiness' | 'liveness'
  /**
   * How often it is asked anew, for a check that answers once. Default: never; it is asked once, and is expected to go on: one
   * that completes has failed. @unit milliseconds
   */
  readonly everyMs?: number
  /** How long it may take until its (first) answer. Default: 10 000. @unit milliseconds */
  readonly deadlineMs?: number
}

/** Options of {@link health}. */
export interface HealthOptions {
  /** Checks of the app's own, by name. At most 64. */
  readonly checks?: Readonly<Record<string, HealthCheck>>
  /** Connected peers without which the node is not ready. Default: 0. */
  readonly minPeers?: number
  /** How often what no event tells is looked at. Default: 1 000. @unit milliseconds */
  readonly everyMs?: number
  /** The event loop is too slow when its 99th percentile is more than that late, twice in a row. Default: 500. @unit milliseconds */
  readonly maxDelayMs?: number
  /** A lane is too slow when a command has waited longer. Default: 5 000. @unit milliseconds */
  readonly maxWaitMs?: number
  /** A peer whose round trips take longer is degraded. Default: 1 000. @unit milliseconds */
  readonly slowRttMs?: number
  /** Whether something is done about what fails. Default: true. */
  readonly heal?: boolean
}

/** Names that the built-in checks have. */
const TAKEN = [
  'started',
  'running',
  'behaviours',
  'event-loop',
  'lanes',
  'peers',
  'relay',
  'isolation',
  'audit',
  'health',
]

const checkName = z
  .string()
  .regex(/^[a-z][\w.-]{0,63}$/i, 'must be a name of letters, digits, dots and dashes')
  .refine((name) => !TAKEN.includes(name), 'is the name of a check that there is already')

const checkSchema = z.strictObject({
  check$: z.union(
    [
      callable<() => ObservableInput<Verdict | boolean>>(),
      z.custom<ObservableInput<Verdict | boolean>>((value) => isObservable(value) || isAwaitable(value)),
    ],
    'must be an Observable of verdicts, or a function that returns one',
  ),
  affects: z.enum(['readiness', 'liveness'], 'must be readiness or liveness').default('readiness'),
  everyMs: someWaitMs.optional(),
  deadlineMs: someWaitMs.default(10_000),
})

/** What {@link HealthOptions} are checked with. */
export const healthSchema = z.strictObject({
  checks: z
    .record(checkName, checkSchema)
    .refine((checks) => Object.keys(checks).length <= 64, 'must be at most 64')
    .default({}),
  minPeers: count.default(0),
  everyMs: someWaitMs.default(1_000),
  maxDelayMs: someMs.default(500),
  maxWaitMs: someMs.default(5_000),
  slowRttMs: someMs.default(1_000),
  heal: z.boolean('must be true or false').default(true),
})

/** {@link HealthOptions} with the defaults. */
export type HealthDecisions = z.output<typeof healthSchema>

/** A check with the defaults. */
export type CheckDecisions = z.output<typeof checkSchema>

function isAwaitable(value: unknown): boolean {
  const { then } = Object(value) as { readonly then?: unknown }
  return typeof then === 'function'
}
