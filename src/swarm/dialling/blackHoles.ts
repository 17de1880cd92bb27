import type { AddressKind } from './addressKind.ts'
import { afterDial, beforeDial, UNSURE, type BlackHole, type BlackHoleRules } from './blackHole.ts'

/** What can be a black hole as a whole: everything over UDP, or everything over IPv6. */
export type BlackHoleKind = 'udp' | 'ip6'

/** A kind of address became a black hole, or is none any more. */
export interface BlackHoleChange {
  /** Which. */
  readonly kind: BlackHoleKind
  /** Whether it is one from now on; else it works again. */
  readonly isBlackHoled: boolean
}

/** The black holes of a node. */
export interface BlackHoles {
  /** Decides over the addresses of one dial, each kind once. */
  forOneDial(): (kind: AddressKind) => boolean
  /** Whether an address is in one now; counts nothing. */
  isIn(kind: AddressKind): boolean
  /** Takes note of a dial. */
  note(kind: AddressKind, hasWorked: boolean): readonly BlackHoleChange[]
  /** Begins anew: on another network. */
  forget(): readonly BlackHoleChange[]
  /** Those of now. */
  readonly now: readonly BlackHoleKind[]
}

const KINDS: readonly BlackHoleKind[] = ['udp', 'ip6']

/** Only the world can be behind a firewall that swallows a transport; a relay's address tells of the relay. */
function kindsOf({ scope, isRelayed, transport, family }: AddressKind): readonly BlackHoleKind[] {
  if (isRelayed || (scope !== 'public' && scope !== 'none')) return []
  return [...(transport === 'quic' ? (['udp'] as const) : []), ...(family === 'ip6' ? (['ip6'] as const) : [])]
}

/**
 * Notices that UDP or IPv6 never gets through.
 *
 * @shape  State: two windows of outcomes, see `afterDial`. Counts public IPs only: a name may fail for want of a resolver. A dial that was given
 *         up because another one was quicker counts as failed: a black hole is never the quicker one, and 5 successes of 100
 *         are enough.
 * @source go-libp2p `p2p/net/swarm/black_hole_detector.go`.
 */
export function blackHoles(rules: BlackHoleRules = {}): BlackHoles {
  const known = new Map<BlackHoleKind, BlackHole>(KINDS.map((kind) => [kind, UNSURE]))
  const isOut = (kind: BlackHoleKind) => known.get(kind)!.state === 'black-holed'
  const set = (kind: BlackHoleKind, next: BlackHole): readonly BlackHoleChange[] => {
    const before = isOut(kind)
    known.set(kind, next)
    return isOut(kind) === before ? [] : [{ kind, isBlackHoled: !before }]
  }
  return {
    forOneDial: () => {
      const verdicts = new Map<BlackHoleKind, boolean>()
      const isAllowed = (kind: BlackHoleKind) => {
        const verdict = verdicts.get(kind)
        if (verdict !== undefined) return verdict
        const { isAllowed: allowed, next } = beforeDial(known.get(kind)!, rules)
        known.set(kind, next)
        verdicts.set(kind, allowed)
        return allowed
      }
      return (kind) => !kindsOf(kind).every(isAllowed)
    },
    isIn: (kind) => kindsOf(kind).some(isOut),
    note: (kind, hasWorked) =>
      kind.scope === 'none'
        ? []
        : kindsOf(kind).flatMap((one) => set(one, afterDial(known.get(one)!, hasWorked, rules))),
    forget: () => KINDS.flatMap((kind) => set(kind, UNSURE)),
    get now() {
      return KINDS.filter(isOut)
    },
  }
}
