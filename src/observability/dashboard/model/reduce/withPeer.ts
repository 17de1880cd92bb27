import type { PeerView, View } from '../dashboardView.ts'
import { healthOf } from '../healthOf.ts'
import { placed, without } from '../listOfFew.ts'
import { VIEW_BOUNDS } from '../viewBounds.ts'
import { withPart } from './reducers.ts'

type Change = Partial<Omit<PeerView, 'peer' | 'health' | 'reason'>>

const unknown = (peer: string): PeerView => ({
  peer,
  addresses: [],
  links: [],
  topics: [],
  foundBy: [],
  missed: 0,
  health: 'unknown',
  reason: 'not connected',
})

/**
 * The view with a peer changed.
 *
 * @param change What of it; a field that is `undefined` is taken away.
 * @param isNew  Whether it is added when the view has no such peer. Default: false.
 * @shape  A peer that is neither connected, found nor kept leaves the view.
 */
export function withPeer(
  view: View,
  peer: string,
  change: (before: PeerView) => { readonly [Field in keyof Change]: Change[Field] | undefined },
  isNew = false,
): View {
  const before = view.peers.find((one) => one.peer === peer)
  if (peer === '' || (before === undefined && !isNew)) return view
  const after = changed(before ?? unknown(peer), change(before ?? unknown(peer)))
  if (after === before) return view
  const isForgotten = after.links.length === 0 && after.foundBy.length === 0 && after.kept === undefined
  if (isForgotten)
    return withPart(
      view,
      'peers',
      without(view.peers, (one) => one.peer === peer),
    )
  const is = (one: PeerView) => one.peer === peer
  const isMinor = ({ links }: PeerView) => links.length === 0
  return withPart(view, 'peers', placed(view.peers, { is, make: () => after, most: VIEW_BOUNDS.peers, isMinor }))
}

function changed(before: PeerView, change: Readonly<Record<string, unknown>>): PeerView {
  const isSame = Object.keys(change).every((field) => isAlike(change[field], before[field as keyof PeerView]))
  if (isSame) return before
  const after: Record<string, unknown> = { ...before }
  for (const [field, value] of Object.entries(change)) {
    if (value === undefined) delete after[field]
    else after[field] = value
  }
  const [health, reason] = healthOf(after as unknown as PeerView)
  return { ...after, health, reason } as unknown as PeerView
}

function isAlike(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (!Array.isArray(one) || !Array.isArray(other)) return false
  return one.length === other.length && one.every((value, i) => value === other[i])
}
