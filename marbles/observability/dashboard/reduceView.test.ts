import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyView, type View } from '../../../src/observability/dashboard/model/dashboardView.ts'
import { reduceView, tellingTypes } from '../../../src/observability/dashboard/model/reduceView.ts'
import { VIEW_BOUNDS } from '../../../src/observability/dashboard/model/viewBounds.ts'
import type { PlainEvent } from '../../../src/observability/plainEvent.ts'
import { aSample } from './aSample.ts'
import { itemsByChance } from './itemsByChance.ts'

const start = emptyView({ self: 'me' })
type Told = Omit<PlainEvent, 'at'> & { readonly type: string }
const after = (...events: readonly Told[]): View =>
  events.reduce<View>((view, event, i) => reduceView(view, { at: i + 1, ...event }), start)

const connection = (peer: string, id = `${peer}-1`, told: object = {}) => ({
  id,
  peer,
  address: `/ip4/192.0.2.1/tcp/1/p2p/${peer}`,
  direction: 'outbound',
  transport: 'tcp',
  direct: true,
  limited: false,
  since: 5,
  ...told,
})
const opened = (peer: string, id?: string, told?: object) => ({
  type: 'connection:open',
  connection: connection(peer, id, told),
})
const closed = (peer: string, id?: string) => ({ type: 'connection:close', connection: connection(peer, id) })

/** Every list of a view, and how long it may be. */
function lengths(view: View): readonly (readonly [length: number, most: number])[] {
  const { peers, topics, served, rendezvous, dht } = view
  return [
    [peers.length, VIEW_BOUNDS.peers],
    ...peers.flatMap((peer): [number, number][] => [
      [peer.links.length, VIEW_BOUNDS.links],
      [peer.topics.length, VIEW_BOUNDS.peerTopics],
      [peer.foundBy.length, 16],
    ]),
    [topics.length, VIEW_BOUNDS.topics],
    ...topics.map((topic): [number, number] => [topic.peers.length, VIEW_BOUNDS.members]),
    [view.breakers.length, VIEW_BOUNDS.breakers],
    [view.relays.length, VIEW_BOUNDS.relays],
    [served.reservations.length, VIEW_BOUNDS.served],
    [served.circuits.length, VIEW_BOUNDS.circuits],
    [dht.lookups.length, VIEW_BOUNDS.lookups],
    [rendezvous.own.length, VIEW_BOUNDS.registrations],
    [rendezvous.served.length, VIEW_BOUNDS.registrations],
    [rendezvous.found.length, VIEW_BOUNDS.registrations],
    [view.chains.length, VIEW_BOUNDS.chains],
    [view.authentications.length, VIEW_BOUNDS.authentications],
    [view.refusals.length, VIEW_BOUNDS.refusals],
    [view.failures.length, VIEW_BOUNDS.failures],
    [view.alerts.length, VIEW_BOUNDS.alerts],
    [view.checks.length, VIEW_BOUNDS.checks],
    [view.sources.length, 16],
    [view.blackHoled.length, 8],
    [view.troubled.length, VIEW_BOUNDS.troubled],
    [Object.keys(view.counters).length, VIEW_BOUNDS.counters],
  ]
}

