import { placed, without } from '../listOfFew.ts'
import type { RendezvousView, View } from '../dashboardView.ts'
import { numberOf, textOf } from '../plainFields.ts'
import { VIEW_BOUNDS } from '../viewBounds.ts'
import { withPart, type Reduce, type Reducers } from './reducers.ts'

const most = VIEW_BOUNDS.registrations

function withList<Part extends keyof RendezvousView>(view: View, part: Part, list: RendezvousView[Part]): View {
  return list === view.rendezvous[part] ? view : withPart(view, 'rendezvous', { ...view.rendezvous, [part]: list })
}

const registered: Reduce = (view, event) => {
  const [point, namespace, cause] = [textOf(event, 'point'), textOf(event, 'namespace'), textOf(event, 'cause')]
  const own = {
    point,
    namespace,
    expiresAt: event.at + (numberOf(event, 'ttlMs') ?? 0),
    ...(cause === '' ? {} : { cause }),
  }
  const is = (one: { readonly point: string; readonly namespace: string }) =>
    one.point === point && one.namespace === namespace
  return withList(view, 'own', placed(view.rendezvous.own, { is, make: () => own, most }))
}

const unregistered: Reduce = (view, event) =>
  withList(
    view,
    'own',
    without(view.rendezvous.own, (one) => one.point === event['point'] && one.namespace === event['namespace']),
  )

/** A registration lasts as long as the command that keeps it. */
export const registrationEnded: Reduce = (view, event) =>
  event['command'] === 'rendezvous/register'
    ? withList(
        view,
        'own',
        without(view.rendezvous.own, ({ cause }) => cause !== undefined && cause === event.cause),
      )
    : view

const accepted: Reduce = (view, event) => {
  const [peer, namespace] = [textOf(event, 'peer'), textOf(event, 'namespace')]
  const place = { peer, namespace, expiresAt: event.at + (numberOf(event, 'ttlMs') ?? 0) }
  const is = (one: { readonly peer: string; readonly namespace: string }) =>
    one.peer === peer && one.namespace === namespace
  return withList(view, 'served', placed(view.rendezvous.served, { is, make: () => place, most }))
}

const removed: Reduce = (view, event) =>
  withList(
    view,
    'served',
    without(view.rendezvous.served, (one) => one.peer === event['peer'] && one.namespace === event['namespace']),
  )

const found: Reduce = (view, event) => {
  const [peer, namespace, point] = [textOf(event, 'peer'), textOf(event, 'namespace'), textOf(event, 'point')]
  const is = (one: { readonly peer: string; readonly namespace: string; readonly point: string }) =>
    one.peer === peer && one.namespace === namespace && one.point === point
  const make = (before = { peer, namespace, point }) => before
  return withList(view, 'found', placed(view.rendezvous.found, { is, make, most }))
}

const gone: Reduce = (view, event) =>
  withList(
    view,
    'found',
    without(
      view.rendezvous.found,
      (one) => one.peer === event['peer'] && one.namespace === event['namespace'] && one.point === event['point'],
    ),
  )

/** Registrations: own ones, those of others here, and those that were found. */
export const rendezvousReducers: Reducers = {
  'rendezvous:registered': registered,
  'rendezvous:refreshed': registered,
  'rendezvous:unregistered': unregistered,
  'rendezvous:accepted': accepted,
  'rendezvous:removed': removed,
  'rendezvous:found': found,
  'rendezvous:gone': gone,
}
