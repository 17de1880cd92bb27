import type { LinkView, PeerView, View } from '../../model/dashboardView.ts'
import { shortPeer } from '../text/shortPeer.ts'
import { placeOf, placePeers, type Place, type Seats } from './placePeers.ts'

/** A node of the drawn network. */
export interface GraphNode extends Place {
  /** Peer id; `topic:` and a name for a topic. */
  readonly id: string
  /** What it is. */
  readonly kind: 'self' | 'peer' | 'topic'
  /** What stands under it. */
  readonly label: string
  /** See `HealthColour`. */
  readonly health: PeerView['health']
  /** Whether this node reaches others, or is reached, through it. */
  readonly isRelay: boolean
}

/** A line of the drawn network. */
export interface GraphLine {
  /** Names it. */
  readonly id: string
  /** From this node. */
  readonly from: string
  /** To this one. */
  readonly to: string
  /** How it runs. */
  readonly kind: LinkView['kind'] | 'topic'
  /** Transports of a direct one. */
  readonly label: string
}

/** What the canvas draws. */
export interface Graph {
  /** Own node first. */
  readonly nodes: readonly GraphNode[]
  /** Lines between them. */
  readonly lines: readonly GraphLine[]
  /** Connected peers that found no place. */
  readonly more: number
  /** For the next call. */
  readonly seats: Seats
}

const SIGN = { good: '', strained: '▲ ', bad: '◆ ', unknown: '' } as const

/**
 * The network of a view as nodes with places and lines between them.
 *
 * @param topics Topics that are drawn, with lines to their peers.
 * @param seats  Of the graph before, so that nobody moves.
 */
export function graphOf(view: View, topics: ReadonlySet<string>, seats: Seats): Graph {
  if (view.self === '') return { nodes: [], lines: [], more: 0, seats }
  const connected = view.peers.filter(({ peer, links }) => peer !== '' && links.length > 0)
  const next = placePeers(
    seats,
    connected.map(({ peer, links }) => ({ id: peer, via: links.some(isDirect) ? undefined : links[0]?.via.at(-1) })),
  )
  const shown = connected.filter(({ peer }) => next.has(peer))
  const isShown = new Set(shown.map(({ peer }) => peer))
  const relays = new Set(connected.flatMap(({ links }) => links.flatMap(({ via }) => via)))
  for (const { relay, state } of view.relays) if (state === 'held') relays.add(relay)
  const self: GraphNode = {
    id: view.self,
    kind: 'self',
    label: 'this node',
    health: 'good',
    isRelay: view.served.reservations.length > 0,
    x: 0,
    y: 0,
  }
  const nodes = shown.map(({ peer, health }): GraphNode => {
    const isRelay = relays.has(peer)
    const label = `${SIGN[health]}${shortPeer(peer)}${isRelay ? '\nrelay' : ''}`
    return { id: peer, kind: 'peer', label, health, isRelay, ...placeOf(next.get(peer)!) }
  })
  const drawn = view.topics.filter(({ topic }) => topics.has(topic))
  const tags = drawn.map(({ topic }, i): GraphNode => {
    const place = topicPlace(i, drawn.length)
    return { id: `topic:${topic}`, kind: 'topic', label: cut(topic), health: 'good', isRelay: false, ...place }
  })
  const lines = shown.flatMap(({ peer, links }) => linesTo(view.self, peer, links, isShown))
  const members = drawn.flatMap(({ topic, peers, joined }) =>
    [...(joined ? [view.self] : []), ...peers.filter((peer) => isShown.has(peer))].map((peer): GraphLine => ({
      id: `topic:${topic}>${peer}`,
      from: `topic:${topic}`,
      to: peer,
      kind: 'topic',
      label: '',
    })),
  )
  const unique = new Map([...lines, ...members].map((line) => [line.id, line]))
  return {
    nodes: [self, ...nodes, ...tags],
    lines: [...unique.values()],
    more: connected.length - shown.length,
    seats: next,
  }
}

const isDirect = ({ kind }: LinkView): boolean => kind === 'direct'

function linesTo(self: string, peer: string, links: readonly LinkView[], shown: ReadonlySet<string>): GraphLine[] {
  const kinds = new Map<LinkView['kind'], LinkView[]>()
  for (const link of links) kinds.set(link.kind, [...(kinds.get(link.kind) ?? []), link])
  return [...kinds].flatMap(([kind, alike]) => {
    const label = kind === 'direct' ? [...new Set(alike.map(({ transport }) => transport))].join(', ') : ''
    const stops = kind === 'direct' ? [] : alike[0]!.via.filter((stop) => shown.has(stop) && stop !== peer)
    const path = [self, ...stops, peer]
    // the first step to a hop is that hop's own connection, and drawn as such
    const first = stops.length > 0 ? 1 : 0
    return path.slice(first, -1).map((from, i): GraphLine => {
      const to = path[first + i + 1]!
      return { id: `${kind}:${from}>${to}`, from, to, kind, label }
    })
  })
}

/** Topics stand close around the own node, between the lines to the peers of the first ring. */
function topicPlace(index: number, count: number): Place {
  const angle = (index / Math.max(count, 1)) * 2 * Math.PI + Math.PI / 7
  return { x: Math.round(Math.cos(angle) * 80), y: Math.round(Math.sin(angle) * 70) }
}

function cut(topic: string): string {
  return topic.length <= 22 ? topic : `${topic.slice(0, 21)}…`
}
