import type { PointAnswer, PointRequest, SignedRecord, StoredPoint } from 'rxswarm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cookieSeal } from '../../../../src/swarm/behaviours/rendezvous/cookies.ts'
import { RendezvousPoint, type PointLimits } from '../../../../src/swarm/behaviours/rendezvous/pointDecisions.ts'

const HOUR_S = 3_600n
const limits: PointLimits = {
  registrations: 6,
  registrationsPerPeer: 3,
  answerMost: 4,
  minTtlMs: 7_200_000,
  maxTtlMs: 259_200_000,
}
const key = new Uint8Array(32).fill(1)
const fresh = (): StoredPoint => ({ registrations: [], seq: 0, cookies: cookieSeal(key) })

const record = (peer: string, change: Partial<SignedRecord> = {}): SignedRecord => ({
  form: 'standard',
  bytes: new TextEncoder().encode(`${peer} ${change.seq ?? 1} ${change.form ?? 'standard'}`),
  peer,
  seq: 1n,
  addresses: 1,
  ...change,
})
const about = (peer: string) => ({ id: '1', peer, address: `/memory/${peer}` })
const register = (peer: string, namespace: string, change: object = {}): PointRequest => ({
  type: 'register',
  ...about(peer),
  namespace,
  record: record(peer),
  ...change,
})
const discover = (namespace?: string, change: object = {}): PointRequest => ({
  type: 'discover',
  ...about('asker'),
  ...(namespace === undefined ? {} : { namespace }),
  ...change,
})

class Desk {
  readonly point: RendezvousPoint
  now = 0
  constructor(change: Partial<PointLimits> = {}, stored: StoredPoint = fresh()) {
    this.point = new RendezvousPoint({ ...limits, ...change }, stored)
  }
  register(peer: string, namespace = 'n', change: object = {}): string {
    const answer = this.point.decide(register(peer, namespace, change), this.now).answer as PointAnswer & {
      ttlS?: number
    }
    return answer.status === 'OK' ? `OK ${answer.ttlS}` : answer.status
  }
  unregister(peer: string, namespace = 'n') {
    return this.point.decide({ type: 'unregister', ...about(peer), namespace }, this.now)
  }
  ask(namespace?: string, change: object = {}) {
    const answer = this.point.decide(discover(namespace, change), this.now).answer
    if (answer?.type !== 'discover') throw new Error('no answer')
    const names = answer.registrations.map(({ record: bytes }) => new TextDecoder().decode(bytes).split(' ')[0]!)
    return { status: answer.status, names, cookie: answer.cookie!, registrations: answer.registrations }
  }
}

