import { ConsecutiveBreaker } from 'cockatiel'
import { compose, keyed, type Keyed, type KeyedOptions, type KeyState, type PolicyEvent } from 'rxswarm/policies'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import fc from 'fast-check'
import { catchError, map, mergeMap, NEVER, of, throwError, type Observable } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'
import { CircuitOpenError } from '../../src/errors/errors.ts'
import { policy } from '../../src/policies/policy.ts'
import { Recency, type Dated } from '../../src/policies/recency.ts'
import { handClock } from './handClock.ts'
import { sixCases } from './sixCases.ts'

const atOnce = { breaker: { breaker: { type: 'consecutive', threshold: 1 }, halfOpenAfterMs: 100 } } as const
const boom = () => {
  throw new Error('boom')
}

/** A keyed policy on a clock that is set by hand. */
function setUp(options: Partial<KeyedOptions<string>> = {}) {
  const clock = handClock(1_000)
  const events: PolicyEvent[] = []
  const perPeer = keyed({
    policy: atOnce,
    ejection: { share: 0.5 },
    scheduler: clock,
    onEvent: (event) => void events.push(event),
    ...options,
  })
  const call = (key: string, source$: Observable<unknown>): unknown => {
    let outcome: unknown = 'open'
    source$.pipe(perPeer(key)).subscribe({
      error: (error: unknown) => void (outcome = error instanceof Error ? error.name : error),
      complete: () => void (outcome = 'done'),
    })
    return outcome
  }
  const fail = (key: string) =>
    call(
      key,
      throwError(() => 'x'),
    )
  const succeed = (key: string) => call(key, of(1))
  return { perPeer, clock, events, call, fail, succeed }
}

function statesOf(perPeer: Keyed<string>): ReadonlyMap<string, KeyState> {
  let states: ReadonlyMap<string, KeyState> = new Map()
  perPeer.state$.subscribe((now) => (states = now)).unsubscribe()
  return states
}
const ejectedOf = (perPeer: Keyed<string>) =>
  [...statesOf(perPeer)].filter(([, { circuit }]) => circuit.status !== 'closed').map(([key]) => key)

