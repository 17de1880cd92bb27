import { balance, type BalanceEvent, type BalanceOptions, type TargetLoad } from 'rxswarm/operators'
import { inVirtualTime, marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { BehaviorSubject, concat, defer, map, mergeMap, NEVER, of, Subject, take, throwError, timer } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { NoTargetError, type ConfigError } from '../../src/errors/errors.ts'
import { seeded } from './balance/support/seeded.ts'

type Options = Partial<BalanceOptions<string>>
const strategies = ['p2c-ewma', 'least-loaded', 'weighted-round-robin', 'rendezvous'] as const

/** A balancer of texts that are their own ids; by itself it takes them in turn. */
const make = (options: Options) =>
  balance<string>({
    targets$: of(['a', 'b', 'c']),
    idOf: (target) => target,
    random: seeded(1),
    strategy: 'weighted-round-robin',
    ...options,
  })
const brief = (loads: readonly TargetLoad[]) =>
  loads.map(({ id, inFlight, status }) => `${id}${inFlight}${status === 'shed' ? '!' : ''}`).join(' ')
/** What a stream says while it is subscribed, its error included. */
const heardFrom = (source$: ReturnType<ReturnType<typeof make>['run']>) => {
  const heard: unknown[] = []
  source$.subscribe({ next: (value) => heard.push(value), error: (error: unknown) => heard.push(error) })
  return heard
}
const echo = (target: string) => [target]
const empty = (after = '') =>
  new NoTargetError(`balance: the set of targets is empty${after}; try again when a peer is there`)

describe('balance', () => {
  obeysOperatorLaws(() => (source$) => make({}).run(() => source$))

  marbles('lets a call wait for a first target', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const targets$ = hot(' ---t---   ', { t: ['a'] })
    const work$ = cold('      --a|')
    const expected = '     -----a|'
    const balancer = make({ targets$, waitMs: 5 })
    expectObservable(balancer.run(() => work$)).toBe(expected)
    expectSubscriptions(work$.subscriptions).toBe('---^--!')
    expectSubscriptions(targets$.subscriptions).toBe('^-----!')
  })
  marbles('gives up when the wait is over', ({ hot, expectObservable, flush }) => {
    const told: unknown[] = []
    const targets$ = hot('e------t', { e: [], t: ['a'] })
    const balancer = make({ targets$, waitMs: 5, report: (event) => told.push(event) })
    expectObservable(balancer.run(echo)).toBe('-----#', {}, empty(' after 5 ms'))
    expectObservable(balancer.run(echo), '-^').toBe('------#', {}, empty(' after 5 ms'))
    expectObservable(balancer.run(echo), '----^').toBe('-------(a|)')
    flush()
    expect(told).toEqual([{ type: 'balance:no-target' }])
  })
  marbles('does not wait for more when no list will come', ({ cold, expectObservable }) => {
    const balancer = make({ targets$: cold<string[]>('--e-|', { e: [] }), waitMs: 50 })
    expectObservable(balancer.run(echo)).toBe('----#', {}, empty(' after 50 ms'))
    expectObservable(balancer.run(echo), '------^').toBe('------#', {}, empty(' after 50 ms'))
  })
  marbles('tells who waits of a set that fails, and asks for it again for the next', (run) => {
    const { cold, expectObservable, expectSubscriptions } = run
    const targets$ = cold<string[]>('--#', {}, 'no set')
    const balancer = make({ targets$, waitMs: 50 })
    expectObservable(balancer.run(echo)).toBe('--#', {}, 'no set')
    expectObservable(balancer.load$).toBe('--#', {}, 'no set')
    expectObservable(balancer.run(echo), '----^').toBe('------#', {}, 'no set')
    expectSubscriptions(targets$.subscriptions).toBe(['^-!', '----^-!'])
  })
  it('fails at once with an empty set, as something to try again', () => {
    const [error] = heardFrom(make({ targets$: of([]) }).run(echo))
    expect(error).toMatchObject({ name: 'NoTargetError', code: 'ERR_NO_TARGET', retryable: true })
  })
  marbles('leaves a call that runs alone when the set empties and fails', ({ cold, expectObservable }) => {
    const balancer = make({ targets$: cold('x-e-#', { x: ['a'], e: [] }), waitMs: 1 })
    expectObservable(balancer.run(() => cold('------r|'))).toBe('------r|')
  })
  it('goes on with the newest list when the set fails', () => {
    const balancer = make({
      targets$: concat(
        of(['a']),
        throwError(() => 'no set'),
      ),
    })
    expect(heardFrom(balancer.run(echo))).toEqual(['a'])
    expect(heardFrom(balancer.run(echo))).toEqual(['a'])
  })

  marbles('follows a set that changes; a call stays where it is', ({ hot, cold, expectObservable }) => {
    const targets$ = hot('x----y----', { x: ['a', 'b'], y: ['c'] })
    const balancer = make({ targets$ })
    balancer.load$.subscribe()
    const call = (target: string) => cold('----r|', { r: target })
    const letters = { a: 'a', b: 'b', c: 'c' }
    expectObservable(balancer.run(call), '--^-----------').toBe('------a|', letters)
    expectObservable(balancer.run(call), '---^----------').toBe('-------b|', letters)
    expectObservable(balancer.run(call), '------^-------').toBe('----------c|', letters)
  })
  marbles(
    'listens to the set from the first call or listener to the last',
    ({ hot, cold, expectObservable, expectSubscriptions }) => {
      const targets$ = hot('x-------------', { x: ['a'] })
      const balancer = make({ targets$, waitMs: 1 })
      const call = () => cold('---r|')
      expectObservable(balancer.run(call), '^-------------').toBe('---r|')
      expectObservable(balancer.load$.pipe(map(brief)), '--^---!').toBe('--x', { x: 'a1' })
      expectObservable(balancer.run(call), '---------^----').toBe('------------r|')
      expectSubscriptions(targets$.subscriptions).toBe(['^-----!', '---------^---!'])
    },
  )
  it('does not subscribe again to a set that is complete', () => {
    let subscribed = 0
    const targets$ = defer(() => {
      subscribed++
      return of(['a'])
    })
    const balancer = make({ targets$ })
    for (let i = 0; i < 3; i++) {
      expect(heardFrom(balancer.run(echo))).toEqual(['a'])
      expect(heardFrom(balancer.load$.pipe(map(brief)))).toEqual(['a0'])
    }
    expect(subscribed).toBe(1)
  })

  marbles('says how the targets stand, when the set or a status changes', ({ cold, hot, expectObservable, flush }) => {
    const [x, y, z] = [
      ['a', 'b'],
      ['b', 'a'],
      ['b', 'a', 'c'],
    ]
    const targets$ = hot('x---y---z-----', { x, y, z })
    const balancer = make({ targets$, penaltyMs: 100, strategy: 'weighted-round-robin' })
    const call = (target: string) => (target === 'a' ? cold('---#') : cold('-r|'))
    const load$ = balancer.load$.pipe(map(brief))
    cold('----------ab').subscribe(() => balancer.run(call).subscribe({ error: () => undefined }))
    expectObservable(load$).toBe('        x-------z-----s', { x: 'a0 b0', z: 'b0 a0 c0', s: 'b0 a0! c0' })
    expectObservable(load$, '-----^').toBe('-----y--z-----s', { y: 'b0 a0', z: 'b0 a0 c0', s: 'b0 a0! c0' })
    flush()
  })
  it('counts what is in flight, until it ends or is left', () => {
    const balancer = make({})
    const now = () => {
      let loads = ''
      balancer.load$.pipe(take(1)).subscribe((value) => (loads = brief(value)))
      return loads
    }
    const ending$ = new Subject<string>()
    const running = [balancer.run(() => NEVER), balancer.run(() => ending$), balancer.run(() => NEVER)].map((call$) =>
      call$.subscribe(),
    )
    expect(now()).toBe('a1 b1 c1')
    running[0]!.unsubscribe()
    running[0]!.unsubscribe()
    ending$.complete()
    expect(now()).toBe('a0 b0 c1')
  })
  it('keeps what it has learned while nobody calls', () => {
    const targets$ = new BehaviorSubject(['a', 'b'])
    const balancer = make({ targets$, penaltyMs: 500 })
    const failed = heardFrom(balancer.run(() => throwError(() => 'failed')))
    expect(failed).toEqual(['failed'])
    expect(heardFrom(balancer.run(echo))).toEqual(['b'])
    expect(targets$.observed).toBe(false)
    let loads: readonly TargetLoad[] = []
    balancer.load$.pipe(take(1)).subscribe((value) => (loads = value))
    expect(loads).toMatchObject([
      { id: 'a', inFlight: 0, weight: 1, status: 'shed' },
      { id: 'b', inFlight: 0, latencyMs: 0, weight: 1, status: 'healthy' },
    ])
    expect(loads[0]!.latencyMs).toBeGreaterThan(400)
  })

  it('takes weighted turns, exactly', () => {
    const weights: Record<string, number> = { a: 5, b: 1, c: 1 }
    const balancer = make({ weightOf: (target) => weights[target]! })
    const turns = Array.from({ length: 14 }, () => heardFrom(balancer.run(echo))[0])
    expect(turns.join('')).toBe('aabacaaaabacaa')
  })
  it('chooses anew for each subscription', () => {
    const call$ = make({}).run(echo)
    expect([heardFrom(call$), heardFrom(call$), heardFrom(call$)]).toEqual([['a'], ['b'], ['c']])
  })
  it('moves the keys of a target that goes, and no others', () =>
    inVirtualTime(() => {
      const ten = Array.from({ length: 10 }, (_, i) => `peer-${i}`)
      const targets$ = new BehaviorSubject(ten)
      const balancer = make({ targets$, strategy: 'rendezvous' })
      const homes = () => Array.from({ length: 1_000 }, (_, i) => heardFrom(balancer.run(echo, `key-${i}`))[0])
      const before = homes()
      targets$.next(ten.filter((id) => id !== 'peer-4'))
      const after = homes()
      const moved = before.filter((id, i) => id !== after[i])
      expect(new Set(moved)).toEqual(new Set(['peer-4']))
      expect(moved.length).toBe(before.filter((id) => id === 'peer-4').length)
      expect(Math.abs(moved.length - 100)).toBeLessThan(40)
      targets$.next(ten.toReversed())
      expect(homes()).toEqual(before)
    }))
  it('needs a key for rendezvous, at once', () => {
    const balancer = make({ targets$: NEVER, strategy: 'rendezvous', waitMs: 50 })
    const [error] = heardFrom(balancer.run(echo)) as ConfigError[]
    expect(error?.problems).toEqual([{ path: 'balance.run.key', message: 'must be given: rendezvous chooses by it' }])
  })
  it('sends a call where the fewest are in flight', () => {
    const balancer = make({ strategy: 'least-loaded' })
    const taken: string[] = []
    for (let i = 0; i < 9; i++) {
      balancer.run((target) => (taken.push(target), NEVER)).subscribe()
      if (i % 3 === 2) expect(taken.slice(i - 2).toSorted()).toEqual(['a', 'b', 'c'])
    }
  })

  // 10 ms ± 20 % each; one target takes 200 ms from 5 s to 20 s. A call each 5 ms for 40 s.
  describe.each(strategies)('with %s', (strategy) => {
    marbles('sheds a target that slows down and returns to it when it heals', ({ flush }) => {
      const told: BalanceEvent[] = []
      const ids = ['slow', 'b', 'c', 'd', 'e']
      const noise = seeded(3)
      const balancer = make({ targets$: of(ids), strategy, decayMs: 1_000, report: (event) => told.push(event) })
      const calls = { all: [0, 0, 0, 0, 0, 0, 0, 0], slow: [0, 0, 0, 0, 0, 0, 0, 0] }
      const call = (target: string, nowMs: number) => {
        const fiveSeconds = Math.floor(nowMs / 5_000)
        calls.all[fiveSeconds]!++
        if (target === 'slow') calls.slow[fiveSeconds]!++
        return timer(target === 'slow' && nowMs >= 5_000 && nowMs < 20_000 ? 200 : 8 + noise() * 4)
      }
      timer(0, 5)
        .pipe(
          take(8_000),
          mergeMap((i) => balancer.run((target) => call(target, i * 5), `key-${i}`)),
        )
        .subscribe()
      flush()
      const share = calls.slow.map((slow, i) => slow / calls.all[i]!)
      expect(calls.all).toEqual(Array.from({ length: 8 }, () => 1_000))
      expect(Math.abs(share[0]! - 0.2), 'before').toBeLessThan(0.04)
      expect(share[1], 'as soon as it is slow').toBeLessThan(0.05)
      for (const later of share.slice(2, 4)) expect(later, 'while it is slow').toBeLessThan(0.01)
      for (const healed of share.slice(6)) expect(Math.abs(healed - 0.2), 'healed').toBeLessThan(0.04)
      expect(share[3], 'it is still tried').toBeGreaterThan(0)
      expect(told[0]).toMatchObject({ type: 'balance:shed', target: 'slow', latencyMs: 200 })
      expect(told.at(-1)).toMatchObject({ type: 'balance:restored', target: 'slow' })
    })
  })
  marbles('avoids a target that fails at once, and comes back to it', ({ flush }) => {
    const balancer = make({ targets$: of(['bad', 'b', 'c']), strategy: 'p2c-ewma', decayMs: 1_000 })
    const taken: number[] = [0, 0, 0]
    const call = (target: string, nowMs: number) => {
      if (target !== 'bad') return timer(10)
      taken[Math.floor(nowMs / 5_000)]!++
      return nowMs < 5_000 ? throwError(() => 'failed') : timer(10)
    }
    timer(0, 5)
      .pipe(
        take(3_000),
        map((i) => balancer.run((target) => call(target, i * 5))),
      )
      .subscribe((call$) => call$.subscribe({ error: () => undefined }))
    flush()
    expect(taken[0]).toBeLessThan(10)
    expect(taken[2]).toBeGreaterThan(200)
  })
  marbles('avoids a target that never answers, when its calls are given up', ({ flush }) => {
    const balancer = make({ targets$: of(['mute', 'b', 'c']), strategy: 'p2c-ewma' })
    let mute = 0
    timer(0, 5)
      .pipe(take(1_000))
      .subscribe(() => {
        const calling = balancer.run((target) => (target === 'mute' ? (mute++, NEVER) : timer(10))).subscribe()
        timer(100).subscribe(() => calling.unsubscribe())
      })
    flush()
    expect(mute).toBeLessThan(20)
  })
})