describe('a rendezvous point', () => {
  it('registers, and tells who is there, the earliest first', () => {
    const desk = new Desk()
    expect(desk.register('a')).toBe('OK 7200')
    desk.register('b')
    desk.register('c', 'other')
    expect(desk.ask('n').names).toEqual(['a', 'b'])
    expect(desk.ask().names).toEqual(['a', 'b', 'c'])
    expect(desk.ask('nobody')).toMatchObject({ status: 'OK', names: [] })
  })
  it('tells what came since a cookie, and nothing twice', () => {
    const desk = new Desk()
    desk.register('a')
    const { cookie } = desk.ask('n')
    expect(desk.ask('n', { cookie }).names).toEqual([])
    desk.register('b')
    desk.register('a', 'n', { record: record('a', { seq: 2n }) })
    expect(desk.ask('n', { cookie }).names).toEqual(['b', 'a'])
  })
  it('has the same cookie for the same state, and pages of at most so many', () => {
    const desk = new Desk()
    for (const peer of ['a', 'b', 'c', 'd', 'e']) desk.register(peer)
    expect(desk.ask('n').names).toEqual(['a', 'b', 'c', 'd']) // as many as it gives in one answer
    const first = desk.ask('n', { limit: 2n })
    expect(desk.ask('n', { limit: 2n }).cookie).toEqual(first.cookie)
    const second = desk.ask('n', { limit: 2n, cookie: first.cookie })
    expect([first.names, second.names, desk.ask('n', { cookie: second.cookie }).names]).toEqual([['a', 'b'], ['c', 'd'], ['e']]) // prettier-ignore
    expect(desk.ask('n', { limit: 0n }).names).toHaveLength(4)
  })
  it('refuses cookies of another namespace, of all, and of nobody; one of another store asks anew', () => {
    const desk = new Desk()
    desk.register('a')
    desk.register('b', 'other')
    const { cookie } = desk.ask('other')
    expect(desk.ask('n', { cookie }).status).toBe('E_INVALID_COOKIE')
    expect(desk.ask(undefined, { cookie }).status).toBe('E_INVALID_COOKIE')
    expect(desk.ask('n', { cookie: desk.ask().cookie }).status).toBe('E_INVALID_COOKIE')
    for (const garbage of [new Uint8Array(1), new Uint8Array(42), new Uint8Array(4_000)]) {
      expect(desk.ask('n', { cookie: garbage }).status).toBe('E_INVALID_COOKIE')
    }
    const own = desk.ask('n').cookie
    for (let at = 8; at < own.length; at++) {
      const forged = own.slice()
      forged[at]! ^= 1
      expect(desk.ask('n', { cookie: forged }).status).toBe('E_INVALID_COOKIE')
    }
    const elsewhere = new Desk({}, { ...fresh(), cookies: cookieSeal(new Uint8Array(32).fill(2)) }).ask('n').cookie
    expect(desk.ask('n', { cookie: elsewhere })).toMatchObject({ status: 'OK', names: ['a'] })
    expect(desk.ask('n', { cookie: new Uint8Array(0) })).toMatchObject({ status: 'OK', names: ['a'] })
  })
  it('has cookies that rust-libp2p can carry: eight bytes and text', () => {
    const { cookie } = new Desk().ask('n')
    expect(cookie.length).toBeLessThan(255)
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(cookie.subarray(8))).not.toThrow()
  })
  it('answers cookies from before a restart with what came since, if its store was kept', () => {
    const stored = {
      peer: 'a',
      namespace: 'n',
      records: { standard: record('a').bytes },
      recordSeq: 1n,
      expiresAt: 9e9,
    }
    const before = new Desk()
    before.register('a')
    const { cookie } = before.ask('n')
    const after = new Desk({}, { ...fresh(), registrations: [{ ...stored, seq: 1 }], seq: 1 })
    expect(after.ask('n', { cookie }).names).toEqual([])
    after.register('b')
    expect(after.ask('n', { cookie }).names).toEqual(['b'])
    const lost = new Desk()
    expect(lost.register('c')).toBe('OK 7200')
    const later = new Desk({}, { ...fresh(), registrations: [{ ...stored, seq: 5 }], seq: 5 }).ask('n').cookie
    expect(lost.ask('n', { cookie: later }).names).toEqual(['c']) // a number that it has never given out
  })
  it('bounds the ttl, and gives two hours to who names none', () => {
    const desk = new Desk()
    expect(desk.register('a', 'n', { ttlS: 2n * HOUR_S })).toBe('OK 7200')
    expect(desk.register('a', 'n', { ttlS: 72n * HOUR_S })).toBe('OK 259200')
    for (const ttlS of [0n, 1n, 2n * HOUR_S - 1n, 72n * HOUR_S + 1n, 2n ** 64n - 1n]) {
      expect(desk.register('a', 'n', { ttlS })).toBe('E_INVALID_TTL')
    }
    expect(new Desk({ minTtlMs: 14_400_000 }).register('a')).toBe('OK 14400')
    expect(new Desk({ minTtlMs: 1_000, maxTtlMs: 60_000 }).register('a')).toBe('OK 60')
  })
  it('tells how long a registration still holds, and none that has run out', () => {
    const desk = new Desk({ minTtlMs: 1_000 })
    desk.register('a', 'n', { ttlS: 10n })
    desk.now = 4_500
    expect(desk.ask('n').registrations).toMatchObject([{ ttlS: 6 }])
    desk.now = 10_000
    expect(desk.ask('n').names).toEqual([])
    expect(desk.point.sweep(desk.now)).toEqual({
      say: [{ type: 'rendezvous:removed', peer: 'a', namespace: 'n', reason: 'expired' }],
      store: [{ drop: { peer: 'a', namespace: 'n' } }],
    })
    expect(desk.point.sweep(desk.now).say).toEqual([])
  })
  it('refuses names that are empty or longer than 255 bytes, of bytes and not of letters', () => {
    const desk = new Desk()
    expect(desk.register('a', 'x'.repeat(255))).toBe('OK 7200')
    expect(desk.register('a', 'ü'.repeat(127))).toBe('OK 7200')
    for (const name of ['', 'x'.repeat(256), 'ü'.repeat(128)]) {
      expect(desk.register('a', name)).toBe('E_INVALID_NAMESPACE')
      if (name !== '') expect(desk.ask(name).status).toBe('E_INVALID_NAMESPACE')
    }
  })
  it('refuses a record of another peer, one with a flaw, and one older than it knows', () => {
    const desk = new Desk()
    expect(desk.register('a', 'n', { record: record('b') })).toBe('E_NOT_AUTHORIZED')
    expect(desk.register('a', 'n', { record: { flaw: 'forged' } })).toBe('E_INVALID_SIGNED_PEER_RECORD')
    desk.register('a', 'n', { record: record('a', { seq: 5n }) })
    expect(desk.register('a', 'n', { record: record('a', { seq: 4n }) })).toBe('E_INVALID_SIGNED_PEER_RECORD')
    expect(desk.register('a', 'other', { record: record('a', { seq: 4n }) })).toBe('E_INVALID_SIGNED_PEER_RECORD')
    expect(desk.register('a', 'n', { record: record('a', { seq: 5n }) })).toBe('OK 7200')
  })
  it('has a quota for each peer and for all, frees it with what runs out, and renews when it is full', () => {
    const desk = new Desk()
    for (const name of ['1', '2', '3']) expect(desk.register('a', name)).toBe('OK 7200')
    expect(desk.register('a', '4')).toBe('E_UNAVAILABLE')
    for (const peer of ['b', 'c', 'd']) desk.register(peer)
    expect(desk.register('e')).toBe('E_UNAVAILABLE')
    expect(desk.register('a', '1')).toBe('OK 7200')
    desk.unregister('a', '1')
    expect(desk.register('e')).toBe('OK 7200')
    desk.now = 7_200_000
    expect(desk.register('f')).toBe('OK 7200')
  })
  it('tells of what it drops to make room, and forgets it in its store too', () => {
    const desk = new Desk({ registrations: 1, minTtlMs: 1_000 })
    desk.register('a', 'n', { ttlS: 1n })
    desk.now = 1_000
    const { answer, say, store } = desk.point.decide(register('b', 'n'), desk.now)
    expect(answer).toMatchObject({ status: 'OK' })
    expect(say?.map(({ type }) => type)).toEqual(['rendezvous:removed', 'rendezvous:accepted'])
    expect(store).toMatchObject([{ drop: { peer: 'a', namespace: 'n' } }, { put: { peer: 'b' } }])
  })
  it('forgets who unregisters, answers nothing to that, and knows of no other', () => {
    const desk = new Desk()
    desk.register('a')
    expect(desk.unregister('b')).toEqual({})
    expect(desk.unregister('a', 'other')).toEqual({})
    expect(desk.unregister('a').answer).toBeUndefined()
    expect(desk.ask('n').names).toEqual([])
  })
  it('keeps a record in both forms, and gives each the one that it reads', () => {
    const desk = new Desk()
    desk.register('js')
    desk.register('js', 'n', { record: record('js', { form: 'rust' }) })
    desk.register('go')
    desk.register('rust', 'n', { record: record('rust', { form: 'rust' }) })
    const forms = (answer: ReturnType<Desk['ask']>) =>
      answer.registrations.map(({ record: bytes }) => new TextDecoder().decode(bytes))
    expect(forms(desk.ask('n'))).toEqual(['js 1 standard', 'go 1 standard', 'rust 1 rust'])
    expect(forms(desk.ask('n', { reads: 'rust' }))).toEqual(['js 1 rust', 'rust 1 rust']) // the other would spoil its answer
    expect(forms(desk.ask('n', { peer: 'rust' }))).toEqual(['js 1 rust', 'rust 1 rust'])
  })
  it('keeps its answers below what rust-libp2p reads', () => {
    const desk = new Desk({ registrations: 1_000, answerMost: 1_000 })
    for (let n = 0; n < 300; n++)
      desk.register(`p${n}`, 'n', { record: record(`p${n}`, { bytes: new Uint8Array(8_000) }) })
    const seen = new Set<number>()
    let cookie: Uint8Array | undefined
    for (let page = 0; page < 10; page++) {
      const answer = desk.ask('n', cookie === undefined ? {} : { cookie })
      cookie = answer.cookie
      const bytes = answer.registrations.reduce((sum, { record: one }) => sum + one.length, 0)
      expect(bytes).toBeLessThan(1 << 20)
      for (let n = 0; n < answer.names.length; n++) seen.add(seen.size)
    }
    expect(seen.size).toBe(300)
  })
  it('is, whatever happens, what a plain list of registrations would be', () => {
    const peers = fc.constantFrom('a', 'b', 'c', 'd')
    const names = fc.constantFrom('x', 'y')
    const act = fc.oneof(
      fc.record({ do: fc.constant('register' as const), peer: peers, name: names }),
      fc.record({ do: fc.constant('unregister' as const), peer: peers, name: names }),
      fc.record({ do: fc.constant('pass' as const), peer: peers, name: names }),
    )
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const desk = new Desk({ registrations: 100, registrationsPerPeer: 10, minTtlMs: 1_000, answerMost: 100 })
        let model: { peer: string; name: string; until: number }[] = []
        for (const { do: what, peer, name } of acts) {
          if (what === 'pass') desk.now += 3_000
          if (what !== 'pass') model = model.filter((one) => one.peer !== peer || one.name !== name)
          if (what === 'unregister') desk.unregister(peer, name)
          if (what === 'register') {
            desk.register(peer, name, { ttlS: 10n })
            model.push({ peer, name, until: desk.now + 10_000 })
          }
          const now = model.filter(({ until }) => until > desk.now)
          for (const of of ['x', 'y']) expect(desk.ask(of).names).toEqual(now.filter((m) => m.name === of).map((m) => m.peer)) // prettier-ignore
          expect(desk.ask().names).toEqual(now.map((m) => m.peer))
        }
      }),
      { numRuns: 200 },
    )
  })
})
