import { InvalidCommandError, type SwarmError } from '../../../errors/errors.ts'
import { asSwarmError } from '../../perform.ts'
import { contextOf } from '../../vocabulary/command.ts'
import { checkPeer } from '../checkPeer.ts'
import type { XauthCommand } from './xauthVocabulary.ts'

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
  const isText = (value: unknown) => typeof value === 'string' && value !== ''
  switch (command.type) {
    case 'xauth/authenticate':
      return checkPeer(command.peer, self)
    case 'xauth/decide':
      if (!isText(command.request)) wrong('request', 'must name a request as text')
      if (typeof command.approve !== 'boolean') wrong('approve', 'must be true or false')
      if (command.reason !== undefined && typeof command.reason !== 'string') wrong('reason', 'must be text')
      return checkMetadata(command.metadata, wrong)
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

function checkMetadata(metadata: unknown, wrong: (field: string, message: string) => void): void {
  if (metadata === undefined) return
  const isTexts =
    typeof metadata === 'object' && Object.values(metadata ?? { no: 0 }).every((v) => typeof v === 'string')
  if (!isTexts) wrong('metadata', 'must map text to text')
}