describe('keyed', () => {
  obeysOperatorLaws(() => keyed({ policy: atOnce })('a'))
  sixCases(() => keyed({ policy: atOnce })('a'))

  marbles('gives each key a stack of its own', ({ hot, expectObservable }) => {
    const breaker = { breaker: { type: 'consecutive', threshold: 2 } } as const
    const perPeer = keyed<string>({ policy: { breaker }, ejection: { share: 0.5 } })
    const calls = ' a-a-b-a---'
    const result = '#-#-b-R---'
    perPeer('b') // is known, so that one of two may be ejected
    const outcomes$ = hot<string>(calls).pipe(
      mergeMap((key) =>
        (key === 'b' ? of(key) : throwError(() => 'x')).pipe(
          perPeer(key),
          catchError((error: unknown) => of(error instanceof CircuitOpenError ? 'R' : 'f')),
        ),
      ),
    )
    expectObservable(outcomes$).toBe(result.replaceAll('#', 'f'))
  })
  it('counts each key by itself', () => {
    const { fail, succeed, perPeer } = setUp()
    succeed('b')
    expect([fail('a'), succeed('a'), succeed('b')]).toEqual(['x', 'CircuitOpenError', 'done'])
    expect(perPeer.size).toBe(2)
    expect(ejectedOf(perPeer)).toEqual(['a'])
  })
  it('makes the key of what a call is about', () => {
    const perStream = keyed<{ peer: string; protocol: string }>({
      policy: atOnce,
      by: ({ peer, protocol }) => `${peer} ${protocol}`,
    })
    for (const peer of ['a', 'b']) for (const protocol of ['x', 'y', 'x']) perStream({ peer, protocol })
    expect(perStream.size).toBe(4)
    const perNumber = keyed<number>({ policy: atOnce })
    perNumber(7)
    expect([...statesOf(perNumber as never).keys()]).toEqual(['7'])
  })
  it('fails only the call whose key is no text, or whose key function throws', () => {
    const by = (name: string) => (name === 'boom' ? boom() : name === 'number' ? (7 as never) : name)
    const { call, succeed, perPeer } = setUp({ by })
    expect([call('boom', of(1)), call('number', of(1)), succeed('a')]).toEqual(['Error', 'TypeError', 'done'])
    expect(perPeer.size).toBe(1)
    expect(() => perPeer.isolate('boom')).toThrow('boom')
  })

  it('never ejects more than its share, and says whom it spared', () => {
    const { fail, succeed, events, perPeer } = setUp({ ejection: { share: 0.5 } })
    for (const key of 'abcde') succeed(key)
    for (const key of 'abc') fail(key)
    expect(ejectedOf(perPeer)).toEqual(['a', 'b'])
    expect(events.at(-1)).toEqual({
      key: 'c',
      type: 'policy:spared',
      policy: 'breaker',
      reason: '2 keys are ejected, and no more than 2 may be',
      error: 'x',
    })
  })
  it('ejects some however few are known, but never the last', () => {
    const { fail, succeed, perPeer } = setUp({ ejection: { share: 0, atLeast: 5 } })
    for (const key of 'abc') succeed(key)
    for (const key of 'abc') fail(key)
    expect(ejectedOf(perPeer)).toEqual(['a', 'b'])
  })
  it('asks how many are known, when it is told whom to ask', () => {
    let known = 100
    const { fail, perPeer } = setUp({ ejection: { share: 0.02, known: () => known } })
    for (const key of 'abc') fail(key)
    expect(ejectedOf(perPeer)).toEqual(['a', 'b'])
    known = Number.NaN
    fail('d')
    expect(ejectedOf(perPeer)).toEqual(['a', 'b'])
  })
  it('makes what it is told by a broken function the error of that call', () => {
    const { fail, succeed, perPeer } = setUp({ ejection: { known: boom } })
    expect([fail('a'), succeed('a'), succeed('b')]).toEqual(['Error', 'done', 'done'])
    expect(ejectedOf(perPeer)).toEqual([])
  })
  it('keeps a probing key among the ejected until it has recovered', () => {
    const { fail, succeed, clock, perPeer, call } = setUp()
    succeed('b')
    fail('a')
    clock.at += 100
    call('a', NEVER)
    expect(ejectedOf(perPeer)).toEqual(['a'])
    fail('b')
    expect(ejectedOf(perPeer)).toEqual(['a'])
  })

  it('forgets what is unused for long', () => {
    const { succeed, clock, perPeer } = setUp({ expireAfterMs: 1_600 })
    succeed('a')
    clock.at += 800
    succeed('b')
    clock.at += 850
    succeed('b')
    expect([...statesOf(perPeer).keys()]).toEqual(['b'])
    clock.at += 5_000
    succeed('c')
    expect([...statesOf(perPeer).keys()]).toEqual(['c'])
  })
  it('lets in the longest ejected when fewer are known', () => {
    const { succeed, fail, clock, perPeer } = setUp({ expireAfterMs: 1_600 })
    for (const key of 'ghijkl') succeed(key)
    clock.at += 1_000
    for (const key of 'abcdef') succeed(key)
    for (const key of 'abcdef') fail(key)
    expect(ejectedOf(perPeer)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    clock.at += 800
    succeed('g')
    expect([perPeer.size, ejectedOf(perPeer)]).toEqual([7, ['d', 'e', 'f']])
    expect(succeed('a')).toBe('done')
  })
  it('holds a key that is isolated by hand, however long that takes and however many come', () => {
    const { succeed, clock, perPeer } = setUp({ expireAfterMs: 1_000, maxKeys: 3 })
    const held = perPeer.isolate('a')
    clock.at += 10_000
    for (const key of 'bcdefg') succeed(key)
    expect(succeed('a')).toBe('CircuitOpenError')
    expect(perPeer.size).toBe(3)
    held.unsubscribe()
    expect(succeed('a')).toBe('done')
    clock.at += 10_000
    succeed('z')
    expect(perPeer.size).toBe(1)
  })
  it('goes beyond its bound rather than let go of what is held by hand', () => {
    const { succeed, perPeer } = setUp({ maxKeys: 2 })
    for (const key of 'abc') perPeer.isolate(key)
    expect(['a', 'b', 'c'].map(succeed)).toEqual(['CircuitOpenError', 'CircuitOpenError', 'CircuitOpenError'])
    expect(perPeer.size).toBe(3)
  })
  it('remembers so many: the longest unused go first, those in trouble last', () => {
    const { succeed, fail, clock, perPeer } = setUp({ maxKeys: 4 })
    for (const key of 'abcd') {
      succeed(key)
      clock.at += 1
    }
    fail('a')
    clock.at += 1
    succeed('b')
    succeed('e')
    expect([...statesOf(perPeer).keys()].toSorted()).toEqual(['a', 'b', 'd', 'e'])
    succeed('f')
    succeed('g')
    succeed('h')
    expect(statesOf(perPeer).has('a')).toBe(true)
    expect(perPeer.size).toBe(4)
  })
  it('keeps what has a place in its bulkhead', () => {
    const { call, clock, perPeer, succeed } = setUp({ policy: { bulkhead: { concurrent: 1 } }, expireAfterMs: 1_000 })
    call('a', NEVER)
    clock.at += 5_000
    succeed('b')
    expect(succeed('a')).toBe('OverloadedError')
    expect(statesOf(perPeer).get('a')).toEqual({ circuit: { status: 'closed' }, running: 1, waiting: 0 })
  })
  it('leads a policy that was handed out long ago to the key’s present stack', () => {
    const { perPeer, clock, succeed, fail } = setUp({ expireAfterMs: 1_000 })
    const old = perPeer('a')
    clock.at += 5_000
    succeed('b') // a is forgotten
    expect(perPeer.size).toBe(1)
    fail('a')
    const errors: string[] = []
    of(1)
      .pipe(old)
      .subscribe({ error: ({ name }: Error) => void errors.push(name) })
    expect(errors).toEqual(['CircuitOpenError'])
  })
  it('is used by each call, also through one policy that is kept', () => {
    const { perPeer, clock, succeed } = setUp({ expireAfterMs: 1_000 })
    const piped$ = of(1).pipe(perPeer('a'))
    for (let i = 0; i < 5; i++) {
      clock.at += 900
      piped$.subscribe()
    }
    succeed('b')
    expect(perPeer.size).toBe(2)
  })

  it('says with every event where it happened, to its own listener and to the call’s', () => {
    const { events, perPeer } = setUp()
    const heard: PolicyEvent[] = []
    const probe = policy((next) => (source, call, out) => {
      call.report({ type: 'policy:probed', policy: 'breaker' })
      next(source, call, out)
    })
    const stack = compose(perPeer('a'), keyed<string>({ policy: atOnce })('inner'), probe)
    stack
      .call(() => throwError(() => 'x'), { dueAt: Infinity, report: (event) => void heard.push(event) })
      .subscribe({ error: () => undefined })
    expect(heard.map(({ key, type }) => [key, type])).toEqual([
      ['inner', 'policy:probed'],
      ['inner', 'policy:spared'],
      ['a', 'policy:spared'],
    ])
    expect(events.map(({ key, type }) => [key, type])).toEqual([['a', 'policy:spared']])
  })
  marbles('tells its state, all changes of a moment at once', ({ hot, expectObservable }) => {
    const perPeer = keyed<string>({ policy: atOnce, ejection: { share: 1 } })
    for (const key of 'abcd') perPeer(key)
    const calls$ = hot('--(abc)-').pipe(
      mergeMap((key) =>
        throwError(() => 'x').pipe(
          perPeer(key),
          catchError(() => of(key)),
        ),
      ),
    )
    const ejected$ = perPeer.state$.pipe(
      map((states) =>
        [...states]
          .filter(([, { circuit }]) => circuit.status !== 'closed')
          .map(([key]) => key)
          .join(''),
      ),
    )
    expectObservable(ejected$, '^----------!').toBe('n-y', { n: '', y: 'abc' })
    expectObservable(calls$).toBe('--(abc)')
  })
  it.each([
    [null, 'restore.circuits: must be circuits by key'],
    [{ circuits: [] }, 'restore.circuits: must be circuits by key'],
    [
      { circuits: { a: { status: 'open', probeInMs: NaN, trips: 0, breaker: 0 } } },
      'restore.circuits.a.probeInMs: must be a finite number of milliseconds',
    ],
  ])('refuses the snapshot %j', (snapshot, message) => {
    expect(() => setUp().perPeer.restore(snapshot as never)).toThrow(`configuration: ${message}`)
  })
  it('takes up where a snapshot was taken', () => {
    const old = setUp()
    for (const key of ['a', 'b', 'c', '__proto__']) old.succeed(key)
    old.fail('a')
    old.fail('__proto__')
    old.clock.at += 40
    const snapshot = JSON.parse(JSON.stringify(old.perPeer.snapshot()))
    const young = setUp()
    young.clock.at = 5
    young.perPeer.restore(snapshot)
    expect(ejectedOf(young.perPeer).toSorted()).toEqual(['__proto__', 'a'])
    expect([young.succeed('a'), young.succeed('b')]).toEqual(['CircuitOpenError', 'done'])
    young.clock.at = 65
    expect(young.succeed('a')).toBe('done')
  })
  it('lets in what a snapshot has ejected beyond its share, and is bounded by it too', () => {
    const old = setUp({ ejection: { share: 1 } })
    for (const key of 'abcdefgh') old.succeed(key)
    for (const key of 'abcdef') old.fail(key)
    const young = setUp({ ejection: { share: 0.5 }, maxKeys: 7 })
    young.perPeer.restore(old.perPeer.snapshot())
    expect(young.perPeer.size).toBeLessThanOrEqual(7)
    expect(ejectedOf(young.perPeer).length).toBeLessThanOrEqual(Math.floor(young.perPeer.size / 2))
  })
  it('shares one budget of retries among all keys', () => {
    const retry = { backoff: { type: 'constant', delayMs: 1 }, budget: { share: 0, minPerSecond: 0.1 } } as const
    const { fail, events } = setUp({ policy: { retry } })
    fail('a')
    fail('b')
    expect(events.map((event) => [event.key, event.type])).toEqual([
      ['a', 'policy:retried'],
      ['b', 'policy:rejected'],
    ])
  })
  it('never ejects more than its share, nor the last, whatever happens', () => {
    const keys = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j')
    const step = fc.oneof(
      fc.record({ type: fc.constantFrom('fail' as const, 'succeed' as const), key: keys, waitMs: fc.nat(60) }),
      fc.record({ type: fc.constant('wait' as const), key: keys, waitMs: fc.nat(900) }),
    )
    const holds = fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 12 }),
      fc.array(step, { minLength: 20, maxLength: 120 }),
      (share, maxKeys, steps) => {
        const { perPeer, clock, fail, succeed } = setUp({ ejection: { share }, maxKeys, expireAfterMs: 800 })
        for (const { type, key, waitMs } of steps) {
          clock.at += waitMs
          if (type === 'fail') fail(key)
          else if (type === 'succeed') succeed(key)
          const [ejected, known] = [ejectedOf(perPeer).length, perPeer.size]
          expect(known).toBeLessThanOrEqual(maxKeys)
          expect(ejected).toBeLessThanOrEqual(Math.floor(share * known))
          if (known > 0) expect(ejected).toBeLessThan(known)
        }
      },
    )
    fc.assert(holds, { numRuns: 150, seed: 1 })
  })
  it.each([
    [undefined, 'keyed: Invalid input: expected object, received undefined'],
    [{}, 'keyed.policy: Invalid input: expected object, received undefined'],
    [{ policy: { timeout: { timeoutMs: 0 } } }, 'keyed.policy.timeout.timeoutMs: must be above 0'],
    [{ policy: [{ timeout: { timeoutMs: 0 } }] }, 'keyed.policy[0].timeout.timeoutMs: must be above 0'],
    [{ policy: {}, by: 'peer' }, 'keyed.by: must be a function'],
    [{ policy: {}, maxKeys: 0 }, 'keyed.maxKeys: must be above 0'],
    [{ policy: {}, expireAfterMs: Number.NaN }, 'keyed.expireAfterMs: must be a finite number of milliseconds'],
    [{ policy: {}, ejection: { share: 1.5 } }, 'keyed.ejection.share: must be from 0 to 1'],
    [{ policy: {}, ejection: { atLeast: -1 } }, 'keyed.ejection.atLeast: must not be below 0'],
    [{ policy: {}, ejection: { known: 7 } }, 'keyed.ejection.known: must be a function'],
    [{ policy: {}, ttl: 7 }, 'keyed.ttl: is not an option'],
    [
      { policy: { retry: { backoff: { type: 'exponential' } } } },
      'keyed.random: is needed: the backoff leaves its delays to chance',
    ],
    [
      { policy: { breaker: { breaker: new ConsecutiveBreaker(1) } } },
      'keyed.policy.breaker.breaker: one breaker would count for all keys',
    ],
    [
      { policy: [{ breaker: { breaker: new ConsecutiveBreaker(1) } }] },
      'keyed.policy[0].breaker.breaker: one breaker would count for all keys',
    ],
  ])('refuses %j', (options, message) => {
    expect(() => keyed(options as never)).toThrow(`configuration: ${message}`)
  })
})

