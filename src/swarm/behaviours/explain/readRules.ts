import { errorIn, ipKey, listIn, numberIn, textIn, wordIn, type Heard, type Reader } from './looseEvent.ts'
import { keyOf } from './peerMemory.ts'

/** Every field of a decision, in the words of the rules. */
export const denied: Reader<Heard<'access:denied'>> = (event, memory) => {
  const { peer, ip, action, protocol, topic, rule, reason } = event
  const who = textIn(peer) ?? (typeof ip === 'string' ? ipKey(ip) : undefined)
  if (who === undefined) return
  const what = [wordIn(action), wordIn(protocol ?? topic)].filter((part) => part !== '').join(' ')
  const about = {
    kind: 'access-denied' as const,
    detail: `${wordIn(action)} ${wordIn(rule)}`,
    text: `${what}: ${wordIn(reason)}`,
    event: event.type,
    ...(typeof rule === 'number' && { rule }),
  }
  memory.note(who, about, event.at, action === 'dial')
}

export const limited: Reader<Heard<'access:limited'>> = (event, memory) => {
  const peer = textIn(event.peer)
  if (peer === undefined) return
  const { limit, retryInMs, direction } = event
  const text = `more often than the limit ${wordIn(limit)} allows`
  const untilMs = event.at + (numberIn(retryInMs) ?? 0)
  const note = { kind: 'rate-limited', detail: wordIn(limit), text, event: event.type, untilMs } as const
  memory.note(peer, note, event.at, direction === 'outbound')
}

/** Whom a policy's key is about: a peer, an address that ends in one, a peer and something more. */
function peerIn(key: unknown): string | undefined {
  const text = textIn(key)
  if (text?.includes('/p2p/') === true) return textIn(text.slice(text.lastIndexOf('/p2p/') + 5))
  return text === undefined || text.startsWith('/') ? undefined : textIn(text.split(/[\s/|]/)[0])
}

export const breaker =
  (
    kind: 'breaker-open' | 'breaker-half-open' | 'breaker-closed',
  ): Reader<Heard<'policy:tripped' | 'policy:probed' | 'policy:recovered'>> =>
  (event, memory) => {
    if (event.policy !== 'breaker') return
    const peer = peerIn(event.key) ?? memory.targetOf(event.cause)?.peer
    if (peer === undefined) return
    const command = memory.targetOf(event.cause)?.command ?? 'calls'
    for (const other of ['breaker-open', 'breaker-half-open', 'breaker-closed'] as const) {
      if (other !== kind) memory.forget(peer, keyOf(other, command))
    }
    const openMs = numberIn(event.openMs)
    const failure = event.error === undefined ? '' : `; the last failure: ${errorIn(event.error).message}`
    const text = {
      'breaker-open': `${command}: no call is made for ${Math.round(openMs ?? 0)} ms after repeated failures${failure}`,
      'breaker-half-open': `${command}: one call is let through, to see whether it works again`,
      'breaker-closed': `${command}: calls are made again`,
    }[kind]
    const untilMs = openMs === undefined ? {} : { untilMs: event.at + openMs }
    memory.note(peer, { kind, detail: command, text, event: event.type, ...untilMs }, event.at, true)
  }

export const rejected: Reader<Heard<'policy:rejected'>> = (event, memory) => {
  const { policy, reason, key } = event
  const peer = peerIn(key)
  if (peer === undefined || (policy !== 'bulkhead' && policy !== 'rate-limit')) return
  const kind = policy === 'bulkhead' ? 'overloaded' : 'rate-limited'
  const text = `this node's own policy let a call not through: ${wordIn(policy)}, ${wordIn(reason)}`
  memory.note(peer, { kind, detail: 'policy', text, event: event.type }, event.at, true)
}

export const revoked: Reader<Heard<'xauth:revoked'>> = (event, memory) => {
  const text = `${event.peer === undefined ? 'its owner' : 'it'} was revoked, and its connections were closed`
  const peers = new Set([event.peer, ...listIn(event.connections).map((id) => memory.peerOf(id))])
  for (const peer of peers) {
    if (typeof peer !== 'string') continue
    memory.note(peer, { kind: 'auth-revoked', text, event: event.type }, event.at, true)
  }
}

export const authenticated: Reader<Heard<'xauth:authenticated'>> = (event, memory) => {
  const peer = textIn(event.peer)
  if (peer === undefined) return
  memory.forget(peer, keyOf('auth-failed'), keyOf('auth-denied'), keyOf('auth-revoked'), keyOf('auth-expiring'))
  const text = `authenticated for the owner ${wordIn(event.owner)}`
  memory.note(peer, { kind: 'authenticated', text, event: event.type }, event.at, false)
}
