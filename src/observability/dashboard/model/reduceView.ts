import { isSample, type Item } from './dashboardItem.ts'
import type { View } from './dashboardView.ts'
import { alertReducers } from './reduce/alerts.ts'
import { breakerReducers } from './reduce/breakers.ts'
import { dhtReducers } from './reduce/dht.ts'
import { nodeReducers } from './reduce/node.ts'
import { peerReducers } from './reduce/peers.ts'
import type { Reduce, Reducers } from './reduce/reducers.ts'
import { relayReducers } from './reduce/relays.ts'
import { rendezvousReducers } from './reduce/rendezvous.ts'
import { sampled } from './reduce/sampled.ts'
import { topicReducers } from './reduce/topics.ts'
import { trustReducers } from './reduce/trust.ts'

const parts: readonly Reducers[] = [
  nodeReducers,
  peerReducers,
  topicReducers,
  breakerReducers,
  relayReducers,
  dhtReducers,
  rendezvousReducers,
  trustReducers,
  alertReducers,
]

const reducers = new Map<string, Reduce[]>()
for (const part of parts) {
  for (const [type, reduce] of Object.entries(part)) {
    if (reduce !== undefined) reducers.set(type, [...(reducers.get(type) ?? []), reduce])
  }
}

/**
 * The view after an item.
 *
 * @shape  Pure. The same object when nothing changes; an event that tells nothing costs one look-up. Bounds: `VIEW_BOUNDS`.
 * @errors None: a field that is missing or of another kind, as in a recording that was altered, is left out.
 */
export function reduceView(view: View, item: Item): View {
  if (isSample(item)) return sampled(view, item)
  const listening = reducers.get(item.type)
  if (listening === undefined) return view
  let after = view
  for (const reduce of listening) after = reduce(after, item)
  return after
}

/** Types of events that {@link reduceView} looks at. */
export const tellingTypes: ReadonlySet<string> = new Set(reducers.keys())
