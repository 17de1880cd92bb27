import { compose, withDeadline, withRateLimit, type PolicyEvent, type RateLimitOptions } from 'rxswarm/policies'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import fc from 'fast-check'
import { mergeMap, NEVER, of, Subscriber, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { RateLimitedError } from '../../src/errors/errors.ts'
import { TokenBucket } from '../../src/policies/tokenBucket.ts'
import { handClock } from './handClock.ts'
import { sixCases } from './sixCases.ts'

/** A token every 4 ms. */
const perSecond = 250
const limited = (waitMs: number) =>
  new RateLimitedError(`more than 250 calls per second: the next is due in ${waitMs} ms`, { limit: 250 })

describe('withRateLimit', () => {
  obeysOperatorLaws(() => withRateLimit({ perSecond, burst: 2 }))
  sixCases(() => withRateLimit({ perSecond }))

  marbles('delays what is above the rate, in the order of the calls', ({ hot, expectObservable }) => {
    const rate = withRateLimit({ perSecond })
    const calls = ' aab-----'
    const result = 'a---a---b'
    expectObservable(hot<string>(calls).pipe(mergeMap((call) => of(call).pipe(rate)))).toBe(result)
  })
  marbles('has a burst, and is full again after a rest', ({ hot, expectObservable }) => {
    const rate = withRateLimit({ perSecond, burst: 2 })
    const calls = ' (abc)------------(def)'
    const result = '(ab)c------------(de)f'
    expectObservable(hot<string>(calls).pipe(mergeMap((call) => of(call).pipe(rate)))).toBe(result)
  })
  marbles('may drop instead: the call completes without a value', ({ hot, expectObservable, flush }) => {
    const events: PolicyEvent[] = []
    const rate = withRateLimit({ perSecond, over: 'drop', onEvent: (event) => void events.push(event) })
    const calls = ' ab-cd-e-|'
    const result = 'a---d---|'
    expectObservable(hot<string>(calls).pipe(mergeMap((call) => of(call).pipe(rate)))).toBe(result)
    flush()
    const dropped = { type: 'policy:dropped', policy: 'rate-limit', reason: 'limit reached' }
    expect(events).toEqual([dropped, dropped, dropped])
  })
  marbles('may fail instead', ({ cold, expectObservable, expectSubscriptions, flush }) => {
    const events: PolicyEvent[] = []
    const rate = withRateLimit({ perSecond, over: 'error', onEvent: (event) => void events.push(event) })
    const source$ = cold<string>('(a|)')
    expectObservable(source$.pipe(rate)).toBe('(a|)')
    expectObservable(source$.pipe(rate), '---^').toBe('---#', undefined, limited(1))
    expectObservable(source$.pipe(rate), '----^').toBe('----(a|)')
    expectSubscriptions(source$.subscriptions).toBe(['(^!)', '----(^!)'])
    flush()
    expect(events).toEqual([{ type: 'policy:rejected', policy: 'rate-limit', reason: 'limit reached' }])
  })
  marbles('bounds those who wait', ({ cold, expectObservable, flush }) => {
    const events: PolicyEvent[] = []
    const rate = withRateLimit({ perSecond, maxWaiting: 1, onEvent: (event) => void events.push(event) })
    const call$ = cold<string>('(a|)').pipe(rate)
    expectObservable(call$, '^').toBe('(a|)')
    expectObservable(call$, '-^').toBe('----(a|)')
    expectObservable(call$, '--^').toBe('--#', undefined, limited(6))
    expectObservable(call$, '-----^').toBe('--------(a|)')
    flush()
    expect(events).toEqual([
      { type: 'policy:delayed', policy: 'rate-limit', delayMs: 3 },
      { type: 'policy:rejected', policy: 'rate-limit', reason: 'limit reached' },
      { type: 'policy:delayed', policy: 'rate-limit', delayMs: 3 },
    ])
  })
  marbles(
    'has the token again of who leaves as the last in line',
    ({ cold, expectObservable, expectSubscriptions }) => {
      const rate = withRateLimit({ perSecond, maxWaiting: 1 })
      const left$ = cold<string>('(a|)')
      expectObservable(cold<string>('(a|)').pipe(rate), '^').toBe('(a|)')
      expectObservable(left$.pipe(rate), '-^!').toBe('-')
      expectObservable(cold<string>('(a|)').pipe(rate), '---^').toBe('----(a|)')
      expectSubscriptions(left$.subscriptions).toBe([])
    },
  )
  marbles('does not wait for a token that comes after the deadline', ({ cold, expectObservable }) => {
    const rate = withRateLimit({ perSecond })
    const stack = compose(withDeadline({ deadlineMs: 4 }), rate)
    expectObservable(cold<string>('(a|)').pipe(stack), '^').toBe('(a|)')
    expectObservable(cold<string>('(a|)').pipe(stack), '^').toBe('#', undefined, limited(4))
    expectObservable(cold<string>('(a|)').pipe(stack), '-^').toBe('----(a|)')
  })
  it('fails what would have to wait longer than a timer can count', () => {
    const scheduler = new VirtualTimeScheduler()
    const rate = withRateLimit({ perSecond: 1e-7, scheduler })
    const errors: string[] = []
    for (let i = 0; i < 2; i++)
      of(i)
        .pipe(rate)
        .subscribe({ error: ({ name }: Error) => void errors.push(name) })
    expect(errors).toEqual(['RateLimitedError'])
  })
  it('makes what a listener throws the error of that call, and keeps its token and its place', () => {
    const scheduler = new VirtualTimeScheduler()
    let isDeaf = true
    const onEvent = () => {
      if (isDeaf) throw new Error('deaf')
    }
    const rate = withRateLimit({ perSecond: 3, maxWaiting: 1, onEvent, scheduler })
    const told: unknown[] = []
    const call = () =>
      of('a')
        .pipe(rate)
        .subscribe({ next: () => told.push(scheduler.frame), error: (error: Error) => told.push(error.message) })
    call()
    call()
    isDeaf = false
    call()
    scheduler.flush()
    expect(told).toEqual([0, 'deaf', 1_000 / 3])
  })
  it('takes what its subscriber left waiting off the clock', () => {
    const scheduler = new VirtualTimeScheduler()
    const rate = withRateLimit({ perSecond: 3, scheduler })
    const calls = [1, 2, 3, 4].map(() => NEVER.pipe(rate).subscribe())
    for (const call of calls.toReversed()) call.unsubscribe()
    scheduler.flush()
    expect(scheduler.frame).toBe(0)
  })
  it('passes an error of a delayed source on', () => {
    const scheduler = new VirtualTimeScheduler()
    const stack = compose(withRateLimit({ perSecond, scheduler }), () => {
      throw new Error('broken')
    })
    const errors: string[] = []
    const out = () => new Subscriber<number>({ error: ({ message }: Error) => errors.push(message) } as never)
    of(1).pipe(stack).subscribe(out())
    of(1).pipe(stack).subscribe(out())
    scheduler.flush()
    expect(errors).toEqual(['broken', 'broken'])
  })
  it('never goes beyond its rate and its burst, loses nothing, and keeps the order', () => {
    const holds = fc.property(
      fc.double({ min: 0.5, max: 2_000, noNaN: true }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom<NonNullable<RateLimitOptions['over']>>('delay', 'drop', 'error'),
      fc.array(fc.record({ waitMs: fc.nat(20), leaves: fc.integer({ min: 0, max: 9 }) }), {
        minLength: 5,
        maxLength: 50,
      }),
      (perSecond, burst, over, calls) => {
        const scheduler = new VirtualTimeScheduler()
        const rate = withRateLimit({ perSecond, burst, over, scheduler })
        const started: { readonly id: number; readonly at: number }[] = []
        let [refused, left, at] = [0, 0, 0]
        for (const [id, { waitMs, leaves }] of calls.entries()) {
          at += waitMs
          scheduler.schedule(() => {
            const call = of(id)
              .pipe(rate)
              .subscribe({
                next: () => void started.push({ id, at: scheduler.frame }),
                error: () => void refused++,
                complete: () => void (over === 'drop' && started.at(-1)?.id !== id && refused++),
              })
            if (leaves === 0 && !call.closed) {
              left++
              call.unsubscribe()
            }
          }, at)
        }
        scheduler.flush()
        expect(started.length + refused + left).toBe(calls.length)
        expect(started.map(({ id }) => id)).toEqual(started.map(({ id }) => id).toSorted((a, b) => a - b))
        for (let i = 0; i < started.length; i++) {
          for (let j = i + burst; j < started.length; j++) {
            const tokens = burst + ((started[j]!.at - started[i]!.at) * perSecond) / 1_000
            expect(j - i + 1).toBeLessThanOrEqual(tokens + 1e-6)
          }
        }
      },
    )
    fc.assert(holds, { numRuns: 100, seed: 1 })
  })
  it.each([
    [{}, 'withRateLimit.perSecond: must be a finite number'],
    [{ perSecond: 0 }, 'withRateLimit.perSecond: must be above 0'],
    [{ perSecond: Infinity }, 'withRateLimit.perSecond: must be a finite number'],
    [{ perSecond: 1, burst: 0 }, 'withRateLimit.burst: must be above 0'],
    [{ perSecond: 1, over: 'wait' }, 'withRateLimit.over: must be delay, drop or error'],
    [{ perSecond: 1, maxWaiting: -1 }, 'withRateLimit.maxWaiting: must not be below 0'],
  ])('refuses %j', (options, message) => {
    expect(() => withRateLimit(options as never)).toThrow(`configuration: ${message}`)
  })
})

describe('tokenBucket', () => {
  it('has its burst at once, then a token at a time', () => {
    const [bucket, clock] = [new TokenBucket(10, 2), handClock(1_000)]
    const takes = (now: number) => {
      const waitMs = bucket.wait(now)
      bucket.take(now)
      return Math.max(0, waitMs)
    }
    expect([1, 2, 3, 4].map(() => takes(clock.now()))).toEqual([0, 0, 100, 200])
    expect(takes(1_250)).toBe(50)
    expect([takes(9_000), takes(9_000), takes(9_000)]).toEqual([0, 0, 100])
  })
  it('takes tokens back from the last to the first, also where milliseconds are no whole numbers', () => {
    const bucket = new TokenBucket(3, 1)
    const taken = Array.from({ length: 50 }, () => {
      const before = bucket.fullAt
      return [bucket.take(1.7e12 + 0.1), before] as const
    })
    for (const [token, before] of taken.toReversed()) bucket.giveBack(token, before)
    expect(bucket.wait(1.7e12 + 0.1)).toBeLessThanOrEqual(0)
  })
  it('does not take a token back when others were taken after it', () => {
    const bucket = new TokenBucket(10, 1)
    const before = bucket.fullAt
    const token = bucket.take(0)
    bucket.take(0)
    bucket.giveBack(token, before)
    expect(bucket.wait(0)).toBe(200)
  })
})
