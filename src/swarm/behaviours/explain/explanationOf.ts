import { ipMatch } from '../../../security/access/ipMatch.ts'
import type { ConnectionInfo } from '../../vocabulary/event.ts'
import { alternativesTo, type Circumstances } from './alternativesTo.ts'
import { inOrderOf, isReason } from './decisive.ts'
import type { ExplainedFact, ExplainedKind, PeerExplanation, SelfExplanation } from './explainVocabulary.ts'
import type { PeerMemory } from './peerMemory.ts'
import { ipKey, ipsOf } from './looseEvent.ts'
import { safeText } from './safeText.ts'
import { wayOf } from './wayOf.ts'

/** What this node did itself, after which it is no wonder that a connection closed. */
const OWN_DOING: ReadonlySet<ExplainedKind> = new Set([
  'hung-up',
  'pruned',
  'access-denied',
  'auth-revoked',
  'auth-failed',
])

/** What this node did and the close that came of it are told within this. @unit milliseconds */
const SAME_MOMENT_MS = 2_000

/** Facts of one explanation. */
const MOST_FACTS = 64

/**
 * Why this node is, or is not, connected to a peer.
 *
 * @shape  Pure but for what it reads from the memory. Facts: those of the peer, of the IPs that it is known at, and of this
 *         node where they bear on it; at most 64.
 */
export function explanationOf(memory: PeerMemory, id: string, nowMs: number): PeerExplanation {
  const peer = safeText(id)
  const record = memory.of(id)
  const connections = [...(record?.connections.values() ?? [])]
  const addresses = [...(record?.addresses ?? [])]
  const ips = ipsOf(addresses.map(([address]) => address))
  const own = record === undefined ? [] : memory.factsOf(record, nowMs)
  const ofIps = [...ips].flatMap((ip) => {
    const turned = memory.of(ipKey(ip))
    return turned === undefined ? [] : memory.factsOf(turned, nowMs)
  })
  const blocking = memory.blocked.filter((name) => name === id || [...ips].some((ip) => ipMatch(name, ip)))
  const here = connections.length > 0 ? [] : memory.own(nowMs).filter((fact) => bearsOn(fact, addresses))
  const facts = inOrderOf(
    [...withoutConsequences([...own, ...ofIps]), ...blocked(blocking, nowMs), ...here].map((fact) =>
      dated(fact, memory),
    ),
    nowMs,
  ).slice(0, MOST_FACTS)
  const circumstances: Circumstances = { connections, addresses, facts, blocking, relays: memory.relays, nowMs }
  return {
    peer,
    connected: connections.length > 0,
    summary: safeSummary(
      connections.length > 0
        ? connectedWords(peer, connections, record?.protocols ?? 0, facts, nowMs)
        : `Not connected to ${peer}: ${reasonIn(facts, addresses.length, nowMs)}.`,
    ),
    facts,
    alternatives: alternativesTo(circumstances),
  }
}

/** How this node is connected to others, and why to nobody. */
export function selfExplanationOf(memory: PeerMemory, nowMs: number): SelfExplanation {
  const { connected } = memory
  const tried = [...memory.sought].flatMap(([peer, record]) => {
    if (record.connections.size > 0) return []
    const [leading] = inOrderOf(memory.factsOf(record, nowMs), nowMs).filter((fact) => isReason(fact, nowMs))
    return leading === undefined ? [] : [{ ...leading, text: safeText(`${peer}: ${leading.text}`) }]
  })
  const facts = inOrderOf([...memory.own(nowMs), ...tried], nowMs).slice(0, MOST_FACTS)
  const missed = tried.length === 0 ? '' : `${count(tried.length, 'peer')} that it wanted could not be had`
  const [first] = inOrderOf(tried, nowMs)
  const summary =
    connected > 0
      ? `Connected to ${count(connected, 'peer')}${missed === '' ? '' : `; ${missed}`}.`
      : `Connected to nobody: ${missed === '' ? 'nobody was dialled, and nobody has come' : `${missed}; the last, ${first!.text}`}.`
  const waits = tried.flatMap(({ untilMs }) => (untilMs === undefined ? [] : Math.max(0, untilMs - nowMs)))
  return {
    connected,
    summary: safeSummary(summary),
    facts,
    alternatives: [
      ...(waits.length > 0
        ? [{ kind: 'wait' as const, inMs: Math.min(...waits), text: 'wait: a peer is tried again then' }]
        : []),
      ...(connected === 0
        ? [
            {
              kind: 'find' as const,
              text: 'find peers: a bootstrap list, mDNS, a rendezvous point, or dial one by its multiaddr',
            },
          ]
        : []),
    ],
  }
}

