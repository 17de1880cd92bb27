import { appended, placed, without } from '../listOfFew.ts'
import type { View } from '../dashboardView.ts'
import { asFields, fieldsOf, listOf, textOf, textsOf } from '../plainFields.ts'
import type { PlainEvent } from '../../../plainEvent.ts'
import { VIEW_BOUNDS } from '../viewBounds.ts'
import { lookupEnded } from './dht.ts'
import { withPart, type Reduce, type Reducers } from './reducers.ts'
import { registrationEnded } from './rendezvous.ts'

const announced: Reduce = (view, event) =>
  withPart(view, 'addresses', textsOf(event, 'announced', VIEW_BOUNDS.addresses))

/** Something that went wrong, for the list of failures. */
function failure(view: View, event: PlainEvent): View {
  const error = fieldsOf(event, 'error')
  const what = ['command', 'check', 'behaviour', 'chain', 'slice', 'peer', 'point', 'address', 'as'].map((name) =>
    textOf(event, name),
  )
  const entry = {
    at: event.at,
    type: event.type,
    what: what.find((text) => text !== '') ?? '',
    error: textOf(error, 'name'),
    reason: textOf(error, 'message') || textOf(event, 'reason'),
  }
  return withPart(view, 'failures', appended(view.failures, entry, VIEW_BOUNDS.failures))
}

const troubled =
  (state: 'restarting' | 'ended'): Reduce =>
  (view, event) => {
    const behaviour = textOf(event, 'behaviour')
    const reason = textOf(fieldsOf(event, 'error'), 'message')
    const list = placed(view.troubled, {
      is: (one) => one.behaviour === behaviour,
      make: () => ({ behaviour, state, since: event.at, reason }),
      most: VIEW_BOUNDS.troubled,
    })
    return withPart(view, 'troubled', list)
  }

/** A behaviour that crashed has forgotten what it knew. */
function afterCrash(view: View, behaviour: string): View {
  if (behaviour === 'relay')
    return withPart(
      view,
      'relays',
      without(view.relays, () => true),
    )
  if (behaviour === 'health')
    return withPart(
      view,
      'checks',
      without(view.checks, () => true),
    )
  if (behaviour !== 'discovery') return view
  const peers = view.peers
    .filter(({ links, kept }) => links.length > 0 || kept !== undefined)
    .map((one) => (one.foundBy.length === 0 ? one : { ...one, foundBy: [] }))
  return withPart(view, 'peers', peers)
}

const reachable: Reduce = (view, event) => {
  const texts = (reasons: ReturnType<typeof listOf>) => reasons.map((reason) => textOf(asFields(reason), 'text'))
  const addresses = listOf(event, 'addresses')
    .slice(0, VIEW_BOUNDS.addresses)
    .map(asFields)
    .map((one) => ({
      address: textOf(one, 'address'),
      status: textOf(one, 'status'),
      reason: texts(listOf(one, 'reasons'))[0] ?? '',
    }))
  return {
    ...view,
    reachability: { status: textOf(event, 'status'), reasons: texts(listOf(event, 'reasons')), addresses },
  }
}

const blackHoled =
  (isOne: boolean): Reduce =>
  (view, event) => {
    const kind = textOf(event, 'kind')
    const others = without(view.blackHoled, (one) => one === kind)
    return withPart(view, 'blackHoled', isOne ? [...others, kind].slice(0, 8) : others)
  }

/** The node itself: its life, its behaviours, where it is reached, and what fails. */
export const nodeReducers: Reducers = {
  start: announced,
  'self:peer:update': announced,
  'transport:listening': announced,
  'transport:close': announced,
  'swarm:stopping': (view) => withPart(view, 'phase', 'stopping'),
  'swarm:stopped': (view) => ({ ...view, phase: 'stopped', addresses: [] }),
  'behaviour:crashed': (view, event) =>
    afterCrash(troubled('restarting')(failure(view, event), event), textOf(event, 'behaviour')),
  'behaviour:ended': troubled('ended'),
  'behaviour:restarted': (view, event) =>
    withPart(
      view,
      'troubled',
      without(view.troubled, (one) => one.behaviour === event['behaviour']),
    ),
  'command:failed': (view, event) => lookupEnded('failed')(registrationEnded(failure(view, event), event), event),
  'command:completed': (view, event) => lookupEnded('completed')(registrationEnded(view, event), event),
  'command:cancelled': (view, event) => lookupEnded('cancelled')(registrationEnded(view, event), event),
  'health:healing-failed': failure,
  'chain:crashed': failure,
  'subscriber:failed': failure,
  'reducer:failed': failure,
  'node:unreadable': failure,
  'kad:mode-failed': failure,
  'discovery:failed': failure,
  'rendezvous:failed': failure,
  'rendezvous:store-failed': failure,
  'xauth:approval-failed': failure,
  'xstream:approval-failed': failure,
  'xstream:failed': failure,
  'chain:path-failed': failure,
  'relay:upgrade-failed': failure,
  'address:failed': failure,
  'audit:failed': failure,
  'audit:broken': failure,
  'reachability:gateway-failed': failure,
  'reachability:changed': reachable,
  'address:black-holed': blackHoled(true),
  'address:recovered': blackHoled(false),
  'network:isolated': (view) => withPart(view, 'isIsolated', true),
  'network:recovered': (view) => withPart(view, 'isIsolated', false),
}
