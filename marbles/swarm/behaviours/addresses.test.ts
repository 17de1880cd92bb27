import { addresses, type AddressesCommand, type AddressesPorts, type BlackHoleChange } from 'rxswarm'
import { fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { concat, delay, filter, from, map, mergeMap, NEVER, of, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { addressesBehaviour as behaviourOf } from '../../../src/swarm/behaviours/addresses/addressesBehaviour.ts'
import { observe, tallyOf, type Votes } from '../../../src/swarm/behaviours/addresses/observations.ts'

const addressesBehaviour = behaviourOf({ confirmAfterSubnets: 2 })
const silent: AddressesPorts = {
  announce: () => NEVER,
  withdraw: () => NEVER,
  confirm: () => NEVER,
  list: () => NEVER,
  rank: () => NEVER,
  placeOf: () => NEVER,
  confirmed$: NEVER,
  blackHole$: NEVER,
}
const announce = addresses.announce({ address: '/dns4/example.org/tcp/4001' })
const every: readonly AddressesCommand[] = [
  announce,
  addresses.withdraw({ address: '/ip4/198.51.100.7/tcp/4001' }),
  addresses.confirm({ address: '/ip4/198.51.100.7/tcp/4001' }),
  addresses.list(),
  addresses.rank({ to: 'p' }),
]
const ours = '/ip4/198.51.100.7/udp/4001/quic-v1'
const moved = '/ip4/198.51.100.8/udp/4001/quic-v1'

/** A peer in a subnet of its own, by the number of its connection, sees us. */
const identified = (peer: number, observedAddress = ours) =>
  ({
    type: 'peer:identify',
    at: 0,
    peer: `p${peer}`,
    connection: String(peer),
    addresses: [],
    protocols: [],
    observedAddress,
  }) as const
const places = (direction: 'inbound' | 'outbound' = 'inbound'): AddressesPorts => ({
  ...silent,
  placeOf: (id) => of({ address: `/ip4/203.0.${id}.1/udp/1/quic-v1`, direction }),
  confirm: (address) => of(address),
  withdraw: (address) => of(`${address}/p2p/self`),
})
const brief = map((fact: object) => {
  const { type, address, peers, subnets, by, kind, error } = fact as Record<string, string> & { error?: Error }
  return [type, address, peers, subnets, by, kind, error?.name].filter((part) => part !== undefined).join(' ')
})

const onlyConfirmed = filter((text: string) => text.startsWith('address:confirmed'))

describe('addresses', () => {
  obeysBehaviourLaws(addressesBehaviour, every)

  marbles('announces an address', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-a-----', { a: announce })
    const port = '         --(r|)'
    const expected = '    ---(sd)'
    const ports = { ...silent, announce: () => cold(port.trim(), { r: '/dns4/example.org/tcp/4001/p2p/self' }) }
    expectObservable(addressesBehaviour(fakeWires({ command$, ports })).pipe(brief)).toBe(expected, {
      s: 'address:announced /dns4/example.org/tcp/4001/p2p/self',
      d: 'command:completed',
    })
  })
  marbles('the picture of its doc comment', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-a-----', { a: announce })
    const ports = { ...silent, announce: () => cold('--(r|)') }
    expectObservable(addressesBehaviour(fakeWires({ command$, ports })).pipe(map(({ type }) => type))).toBe('---(sd)', {
      s: 'address:announced',
      d: 'command:completed',
    })
  })
  marbles('confirms an address when enough subnets see it, and once', ({ hot, cold, expectObservable }) => {
    const event$ = hot('-a-b---c', { a: identified(1), b: identified(2), c: identified(3) })
    const wires = fakeWires({ command$: cold<AddressesCommand>('-'), event$, ports: places() })
    expectObservable(addressesBehaviour(wires).pipe(brief)).toBe('-1-(2c)3', {
      1: `address:observed ${ours} 1 1`,
      2: `address:observed ${ours} 2 2`,
      c: `address:confirmed ${ours} peers`,
      3: `address:observed ${ours} 3 3`,
    })
  })
  marbles('believes no crowd in one subnet', ({ cold, expectObservable }) => {
    const crowd = Array.from({ length: 20 }, (_, i) => identified(i))
    const event$ = from([0])
      .pipe(delay(1))
      .pipe(mergeMap(() => crowd))
    const ports = {
      ...places(),
      placeOf: () => of({ address: '/ip4/203.0.113.9/tcp/1', direction: 'inbound' as const }),
    }
    const wires = fakeWires({ command$: cold<AddressesCommand>('-'), event$, ports })
    const confirmed$ = addressesBehaviour(wires).pipe(brief, onlyConfirmed)
    expectObservable(confirmed$).toBe('--')
  })
  marbles('does not confirm what peers see of connections that we opened, nor private addresses', (run) => {
    const { cold, expectObservable } = run
    const lan = '/ip4/192.168.1.5/udp/4001/quic-v1'
    const two = (observed: string) => from([identified(1, observed), identified(2, observed)])
    const confirmedBy = (ports: AddressesPorts, observed: string) => {
      const event$ = concat(two(observed), NEVER)
      return addressesBehaviour(fakeWires({ command$: cold<AddressesCommand>('-'), event$, ports })).pipe(brief)
    }
    expectObservable(confirmedBy(places('outbound'), ours)).toBe('(12)', {
      1: 'address:observed /ip4/198.51.100.7 1 1',
      2: 'address:observed /ip4/198.51.100.7 2 2',
    })
    expectObservable(confirmedBy(places(), lan).pipe(onlyConfirmed)).toBe('-')
  })
  marbles('withdraws the old address when enough see another', ({ hot, cold, expectObservable, flush }) => {
    const event$ = hot('-(ab)-(cd)', {
      a: identified(1),
      b: identified(2),
      c: identified(1, moved),
      d: identified(2, moved),
    })
    const withdrawn: string[] = []
    const ports = { ...places(), withdraw: (address: string) => (withdrawn.push(address), of(address)) }
    const wires = fakeWires({ command$: cold<AddressesCommand>('-'), event$, ports })
    expectObservable(addressesBehaviour(wires).pipe(brief, onlyConfirmed)).toBe('-a----b', {
      a: `address:confirmed ${ours} peers`,
      b: `address:confirmed ${moved} peers`,
    })
    flush()
    expect(withdrawn).toEqual([ours])
  })
  marbles('says when what others are told has changed, and not twice', ({ hot, cold, expectObservable }) => {
    const update = (...announced: string[]) =>
      ({ type: 'self:peer:update', at: 0, peer: 'self', announced, protocols: [] }) as const
    const event$ = hot('-a-b-c-d', {
      a: update('/a'),
      b: update('/b'),
      c: { type: 'address:announced', at: 0, address: '/c', cause: 'x' },
      d: update('/b', '/c'),
    })
    const wires = fakeWires({ command$: cold<AddressesCommand>('-'), event$, ports: silent })
    expectObservable(addressesBehaviour(wires).pipe(brief)).toBe('-a-(bc)', {
      a: 'address:announced /a',
      b: 'address:announced /b',
      c: 'address:withdrawn /a',
    })
  })
  marbles('says what became a black hole, and when it is none', ({ hot, cold, expectObservable }) => {
    const blackHole$ = hot<BlackHoleChange>('-b-r', {
      b: { kind: 'udp', isBlackHoled: true },
      r: { kind: 'udp', isBlackHoled: false },
    })
    const wires = fakeWires({ command$: cold<AddressesCommand>('-'), ports: { ...silent, blackHole$ } })
    expectObservable(addressesBehaviour(wires).pipe(brief)).toBe('-b-r', {
      b: 'address:black-holed udp',
      r: 'address:recovered udp',
    })
  })
  marbles('a confirmation that fails is told, and may be tried again', ({ hot, cold, expectObservable }) => {
    const event$ = hot('-(ab)-c', { a: identified(1), b: identified(2), c: identified(3) })
    const ports = { ...places(), confirm: () => throwError(() => new Error('no')) }
    const wires = fakeWires({ command$: cold<AddressesCommand>('-'), event$, ports })
    expectObservable(addressesBehaviour(wires).pipe(brief)).toBe('-(12f)(3f)', {
      1: `address:observed ${ours} 1 1`,
      2: `address:observed ${ours} 2 2`,
      3: `address:observed ${ours} 3 3`,
      f: `address:failed ${ours} UnexpectedError`,
    })
  })
  it('keeps what is announced, observed, confirmed and black-holed', () => {
    const { initial, on } = addresses().state!
    const at = 0
    const told = on['address:announced']!(initial, { type: 'address:announced', at, address: '/a/p2p/self' })
    const sure = on['address:confirmed']!(told, { type: 'address:confirmed', at, address: '/a', by: 'peers' })
    expect([sure.announced, [...sure.confirmed]]).toEqual([['/a/p2p/self'], [['/a', 'peers']]])
    const gone = on['address:withdrawn']!(sure, { type: 'address:withdrawn', at, address: '/a/p2p/self' })
    expect([gone.announced, gone.confirmed.size]).toEqual([[], 0])
    const hole = on['address:black-holed']!(gone, { type: 'address:black-holed', at, kind: 'udp' })
    expect(hole.blackHoled).toEqual(['udp'])
    expect(on['address:recovered']!(hole, { type: 'address:recovered', at, kind: 'udp' }).blackHoled).toEqual([])
  })
  it.each([
    [{ announce: ['nonsense'] }, 'addresses.announce[0]'],
    [{ confirmAfterSubnets: 0 }, 'addresses.confirmAfterSubnets'],
    [{ blackHole: { window: 0 } }, 'addresses.blackHole.window'],
    [{ else: 1 }, 'addresses.else'],
  ])('refuses %j', (options, path) => {
    expect(addresses(options as never).problems?.map((problem) => problem.path)).toContain(path)
  })
})

