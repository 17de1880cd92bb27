import { ConsecutiveBreaker, CountBreaker, DelegateBackoff, IterableBackoff } from 'cockatiel'
import {
  compose,
  withBreaker,
  withRetry,
  withTimeout,
  type Breaker,
  type BreakerOptions,
  type PolicyEvent,
} from 'rxswarm/policies'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { catchError, EMPTY, map, mergeMap, NEVER, Observable, of, Subject, Subscription, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { AccessDeniedError, CircuitOpenError, OverloadedError } from '../../src/errors/errors.ts'
import { breakerOf } from '../../src/policies/breakerSpec.ts'
import { isAlike } from '../../src/policies/isAlike.ts'
import { Trips } from '../../src/policies/trips.ts'
import { handClock } from './handClock.ts'
import { sixCases } from './sixCases.ts'

const boom = () => {
  throw new Error('boom')
}
const rejected = (when: string, cause: unknown = 'x') => new CircuitOpenError(`the circuit is open: ${when}`, { cause })

/** A breaker on a clock that is set by hand. */
function setUp(options: BreakerOptions = {}) {
  const clock = handClock(1_000)
  const events: string[] = []
  const breaker = withBreaker({
    breaker: { type: 'consecutive', threshold: 2 },
    halfOpenAfterMs: 10,
    scheduler: clock,
    onEvent: ({ type }) => void events.push(type.replace('policy:', '')),
    ...options,
  })
  const states: string[] = []
  breaker.state$.subscribe(({ status }) => void states.push(status))
  /** How a call goes: its error, or 'done'. */
  const call = (source$: Observable<unknown>): unknown => {
    let outcome: unknown = 'open'
    source$.pipe(breaker).subscribe({
      error: (error: unknown) => void (outcome = error instanceof Error ? error.name : error),
      complete: () => void (outcome = 'done'),
    })
    return outcome
  }
  const fail = () => call(throwError(() => 'x'))
  const succeed = () => call(of(1))
  return { breaker, clock, events, states, call, fail, succeed }
}

/** A call that is steered by hand. */
function steered(breaker: Breaker) {
  const work$ = new Subject<string>()
  const said: unknown[] = []
  const subscription = work$.pipe(breaker).subscribe({
    next: (value) => void said.push(value),
    error: (error: Error) => void said.push(error.message ?? error),
    complete: () => void said.push('|'),
  })
  return { work$, said, subscription }
}

describe('withBreaker', () => {
  it.each([
    [{ status: 'zzz', probeInMs: 1, trips: 0, breaker: 0 }, 'restore.status: must be closed, open or isolated'],
    [
      { status: 'open', probeInMs: 'soon', trips: 0, breaker: 0 },
      'restore.probeInMs: must be a finite number of milliseconds',
    ],
    [{ status: 'open', probeInMs: 1, trips: -1, breaker: 0 }, 'restore.trips: must not be below 0'],
  ])('refuses the snapshot %j', (snapshot, message) => {
    expect(() => withBreaker().restore(snapshot as never)).toThrow(`configuration: ${message}`)
  })
  obeysOperatorLaws(() => withBreaker())
  sixCases(() => withBreaker())

  marbles('stops calling what keeps failing, and tries again after a while', ({ hot, cold, expectObservable }) => {
    const breaker = withBreaker({ breaker: { type: 'consecutive', threshold: 2 }, halfOpenAfterMs: 6 })
    const calls = '  a-b-c------d---'
    const result = ' #-#-R------d---'
    const outcomes$ = hot(calls).pipe(
      mergeMap((name) => (name === 'd' ? of(name) : cold<string>('#', undefined, 'x')).pipe(breaker, said)),
    )
    expectObservable(outcomes$).toBe(result.replaceAll('#', 'f'))
  })
  marbles('says where it is: closed, open, half-open, closed', ({ cold, expectObservable, flush }) => {
    const events: PolicyEvent[] = []
    const breaker = withBreaker({
      breaker: { type: 'consecutive', threshold: 1 },
      halfOpenAfterMs: 5,
      onEvent: (event) => void events.push(event),
    })
    const states$ = breaker.state$.pipe(map(({ status }) => status[0]))
    expectObservable(states$, '                       ^ 20ms !').toBe('c-o----(hh)-----c')
    expectObservable(cold('--#', undefined, 'x').pipe(breaker)).toBe('--#', undefined, 'x')
    expectObservable(cold('a|').pipe(breaker), '---^').toBe(
      '   ---#',
      undefined,
      rejected('the next probe is due in 4 ms'),
    )
    expectObservable(cold('---------a|').pipe(breaker), '-------^').toBe('----------------a|')
    expectObservable(cold('a|').pipe(breaker), '--------^').toBe('--------#', undefined, rejected('half-open'))
    flush()
    expect(events.slice(0, 2)).toEqual([
      { type: 'policy:tripped', policy: 'breaker', error: 'x', openMs: 5 },
      { type: 'policy:rejected', policy: 'breaker', reason: 'open', error: 'x' },
    ])
    expect(events.slice(2)).toEqual([
      { type: 'policy:probed', policy: 'breaker' },
      { type: 'policy:rejected', policy: 'breaker', reason: 'half-open', error: 'x' },
      { type: 'policy:recovered', policy: 'breaker' },
    ])
  })
  marbles('hears nothing of a source that neither speaks nor ends, and lets it go on', ({ cold, expectObservable }) => {
    const breaker = withBreaker({ breaker: { type: 'consecutive', threshold: 1 }, halfOpenAfterMs: 2 })
    expectObservable(cold('-------').pipe(breaker), '^-----!').toBe('-')
    expectObservable(cold('-------a').pipe(breaker)).toBe('-------a')
    expectObservable(cold('-#').pipe(breaker)).toBe('-#')
    expectObservable(cold('---').pipe(breaker), '---^--!').toBe('-')
    // the silent probe holds its place until it is let go of
    expectObservable(cold('a|').pipe(breaker), '----^').toBe('----#', undefined, rejected('half-open', 'error'))
    expectObservable(cold('a|').pipe(breaker), '-------^').toBe('-------a|')
  })
  marbles('has the place of a silent probe again with a timeout inside', ({ cold, expectObservable }) => {
    const breaker = withBreaker({ breaker: { type: 'consecutive', threshold: 1 }, halfOpenAfterMs: 2 })
    const retry = withRetry({ backoff: { type: 'constant', delayMs: 2 }, retries: 2 })
    let calls = 0
    const stack = compose(retry, breaker, withTimeout({ timeoutMs: 3 }))
    const source$ = new Observable<string>((out) => (++calls < 3 ? NEVER : cold<string>('a|')).subscribe(out))
    expectObservable(source$.pipe(stack)).toBe('----------a|')
  })

  it('counts failures in a row', () => {
    const { fail, succeed, states } = setUp()
    expect([fail(), succeed(), fail(), fail(), succeed()]).toEqual(['x', 'done', 'x', 'x', 'CircuitOpenError'])
    expect(states).toEqual(['closed', 'open'])
  })
  it('counts a share of the last calls', () => {
    const { fail, succeed, breaker } = setUp({ breaker: { type: 'count', threshold: 0.5, size: 4 } })
    for (const call of [succeed, fail, succeed, fail]) call()
    expect(breaker.state.status).toBe('closed')
    fail() // S F S F, then the first S goes
    expect(breaker.state.status).toBe('open')
  })
  marbles('counts a share of a time', ({ cold, expectObservable, flush }) => {
    const breaker = withBreaker({
      breaker: { type: 'sampling', threshold: 0.5, durationMs: 50, minimumPerSecond: 100 },
      halfOpenAfterMs: 1_000,
    })
    for (let at = 0; at < 4; at++) expectObservable(cold('#').pipe(breaker), `${at}ms ^`)
    expectObservable(cold('a|').pipe(breaker), '40ms ^').toBe('40ms a|')
    // five calls in 50 ms are 100 a second: from then on it may trip
    expectObservable(cold('#').pipe(breaker), '41ms ^')
    expectObservable(cold('a|').pipe(breaker), '51ms ^').toBe(
      '51ms #',
      undefined,
      rejected('the next probe is due in 990 ms', 'error'),
    )
    flush()
    expect(breaker.state).toMatchObject({ status: 'open', openedAt: 41 })
  })
  it('counts a call that spoke, and failed then, as both', () => {
    const { breaker } = setUp({ breaker: { type: 'consecutive', threshold: 1 } })
    const { work$ } = steered(breaker)
    work$.next('a')
    expect(breaker.state.status).toBe('closed')
    work$.error('x')
    expect(breaker.state.status).toBe('open')
  })

  it('lets so many probes through at once, and closes when as many have gone well', () => {
    const { breaker, clock, fail, states, events } = setUp({ probes: 3 })
    fail()
    fail()
    clock.at += 10
    const probes = [1, 2, 3].map(() => steered(breaker))
    expect(steered(breaker).said).toEqual(['the circuit is open: half-open'])
    expect(breaker.state).toMatchObject({ status: 'half-open', probing: 3, succeeded: 0 })
    probes[0]!.work$.next('a')
    probes[1]!.work$.complete()
    expect(breaker.state).toMatchObject({ status: 'half-open', probing: 1, succeeded: 2 })
    expect(steered(breaker).said).toEqual(['the circuit is open: half-open'])
    probes[2]!.work$.next('c')
    expect(breaker.state.status).toBe('closed')
    expect(states.filter((state, i) => state !== states[i - 1])).toEqual(['closed', 'open', 'half-open', 'closed'])
    expect(events).toEqual(['tripped', 'probed', 'rejected', 'rejected', 'recovered'])
  })
  it('opens again at the first probe that fails, also after others went well', () => {
    for (const breaker of [
      { type: 'consecutive', threshold: 5 },
      { type: 'count', threshold: 0.9, size: 5 },
      { type: 'sampling', threshold: 0.9, durationMs: 1_000, minimumPerSecond: 5 },
    ] as const) {
      const test = setUp({ breaker, probes: 2 })
      for (let i = 0; i < 5; i++) test.fail()
      test.clock.at += 10
      expect([test.succeed(), test.fail(), test.succeed()]).toEqual(['done', 'x', 'CircuitOpenError'])
      expect(test.breaker.state).toMatchObject({ status: 'open', openedAt: 1_010 })
    }
  })
  it('counts a probe once, that spoke and then failed with what is no failure', () => {
    const { breaker, clock, fail } = setUp({ probes: 2 })
    fail()
    fail()
    clock.at += 10
    const { work$ } = steered(breaker)
    work$.next('a')
    work$.error(new AccessDeniedError('not you'))
    expect(breaker.state).toMatchObject({ status: 'half-open', probing: 0, succeeded: 1 })
  })
  it('opens at a probe that spoke well first', () => {
    const { breaker, clock, fail } = setUp({ probes: 2 })
    fail()
    fail()
    clock.at += 10
    const { work$ } = steered(breaker)
    work$.next('a')
    work$.error('y')
    expect(breaker.state).toMatchObject({ status: 'open', error: 'y' })
  })
  it('gives the place of a probe whose subscriber leaves to another', () => {
    const { breaker, clock, fail, succeed } = setUp()
    fail()
    fail()
    clock.at += 10
    const { subscription } = steered(breaker)
    expect(succeed()).toBe('CircuitOpenError')
    subscription.unsubscribe()
    expect(breaker.state).toMatchObject({ status: 'half-open', probing: 0 })
    expect(succeed()).toBe('done')
    expect(breaker.state.status).toBe('closed')
  })
  it('ignores what calls of an earlier state say late', () => {
    const { breaker, clock, fail, states } = setUp()
    const early = [1, 2, 3, 4].map(() => steered(breaker))
    fail()
    fail()
    early[0]!.work$.next('a')
    expect(breaker.state.status).toBe('open')
    clock.at += 10
    const probe = steered(breaker)
    early[1]!.work$.error('late')
    early[2]!.work$.complete()
    expect(breaker.state).toMatchObject({ status: 'half-open', probing: 1 })
    probe.work$.complete()
    early[3]!.subscription.unsubscribe()
    expect(states.at(-1)).toBe('closed')
    expect(early[1]!.said).toEqual(['late'])
  })

  it('is about failures of the other side: a refusal is none, nor is one of a policy’s own', () => {
    const { call, breaker } = setUp({ breaker: { type: 'consecutive', threshold: 1 } })
    for (const error of [
      new AccessDeniedError('not you'),
      new CircuitOpenError('inner'),
      new OverloadedError('full'),
    ]) {
      call(throwError(() => error))
    }
    expect(breaker.state.status).toBe('closed')
    call(throwError(() => null))
    expect(breaker.state.status).toBe('open')
  })
  it('is about the errors that it is told', () => {
    const byName = setUp({ breaker: { type: 'consecutive', threshold: 1 }, failsOn: ['RangeError'] })
    byName.call(throwError(() => new TypeError('no')))
    expect(byName.breaker.state.status).toBe('closed')
    byName.call(throwError(() => new RangeError('yes')))
    expect(byName.breaker.state.status).toBe('open')
  })

  it('is held open by hand, until the last who holds it lets go', () => {
    const { breaker, succeed, events, fail } = setUp()
    const [one, two] = [breaker.isolate(), breaker.isolate()]
    expect([succeed(), breaker.state]).toEqual(['CircuitOpenError', { status: 'isolated' }])
    one.unsubscribe()
    one.unsubscribe()
    expect(succeed()).toBe('CircuitOpenError')
    two.unsubscribe()
    expect(succeed()).toBe('done')
    expect(events).toEqual(['rejected', 'rejected'])
    fail()
    fail()
    breaker.isolate().unsubscribe()
    expect(breaker.state.status).toBe('closed')
  })
  it('stays held by hand when a snapshot is restored', () => {
    const { breaker, fail, succeed } = setUp()
    fail()
    fail()
    const snapshot = breaker.snapshot()
    const held = breaker.isolate()
    breaker.restore(snapshot)
    expect(breaker.state.status).toBe('isolated')
    held.unsubscribe()
    expect(succeed()).toBe('done')
  })

  it('takes up where a snapshot was taken, on another clock', () => {
    const old = setUp({ halfOpenAfterMs: new IterableBackoff([10, 20, 40]) })
    old.fail()
    old.fail()
    old.clock.at += 10
    old.fail()
    old.clock.at += 5
    const snapshot = JSON.parse(JSON.stringify(old.breaker.snapshot()))
    expect(snapshot).toEqual({ status: 'open', probeInMs: 15, trips: 2, breaker: 3 })

    const young = setUp({ halfOpenAfterMs: new IterableBackoff([10, 20, 40]) })
    young.clock.at = 77
    young.breaker.restore(snapshot)
    expect(young.breaker.state).toMatchObject({ status: 'open', openedAt: 77, probeAt: 92 })
    young.clock.at = 92
    young.fail()
    expect(young.breaker.state).toMatchObject({ status: 'open', probeAt: 92 + 40 })
    expect(young.states).toEqual(['closed', 'open', 'half-open', 'half-open', 'open'])
  })
  it('tells half-open as open whose probe is due', () => {
    const { breaker, clock, fail } = setUp()
    fail()
    fail()
    clock.at += 10
    steered(breaker)
    expect(breaker.snapshot()).toMatchObject({ status: 'open', probeInMs: 0 })
  })
  it('does not take over a count of another kind: it would never trip', () => {
    const old = setUp({ breaker: { type: 'count', threshold: 0.5, size: 4 } })
    old.fail()
    for (const breaker of [
      { type: 'consecutive', threshold: 2 },
      { type: 'count', threshold: 0.5, size: 2 },
    ] as const) {
      const young = setUp({ breaker })
      young.breaker.restore(old.breaker.snapshot())
      young.fail()
      young.fail()
      expect(young.breaker.state.status).toBe('open')
    }
  })

  it('asks before it trips, and stays closed for a reason', () => {
    const reasons: (string | undefined)[] = ['too many', undefined]
    const { fail, breaker, events } = setUp({ spare: () => reasons.shift() })
    fail()
    fail()
    expect([breaker.state.status, events]).toEqual(['closed', ['spared']])
    fail()
    expect([breaker.state.status, events]).toEqual(['open', ['spared', 'tripped']])
  })
  it('stays open longer with each probe that fails, as a backoff says, and starts over when one goes well', () => {
    const { breaker, clock, fail, succeed } = setUp({ halfOpenAfterMs: { type: 'iterable', delaysMs: [10, 30] } })
    const openMs = () => (breaker.state.status === 'open' ? breaker.state.probeAt - breaker.state.openedAt : 0)
    fail()
    fail()
    expect(openMs()).toBe(10)
    clock.at += 10
    fail()
    expect(openMs()).toBe(30)
    clock.at += 29
    expect(succeed()).toBe('CircuitOpenError')
    clock.at += 1
    succeed()
    fail()
    fail()
    expect(openMs()).toBe(10)
  })
  it('is ejected longer with each trip, up to a most, and forgiven with time', () => {
    const { breaker, clock, fail, succeed } = setUp({
      breaker: { type: 'consecutive', threshold: 1 },
      halfOpenAfterMs: { baseMs: 10, maxMs: 35, forgiveAfterMs: 100 },
    })
    const ejectedMs = () => {
      fail()
      const { state } = breaker
      const openMs = state.status === 'open' ? state.probeAt - state.openedAt : 0
      clock.at += openMs
      return openMs
    }
    // probes that fail, one after the other
    expect([ejectedMs(), ejectedMs(), ejectedMs(), ejectedMs()]).toEqual([10, 20, 30, 35])
    succeed()
    clock.at += 99
    expect(breaker.snapshot().trips).toBe(4)
    clock.at += 101 // two are forgiven
    expect(breaker.snapshot().trips).toBe(2)
    expect(ejectedMs()).toBe(30)
    succeed()
    clock.at += 1e6
    expect(ejectedMs()).toBe(10)
  })

  it('counts with a breaker of cockatiel’s, which may count for one circuit alone', () => {
    const breaker = new ConsecutiveBreaker(1)
    const { fail, succeed } = setUp({ breaker })
    expect([fail(), succeed()]).toEqual(['x', 'CircuitOpenError'])
    const message = 'counts for another circuit already; make one for each, or share the policy itself'
    expect(() => withBreaker({ breaker })).toThrow(`configuration: withBreaker.breaker: ${message}`)
  })

  const throwing: readonly (readonly [string, BreakerOptions])[] = [
    ['failsOn', { failsOn: boom }],
    ['spare', { spare: boom }],
    ['onState', { onState: boom }],
    ['onEvent', { onEvent: boom }],
    ['backoff', { halfOpenAfterMs: new DelegateBackoff(boom) }],
  ]
  it.each(throwing)('makes what %s throws the error of that call, and goes on', (_, options) => {
    const { breaker, call } = setUp({ breaker: { type: 'consecutive', threshold: 1 }, ...options })
    expect(call(throwError(() => 'x'))).toBe('Error')
    expect(['closed', 'open']).toContain(breaker.state.status)
  })
  it('never loses the place of a probe to a callback that throws', () => {
    let isBroken = false
    const onState = () => void (isBroken && boom())
    const { breaker, clock, fail, succeed, states } = setUp({ onState })
    fail()
    fail()
    clock.at += 10
    isBroken = true
    expect([succeed(), succeed(), succeed()]).toEqual(['Error', 'Error', 'Error']) // none of them is made
    isBroken = false
    const probe = steered(breaker)
    isBroken = true
    probe.subscription.unsubscribe()
    isBroken = false
    const second = steered(breaker)
    isBroken = true
    second.work$.next('a') // the error is that of the call, not of who sends
    expect(second.said).toEqual(['boom'])
    expect(breaker.state.status).toBe('closed')
    expect(states.at(-1)).toBe('closed')
  })
  it('does not let one call’s listener spoil a source that others hear', () => {
    const { breaker, fail, clock } = setUp({ onState: ({ status }) => void (status === 'closed' && boom()) })
    fail()
    fail()
    clock.at += 10
    const work$ = new Subject<string>()
    const heard: string[] = []
    work$.pipe(breaker).subscribe({ error: (error: Error) => void heard.push(error.message) })
    work$.subscribe((value) => void heard.push(value))
    work$.next('a')
    expect(heard).toEqual(['boom', 'a'])
  })
  it('is not held for ever by an isolation that nobody got', () => {
    const { breaker, succeed } = setUp({ onState: ({ status }) => void (status === 'isolated' && boom()) })
    expect(() => breaker.isolate()).toThrow('boom')
    expect([breaker.state.status, succeed()]).toEqual(['closed', 'done'])
  })
  it('makes no probe for a subscriber that leaves as it is told of it', () => {
    const call = new Subscription()
    const { breaker, clock, fail } = setUp({
      onEvent: ({ type }) => void (type === 'policy:probed' && call.unsubscribe()),
    })
    fail()
    fail()
    clock.at += 10
    let made = 0
    const out = new Observable((inner) => {
      call.add(inner)
      new Observable(() => void made++).pipe(breaker).subscribe(inner)
    })
    out.subscribe()
    expect([made, breaker.state]).toMatchObject([0, { status: 'half-open', probing: 0 }])
  })
  it('tells its states in one order to all, also when one of them changes it', () => {
    const { breaker, fail } = setUp()
    const late: string[] = []
    breaker.state$.subscribe(({ status }) => void (status === 'open' && breaker.isolate()))
    breaker.state$.subscribe(({ status }) => void late.push(status))
    fail()
    fail()
    expect(late).toEqual(['closed', 'open', 'isolated'])
  })

  it.each([
    [{ breaker: { type: 'consecutive', threshold: 0 } }, 'withBreaker.breaker.threshold: must be above 0'],
    [{ breaker: { type: 'count', threshold: 1, size: 4 } }, 'withBreaker.breaker.threshold: must be between 0 and 1'],
    [
      { breaker: { type: 'often' } },
      'withBreaker.breaker.type: must be consecutive, count or sampling, or a breaker of cockatiel',
    ],
    [{ halfOpenAfterMs: -1 }, 'withBreaker.halfOpenAfterMs: must not be below 0'],
    [{ halfOpenAfterMs: Number.NaN }, 'withBreaker.halfOpenAfterMs: must be a finite number of milliseconds'],
    [{ halfOpenAfterMs: { baseMs: 0 } }, 'withBreaker.halfOpenAfterMs.baseMs: must be above 0'],
    [{ halfOpenAfterMs: { base: 5 } }, 'withBreaker.halfOpenAfterMs.base: is not an option'],
    [
      { halfOpenAfterMs: { type: 'exponential' } },
      'withBreaker.random: is needed: the backoff leaves its delays to chance',
    ],
    [{ probes: 0 }, 'withBreaker.probes: must be above 0'],
    [{ failsOn: 'all' }, 'withBreaker.failsOn: must be a function, or a list of names of errors'],
    [{ spare: 1 }, 'withBreaker.spare: must be a function'],
    [{ onState: 1 }, 'withBreaker.onState: must be a function'],
  ])('refuses %j', (options, message) => {
    expect(() => withBreaker(options as never)).toThrow(`configuration: ${message}`)
  })
})

/** What became of a call: `f`ailed or `R`ejected, or its value. */
const said = catchError((error: unknown) => of(error instanceof CircuitOpenError ? 'R' : 'f'))

describe('circuit', () => {
  it('is closed at first, and forgets a subscriber that leaves', () => {
    const { breaker, fail } = setUp()
    const states: string[] = []
    const subscription = breaker.state$.subscribe(({ status }) => void states.push(status))
    subscription.unsubscribe()
    fail()
    fail()
    expect(states).toEqual(['closed'])
  })
})

describe('watched', () => {
  it('has gone well when it completes without a value, and says nothing when it is let go of', () => {
    const { breaker, fail, call } = setUp()
    fail()
    expect(call(EMPTY)).toBe('done')
    fail()
    steered(breaker).subscription.unsubscribe()
    expect(breaker.state.status).toBe('closed')
    fail()
    expect(breaker.state.status).toBe('open')
  })
})

describe('trips', () => {
  it('refuses a backoff that gives no time, as the error of that call', () => {
    const trips = new Trips(new DelegateBackoff(() => Number.NaN))
    expect(() => trips.trip('x', 0)).toThrow('the backoff must give milliseconds, and gave NaN')
  })
  it('takes up a backoff where it was', () => {
    const trips = new Trips(new IterableBackoff([1, 2, 3, 4]))
    trips.restore(2, false, 0)
    expect([trips.countAt(0), trips.trip('x', 0), trips.trip('x', 0)]).toEqual([2, 3, 4])
    trips.recovered(0)
    expect(trips.trip('x', 0)).toBe(1)
  })
  it('forgives nothing that is not healthy', () => {
    const trips = new Trips({ baseMs: 1, maxMs: 9, forgiveAfterMs: 1 })
    trips.restore(3, false, 0)
    expect(trips.trip('x', 1_000)).toBe(4)
    trips.restore(3, true, 0)
    expect(trips.trip('x', 2)).toBe(2)
  })
})

describe('breakerSpec', () => {
  it('means cockatiel’s breakers, or is one', () => {
    const own = new CountBreaker({ threshold: 0.5, size: 2 })
    expect(breakerOf(own)).toBe(own)
    expect(breakerOf({ type: 'consecutive', threshold: 1 })).toBeInstanceOf(ConsecutiveBreaker)
    expect(breakerOf({ type: 'count', threshold: 0.5, size: 2, minimumNumberOfCalls: 1 })).toBeInstanceOf(CountBreaker)
  })
  it('looks at no more calls than it keeps', () => {
    const breaker = { type: 'count', threshold: 0.5, size: 2, minimumNumberOfCalls: 3 } as const
    expect(() => withBreaker({ breaker })).toThrow('withBreaker.breaker.minimumNumberOfCalls: must be at most size')
  })
})

describe('isAlike', () => {
  it('compares kinds, not counts', () => {
    expect([isAlike(0, 5), isAlike({ a: 1, b: [1, 2] }, { a: 2, b: [null, 3] })]).toEqual([true, true])
    const others = [isAlike(0, {}), isAlike({ a: 1 }, 5), isAlike({ a: [1] }, { a: [1, 2] }), isAlike({ a: 1 }, null)]
    expect(others).toEqual([false, false, false, false])
  })
})
