import { appended } from '../listOfFew.ts'
import type { PeerAuthView, View } from '../dashboardView.ts'
import { fieldsOf, numberOf, textOf } from '../plainFields.ts'
import type { PlainEvent } from '../../../plainEvent.ts'
import { VIEW_BOUNDS } from '../viewBounds.ts'
import { withPart, type Reduce, type Reducers } from './reducers.ts'
import { withPeer } from './withPeer.ts'

const whyOf = (event: PlainEvent) =>
  textOf(event, 'reason') || textOf(event, 'text') || textOf(fieldsOf(event, 'error'), 'message')

function noted(view: View, event: PlainEvent): View {
  const [direction, owner, reason] = [textOf(event, 'direction'), textOf(event, 'owner'), whyOf(event)]
  const entry = {
    at: event.at,
    what: event.type.slice('xauth:'.length),
    peer: textOf(event, 'peer'),
    ...(direction === '' ? {} : { direction }),
    ...(owner === '' ? {} : { owner }),
    ...(reason === '' ? {} : { reason }),
  }
  return withPart(view, 'authentications', appended(view.authentications, entry, VIEW_BOUNDS.authentications))
}

const onlyNoted: Reduce = noted

const moved =
  (state: PeerAuthView['state']): Reduce =>
  (view, event) => {
    const seen = noted(view, event)
    const [owner, expiresAtS, reason] = [textOf(event, 'owner'), numberOf(event, 'expiresAtS'), textOf(event, 'reason')]
    const auth: PeerAuthView = {
      state,
      ...(owner === '' ? {} : { owner }),
      ...(expiresAtS === undefined ? {} : { expiresAtS }),
      ...(reason === '' ? {} : { reason }),
    }
    return withPeer(seen, textOf(event, 'peer'), (before) => {
      const isKept = before.auth?.state === 'authenticated' && state === 'requested'
      return { auth: isKept ? before.auth : auth }
    })
  }

/** A failure that does not end what holds is only noted. */
const failed: Reduce = (view, event) => (event['ended'] === false ? noted(view, event) : moved('failed')(view, event))

const renewed: Reduce = (view, event) => {
  const expiresAtS = numberOf(event, 'expiresAtS')
  return withPeer(noted(view, event), textOf(event, 'peer'), ({ auth }) => ({
    auth:
      auth === undefined || event['direction'] !== 'inbound' || expiresAtS === undefined
        ? auth
        : { ...auth, expiresAtS },
  }))
}

const revoked: Reduce = (view, event) => {
  const [owner, named] = [textOf(event, 'owner'), textOf(event, 'peer')]
  return view.peers
    .filter(({ peer, auth }) => peer === named || (owner !== '' && auth?.owner === owner))
    .reduce(
      (seen, { peer }) => withPeer(seen, peer, ({ auth }) => ({ auth: { ...auth, state: 'revoked' } })),
      noted(view, event),
    )
}

/** What was not allowed: by this node to others, or by others to it. */
const refused: Reduce = (view, event) => {
  const reason = whyOf(event) || textOf(event, 'status') || textOf(event, 'limit') || textOf(event, 'verdict')
  const peer = textOf(event, 'peer') || textOf(event, 'relay') || textOf(event, 'point') || textOf(event, 'ip')
  const entry = { at: event.at, type: event.type, peer, reason }
  return withPart(view, 'refusals', appended(view.refusals, entry, VIEW_BOUNDS.refusals))
}

/** Who is who, and who may what. */
export const trustReducers: Reducers = {
  'xauth:requested': moved('requested'),
  'xauth:succeeded': onlyNoted,
  'xauth:authenticated': moved('authenticated'),
  'xauth:failed': failed,
  'xauth:denied': (view, event) => refused(noted(view, event), event),
  'xauth:expiring': onlyNoted,
  'xauth:renewed': renewed,
  'xauth:revoked': revoked,
  'access:denied': refused,
  'access:limited': refused,
  'access:pin-mismatch': refused,
  'access:refused': refused,
  'relay:denied': refused,
  'relay:lied': refused,
  'rendezvous:refused': refused,
  'rendezvous:ignored': refused,
  'chain:refused': refused,
  'xstream:refused': refused,
  'gossipsub:refused': refused,
  'kad:record-refused': refused,
  'discovery:impostor': refused,
  'discovery:flooded': refused,
}
