import type { PolicySpec } from '../../policies/policySpec.ts'
import type { ErrorContext } from '../../errors/errors.ts'

/** How urgent a command is: control traffic, ordinary work, or what can wait. */
export type Priority = 'control' | 'normal' | 'bulk'

/** W3C trace context, as it travels in headers. */
export interface TraceContext {
  /** `traceparent` header. */
  readonly traceparent: string
  /** `tracestate` header. */
  readonly tracestate?: string
}

/** What a command carries besides its payload. */
export interface CommandMeta {
  /**
   * The command settles within this time, with a value or an error. Default: the swarm's `deadlineMs`; none for
   * open-ended commands, which last until their subscriber leaves.
   * @unit milliseconds, above 0
   */
  readonly deadlineMs?: number
  /** Default: `normal`. */
  readonly priority?: Priority
  /** On whose behalf. */
  readonly principal?: string
  /**
   * What guards this command instead of its behaviour's policy, for it alone: retries, timeouts, hedges; `false` for
   * nothing.
   */
  readonly policy?: PolicySpec | false
  /** The trace that this command is part of. */
  readonly trace?: TraceContext
}

declare const result: unique symbol

/** What every command has, whatever its payload. */
export interface AnyCommand {
  /** `behaviour/verb`. */
  readonly type: string
  /** Correlates every event that the command causes: they carry it as `cause`. */
  readonly id: string
  /** Deadline, priority, principal, trace. */
  readonly meta?: CommandMeta
}

/**
 * Plain, serialisable data that asks a behaviour for something. `Result` is a phantom: what `execute` emits for it.
 *
 * @source design: commands go in by a Subject, so they are data and not calls.
 */
export type Command<Type extends string, Payload extends object = object, Result = void> = AnyCommand &
  Readonly<Payload> & { readonly type: Type; readonly [result]?: () => Result }

/** What `execute` emits for a command of type `C`. */
export type ResultOf<C> = C extends { readonly [result]?: () => infer Result } ? Result : never

let commands = 0

/**
 * Makes a command with an id of its own.
 *
 * @param type    `behaviour/verb`, the literal type.
 * @param payload The command's own fields; copied.
 * @param meta    Deadline, priority, principal, trace.
 * @shape  Ids count up within the process: `c1`, `c2`, … Pass `{ ...command, id }` to name one yourself.
 */
export function command<Type extends string, Payload extends object, Result = void>(
  type: Type,
  payload: Payload,
  meta?: CommandMeta,
): Command<Type, Payload, Result> {
  return { ...payload, type, id: `c${++commands}`, ...(meta === undefined ? {} : { meta }) }
}

/** Names the command in an error's context. */
export function contextOf({ type, id }: AnyCommand): ErrorContext {
  return { command: type, commandId: id }
}
