import type { ConnectionInfo } from '../../vocabulary/event.ts'
import type { Alternative, ExplainedFact, ExplainedKind } from './explainVocabulary.ts'
import type { KnownAddress } from './peerMemory.ts'

/** What a peer's case is. */
export interface Circumstances {
  readonly connections: readonly ConnectionInfo[]
  readonly addresses: readonly (readonly [address: string, known: KnownAddress])[]
  readonly facts: readonly ExplainedFact[]
  /** What of the list of blocked peers meets it. */
  readonly blocking: readonly string[]
  /** Addresses through relays that hold a place for this node, by relay. */
  readonly relays: ReadonlyMap<string, readonly string[]>
  readonly nowMs: number
}

/** Addresses that are named, and relays. */
const MOST_NAMED = 4

/** What could be done about a peer; the most promising first. */
export function alternativesTo(circumstances: Circumstances): readonly Alternative[] {
  const { connections } = circumstances
  if (connections.some(({ direct, limited }) => direct && !limited)) return inside(circumstances)
  if (connections.length > 0) return [...inside(circumstances), ...directWays(circumstances)]
  return [
    ...rules(circumstances),
    ...inside(circumstances),
    ...waits(circumstances),
    ...roads(circumstances),
    ...searches(circumstances),
  ]
}

/** Facts of a kind that still hold. */
function standing({ facts, nowMs }: Circumstances, ...kinds: readonly ExplainedKind[]): readonly ExplainedFact[] {
  return facts.filter(({ kind, untilMs = Infinity }) => kinds.includes(kind) && untilMs > nowMs)
}

function rules(circumstances: Circumstances): readonly Alternative[] {
  const unblock = circumstances.blocking.map((name): Alternative => ({
    kind: 'rule',
    rule: -1,
    text: `unblock it: access.block({ remove: ['${name}'] })`,
  }))
  const denied = standing(circumstances, 'access-denied')
    .filter(({ text }) => !text.endsWith('the rules have changed since'))
    .map(({ rule, text }): Alternative => {
      if (rule === undefined) return { kind: 'rule', text: `change what denies it: ${text}` }
      if (rule < 0) return { kind: 'rule', rule, text: 'allow it: access.set with a rule for it' }
      return { kind: 'rule', rule, text: `change rules[${rule}] with access.set, or put a rule before it` }
    })
  const pins = standing(circumstances, 'pin-mismatch').map(({ text }): Alternative => ({
    kind: 'rule',
    text: `change the pin with access.pin: ${text}`,
  }))
  const room = standing(circumstances, 'pruned').map((): Alternative => ({
    kind: 'limit',
    text: 'raise maxConnections, or keep the peer, and dial it again',
  }))
  return unique([...unblock, ...denied, ...pins, ...room])
}

function inside(circumstances: Circumstances): readonly Alternative[] {
  const failed = standing(circumstances, 'auth-failed', 'auth-revoked', 'auth-denied')
  return unique(
    failed.map(({ text }): Alternative => ({
      kind: 'authenticate',
      text: text.includes('untrusted owner')
        ? 'trust its owner: xauth.trust, then xauth.authenticate'
        : 'authenticate again: xauth.authenticate, with a proof that holds on both sides',
    })),
  ).slice(0, 1)
}

function waits(circumstances: Circumstances): readonly Alternative[] {
  const { nowMs } = circumstances
  return standing(circumstances, 'breaker-open', 'rate-limited', 'retrying').flatMap(
    ({ kind, untilMs }): readonly Alternative[] => {
      if (untilMs === undefined) return []
      const what = {
        'breaker-open': 'then the circuit lets one call through, to see',
        'rate-limited': 'then the limit lets another one through',
        retrying: 'then it is tried again',
      }[kind as 'breaker-open' | 'rate-limited' | 'retrying']
      const inMs = Math.ceil(untilMs - nowMs)
      return [{ kind: 'wait', inMs, text: `wait ${inMs} ms: ${what}` }]
    },
  )
}

/** Addresses that nobody has tried, then relays. */
function roads(circumstances: Circumstances): readonly Alternative[] {
  const { addresses, relays } = circumstances
  const untried = addresses.filter(([, { failedAt }]) => failedAt === undefined)
  const direct = untried.filter(([address]) => !isRelayed(address)).slice(0, MOST_NAMED)
  const through = untried.filter(([address]) => isRelayed(address)).slice(0, MOST_NAMED)
  const hungUp = standing(circumstances, 'hung-up').length > 0
  return [
    ...direct.map(([address]): Alternative => ({
      kind: 'dial',
      address,
      text: hungUp
        ? `dial it again at ${address}: this node hung up itself`
        : `dial ${address}, which has not failed yet`,
    })),
    ...through.map(([address]): Alternative => ({
      kind: 'relay',
      address,
      text: `dial it through a relay, at ${address}`,
    })),
    ...[...relays]
      .slice(0, MOST_NAMED / 2)
      .flatMap(([relay, [address]]): readonly Alternative[] =>
        address === undefined
          ? []
          : [{ kind: 'be-dialled', address, text: `let it dial this node through the relay ${relay}, at ${address}` }],
      ),
  ]
}

function directWays({ addresses }: Circumstances): readonly Alternative[] {
  return addresses
    .filter(([address, { failedAt }]) => !isRelayed(address) && failedAt === undefined)
    .slice(0, MOST_NAMED)
    .map(([address]) => ({ kind: 'dial', address, text: `dial ${address}: a direct connection has no limits` }))
}

function searches({ addresses }: Circumstances): readonly Alternative[] {
  const isOpen = addresses.some(([, { failedAt }]) => failedAt === undefined)
  if (isOpen) return []
  const text = addresses.length > 0 ? 'every address that is known has failed: find others' : 'find an address'
  return [{ kind: 'find', text: `${text}: kad.findPeer, rendezvous.discover, or whoever runs it tells its multiaddr` }]
}

const isRelayed = (address: string) => address.includes('/p2p-circuit')

function unique(alternatives: readonly Alternative[]): readonly Alternative[] {
  return [...new Map(alternatives.map((one) => [one.text, one])).values()]
}
