import { InvalidCommandError, type SwarmError } from '../../../errors/errors.ts'
import { asSwarmError } from '../../perform.ts'
import { contextOf } from '../../vocabulary/command.ts'
import { checkPeer } from '../checkPeer.ts'
import type { ChainsCommand } from './chainsVocabulary.ts'
import { MOST_HOPS } from './chainWords.ts'

/** Paths that may be given at once. */
const MOST_VIA = 32

/** What is wrong with the fields of a command, if anything. */
export function checkChainsCommand(command: ChainsCommand, self: string): SwarmError | undefined {
  if (command.type === 'chains/list') return undefined
  const wrong = (field: string, message: string) =>
    new InvalidCommandError(`${field}: ${message}`, { ...contextOf(command), field })
  try {
    const { to, via, hops, budget } = command
    checkPeer(to, self)
    if (via !== undefined) {
      if (!isPaths(via)) return wrong('via', 'must be paths: lists of peer ids as text')
      if (via.length === 0 || via.length > MOST_VIA) return wrong('via', `must be 1 to ${MOST_VIA} paths`)
      const problem = via.map((path) => problemOf(path, to, self)).find((one) => one !== undefined)
      if (problem !== undefined) return wrong('via', problem)
    }
    if (hops !== undefined && !(Number.isInteger(hops) && hops >= 1 && hops <= MOST_HOPS)) {
      return wrong('hops', `must be a whole number from 1 to ${MOST_HOPS}, not ${String(hops)}`)
    }
    for (const [name, value] of Object.entries(budget ?? {})) {
      const isKnown = name === 'bytes' || name === 'ms'
      if (isKnown && (value === undefined || (typeof value === 'number' && value > 0))) continue
      return wrong(`budget.${name}`, isKnown ? `must be above 0, not ${String(value)}` : 'is not a part of a budget')
    }
    return undefined
  } catch (error) {
    return asSwarmError(error, command)
  }
}

function isPaths(via: unknown): via is readonly (readonly string[])[] {
  const isPath = (path: unknown) => Array.isArray(path) && path.every((peer) => typeof peer === 'string' && peer !== '')
  return Array.isArray(via) && via.every(isPath)
}

function problemOf(path: readonly string[], to: string, self: string): string | undefined {
  if (path.length === 0) return 'a path has at least one carrier; without one, dial the peer'
  if (path.length > MOST_HOPS) return `a path has at most ${MOST_HOPS} carriers, not ${path.length}`
  if (new Set([...path, to, self]).size < path.length + 2) return 'a peer is in a path twice'
  return undefined
}