describe('errors of others', () => {
  const thrown = new Error('thrown')
  const throws = () => {
    throw thrown
  }
  it('a work that throws is the error of its call alone', () => {
    const balancer = make({})
    expect(heardFrom(balancer.run(throws))).toEqual([thrown])
    expect(heardFrom(balancer.run(echo))).toEqual(['b'])
  })
  it('a random that throws is the error of its call alone', () => {
    let calls = 0
    const random = () => (++calls === 2 ? throws() : 0) // the first is looked at when the balancer is made
    const balancer = make({ random, strategy: 'p2c-ewma' })
    expect(heardFrom(balancer.run(echo))).toEqual([thrown])
    expect(heardFrom(balancer.run(echo))).toHaveLength(1)
  })
  marbles('a random that throws for a call that waited is its error too', ({ hot, expectObservable }) => {
    let calls = 0
    const random = () => (++calls > 1 ? throws() : 0)
    const balancer = make({ targets$: hot('--x', { x: ['a', 'b'] }), waitMs: 9, random, strategy: 'p2c-ewma' })
    expectObservable(balancer.run(echo)).toBe('--#', {}, thrown)
  })
  it('a report that throws is the error of the call it was told for, which is not in flight any more', () => {
    const balancer = make({ report: throws })
    expect(heardFrom(balancer.run(echo))).toEqual(['a'])
    expect(heardFrom(balancer.run(() => throwError(() => 'failed')))).toEqual([thrown])
    expect(heardFrom(balancer.run(echo))).toEqual(['c'])
    let loads = ''
    balancer.load$.pipe(take(1)).subscribe((value) => (loads = brief(value)))
    expect(loads).toBe('a0 b0! c0')
    expect(heardFrom(make({ targets$: of([]), report: throws }).run(echo))).toEqual([thrown])
  })
  it('a report that throws at a list counts as an error of the set', () => {
    const balancer = make({ targets$: of(['a', '']), weightOf: (target) => target.length, report: throws })
    expect(heardFrom(balancer.load$.pipe(map(brief)))).toEqual([thrown])
    expect(heardFrom(balancer.run(echo))).toEqual(['a'])
  })
})

