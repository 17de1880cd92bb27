import type { CoreEvent } from '../../vocabulary/event.ts'
import type { ExplainedKind } from './explainVocabulary.ts'
import { errorIn, listIn, numberIn, textIn, wordIn, type LooseEvent, type Reader } from './looseEvent.ts'
import { keyOf, type PeerMemory } from './peerMemory.ts'

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

/** Attempts of one dial that are told one by one. */
const MOST_ATTEMPTS = 8

/** A command failed that was about a peer. */
export const failed: Reader = (event, memory) => {
  const target = memory.targetOf(event.cause)
  const error = errorIn(event['error'])
  const peer = error.peer ?? target?.peer
  if (peer === undefined) return
  const command = textIn(event['command']) ?? 'a command'
  const kind = KINDS.get(error.name) ?? 'failed'
  if (kind === 'breaker-open') return // the policy has said it, and until when
  const isDial = command === 'connections/dial'
  if (target !== undefined) memory.addresses(peer, target.addresses, true)
  if (isDial && (kind === 'dial-failed' || kind === 'too-slow')) {
    memory.failed(peer, target?.addresses ?? [], event.at)
    attempts(event, memory, peer)
  }
  const text = isDial ? `dialling it failed: ${withoutTarget(error.message)}` : `${command}: ${error.message}`
  memory.note(peer, { kind, detail: command, text, event: event.type }, event.at, true)
}

/** What was tried, when the error says it address by address. */
function attempts(event: LooseEvent, memory: PeerMemory, peer: string): void {
  const { attempts: tried } = Object(event['error']) as { readonly attempts?: unknown }
  for (const attempt of listIn(tried).slice(0, MOST_ATTEMPTS)) {
    const { address: given, error } = Object(attempt) as { readonly address?: unknown; readonly error?: unknown }
    const address = textIn(given)
    if (address === undefined) continue
    memory.failed(peer, [address], event.at)
    const text = `${address}: ${errorIn(error).message}`
    memory.note(peer, { kind: 'dial-failed', detail: address, address, text, event: event.type }, event.at, true)
  }
}

/** `dial TARGET: reason` names whom it is about; here that is known. */
function withoutTarget(message: string): string {
  return message.startsWith('dial ') ? message.slice(message.indexOf(': ') + 2) : message
}

export const triedInVain: Reader = (event, memory) => {
  const peer = textIn(event['peer'])
  if (peer === undefined) return
  const { name, message } = errorIn(event['error'])
  const kind = KINDS.get(name) ?? 'dial-failed'
  const addresses = listIn(event['addresses']).filter((address) => typeof address === 'string')
  memory.failed(peer, addresses, event.at)
  memory.note(peer, { kind, detail: event.type, text: message, event: event.type }, event.at, true)
  retrying(event['retryInMs'])(event, memory)
}

/** It is tried again in so many milliseconds. */
export const retrying =
  (value: unknown): Reader =>
  (event, memory) => {
    const peer = textIn(event['peer'])
    const inMs = numberIn(value)
    if (peer === undefined || inMs === undefined) return
    const text = `it is tried again ${Math.round(inMs)} ms after that`
    memory.note(peer, { kind: 'retrying', text, event: event.type, untilMs: event.at + inMs }, event.at, true)
  }

export const found =
  (by: (event: LooseEvent) => string): Reader =>
  (event, memory) => {
    const peer = textIn(event['peer'])
    if (peer === undefined) return
    const addresses = listIn(event['addresses'])
    memory.addresses(peer, addresses, false)
    const count = `${addresses.length} ${addresses.length === 1 ? 'address' : 'addresses'}`
    memory.note(peer, { kind: 'found', text: `found ${by(event)}, with ${count}`, event: event.type }, event.at, false)
  }

export const opened: Reader = (event, memory) => {
  const { connection } = event as unknown as Extract<CoreEvent, { type: 'connection:open' }>
  const { peer, direction, direct, limited, transport, address } = connection
  memory.opened(connection)
  if (direction === 'outbound') memory.addresses(peer, [address], false)
  const who = direction === 'inbound' ? 'it dialled this node' : 'this node dialled it'
  const how = direct ? `directly over ${transport}` : `through a relay${limited ? ', which limits time and bytes' : ''}`
  const text = `${how}; ${who}; at ${address}`
  memory.note(peer, { kind: 'connected', text, event: event.type, address, connection: connection.id }, event.at, false)
  memory.forget(peer, keyOf('retrying'), keyOf('gave-up'), keyOf('no-address', 'connections/dial'))
}

export const closed: Reader = (event, memory) => {
  const { connection } = event as unknown as Extract<CoreEvent, { type: 'connection:close' }>
  if (!memory.closed(connection)) return
  const text = 'the connection closed: the peer or the network ended it'
  memory.note(connection.peer, { kind: 'closed', text, event: event.type, connection: connection.id }, event.at, false)
}

export const pruned: Reader = (event, memory) => {
  for (const id of listIn(event['connections'])) {
    const peer = memory.peerOf(id)
    if (peer === undefined) continue
    const text = 'this node closed the connection, because it had more than maxConnections'
    memory.note(peer, { kind: 'pruned', text, event: event.type, connection: wordIn(id) }, event.at, false)
  }
}

export const known: Reader = (event, memory) => {
  const peer = textIn(event['peer'])
  if (peer === undefined || memory.of(peer) === undefined) return
  memory.addresses(peer, listIn(event['addresses']), false)
  memory.record(peer, false).protocols = listIn(event['protocols']).length
}
