import { describe, expect, it } from 'vitest'
import { emptyView, type LinkView, type PeerView } from '../../../../src/observability/dashboard/model/dashboardView.ts'
import { graphOf } from '../../../../src/observability/dashboard/page/network/graphOf.ts'
import { linkText } from '../../../../src/observability/dashboard/page/network/linkText.ts'
import { MOST_PLACES } from '../../../../src/observability/dashboard/page/network/placePeers.ts'

const link = (more: Partial<LinkView> = {}): LinkView => ({
  connection: 'c',
  transport: 'quic',
  direction: 'outbound',
  kind: 'direct',
  via: [],
  address: '/memory/1',
  since: 0,
  limited: false,
  ...more,
})
const peer = (id: string, links: readonly LinkView[] = [link()], more: Partial<PeerView> = {}): PeerView => ({
  peer: id,
  addresses: [],
  links,
  topics: [],
  foundBy: [],
  missed: 0,
  health: 'good',
  reason: 'connected',
  ...more,
})
const view = (peers: readonly PeerView[], more = {}) => ({ ...emptyView({ self: 'me' }), peers, ...more })
const draw = (of: ReturnType<typeof view>, topics: readonly string[] = []) => graphOf(of, new Set(topics), new Map())
const lines = (of: ReturnType<typeof view>, topics?: readonly string[]) =>
  draw(of, topics).lines.map(({ from, to, kind, label }) => `${from} ${kind} ${to}${label === '' ? '' : ` ${label}`}`)

describe('graphOf', () => {
  it('is the node alone without peers, and nothing before it is known', () => {
    expect(draw(view([])).nodes.map(({ id }) => id)).toEqual(['me'])
    expect(graphOf(emptyView({ self: '' }), new Set(), new Map()).nodes).toEqual([])
  })
  it('has a line for each connected peer, with its transports, and none for those that are only known', () => {
    const both = [link(), link({ transport: 'tcp' })]
    expect(lines(view([peer('a'), peer('b', both), peer('c', [])]))).toEqual([
      'me direct a quic',
      'me direct b quic, tcp',
    ])
  })
  it('leads to a relayed peer from its relay, and from the node when the relay is not in sight', () => {
    const relayed = link({ kind: 'relayed', transport: 'relay', via: ['r'] })
    expect(lines(view([peer('r'), peer('a', [relayed])]))).toEqual(['me direct r quic', 'r relayed a'])
    expect(lines(view([peer('a', [relayed])]))).toEqual(['me relayed a'])
  })
  it('draws a chain through its hops', () => {
    const chained = link({ kind: 'chained', transport: 'chain', via: ['h', 'k'] })
    expect(lines(view([peer('h'), peer('k'), peer('a', [chained])]))).toEqual([
      'me direct h quic',
      'me direct k quic',
      'h chained k',
      'k chained a',
    ])
  })
  it('tells health by a sign in the label too, and names relays', () => {
    const relays = [{ relay: 'b', state: 'held', addresses: [], since: 0 }]
    const { nodes } = draw(view([peer('a', [link()], { health: 'bad' }), peer('b')], { relays }))
    expect(nodes.map(({ label }) => label)).toEqual(['this node', '◆ a', 'b\nrelay'])
  })
  it('draws topics that are wanted, with those who have joined', () => {
    const topics = [{ topic: '<b>', joined: true, peers: ['a', 'gone'] }]
    const of = view([peer('a')], { topics })
    expect(lines(of)).toEqual(['me direct a quic'])
    expect(lines(of, ['<b>'])).toEqual(['me direct a quic', 'topic:<b> topic me', 'topic:<b> topic a'])
  })
  it('counts those that find no place', () => {
    const { nodes, more } = draw(view(Array.from({ length: 300 }, (_, i) => peer(`p${i}`))))
    expect([nodes.length, more]).toEqual([MOST_PLACES + 1, 300 - MOST_PLACES])
  })
})

describe('linkText', () => {
  it('says how a peer is linked', () => {
    const relayed = link({
      kind: 'relayed',
      transport: 'relay',
      via: ['12D3KooWRcLRKjnxWyL7CcFfTCh96YB83Byu3H3dud4ECpoWf6A4'],
    })
    expect(linkText(peer('a'))).toBe('direct by quic')
    expect(linkText(peer('a', [relayed, link()]))).toBe('relayed via …oWf6A4; direct by quic')
    expect(linkText(peer('a', []))).toBe('not connected')
  })
})
