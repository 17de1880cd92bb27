import { InvalidCommandError, type SwarmError } from '../../../errors/errors.ts'
import { asSwarmError } from '../../perform.ts'
import { contextOf } from '../../vocabulary/command.ts'
import { checkPeer } from '../checkPeer.ts'
import type { AuthDecision, XauthCommand } from './xauthVocabulary.ts'

/** Owners in one change of the trust list. */
const MOST_OWNERS = 10_000

/** What is wrong with the fields of a command, if anything. Types keep this from happening; run time does not. */
export function checkXauthCommand(command: XauthCommand, self: string): SwarmError | undefined {
  try {
    check(command, self)
    return undefined
  } catch (error) {
    return asSwarmError(error, command)
  }
}

function check(command: XauthCommand, self: string): void {
  const wrong = (field: string, message: string) => {
    throw new InvalidCommandError(`${field}: ${message}`, { ...contextOf(command), field })
  }
  switch (command.type) {
    case 'xauth/authenticate':
      return checkPeer(command.peer, self)
    case 'xauth/decide': {
      const problem = problemOfDecision(command)
      if (problem !== undefined) wrong(...problem)
      return
    }
    case 'xauth/trust':
      for (const field of ['add', 'remove'] as const) {
        const owners: unknown = command[field]
        if (!Array.isArray(owners) || !owners.every(isText)) wrong(field, 'must be a list of owner keys as text')
        if (command[field].length > MOST_OWNERS) wrong(field, `must name at most ${MOST_OWNERS} owners`)
      }
      return
    case 'xauth/revoke':
      if (command.owner === undefined && command.peer === undefined) wrong('owner', 'name an owner, a peer, or both')
      if (command.owner !== undefined && !isText(command.owner)) wrong('owner', 'must be the key of an owner as text')
      if (command.peer !== undefined) checkPeer(command.peer, self)
      return
    case 'xauth/renew':
      if (command.peer !== undefined) checkPeer(command.peer, self)
  }
}

/** Which field of a decision is wrong, and why; who decides may be an operator of the app's. */
export function problemOfDecision({ request, approve, reason, metadata }: AuthDecision): [string, string] | undefined {
  if (!isText(request)) return ['request', 'must name a request as text']
  if (typeof approve !== 'boolean') return ['approve', 'must be true or false']
  if (reason !== undefined && typeof reason !== 'string') return ['reason', 'must be text']
  return metadata === undefined || areTexts(metadata) ? undefined : ['metadata', 'must map text to text']
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function areTexts(metadata: unknown): boolean {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return false
  return Object.values(metadata).every((value) => typeof value === 'string')
}
