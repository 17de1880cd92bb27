import { retryBudget, withRetry, type PolicyEvent } from 'rxswarm/policies'
import { marbles } from 'rxswarm/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { handClock } from './handClock.ts'

describe('retryBudget', () => {
  marbles('is shared by all who are given it', ({ cold, expectObservable, flush }) => {
    const events: PolicyEvent[] = []
    const budget = retryBudget({ share: 0, minPerSecond: 0.2 }) // 2 in 10 s
    const make = () =>
      withRetry({
        budget,
        backoff: { type: 'constant', delayMs: 2 },
        retries: 5,
        onEvent: (event) => void events.push(event),
      })
    expectObservable(cold('-#', {}, 'x').pipe(make())).toBe('----#', undefined, 'x')
    expectObservable(cold('--#', {}, 'y').pipe(make())).toBe('------#', undefined, 'y')
    flush()
    expect(events.map((event) => [event.type, 'reason' in event ? event.reason : ''])).toEqual([
      ['policy:retried', ''],
      ['policy:retried', ''],
      ['policy:rejected', 'retry budget used up'],
      ['policy:rejected', 'retry budget used up'],
    ])
    expect(budget.left).toBe(0)
  })
  marbles('counts a call once, however often it is retried', ({ cold, expectObservable, flush }) => {
    const budget = retryBudget({ share: 1, minPerSecond: 0 })
    const retry = withRetry({ budget, backoff: { type: 'constant', delayMs: 1 } })
    expectObservable(cold('#', {}, 'x').pipe(retry)).toBe('-#', undefined, 'x')
    flush()
    expect(budget.left).toBe(0)
  })
  it('grows with the calls and forgets them with the window', () => {
    const clock = handClock(0)
    const budget = retryBudget({ share: 0.5, minPerSecond: 0.1, windowMs: 10_000, scheduler: clock })
    expect(budget.left).toBe(1)
    for (let i = 0; i < 10; i++) budget.call()
    expect(budget.left).toBe(6)
    expect([1, 2, 3, 4, 5, 6, 7].map(() => budget.spend())).toEqual([true, true, true, true, true, true, false])
    clock.at = 9_999
    expect(budget.left).toBe(0)
    clock.at = 10_000
    expect(budget.left).toBe(1)
    clock.at = 1e9
    expect(budget.left).toBe(1)
  })
  it('does not mind a clock that is set back', () => {
    const clock = handClock(50_000)
    const budget = retryBudget({ share: 0, minPerSecond: 0.1, scheduler: clock })
    expect(budget.spend()).toBe(true)
    clock.at = 10
    expect(budget.spend()).toBe(false)
    clock.at = 60_000
    expect(budget.spend()).toBe(true)
  })
  it('never lets more retries through than its share of the calls and its reserve', () => {
    const step = fc.record({ waitMs: fc.nat(400), isRetry: fc.boolean() })
    const runs = fc.property(
      fc.array(step, { minLength: 30, maxLength: 150 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 3, noNaN: true }),
      (steps, share, minPerSecond) => {
        const clock = handClock(123_456)
        const budget = retryBudget({ share, minPerSecond, windowMs: 1_000, scheduler: clock })
        const [calls, retries]: [number[], number[]] = [[], []]
        const since = (times: readonly number[], ms: number) => times.filter((at) => at > clock.at - ms).length
        for (const { waitMs, isRetry } of steps) {
          clock.at += waitMs
          if (!isRetry) {
            budget.call()
            calls.push(clock.at)
          } else if (budget.spend()) {
            retries.push(clock.at)
            expect(since(retries, 900)).toBeLessThanOrEqual(share * since(calls, 1_000) + minPerSecond)
          }
        }
      },
    )
    fc.assert(runs, { numRuns: 60, seed: 1 })
  })
  it.each([
    [{ share: 1.1 }, 'retryBudget.share: must be from 0 to 1'],
    [{ share: -0.1 }, 'retryBudget.share: must be from 0 to 1'],
    [{ minPerSecond: -1 }, 'retryBudget.minPerSecond: must not be below 0'],
    [{ windowMs: 0 }, 'retryBudget.windowMs: must be above 0'],
    [{ windowMs: Number.NaN }, 'retryBudget.windowMs: must be a finite number of milliseconds'],
    [{ ttl: 5 }, 'retryBudget.ttl: is not an option'],
  ])('refuses %j', (options, message) => {
    expect(() => retryBudget(options as never)).toThrow(`configuration: ${message}`)
  })
})
