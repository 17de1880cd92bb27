import { Subscription } from 'rxjs'
import type { SimulatedNode } from '../simulatedNode.ts'

/** A subscription that lasts until the node stops: what is added to it ends then. */
export function lifetimeOf(node: SimulatedNode): Subscription {
  const life = new Subscription()
  const end = () => life.unsubscribe()
  life.add(
    node.event$.subscribe({
      next: ({ type }) => void (type === 'stop' && end()),
      error: end,
      complete: end,
    }),
  )
  return life
}
