import { placed, without } from '../listOfFew.ts'
import type { LinkView, PeerView, View } from '../dashboardView.ts'
import { fieldsOf, listOf, numberOf, textOf, textsOf, type Fields } from '../plainFields.ts'
import { VIEW_BOUNDS } from '../viewBounds.ts'
import { withPart, type Reduce, type Reducers } from './reducers.ts'
import { withPeer } from './withPeer.ts'

const CIRCUIT = /\/p2p\/([^/]+)\/p2p-circuit/

/** A connection as a link. */
function linkOf(connection: Fields, via: readonly string[]): LinkView {
  const [address, transport] = [textOf(connection, 'address'), textOf(connection, 'transport')]
  const relay = CIRCUIT.exec(address)?.[1]
  const kind = transport === 'chain' ? 'chained' : connection['direct'] === false ? 'relayed' : 'direct'
  return {
    connection: textOf(connection, 'id'),
    transport,
    direction: connection['direction'] === 'inbound' ? 'inbound' : 'outbound',
    kind,
    via: kind === 'relayed' && relay !== undefined ? [relay] : via,
    address,
    since: numberOf(connection, 'since') ?? 0,
    limited: connection['limited'] === true,
  }
}

const opened: Reduce = (view, event) => {
  const connection = fieldsOf(event, 'connection')
  const via = view.chains.find((one) => one.connection === connection['id'])?.path ?? []
  const link = linkOf(connection, via)
  const is = (one: LinkView) => one.connection === link.connection
  const change = ({ links }: PeerView) => ({
    links: placed(links, { is, make: () => link, most: VIEW_BOUNDS.links }),
  })
  return withPeer(view, textOf(connection, 'peer'), change, true)
}

const closed: Reduce = (view, event) => {
  const connection = fieldsOf(event, 'connection')
  return withPeer(view, textOf(connection, 'peer'), ({ links, auth, rttMs, missed, judged }) => {
    const left = without(links, (one) => one.connection === connection['id'])
    const isGone = left.length === 0
    return isGone
      ? { links: left, auth: undefined, rttMs: undefined, missed: 0, judged: undefined }
      : { links: left, auth, rttMs, missed, judged }
  })
}

const identified: Reduce = (view, event) =>
  withPeer(view, textOf(event, 'peer'), ({ agent, addresses }) => ({
    agent: textOf(event, 'agentVersion') || agent,
    addresses: listOf(event, 'addresses').length > 0 ? addressesIn(event) : addresses,
  }))

const addressesIn = (event: Fields) => textsOf(event, 'addresses', VIEW_BOUNDS.addresses)

const found: Reduce = (view, event) => {
  const by = textOf(event, 'by')
  const known = withPeer(
    view,
    textOf(event, 'peer'),
    ({ foundBy }) => ({ foundBy: foundBy.includes(by) ? foundBy : [...foundBy, by], addresses: addressesIn(event) }),
    true,
  )
  return withPart(known, 'sources', counted(known, by, { found: 1 }))
}

const updated: Reduce = (view, event) =>
  withPeer(
    view,
    textOf(event, 'peer'),
    () => ({
      foundBy: [...new Set([textOf(event, 'by'), ...textsOf(event, 'alsoBy', 8)])],
      addresses: addressesIn(event),
    }),
    true,
  )

function counted(view: View, source: string, change: { readonly found?: number; readonly on?: boolean }) {
  return placed(view.sources, {
    is: (one) => one.source === source,
    make: (before = { source, found: 0 }) => ({
      ...before,
      found: before.found + (change.found ?? 0),
      ...(change.on === undefined ? {} : { on: change.on }),
    }),
    most: 16,
  })
}

const kept =
  (state: PeerView['kept'], isNew = false): Reduce =>
  (view, event) =>
    withPeer(view, textOf(event, 'peer'), () => ({ kept: state }), isNew)

/** A chain is told after the connection over it, or before: its link gets its path either way. */
const chained: Reduce = (view, event) => {
  const [session, peer, connection] = [textOf(event, 'session'), textOf(event, 'peer'), textOf(event, 'connection')]
  const path = textsOf(event, 'path', 16)
  const chain = { session, peer, direction: textOf(event, 'direction'), path, connection, since: event.at }
  const is = (one: { readonly session: string }) => one.session === session
  const chains = placed(view.chains, { is, make: () => chain, most: VIEW_BOUNDS.chains })
  return routed({ ...view, chains }, peer, connection, path)
}

function routed(view: View, peer: string, connection: string, via: readonly string[]): View {
  return withPeer(view, peer, ({ links }) => ({
    links: links.map((link) => (link.connection === connection ? { ...link, via } : link)),
  }))
}

const failedOver: Reduce = (view, event) => {
  const chain = view.chains.find((one) => one.session === event['session'])
  if (chain === undefined) return view
  const path = textsOf(event, 'path', 16)
  const chains = view.chains.map((one) => (one === chain ? { ...chain, path } : one))
  return routed({ ...view, chains }, chain.peer, chain.connection, path)
}

/** What happens to peers and the connections to them. */
export const peerReducers: Reducers = {
  'connection:open': opened,
  'connection:close': closed,
  'peer:identify': identified,
  'peer:found': found,
  'peer:updated': updated,
  'peer:forgotten': (view, event) => withPeer(view, textOf(event, 'peer'), () => ({ foundBy: [] })),
  'discovery:switched': (view, event) =>
    withPart(view, 'sources', counted(view, textOf(event, 'source'), { on: event['on'] === true })),
  'ping:missed': (view, event) => withPeer(view, textOf(event, 'peer'), ({ missed }) => ({ missed: missed + 1 })),
  'keep-alive:kept': (view, event) =>
    withPeer(
      view,
      textOf(event, 'peer'),
      (one) => ({ kept: one.kept ?? (one.links.length > 0 ? 'connected' : 'kept') }),
      true,
    ),
  'keep-alive:retrying': kept('retrying', true),
  'keep-alive:connected': kept('connected', true),
  'keep-alive:lost': kept('lost'),
  'keep-alive:paused': kept('paused'),
  'keep-alive:given-up': kept(undefined),
  'keep-alive:forgotten': kept(undefined),
  'chain:opened': chained,
  'chain:accepted': chained,
  'chain:failed-over': failedOver,
  'chain:closed': (view, event) =>
    withPart(
      view,
      'chains',
      without(view.chains, (one) => one.session === event['session']),
    ),
}