describe('balanceEvent', () => {
  const toldOf = (options: Options, ...works: readonly ((target: string) => string[])[]) => {
    const told: BalanceEvent[] = []
    const balancer = make({ ...options, report: (event) => told.push(event) })
    for (const work of works) heardFrom(balancer.run(work))
    return told
  }
  it('names the target that is shed, with the latencies it was judged by', () => {
    const fail = () => {
      throw new Error('failed')
    }
    const told = toldOf({ penaltyMs: 500 }, echo, fail)
    expect(told).toEqual([{ type: 'balance:shed', target: 'b', latencyMs: 500, medianMs: 0 }])
  })
  it('says once that there is no target, and again after there was one', () => {
    const targets$ = new BehaviorSubject<string[]>([])
    const told: BalanceEvent[] = []
    const balancer = make({ targets$, report: (event) => told.push(event) })
    for (let i = 0; i < 3; i++) heardFrom(balancer.run(echo))
    expect(told).toEqual([{ type: 'balance:no-target' }])
    targets$.next(['a'])
    expect(heardFrom(balancer.run(echo))).toEqual(['a'])
    targets$.next([])
    heardFrom(balancer.run(echo))
    expect(told).toHaveLength(2)
  })
  it.each([0, -1, Number.NaN, Infinity])('tells of a target with a weight of %d, and leaves it out', (weight) => {
    const told = toldOf({ weightOf: (target) => (target === 'b' ? weight : 1) }, echo, (target) => {
      expect(target).not.toBe('b')
      return []
    })
    expect(told).toMatchObject([
      { type: 'balance:refused', index: 1, cause: { name: 'ConfigError', field: 'balance.weightOf' } },
    ])
  })
  it('tells of a target without an id, or whose id can not be told', () => {
    const idOf = (target: string) => {
      if (target === 'b') throw new Error('no id')
      return target === 'c' ? (undefined as never) : target
    }
    expect(toldOf({ idOf }, echo, echo)).toMatchObject([
      { type: 'balance:refused', index: 1, cause: new Error('no id') },
      { type: 'balance:refused', index: 2, cause: { name: 'ConfigError', field: 'balance.idOf' } },
    ])
  })
})