describe('keyRegistry', () => {
  it('has no breaker to hold when the stack has none', () => {
    const { perPeer } = setUp({ policy: { bulkhead: { concurrent: 1 } } })
    expect(() => perPeer.isolate('a')).toThrow('the stack has no breaker that could hold a key off')
    expect(perPeer.snapshot()).toEqual({ circuits: {} })
  })
  it('does nothing for a state that nobody watches', () => {
    const clock = handClock(0)
    const schedule = vi.spyOn(clock, 'schedule')
    const { fail, succeed, perPeer } = setUp({ scheduler: clock })
    succeed('b')
    fail('a')
    expect(schedule).not.toHaveBeenCalled()
    const watching = perPeer.state$.subscribe()
    perPeer.isolate('b')
    perPeer.isolate('c')
    expect(schedule).toHaveBeenCalledOnce()
    watching.unsubscribe()
  })
})

describe('recency', () => {
  interface Thing extends Dated<Thing> {
    readonly name: string
  }
  const thing = (name: string, usedAt: number): Thing => ({
    name,
    usedAt,
    before: undefined,
    after: undefined,
    placedAt: 0,
  })
  it('knows the longest unused, also when a use only wrote a time', () => {
    const recency = new Recency<Thing>()
    const [a, b, c] = [thing('a', 1), thing('b', 2), thing('c', 3)]
    for (const one of [a, b, c]) recency.add(one)
    expect(recency.oldest?.name).toBe('a')
    a.usedAt = 4
    expect(recency.oldest?.name).toBe('b')
    recency.remove(b)
    expect([recency.oldest?.name, recency.size]).toEqual(['c', 2])
    c.usedAt = a.usedAt = 5
    expect(recency.size).toBe(2)
    recency.remove(recency.oldest!)
    recency.remove(recency.oldest!)
    expect([recency.oldest, recency.size]).toEqual([undefined, 0])
  })
})
