import { placed } from '../listOfFew.ts'
import type { BreakerView, View } from '../dashboardView.ts'
import { fieldsOf, numberOf, textOf } from '../plainFields.ts'
import { VIEW_BOUNDS } from '../viewBounds.ts'
import { withPart, type Reduce, type Reducers } from './reducers.ts'
import { withPeer } from './withPeer.ts'

const moved =
  (state: BreakerView['state']): Reduce =>
  (view, event) => {
    const [key, policy] = [textOf(event, 'key'), textOf(event, 'policy')]
    const openMs = numberOf(event, 'openMs')
    const why = textOf(fieldsOf(event, 'error'), 'message')
    const make = (before?: BreakerView): BreakerView => ({
      key,
      policy,
      state,
      since: event.at,
      ...(state === 'open' && openMs !== undefined ? { until: event.at + openMs } : {}),
      reason: why || (before?.reason ?? ''),
    })
    const breakers = placed(view.breakers, {
      is: (one) => one.key === key && one.policy === policy,
      make,
      most: VIEW_BOUNDS.breakers,
      isMinor: (one) => one.state === 'closed',
    })
    return guarded(withPart(view, 'breakers', breakers), key, state === 'closed' ? undefined : state)
  }

/** The peer that a key names is drawn with the state of its breaker. */
function guarded(view: View, key: string, breaker: 'open' | 'half-open' | undefined): View {
  const named = key.split(/[^A-Za-z0-9]+/).find((part) => view.peers.some(({ peer }) => peer === part))
  return named === undefined ? view : withPeer(view, named, () => ({ breaker }))
}

/** Circuit breakers that open, try and close again. */
export const breakerReducers: Reducers = {
  'policy:tripped': moved('open'),
  'policy:probed': moved('half-open'),
  'policy:recovered': moved('closed'),
}