describe('balanceOptions', () => {
  const problemsOf = (options: unknown) => {
    try {
      balance(options as BalanceOptions<string>)
    } catch (error) {
      expect((error as ConfigError).name).toBe('ConfigError')
      return (error as ConfigError).problems.map(({ path, message }) => `${path}: ${message}`)
    }
    return []
  }
  it('reports every problem at once, by the path of the field', () => {
    const problems = problemsOf({
      targets$: ['a'],
      idOf: 'id',
      random: 0.5,
      strategy: 'fastest',
      weightOf: 1,
      decayMs: 0,
      shedAbove: 0.9,
      probeEveryMs: 0,
      penaltyMs: -1,
      waitMs: -1,
      report: 'console',
      scheduler: {},
      wieght: 1,
    })
    expect(problems).toEqual([
      'balance.targets$: must be an Observable of lists',
      'balance.idOf: must be a function',
      'balance.random: must be a function',
      'balance.strategy: must be p2c-ewma, least-loaded, weighted-round-robin or rendezvous',
      'balance.weightOf: must be a function',
      'balance.decayMs: must be above 0',
      'balance.shedAbove: must be at least 1',
      'balance.probeEveryMs: must be above 0',
      'balance.penaltyMs: must not be below 0',
      'balance.waitMs: must not be below 0',
      'balance.report: must be a function',
      'balance.scheduler: must be an RxJS scheduler',
      'balance.wieght: is not an option',
    ])
  })
  it('needs a set, ids and a chance', () => {
    expect(problemsOf({})).toEqual([
      'balance.targets$: must be an Observable of lists',
      'balance.idOf: must be a function',
      'balance.random: must be a function',
    ])
  })
  it.each(['decayMs', 'shedAbove', 'probeEveryMs', 'penaltyMs', 'waitMs'])(
    'refuses a %s that is no number',
    (field) => {
      const rest = { targets$: of([]), idOf: String, random: () => 0 }
      expect(problemsOf(rest)).toEqual([])
      for (const value of [Number.NaN, Infinity, '5', null])
        expect(problemsOf({ ...rest, [field]: value })).toHaveLength(1)
    },
  )
})