describe('votes', () => {
  const from4 = (host: number) => `/ip4/203.${host >> 8}.${host & 255}.1/tcp/1`
  const vote = (votes: Votes, peer: number, observed = ours, nowMs = 0, at = from4(peer)) =>
    observe(votes, { peer: `p${peer}`, observed, from: at, direction: 'inbound' }, nowMs)
  it('count each peer once, by its latest word', () => {
    const one = vote(new Map(), 1)
    expect(vote(one.votes, 1).tally).toBeUndefined()
    const two = vote(one.votes, 1, moved)
    expect([tallyOf(two.votes, ours, 'inbound', 0).peers, tallyOf(two.votes, moved, 'inbound', 0).peers]).toEqual([
      0, 1,
    ])
  })
  it('are bounded, whoever votes: 1 024 in all and 8 of a subnet', () => {
    let votes: Votes = new Map()
    for (let peer = 0; peer < 3_000; peer++) ({ votes } = vote(votes, peer))
    expect(votes.size).toBe(1_024)
    for (let peer = 0; peer < 3_000; peer++) ({ votes } = vote(votes, peer, ours, 0, from4(7)))
    expect([...votes.values()].filter(({ subnet }) => subnet === '203.0.7.0/24')).toHaveLength(8)
  })
  it('end after 40 minutes', () => {
    const { votes } = vote(new Map(), 1)
    expect(tallyOf(votes, ours, 'inbound', 2_400_000).peers).toBe(1)
    expect(tallyOf(votes, ours, 'inbound', 2_400_001).peers).toBe(0)
  })
  it.each([
    '/ip4/0.0.0.0/udp/1/quic-v1',
    '/ip4/224.0.0.1/udp/1/quic-v1',
    '/ip4/198.51.100.7/udp/0/quic-v1',
    '/dns4/example.org/tcp/1',
    '/ip4/198.51.100.7/tcp/1/p2p/R/p2p-circuit',
    'x'.repeat(10_000),
  ])('for %.40s do not count', (observed) => {
    expect(vote(new Map(), 1, observed).votes.size).toBe(0)
  })
})
