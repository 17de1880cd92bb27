import type { SchedulerLike } from 'rxjs'
import { z } from 'zod'
import { definePolicy, type PolicyContext } from '../policies/definePolicy.ts'
import { keyed, type EjectionCap } from '../policies/keyed.ts'
import { policySpec, type PolicySpec } from '../policies/policySpec.ts'
import type { Policy } from '../policies/policy.ts'
import type { AnyCommand } from './vocabulary/command.ts'

/** How the commands of a behaviour are guarded: a stack of policies as plain data, or `false` for none. */
export type PolicyOption = PolicySpec | false

/** A {@link PolicyOption} of a module's options, looked at and as it was given. */
export const policyOption = (usual: PolicySpec) =>
  z
    .unknown()
    .transform((value, context): PolicyOption => {
      if (value === false) return false
      for (const issue of policySpec.safeParse(value).error?.issues ?? []) {
        context.issues.push({ ...issue, input: value } as z.core.$ZodRawIssue)
      }
      return value as PolicySpec
    })
    .prefault(usual)

/** What guards the commands of a behaviour. */
export interface Guard<C extends AnyCommand> {
  /** The policy of a command; none when nothing guards it. */
  policyOf(command: C): Policy | undefined
  /** When a command that starts now must have ended. @unit milliseconds of the scheduler */
  dueAt(command: C): number
}

/** What a guard runs on: a part of a behaviour's wires. */
export interface GuardWires {
  /** The only clock. */
  readonly scheduler: SchedulerLike
  /** The only chance. @unit 0 (inclusive) to 1 (exclusive) */
  readonly random: () => number
  /** Deadline of a command that names none. @unit milliseconds */
  readonly deadlineMs: number
}

type PolicyOf<C extends AnyCommand> = (command: C) => Policy | undefined

/**
 * The policies of a behaviour's commands.
 *
 * @param wires  Clock and chance.
 * @param usual  What guards a command that names no policy of its own in `meta.policy`.
 * @param by     The key of a command, such as its peer: each key has a breaker, a rate, … of its own. Default: all share.
 * @param ejection How many keys may be ejected at once. Default: a tenth of them, rounded down.
 * @shape  A command's own policy is built for it alone, so of its parts a retry, a timeout, a hedge make sense; `false` is
 *         none.
 */
export function guard<C extends AnyCommand>(
  { scheduler, random, deadlineMs }: GuardWires,
  usual: PolicyOption,
  by?: (command: C) => string,
  ejection?: EjectionCap,
): Guard<C> {
  const context = { scheduler, random }
  const policyOf = usualPolicy(usual, by, { ...context, ...(ejection && { ejection }) })
  return {
    policyOf: (command) => {
      const own = command.meta?.policy
      if (own === undefined) return policyOf(command)
      return own === false ? undefined : definePolicy(own, context)
    },
    dueAt: ({ meta }) => scheduler.now() + (meta?.deadlineMs ?? deadlineMs),
  }
}

function usualPolicy<C extends AnyCommand>(
  usual: PolicyOption,
  by: ((command: C) => string) | undefined,
  { ejection, ...context }: PolicyContext & { readonly ejection?: EjectionCap },
): PolicyOf<C> {
  if (usual === false) return () => undefined
  if (by !== undefined) return keyed<C>({ policy: usual, by, ...context, ...(ejection && { ejection }) })
  const stack = definePolicy(usual, context)
  return () => stack
}