/**
 * A close that this node brought about says nothing that its cause does not, and a command that was refused nothing that who
 * refused it has not said better.
 */
function withoutConsequences(facts: readonly ExplainedFact[]): readonly ExplainedFact[] {
  const isCause = (of: ExplainedFact, { kind, event }: ExplainedFact) =>
    of.kind === 'closed' ? OWN_DOING.has(kind) : kind === of.kind && event !== of.event
  return facts.filter((fact) => {
    if (fact.kind !== 'closed' && fact.event !== 'command:failed') return true
    return !facts.some((other) => isCause(fact, other) && Math.abs(other.at - fact.at) <= SAME_MOMENT_MS)
  })
}

/** What was denied before the rules changed may be allowed now. */
function dated(fact: ExplainedFact, { rulesChangedAt }: PeerMemory): ExplainedFact {
  if (fact.kind !== 'access-denied' || fact.at >= rulesChangedAt) return fact
  return { ...fact, text: safeText(`${fact.text}; the rules have changed since`) }
}

function blocked(names: readonly string[], nowMs: number): readonly ExplainedFact[] {
  return names.map((name) => ({
    ...{ at: nowMs, since: nowMs, times: 1, kind: 'blocked', rule: -1, event: 'access:blocked' },
    text: safeText(`${name} is blocked`),
  }))
}

/** Whether what happened to this node has to do with a peer at these addresses. */
function bearsOn({ kind, text }: ExplainedFact, addresses: readonly (readonly [string, unknown])[]): boolean {
  if (kind !== 'black-holed') return kind === 'isolated' || kind === 'behaviour-troubled'
  const isOver = text.includes('ip6') ? '/ip6/' : '/udp/'
  return addresses.some(([address]) => address.includes(isOver))
}

function reasonIn(facts: readonly ExplainedFact[], addresses: number, nowMs: number): string {
  const reasons = facts.filter((fact) => isReason(fact, nowMs))
  const leading = reasons.find(({ kind }) => kind !== 'behaviour-troubled' && kind !== 'isolated') ?? reasons[0]
  if (leading !== undefined) return leading.times > 1 ? `${leading.text} (${leading.times} times)` : leading.text
  if (addresses > 0) return 'an address is known, and nobody has dialled it'
  return 'nothing is known of it, neither an address nor an attempt'
}

function connectedWords(
  peer: string,
  connections: readonly ConnectionInfo[],
  protocols: number,
  facts: readonly ExplainedFact[],
  nowMs: number,
): string {
  const best = connections.find(({ direct }) => direct) ?? connections[0]!
  const how = `${wayOf(best)}${!best.direct && best.limited ? ' with limits' : ''}`
  const who = best.direction === 'inbound' ? 'it dialled this node' : 'this node dialled it'
  const more = connections.length > 1 ? `, by ${connections.length} connections` : ''
  const speaks = protocols > 0 ? `; it speaks ${count(protocols, 'protocol')}` : ''
  const trouble = facts.find(
    (fact) =>
      isReason(fact, nowMs) &&
      fact.since >= best.since &&
      ['auth-failed', 'auth-denied', 'unresponsive'].includes(fact.kind),
  )
  return `Connected to ${peer} ${how}${more}; ${who}${speaks}${trouble === undefined ? '' : `; but ${trouble.text}`}.`
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`

/** Of texts that are safe; the whole may be longer than one of them. */
const safeSummary = (text: string) => text.replace(/\.\.$/, '.')