describe('reduceView', () => {
  it('law: whatever comes, it throws nothing, changes nothing that it was given, and its lists are bounded', () => {
    fc.assert(
      fc.property(itemsByChance(300), (items) => {
        let view = start
        for (const item of items) {
          const before = JSON.stringify(view)
          const next = reduceView(view, item)
          expect(JSON.stringify(view)).toBe(before)
          view = next
        }
        for (const [length, most] of lengths(view)) expect(length).toBeLessThanOrEqual(most)
      }),
      { numRuns: 40 },
    )
  })
  it('law: a flood of one kind finds its bound', () => {
    const flood = (make: (i: number) => Told) => after(...Array.from({ length: 3_000 }, (_, i) => make(i)))
    for (const [length, most] of [
      ...lengths(flood((i) => opened(`peer${i}`))),
      ...lengths(flood((i) => opened('peer', `c${i}`))),
      ...lengths(flood((i) => ({ type: 'gossipsub:peer-joined', topic: `t${i}`, peer: 'p' }))),
      ...lengths(flood((i) => ({ type: 'gossipsub:peer-joined', topic: 't', peer: `p${i}` }))),
      ...lengths(flood((i) => ({ type: 'policy:tripped', policy: 'breaker', key: `k${i}`, openMs: 1 }))),
      ...lengths(flood((i) => ({ type: 'relay:found', relay: `r${i}` }))),
      ...lengths(flood((i) => ({ type: 'relay:circuit-opened', source: `s${i}`, destination: 'd' }))),
      ...lengths(flood((i) => ({ type: 'rendezvous:accepted', peer: `p${i}`, namespace: 'n', ttlMs: 1 }))),
      ...lengths(flood((i) => ({ type: 'alert:raised', alert: `a#${i}`, rule: 'a', title: 'a', severity: 'info' }))),
      ...lengths(flood((i) => ({ type: 'peer:found', peer: `p${i}`, by: `s${i}`, addresses: [] }))),
    ])
      expect(length).toBeLessThanOrEqual(most)
  })
  it('is the same object when nothing changes', () => {
    const view = after(opened('a'), { type: 'gossipsub:joined', topic: 't' })
    expect(reduceView(view, { type: 'user:event', at: 9 })).toBe(view)
    expect(reduceView(view, { type: 'gossipsub:joined', topic: 't', at: 9 })).toBe(view)
    expect(reduceView(view, { type: 'peer:forgotten', peer: 'nobody', at: 9 })).toBe(view)
  })
  it('keeps JSON: what went through the feed is what it was', () => {
    fc.assert(
      fc.property(itemsByChance(60), (items) => {
        const view = items.reduce(reduceView, start)
        expect(JSON.parse(JSON.stringify(view))).toEqual(view)
      }),
      { numRuns: 30 },
    )
  })

  it('draws connections as links, direct and through a relay, until the last is closed', () => {
    const relayed = { address: '/ip4/192.0.2.9/tcp/1/p2p/R/p2p-circuit/p2p/a', transport: 'relay', direct: false }
    const view = after(opened('a', 'c1'), opened('a', 'c2', relayed))
    expect(view.peers.map(({ peer, links }) => [peer, links.map(({ kind, via }) => [kind, ...via])])).toEqual([
      ['a', [['direct'], ['relayed', 'R']]],
    ])
    expect(after(opened('a', 'c1'), opened('a', 'c2'), closed('a', 'c1')).peers).toHaveLength(1)
    expect(after(opened('a', 'c1'), closed('a', 'c1')).peers).toEqual([])
  })
  it('draws the path of a chain, whichever is told first', () => {
    const chain = { session: 's', peer: 'a', direction: 'outbound', connection: 'c1', path: ['x', 'y'] }
    const link = opened('a', 'c1', { transport: 'chain', direct: false })
    for (const view of [
      after(link, { type: 'chain:opened', ...chain }),
      after({ type: 'chain:opened', ...chain }, link),
    ])
      expect(view.peers[0]!.links[0]).toMatchObject({ kind: 'chained', via: ['x', 'y'] })
    const over = after(
      link,
      { type: 'chain:opened', ...chain },
      { type: 'chain:failed-over', session: 's', path: ['z'] },
    )
    expect(over.peers[0]!.links[0]!.via).toEqual(['z'])
    expect(after({ type: 'chain:opened', ...chain }, { type: 'chain:closed', session: 's' }).chains).toEqual([])
  })
  it('keeps a peer that was found or is kept when its connections are gone', () => {
    const found = { type: 'peer:found', peer: 'a', by: 'mdns', addresses: ['/ip4/192.0.2.1/tcp/1'] }
    const view = after(found, opened('a'), closed('a'))
    expect(view.peers[0]).toMatchObject({ peer: 'a', foundBy: ['mdns'], health: 'unknown', links: [] })
    expect(after(found, { type: 'peer:forgotten', peer: 'a' }).peers).toEqual([])
    const lost = after(opened('a'), { type: 'keep-alive:kept', peer: 'a' }, closed('a'), {
      type: 'keep-alive:retrying',
      peer: 'a',
    })
    expect(lost.peers[0]).toMatchObject({ kept: 'retrying', health: 'bad' })
  })
  it('colours a peer by the worst that is known of it', () => {
    const health = (...events: readonly Told[]) => after(opened('a'), ...events).peers[0]!.health
    const missed = { type: 'ping:missed', peer: 'a' }
    expect(health()).toBe('good')
    expect(health(missed)).toBe('strained')
    expect(health(missed, missed, missed)).toBe('bad')
    expect(health({ type: 'policy:tripped', policy: 'breaker', key: 'a', openMs: 9 })).toBe('bad')
    expect(health({ type: 'policy:tripped', policy: 'breaker', key: 'a /proto', openMs: 9 })).toBe('bad')
    expect(health({ type: 'xauth:failed', peer: 'a', ended: true, reason: 'timeout' })).toBe('bad')
    expect(health({ type: 'xauth:failed', peer: 'a', ended: false, reason: 'timeout' })).toBe('good')
    const slow = reduceView(after(opened('a'), missed), aSample(9, { rtts: [['a', 1_500]] }))
    expect(slow.peers[0]).toMatchObject({ rttMs: 1_500, missed: 0, health: 'strained' })
  })
  it('knows who listens to what', () => {
    const joined = { type: 'gossipsub:peer-joined', topic: 't', peer: 'a' }
    const view = after(opened('a'), { type: 'gossipsub:joined', topic: 't' }, joined)
    expect(view.topics).toEqual([{ topic: 't', joined: true, peers: ['a'] }])
    expect(view.peers[0]!.topics).toEqual(['t'])
    const gone = after(opened('a'), joined, { type: 'peer:disconnect', peer: 'a' })
    expect([gone.topics, gone.peers[0]!.topics]).toEqual([[], []])
  })
  it('follows a breaker from open to closed', () => {
    const key = { policy: 'breaker', key: 'a' }
    const tripped = { type: 'policy:tripped', ...key, openMs: 100, error: { name: 'DialError', message: 'no answer' } }
    const view = after(opened('a'), tripped)
    expect(view.breakers).toEqual([{ ...key, state: 'open', since: 2, until: 102, reason: 'no answer' }])
    const closedAgain = after(
      opened('a'),
      tripped,
      { type: 'policy:probed', ...key },
      { type: 'policy:recovered', ...key },
    )
    expect(closedAgain.breakers[0]).toMatchObject({ state: 'closed', reason: 'no answer' })
    expect(closedAgain.peers[0]!.breaker).toBeUndefined()
  })
  it('knows relays that hold, and what this node carries for others', () => {
    const held = { type: 'relay:reserved', relay: 'R', addresses: ['x'], expiresAt: 99, rttMs: 3, limit: {} }
    expect(after({ type: 'relay:found', relay: 'R' }, held).relays[0]).toMatchObject({ state: 'held', expiresAt: 99 })
    const lost = after(held, { type: 'relay:lost', relay: 'R', reason: 'closed', retryInMs: 50 })
    expect(lost.relays).toEqual([{ relay: 'R', state: 'lost', addresses: [], since: 2, retryAt: 52, reason: 'closed' }])
    const circuit = { source: 'a', destination: 'b' }
    const served = after(
      { type: 'relay:accepted', peer: 'a', address: 'x', expiresAt: 9 },
      { type: 'relay:circuit-opened', ...circuit },
      { type: 'relay:circuit-opened', ...circuit },
      { type: 'relay:circuit-closed', ...circuit, bytes: 7 },
    ).served
    expect(served).toMatchObject({ circuits: [circuit], closed: 1, bytes: 7, reservations: [{ peer: 'a' }] })
  })
  it('follows a question to the DHT', () => {
    const view = after(
      { type: 'kad:found', key: '/k', cause: 'c1' },
      { type: 'kad:found', key: '/k', cause: 'c1' },
      { type: 'command:completed', command: 'kad/get', cause: 'c1' },
      { type: 'command:failed', command: 'kad/find-peer', cause: 'c2', error: { name: 'E', message: 'nobody' } },
    )
    expect(view.dht.lookups).toEqual([
      { command: 'c1', kind: 'get', key: '/k', results: 2, at: 1, outcome: 'completed', endedAt: 3 },
      { command: 'c2', kind: 'find-peer', key: '', results: 0, at: 4, outcome: 'failed', endedAt: 4, reason: 'nobody' },
    ])
  })
  it('knows registrations, which end with the command that keeps them', () => {
    const registered = { type: 'rendezvous:registered', point: 'P', namespace: 'n', ttlMs: 10, cause: 'c1' }
    expect(after(registered).rendezvous.own).toEqual([{ point: 'P', namespace: 'n', expiresAt: 11, cause: 'c1' }])
    const ended = { type: 'command:cancelled', command: 'rendezvous/register', cause: 'c1' }
    expect(after(registered, ended).rendezvous.own).toEqual([])
  })
  it('knows who has authenticated, and who was refused', () => {
    const authenticated = { type: 'xauth:authenticated', peer: 'a', owner: 'o', expiresAtS: 9, connection: 'c' }
    const view = after(opened('a'), authenticated, { type: 'access:denied', peer: 'b', reason: 'rule 3' })
    expect(view.peers[0]!.auth).toEqual({ state: 'authenticated', owner: 'o', expiresAtS: 9 })
    expect(view.refusals).toEqual([{ at: 3, type: 'access:denied', peer: 'b', reason: 'rule 3' }])
    const revoked = after(opened('a'), authenticated, { type: 'xauth:revoked', owner: 'o', connections: [] })
    expect(revoked.peers[0]).toMatchObject({ auth: { state: 'revoked' }, health: 'bad' })
  })
  it('knows which behaviours do not run, and forgets what they knew', () => {
    const error = { name: 'E', message: 'broke' }
    const view = after({ type: 'relay:found', relay: 'R' }, { type: 'behaviour:crashed', behaviour: 'relay', error })
    expect(view.troubled).toEqual([{ behaviour: 'relay', state: 'restarting', since: 2, reason: 'broke' }])
    expect(view.relays).toEqual([])
    expect(
      after({ type: 'behaviour:ended', behaviour: 'x' }, { type: 'behaviour:restarted', behaviour: 'x' }).troubled,
    ).toEqual([])
  })
  it('takes the word of health for a peer, and for its checks', () => {
    const changed = {
      type: 'health:changed',
      check: 'relay',
      affects: 'readiness',
      was: 'ok',
      is: 'failed',
      reason: 'none',
    }
    expect(after(changed).checks).toEqual([{ check: 'relay', status: 'failed', reason: 'none', since: 1 }])
    const judged = (is: string) => ({ type: 'health:peer-changed', peer: 'a', was: 'healthy', is, reason: 'is slow' })
    expect(after(opened('a'), judged('degraded')).peers[0]).toMatchObject({ health: 'strained', reason: 'is slow' })
    expect(after(opened('a'), judged('unhealthy'), judged('healthy')).peers[0]!.health).toBe('good')
    expect(after(judged('gone')).peers).toEqual([])
  })
  it('counts with the samples alone', () => {
    const view = [
      aSample(1, { events: { 'gossipsub:message': 3 } }),
      aSample(2, { events: { 'gossipsub:message': 4 } }),
    ]
    expect(view.reduce(reduceView, start).counters).toEqual({ 'gossipsub:message': 7 })
  })
  it('takes names for what they are: text', () => {
    const names = ['__proto__', 'constructor', '<img src=x onerror=alert(1)>']
    const view = after(...names.map((topic) => ({ type: 'gossipsub:joined', topic })))
    expect(view.topics.map(({ topic }) => topic)).toEqual(names)
    expect(({} as Record<string, unknown>)['joined']).toBeUndefined()
  })
  it('looks at events that there are', () => {
    expect(tellingTypes.size).toBeGreaterThan(80)
  })
})
