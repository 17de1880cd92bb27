import type { Fact, Stamped } from '../../swarm/vocabulary/event.ts'
import { plainEvent, plainValue, type Plain } from '../plainEvent.ts'
import type { ActiveTrace } from './activeTrace.ts'

/** A line before it is written: its text, and what else it says. */
export interface LogLine {
  /** One sentence. */
  readonly message: string
  /** Plain data: `area`, `event`, `peer`, `connection`, `command`, `trace_id`, `span_id`, `err`, `detail`. */
  readonly fields: Readonly<Record<string, Plain | undefined>>
}

/** Frames of a stack that are told. */
const MOST_FRAMES = 16

/** The area of an event: what stands before the first colon, which is its behaviour or its subject. */
export function areaOf(type: string): string {
  const colon = type.indexOf(':')
  return colon < 0 ? 'node' : type.slice(0, colon)
}

/**
 * An event as a line: who and where first, and everything else that it says under `detail`, without payloads and secrets.
 *
 * @param trace     What it is part of.
 * @param isBroken  Whether it tells of a defect, so that the stack is of use.
 */
export function lineOf(event: Stamped<Fact>, trace: ActiveTrace | undefined, isBroken: boolean): LogLine {
  const { type, at: _at, cause, peer, connection, error, command, causes: _causes, ...rest } = plainEvent(event)
  const outcome = type.startsWith('command:') && typeof command === 'string' ? command : undefined
  const held = isFields(connection) ? connection : undefined
  const more = {
    ...(outcome === undefined && command !== undefined ? { command } : {}),
    ...rest,
    ...(held === undefined ? {} : { connection: held }),
  }
  return {
    message: messageOf(type, outcome, error),
    fields: {
      area: areaOf(type),
      event: type,
      peer: textIn(peer) ?? textIn(held?.['peer']),
      connection: textIn(connection) ?? textIn(held?.['id']),
      command: cause,
      command_type: outcome,
      trace_id: trace?.traceId,
      span_id: trace?.spanId,
      err:
        error === undefined ? undefined : errorOf(error, isBroken ? (event as { error?: unknown }).error : undefined),
      ...(Object.keys(more).length === 0 ? {} : { detail: more }),
    },
  }
}

function messageOf(type: string, outcome: string | undefined, error: Plain | undefined): string {
  const said = isFields(error) ? textIn(error['message']) : undefined
  const what = outcome === undefined ? type : `${outcome} ${type.slice('command:'.length)}`
  return said === undefined ? what : `${what}: ${said}`
}

function errorOf(error: Plain, raw: unknown): Plain {
  const frames = raw instanceof Error ? framesOf(raw) : []
  return frames.length === 0 || !isFields(error) ? error : { ...error, stack: frames }
}

/** Where the innermost cause was thrown: frames only, because the message before them is told already. */
function framesOf(error: Error): readonly string[] {
  let inner = error
  for (let depth = 0; depth < MOST_FRAMES && inner.cause instanceof Error; depth++) inner = inner.cause
  const head = `${inner.name}: ${inner.message}`
  const stack = String(inner.stack)
  const rest = stack.startsWith(head) ? stack.slice(head.length) : stack
  const frames = rest.split('\n').filter((line) => /^\s+at /.test(line))
  return frames.slice(0, MOST_FRAMES).map((frame) => plainValue(frame.trim()) as string)
}

function isFields(value: Plain | undefined): value is { readonly [field: string]: Plain } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textIn(value: Plain | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
