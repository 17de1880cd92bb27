import { z } from 'zod'
import { problemsIn } from '../../../errors/problemsIn.ts'
import type { AuditEvent } from '../../../security/audit/auditEvent.ts'
import { auditOptions, type AuditFileOptions } from '../../../security/audit/auditOptions.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import { AUDITED } from './auditedEntry.ts'
import { auditBehaviour, type AuditCommand, type AuditPorts, type Flush, type Note } from './auditBehaviour.ts'
import { auditPorts, auditService } from './auditPorts.ts'

/** Options of {@link audit}: those of `auditFile`, and what is noted. */
export interface AuditOptions extends AuditFileOptions {
  /** Events that are noted: names, or beginnings such as `xauth:*`. Default: authentication, access, offers of xstreams, and behaviours that crash. */
  readonly events?: readonly string[]
  /** Whether the node signs the log with its own key, if no `signer` does. Default: true. */
  readonly sign?: boolean
}

/** How the log is doing. */
export interface AuditState {
  /** Tries to write that failed; what they were to write is kept and tried again. */
  readonly failures: number
  /** Entries that found no room. */
  readonly lost: number
}

const schema = auditOptions.extend({
  events: z
    .array(z.string('must be text').min(1, 'must not be empty'), 'must be a list of names of events')
    .default([...AUDITED]),
  sign: z.boolean('must be true or false').default(true),
})

const state: Slice<AuditState, AuditEvent | CoreEvent> = {
  initial: { failures: 0, lost: 0 },
  on: {
    'audit:failed': (state) => ({ ...state, failures: state.failures + 1 }),
    'audit:lost': (state, { count }) => ({ ...state, lost: Math.max(state.lost, count) }),
  },
}

function module(options: AuditOptions): BehaviourModule<'audit', AuditCommand, AuditEvent, AuditPorts, AuditState> {
  const { value, problems } = problemsIn('audit', schema, options)
  const { events, sign, ...file } = value
  return {
    name: 'audit',
    problems,
    commands: { 'audit/flush': { answers: {} }, 'audit/note': { answers: {} } },
    services: { audit: auditService(file as AuditFileOptions, sign) },
    state,
    options: value,
    ports: auditPorts,
    behaviour: auditBehaviour(problems.length > 0 ? [] : events),
  }
}

/**
 * Keeps a log of who was let in and who was not, that shows when it is changed: `audit({ path })` for `use`, and its
 * commands. `rxswarm audit verify FILE` checks it.
 */
export const audit = Object.assign(module, {
  /** Waits until everything that was noted is in the file. @errors `StorageError` */
  flush: (meta?: CommandMeta): Flush => command('audit/flush', {}, meta),
  /** Notes something of the app's own, and waits until it is in the file. @errors `InvalidCommandError`, `StorageError` */
  note: (
    { event, fields = {} }: { readonly event: string; readonly fields?: Readonly<Record<string, unknown>> },
    meta?: CommandMeta,
  ): Note => command('audit/note', { event, fields }, meta),
})
