import type { Sample } from '../dashboardItem.ts'
import type { View } from '../dashboardView.ts'
import { VIEW_BOUNDS } from '../viewBounds.ts'
import { withPeer } from './withPeer.ts'

/** The view after a second: counters, lanes and round trips. */
export function sampled(view: View, sample: Sample): View {
  const counters: Record<string, number> = { ...view.counters }
  let known = Object.keys(counters).length
  for (const [type, count] of Object.entries(sample.events)) {
    if (!Object.hasOwn(counters, type) && ++known > VIEW_BOUNDS.counters) continue
    counters[type] = (Object.hasOwn(counters, type) ? counters[type]! : 0) + count
  }
  const measured = sample.rtts.reduce((seen, [peer, rttMs]) => withPeer(seen, peer, () => ({ rttMs, missed: 0 })), view)
  return { ...measured, counters, lanes: sample.lanes, sample }
}
