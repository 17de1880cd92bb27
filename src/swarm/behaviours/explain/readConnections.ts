import type { DialAttempt, DialError } from '../../../errors/errors.ts'
import type { ExplainedKind } from './explainVocabulary.ts'
import {
  about,
  errorIn,
  listIn,
  numberIn,
  textIn,
  wordIn,
  type AboutPeer,
  type Heard,
  type Loose,
  type Reader,
} from './looseEvent.ts'
import { keyOf, type PeerMemory } from './peerMemory.ts'
import { wayOf } from './wayOf.ts'

/** What a failed command means for the peer that it was about, by the name of its error. */
const KINDS: ReadonlyMap<string, ExplainedKind> = new Map([
  ['DialError', 'dial-failed'],
  ['UnknownPeerError', 'no-address'],
  ['AccessDeniedError', 'access-denied'],
  ['AuthenticationError', 'wrong-peer'],
  ['CircuitOpenError', 'breaker-open'],
  ['DeadlineError', 'too-slow'],
  ['TimeoutError', 'too-slow'],
  ['RateLimitedError', 'rate-limited'],
  ['OverloadedError', 'overloaded'],
])

/** Attempts of one dial that are told one by one, and those whose address counts as failed: a dial has no more. */
const MOST_TOLD = 8
const MOST_ATTEMPTS = 25

/** What says that the addresses that were tried lead nowhere. */
const FAILED: ReadonlySet<ExplainedKind> = new Set(['dial-failed', 'too-slow', 'wrong-peer'])

/** A command failed that was about a peer. */
export const failed: Reader<Heard<'command:failed'>> = (event, memory) => {
  const target = memory.targetOf(event.cause)
  const error = errorIn(event.error)
  const peer = error.peer ?? target?.peer
  if (peer === undefined) return
  const command = textIn(event.command) ?? 'a command'
  const kind = KINDS.get(error.name) ?? 'failed'
  if (kind === 'breaker-open') return // the policy has said it, and until when
  const isDial = command === 'connections/dial'
  if (target !== undefined) memory.addresses(peer, target.addresses, true)
  if (isDial && FAILED.has(kind)) {
    const attempts = attemptsIn(event.error)
    const tried = attempts.map(({ address }) => address)
    memory.failed(peer, tried.length > 0 ? tried : (target?.addresses ?? []), event.at)
    for (const { address, message } of attempts.slice(0, MOST_TOLD)) {
      const text = `${address}: ${message}`
      memory.note(peer, { kind: 'dial-failed', detail: address, address, text, event: event.type }, event.at, true)
    }
  }
  const text = isDial ? `dialling it failed: ${withoutTarget(error.message)}` : `${command}: ${error.message}`
  memory.note(peer, { kind, detail: command, text, event: event.type }, event.at, true)
}

/** What was tried, when the error says it address by address; addresses that were left out are not in it. */
function attemptsIn(error: unknown): readonly { readonly address: string; readonly message: string }[] {
  const { attempts } = Object(error) as Loose<Pick<DialError, 'attempts'>>
  return listIn(attempts)
    .slice(0, MOST_ATTEMPTS)
    .flatMap((attempt) => {
      const { address: given, error: why } = Object(attempt) as Loose<DialAttempt>
      const address = textIn(given)
      return address === undefined ? [] : [{ address, message: errorIn(why).message }]
    })
}

/** `dial TARGET: reason` names whom it is about; here that is known. */
function withoutTarget(message: string): string {
  return message.startsWith('dial ') ? message.slice(message.indexOf(': ') + 2) : message
}

export const triedInVain: Reader<Heard<'discovery:failed'>> = (event, memory) => {
  const peer = textIn(event.peer)
  if (peer === undefined) return
  const { name, message } = errorIn(event.error)
  if (event.as === 'store') {
    const text = `its addresses could not be remembered: ${message}`
    return memory.note(peer, { kind: 'failed', detail: 'store', text, event: event.type }, event.at, false)
  }
  const kind = KINDS.get(name) ?? 'dial-failed'
  const addresses = listIn(event.addresses).filter((address) => typeof address === 'string')
  memory.failed(peer, addresses, event.at)
  memory.note(peer, { kind, detail: event.type, text: message, event: event.type }, event.at, true)
  retrying(event, memory, event.retryInMs)
}

/** It is tried again in so many milliseconds. */
export function retrying(event: AboutPeer, memory: PeerMemory, retryInMs: unknown): void {
  const peer = textIn(event.peer)
  const inMs = numberIn(retryInMs)
  if (peer === undefined || inMs === undefined) return
  const text = `it is tried again ${Math.round(inMs)} ms after that`
  memory.note(peer, { kind: 'retrying', text, event: event.type, untilMs: event.at + inMs }, event.at, true)
}

/** It is tried no more. */
export const leftAlone =
  <Event extends AboutPeer>(words?: (event: Event) => string): Reader<Event> =>
  (event, memory) => {
    const peer = textIn(event.peer)
    if (peer !== undefined) memory.forget(peer, keyOf('retrying'))
    if (words !== undefined) about('gave-up', words)(event, memory)
  }

export const found =
  <Event extends AboutPeer & { readonly addresses: unknown }>(by: (event: Event) => string): Reader<Event> =>
  (event, memory) => {
    const peer = textIn(event.peer)
    if (peer === undefined) return
    const addresses = listIn(event.addresses)
    memory.addresses(peer, addresses, false)
    const count = `${addresses.length} ${addresses.length === 1 ? 'address' : 'addresses'}`
    memory.note(peer, { kind: 'found', text: `found ${by(event)}, with ${count}`, event: event.type }, event.at, false)
  }

export const opened: Reader<Heard<'connection:open'>> = (event, memory) => {
  const { connection } = event
  const { peer, direction, direct, limited, transport, address } = connection
  memory.opened(connection)
  if (direction === 'outbound' && transport !== 'chain') memory.reached(peer, address)
  const who = direction === 'inbound' ? 'it dialled this node' : 'this node dialled it'
  const how = `${wayOf(connection)}${!direct && limited ? ', which limits time and bytes' : ''}`
  const text = `${how}; ${who}; at ${address}`
  memory.note(peer, { kind: 'connected', text, event: event.type, address, connection: connection.id }, event.at, false)
  memory.forget(peer, keyOf('retrying'), keyOf('gave-up'), keyOf('no-address', 'connections/dial'))
}

export const closed: Reader<Heard<'connection:close'>> = (event, memory) => {
  const { connection } = event
  if (!memory.closed(connection)) return
  const text = 'the connection closed: the peer or the network ended it'
  memory.note(connection.peer, { kind: 'closed', text, event: event.type, connection: connection.id }, event.at, false)
}

export const pruned: Reader<Heard<'connection:prune'>> = (event, memory) => {
  for (const id of listIn(event.connections)) {
    const peer = memory.peerOf(id)
    if (peer === undefined) continue
    const text = 'this node closed the connection, because it had more than maxConnections'
    memory.note(peer, { kind: 'pruned', text, event: event.type, connection: wordIn(id) }, event.at, false)
  }
}

export const known: Reader<Heard<'peer:update' | 'peer:identify'>> = (event, memory) => {
  const peer = textIn(event.peer)
  if (peer === undefined || memory.of(peer) === undefined) return
  memory.addresses(peer, listIn(event.addresses), false)
  memory.record(peer, false).protocols = listIn(event.protocols).length
}
