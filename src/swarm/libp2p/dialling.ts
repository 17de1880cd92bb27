import type { Libp2p } from '@libp2p/interface'
import { Subject, type Observable } from 'rxjs'
import { multiaddr } from '@multiformats/multiaddr'
import { addressKind } from '../dialling/addressKind.ts'
import { blackHoles, type BlackHoleChange, type BlackHoleKind } from '../dialling/blackHoles.ts'
import type { BlackHoleRules } from '../dialling/blackHole.ts'
import { dialHistory, type DialOutcome } from '../dialling/dialHistory.ts'
import { compareAddresses, rankAddresses, type RankContext, type Ranking } from '../dialling/rankAddresses.ts'
import { internalsOf } from './createHost.ts'
import { ownIps } from './ownIps.ts'

/** What a node knows of addresses, from all of its dials. */
export interface Dialling {
  /** In which order to try addresses. @param peer who is expected */
  rank(node: Libp2p, addresses: readonly string[], peer?: string): Ranking
  /** The same, but no dial follows: nothing is counted. */
  look(node: Libp2p, addresses: readonly string[], peer?: string): Ranking
  /** Orders two addresses, for the dials that libp2p makes by itself. */
  compare(one: string, other: string): number
  /** Takes note of how a dial of an address ended. @param peer who was expected, when somebody else answered */
  note(address: string, outcome: DialOutcome, tookMs: number, peer?: string): void
  /** What became a black hole, or is none any more. */
  readonly change$: Observable<BlackHoleChange>
  /** The black holes of now. */
  readonly blackHoled: readonly BlackHoleKind[]
  /** What failed may work on another network. */
  networkChanged(): void
  /** When something counts as a black hole; what was counted is forgotten. */
  configure(rules: BlackHoleRules): void
}

/** Own sockets are looked up again after so long. @unit milliseconds */
const FRESH_MS = 1_000

/** Names that stand for whole addresses are resolved by libp2p, before it looks for a transport. */
function isCarried(node: Libp2p, address: string): boolean {
  if (address.startsWith('/dnsaddr/')) return true
  return internalsOf(node).transportManager.dialTransportForMultiaddr(multiaddr(address)) !== undefined
}

/** The memory of a node's dials. */
export function dialling(): Dialling {
  const history = dialHistory()
  let holes = blackHoles()
  const changes = new Subject<BlackHoleChange>()
  const tell = (told: readonly BlackHoleChange[]) => {
    for (const change of told) changes.next(change)
  }
  let own: { readonly sockets: ReadonlySet<string>; readonly atMs: number } | undefined
  const ownSockets = (node: Libp2p, nowMs: number) => {
    if (own === undefined || nowMs - own.atMs >= FRESH_MS) {
      const sockets = node.getMultiaddrs().flatMap((address) => addressKind(address.toString())?.socket ?? [])
      own = { sockets: new Set(sockets), atMs: nowMs }
    }
    return own.sockets
  }
  const memory = (nowMs: number, peer?: string): RankContext => ({
    ownIps: ownIps(),
    recall: (kind) => history.recall(kind, nowMs, peer),
    isPoor: history.isPoor,
  })
  const contextOf = (node: Libp2p, peer: string | undefined): RankContext => {
    const nowMs = performance.now()
    return {
      ...memory(nowMs, peer),
      self: node.peerId.toString(),
      ownSockets: ownSockets(node, nowMs),
      canDial: (address) => isCarried(node, address),
      ...(peer !== undefined && { peer }),
    }
  }
  return {
    rank: (node, addresses, peer) =>
      rankAddresses(addresses, { ...contextOf(node, peer), isBlackHoled: holes.forOneDial() }),
    look: (node, addresses, peer) => rankAddresses(addresses, { ...contextOf(node, peer), isBlackHoled: holes.isIn }),
    compare: (one, other) => compareAddresses(one, other, { ...memory(performance.now()), isBlackHoled: holes.isIn }),
    note: (address, outcome, tookMs, peer) => {
      const kind = addressKind(address)
      if (kind === undefined) return
      history.note(kind, outcome, tookMs, performance.now(), peer)
      if (peer === undefined) tell(holes.note(kind, outcome === 'connected'))
    },
    change$: changes.asObservable(),
    get blackHoled() {
      return holes.now
    },
    configure: (rules) => {
      tell(holes.forget())
      holes = blackHoles(rules)
    },
    networkChanged: () => {
      history.forgetFailures()
      own = undefined
      tell(holes.forget())
    },
  }
}
