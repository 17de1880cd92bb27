import { placed, without } from '../listOfFew.ts'
import type { RelayView, View } from '../dashboardView.ts'
import { fieldsOf, numberOf, textOf, textsOf } from '../plainFields.ts'
import { VIEW_BOUNDS } from '../viewBounds.ts'
import { withPart, type Reduce, type Reducers } from './reducers.ts'

function withRelay(view: View, relay: string, change: (before: RelayView | undefined) => RelayView): View {
  const isMinor = ({ state }: RelayView) => state !== 'held'
  const is = (one: RelayView) => one.relay === relay
  return withPart(view, 'relays', placed(view.relays, { is, make: change, most: VIEW_BOUNDS.relays, isMinor }))
}

const held: Reduce = (view, event) => {
  const [relay, rttMs] = [textOf(event, 'relay'), numberOf(event, 'rttMs')]
  return withRelay(view, relay, (before) => ({
    relay,
    state: 'held',
    addresses: textsOf(event, 'addresses', VIEW_BOUNDS.addresses),
    since: before?.state === 'held' ? before.since : event.at,
    expiresAt: numberOf(event, 'expiresAt') ?? 0,
    ...(rttMs === undefined ? {} : { rttMs }),
  }))
}

const notHeld =
  (state: RelayView['state']): Reduce =>
  (view, event) => {
    const [relay, retryInMs] = [textOf(event, 'relay'), numberOf(event, 'retryInMs')]
    const reason = textOf(event, 'reason') || textOf(fieldsOf(event, 'error'), 'message')
    return withRelay(view, relay, () => ({
      relay,
      state,
      addresses: [],
      since: event.at,
      ...(retryInMs === undefined ? {} : { retryAt: event.at + retryInMs }),
      ...(reason === '' ? {} : { reason }),
    }))
  }

const met: Reduce = (view, event) => {
  const relay = textOf(event, 'relay')
  return withRelay(view, relay, (before) => before ?? { relay, state: 'candidate', addresses: [], since: event.at })
}

const forgotten: Reduce = (view, event) =>
  withPart(
    view,
    'relays',
    without(view.relays, (one) => one.relay === event['relay']),
  )

const accepted: Reduce = (view, event) => {
  const peer = textOf(event, 'peer')
  const place = { peer, address: textOf(event, 'address'), expiresAt: numberOf(event, 'expiresAt') ?? 0 }
  const is = (one: { readonly peer: string }) => one.peer === peer
  const reservations = placed(view.served.reservations, { is, make: () => place, most: VIEW_BOUNDS.served })
  return withPart(view, 'served', { ...view.served, reservations })
}

const ended: Reduce = (view, event) => {
  const reservations = without(view.served.reservations, (one) => one.peer === event['peer'])
  return reservations === view.served.reservations ? view : withPart(view, 'served', { ...view.served, reservations })
}

const circuitOpened: Reduce = (view, event) => {
  const circuit = { source: textOf(event, 'source'), destination: textOf(event, 'destination'), since: event.at }
  const circuits = placed(view.served.circuits, { is: () => false, make: () => circuit, most: VIEW_BOUNDS.circuits })
  return withPart(view, 'served', { ...view.served, circuits })
}

const circuitClosed: Reduce = (view, event) => {
  const { circuits, closed, bytes } = view.served
  const at = circuits.findIndex((one) => one.source === event['source'] && one.destination === event['destination'])
  return withPart(view, 'served', {
    ...view.served,
    circuits: at < 0 ? circuits : circuits.toSpliced(at, 1),
    closed: closed + 1,
    bytes: bytes + (numberOf(event, 'bytes') ?? 0),
  })
}

/** Relays: those that carry for this node, and this node as one. */
export const relayReducers: Reducers = {
  'relay:found': met,
  'relay:reserved': held,
  'relay:refreshed': held,
  'relay:lost': notHeld('lost'),
  'relay:refused': notHeld('refused'),
  'relay:failed': notHeld('failed'),
  'relay:released': notHeld('released'),
  'relay:forgotten': forgotten,
  'relay:accepted': accepted,
  'relay:renewed': accepted,
  'relay:ended': ended,
  'relay:circuit-opened': circuitOpened,
  'relay:circuit-closed': circuitClosed,
}
