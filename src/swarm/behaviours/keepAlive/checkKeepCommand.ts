import { InvalidCommandError, type SwarmError } from '../../../errors/errors.ts'
import { contextOf } from '../../vocabulary/command.ts'
import { asSwarmError } from '../../perform.ts'
import { checkPeer } from '../checkPeer.ts'
import type { KeepAliveCommand } from './keepAliveVocabulary.ts'

/** Of one peer. */
const MOST_ADDRESSES = 16

/** What is wrong with a command, if anything. */
export function checkKeepCommand(command: KeepAliveCommand, self: string): SwarmError | undefined {
  if (command.type === 'keep-alive/list') return undefined
  try {
    checkPeer(command.peer, self)
  } catch (error) {
    return asSwarmError(error, command)
  }
  if (command.type === 'keep-alive/forget') return undefined
  const wrong = (field: string, message: string) =>
    new InvalidCommandError(`${field}: ${message}`, { ...contextOf(command), field, peer: command.peer })
  const { addresses, tier } = command as { readonly addresses: unknown; readonly tier: unknown }
  if (tier !== 'important' && tier !== 'normal') return wrong('tier', 'must be important or normal')
  const isList = Array.isArray(addresses) && addresses.every((one) => typeof one === 'string')
  if (!isList) return wrong('addresses', 'must be a list of multiaddrs as text')
  if (addresses.length > MOST_ADDRESSES) return wrong('addresses', `must be ${MOST_ADDRESSES} at most`)
  return undefined
}
