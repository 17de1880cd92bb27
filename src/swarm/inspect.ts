import { policySpec } from '../policies/policySpec.ts'
import { problemsIn } from '../errors/problemsIn.ts'
import type { AnyCommand } from './vocabulary/command.ts'
import { InvalidCommandError, type SwarmError } from '../errors/errors.ts'

/** Why something that was sent as a command is none, if so. Types keep this from happening; run time does not. */
export function inspect(sent: unknown): SwarmError | undefined {
  if (typeof sent !== 'object' || sent === null) {
    const message = `command: must be an object with type and id, not ${sent === null ? 'null' : typeof sent}`
    return new InvalidCommandError(message, { field: 'command' })
  }
  const { type, id, meta } = sent as Partial<AnyCommand>
  if (typeof type !== 'string' || type === '') {
    return new InvalidCommandError(`type: must be behaviour/verb as text, not ${typeof type}`, { field: 'type' })
  }
  if (typeof id !== 'string' || id === '') {
    const message = `id: must be text that is not empty, not ${typeof id}`
    return new InvalidCommandError(message, { field: 'id', command: type })
  }
  if (meta !== undefined && (typeof meta !== 'object' || (meta as object | null) === null)) {
    return new InvalidCommandError('meta: must be an object', { field: 'meta', command: type, commandId: id })
  }
  const policy: unknown = meta?.policy
  if (policy !== undefined && policy !== false) {
    const [problem] = problemsIn('meta.policy', policySpec, policy).problems
    if (problem !== undefined) {
      const context = { field: problem.path, command: type, commandId: id }
      return new InvalidCommandError(`${problem.path}: ${problem.message}`, context)
    }
  }
  const priority: unknown = meta?.priority
  if (priority !== undefined && priority !== 'control' && priority !== 'normal' && priority !== 'bulk') {
    const message = `meta.priority: must be control, normal or bulk, not ${JSON.stringify(priority)}`
    return new InvalidCommandError(message, { field: 'meta.priority', command: type, commandId: id })
  }
  const principal: unknown = meta?.principal
  if (principal !== undefined && typeof principal !== 'string') {
    const message = `meta.principal: must be text, not ${typeof principal}`
    return new InvalidCommandError(message, { field: 'meta.principal', command: type, commandId: id })
  }
  const deadlineMs: unknown = meta?.deadlineMs
  if (deadlineMs !== undefined && typeof deadlineMs !== 'number') {
    const message = `meta.deadlineMs: must be a number of milliseconds, not ${typeof deadlineMs}`
    return new InvalidCommandError(message, { field: 'meta.deadlineMs', command: type, commandId: id })
  }
  return undefined
}
