import { ConsecutiveBreaker, ConstantBackoff } from 'cockatiel'
import { definePolicy, retryBudget, type PolicyContext, type PolicyEvent, type PolicySpec } from 'rxswarm/policies'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { defer, NEVER, of, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { DeadlineError, OverloadedError, TimeoutError, type ConfigError } from '../../src/errors/errors.ts'
import { problemsIn } from '../../src/errors/problemsIn.ts'
import { policySpec } from '../../src/policies/policySpec.ts'
import { waitMs } from '../../src/errors/optionKinds.ts'
import { LONGEST_TIMER_MS } from '../../src/errors/optionKinds.ts'
import { either, errorFilter } from '../../src/policies/schemas.ts'
import { sixCases } from './sixCases.ts'

const retry = { retries: 1, backoff: { type: 'constant', delayMs: 1 } } as const

const everything = {
  fallback: { value: 'f', on: ['TypeError'] },
  deadline: { deadlineMs: 1_000, bounds: 'first-value' },
  bulkhead: { concurrent: 5, maxWaiting: 5 },
  retry: { retries: 0, backoff: { type: 'exponential', jitter: 'none' }, budget: { share: 0.1 } },
  rateLimit: { perSecond: 1_000, burst: 9 },
  breaker: { breaker: { type: 'count', threshold: 0.5, size: 9 }, halfOpenAfterMs: {} },
  hedge: { share: 0.1 },
  timeout: { timeoutMs: 1_000, bounds: 'first-value' },
} satisfies PolicySpec

describe('definePolicy', () => {
  obeysOperatorLaws(() => definePolicy({ retry, breaker: {} }))
  sixCases(() => definePolicy(everything))

  marbles('builds a stack from plain data', ({ cold, expectObservable }) => {
    const source$ = cold<string>('-#')
    const expected = '            ---(f|)'
    expectObservable(source$.pipe(definePolicy({ fallback: { value: 'f' }, retry }))).toBe(expected)
  })
  marbles('has one order for an object, and that of the list for a list', ({ cold, expectObservable }) => {
    const fallback = { value: 'f' }
    expectObservable(cold('-#').pipe(definePolicy({ retry, fallback }))).toBe('---(f|)')
    expectObservable(cold('-#').pipe(definePolicy([{ retry }, { fallback }]))).toBe('-(f|)')
    expectObservable(cold('-#').pipe(definePolicy([{ fallback }, { retry }]))).toBe('---(f|)')
  })
  marbles('gives each attempt its own time, and the call one', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>('-')
    const stack = definePolicy({ timeout: { timeoutMs: 3 }, deadline: { deadlineMs: 20 }, retry })
    const late = new TimeoutError('not over within 3 ms', { deadlineMs: 3 })
    expectObservable(source$.pipe(stack)).toBe('-------#', undefined, late)
    expectSubscriptions(source$.subscriptions).toBe(['^--!', '----^--!'])
    const short = definePolicy({ timeout: { timeoutMs: 3 }, deadline: { deadlineMs: 5 }, retry })
    const over = new DeadlineError('not settled within 5 ms', { deadlineMs: 5 })
    expectObservable(cold('-').pipe(short)).toBe('-----#', undefined, over)
  })
  marbles('holds one place for all attempts of a call', ({ cold, expectObservable }) => {
    const stack = definePolicy({ retry, bulkhead: { concurrent: 1 } })
    const full = new OverloadedError('1 calls run and 0 wait already; try again later', { limit: 1 })
    expectObservable(cold('---#').pipe(stack)).toBe('-------#')
    expectObservable(cold('a|').pipe(stack), '---^').toBe('---#', undefined, full)
  })
  marbles('tells of everything once', ({ cold, expectObservable, flush }) => {
    const events: PolicyEvent[] = []
    const stack = definePolicy(
      { ...everything, fallback: { value: 'f' }, retry, breaker: { breaker: { type: 'consecutive', threshold: 2 } } },
      { onEvent: (event) => void events.push(event) },
    )
    expectObservable(cold('#', undefined, 'x').pipe(stack)).toBe('-(f|)')
    flush()
    expect(events.map(({ type }) => type)).toEqual([
      'policy:retried',
      'policy:tripped',
      'policy:rejected',
      'policy:fell-back',
    ])
  })
  it('hands out its breaker and its bulkhead, the outermost of several', () => {
    const stack = definePolicy([
      { breaker: {}, bulkhead: { concurrent: 1 } },
      { breaker: {}, bulkhead: { concurrent: 2 } },
    ])
    NEVER.pipe(stack).subscribe()
    stack.breaker?.isolate()
    expect([stack.breaker?.state.status, stack.bulkhead?.running]).toEqual(['isolated', 1])
    const { breaker, bulkhead } = definePolicy({ retry })
    expect([breaker, bulkhead]).toEqual([undefined, undefined])
  })
  it('takes the chance of its jitter, and refuses to do without', () => {
    for (const spec of [
      { retry: { backoff: { type: 'exponential' } } },
      { breaker: { halfOpenAfterMs: { type: 'exponential', jitter: 'full' } } },
    ] satisfies PolicySpec[]) {
      expect(() => definePolicy(spec)).toThrow('policy.random: is needed: the backoff leaves its delays to chance')
      expect(() => definePolicy(spec, { random: () => 0.5 })).not.toThrow()
    }
  })
  it('shares a budget among all calls, or takes one', () => {
    for (const budget of [{ share: 0, minPerSecond: 0.1 }, retryBudget({ share: 0, minPerSecond: 0.1 })]) {
      const reasons: unknown[] = []
      const onEvent = (event: PolicyEvent) => void reasons.push('reason' in event ? event.reason : event.type)
      const stack = definePolicy({ retry: { ...retry, budget } }, { onEvent })
      for (let i = 0; i < 2; i++)
        throwError(() => 'x')
          .pipe(stack)
          .subscribe({ error: () => undefined })
          .unsubscribe()
      expect(reasons).toEqual(['policy:retried', 'retry budget used up'])
    }
  })
  it('refuses a breaker of cockatiel’s that counts for another circuit already', () => {
    const breaker = { breaker: new ConsecutiveBreaker(3) }
    const twice = [{ breaker }, { breaker }]
    expect(() => definePolicy(twice)).toThrow('configuration: policy[1].breaker.breaker: counts for another circuit')
    expect(() => definePolicy({ breaker })).toThrow('configuration: policy.breaker.breaker: counts for another circuit')
  })
  it('takes the value of a fallback as it is, also when that is nothing', () => {
    const seen: unknown[] = []
    throwError(() => 'x')
      .pipe(definePolicy({ fallback: { value: undefined } }))
      .subscribe((value) => seen.push(value))
    expect(seen).toEqual([undefined])
  })

  const constant = { type: 'constant', delayMs: 1 } as const
  const wrong: readonly (readonly [unknown, string])[] = [
    [undefined, 'policy: Invalid input: expected object, received undefined'],
    [null, 'policy: Invalid input: expected object, received null'],
    [7, 'policy: Invalid input: expected object, received number'],
    [[], 'policy: must name at least one policy'],
    [{ retries: 3 }, 'policy.retries: is not an option'],
    [[{ retry }, { speed: 1 }], 'policy[1].speed: is not an option'],
    [[{ retry }, { timeout: { timeoutMs: -1 } }], 'policy[1].timeout.timeoutMs: must be above 0'],
    [{ deadline: { deadlineMs: 0 } }, 'policy.deadline.deadlineMs: must be above 0'],
    [{ deadline: { deadlineMs: '5' } }, 'policy.deadline.deadlineMs: must be a finite number of milliseconds'],
    [{ deadline: { deadlineMs: 5, soft: true } }, 'policy.deadline.soft: is not an option'],
    [{ timeout: { timeoutMs: Number.NaN } }, 'policy.timeout.timeoutMs: must be a finite number of milliseconds'],
    [{ timeout: { timeoutMs: Infinity } }, 'policy.timeout.timeoutMs: must be a finite number of milliseconds'],
    [{ timeout: { timeoutMs: 1, bounds: 'x' } }, 'policy.timeout.bounds: must be whole or first-value'],
    [{ bulkhead: { concurrent: 0 } }, 'policy.bulkhead.concurrent: must be above 0'],
    [{ bulkhead: { concurrent: 1, maxWaiting: 0.5 } }, 'policy.bulkhead.maxWaiting: must be a whole number'],
    [{ retry: {} }, 'policy.retry.backoff: must be exponential, constant or iterable, or a backoff of cockatiel'],
    [
      { retry: { backoff: { type: 'linear' } } },
      'policy.retry.backoff.type: must be exponential, constant or iterable, or a backoff of cockatiel',
    ],
    [{ retry: { backoff: { type: 'constant', delayMs: -1 } } }, 'policy.retry.backoff.delayMs: must not be below 0'],
    [
      { retry: { backoff: { type: 'constant', delayMs: 2 ** 31 } } },
      'policy.retry.backoff.delayMs: must be at most 2147483647, which is 24.8 days',
    ],
    [
      { retry: { backoff: { type: 'constant' } } },
      'policy.retry.backoff.delayMs: must be a finite number of milliseconds',
    ],
    [
      { retry: { backoff: { type: 'iterable', delaysMs: [] } } },
      'policy.retry.backoff.delaysMs: must have at least one delay',
    ],
    [
      { retry: { backoff: { type: 'iterable', delaysMs: [1, Number.NaN] } } },
      'policy.retry.backoff.delaysMs[1]: must be a finite number of milliseconds',
    ],
    [{ retry: { backoff: { type: 'exponential', exponent: 0 } } }, 'policy.retry.backoff.exponent: must be above 0'],
    [
      { retry: { backoff: { type: 'exponential', jitter: 'some' } } },
      'policy.retry.backoff.jitter: must be none, full, half or decorrelated',
    ],
    [{ retry: { backoff: constant, retries: -1 } }, 'policy.retry.retries: must not be below 0'],
    [
      { retry: { backoff: constant, retryOn: 'DialError' } },
      'policy.retry.retryOn: must be a function, or a list of names of errors',
    ],
    [{ retry: { backoff: constant, budget: { share: 2 } } }, 'policy.retry.budget.share: must be from 0 to 1'],
    [{ retry: { backoff: constant, budget: { scheduler: 2 } } }, 'policy.retry.budget.scheduler: is not an option'],
    [{ retry: { backoff: constant, onRetry: () => 1 } }, 'policy.retry.onRetry: is not an option'],
    [{ rateLimit: { perSecond: 0 } }, 'policy.rateLimit.perSecond: must be above 0'],
    [{ rateLimit: { perSecond: 1, over: 'wait' } }, 'policy.rateLimit.over: must be delay, drop or error'],
    [{ breaker: { probes: 0 } }, 'policy.breaker.probes: must be above 0'],
    [
      { breaker: { breaker: { type: 'sampling', threshold: 2, durationMs: 5 } } },
      'policy.breaker.breaker.threshold: must be between 0 and 1',
    ],
    [
      { breaker: { breaker: { type: 'sampling', threshold: 0.5, durationMs: 0 } } },
      'policy.breaker.breaker.durationMs: must be above 0',
    ],
    [{ breaker: { halfOpenAfterMs: { baseMs: -1 } } }, 'policy.breaker.halfOpenAfterMs.baseMs: must be above 0'],
    [
      { breaker: { halfOpenAfterMs: 'soon' } },
      'policy.breaker.halfOpenAfterMs: must be exponential, constant or iterable, or a backoff of cockatiel',
    ],
    [{ hedge: { percentile: -0.1 } }, 'policy.hedge.percentile: must be from 0 to 1'],
    [{ fallback: {} }, 'policy.fallback.value: Invalid input'],
    [{ fallback: { value: 1, to: 2 } }, 'policy.fallback.to: is not an option'],
    [{ fallback: { value: 1, on: 2 } }, 'policy.fallback.on: must be a function, or a list of names of errors'],
  ]
  it.each(wrong)('refuses %j', (spec, problem) => {
    expect(() => definePolicy(spec as never)).toThrow(`configuration: ${problem}`)
  })
  it.each([
    [{ scheduler: {} }, 'policy.scheduler: must be an RxJS scheduler'],
    [{ random: 0.5 }, 'policy.random: must be a function'],
    [{ onEvent: [] }, 'policy.onEvent: must be a function'],
    [{ clock: 5 }, 'policy.clock: is not an option'],
  ])('refuses a context of %j', (context, problem) => {
    expect(() => definePolicy({ retry }, context as unknown as PolicyContext)).toThrow(`configuration: ${problem}`)
  })
  it('refuses a chance that gives no share', () => {
    const spec = { retry: { backoff: { type: 'exponential' } } } as const
    for (const number of [1, -0.1, Number.NaN, 'x']) {
      expect(() => definePolicy(spec, { random: () => number as number })).toThrow(
        'configuration: decorrelatedJitter.random',
      )
    }
  })
  it('reports every problem at once', () => {
    const spec = { timeout: { timeoutMs: 0 }, retry: { backoff: { type: 'constant', delayMs: -1 }, retries: -1 }, x: 1 }
    let problems: ConfigError['problems'] = []
    try {
      definePolicy(spec as never)
    } catch (error) {
      problems = (error as ConfigError).problems
    }
    expect(problems.map(({ path }) => path).toSorted()).toEqual([
      'policy.retry.backoff.delayMs',
      'policy.retry.retries',
      'policy.timeout.timeoutMs',
      'policy.x',
    ])
  })
})

describe('policySpec', () => {
  it('is a list, the first outermost, whatever form it came in', () => {
    expect(policySpec.parse({})).toEqual([{}])
    expect(policySpec.parse([{}, {}])).toEqual([{}, {}])
  })
})

describe('schemas', () => {
  it('an error filter is a function, or makes one of names', () => {
    const isDial = errorFilter.parse(['DialError'])
    expect([isDial({ name: 'DialError' }), isDial({}), isDial(undefined)]).toEqual([true, false, false])
  })
  it('either reports the problems of the one that was meant', () => {
    const schema = either(
      (value) => typeof value === 'number',
      waitMs,
      z.strictObject({ on: z.boolean('must be yes or no') }),
    )
    expect(problemsIn('x', schema, -1).problems).toEqual([{ path: 'x', message: 'must not be below 0' }])
    expect(problemsIn('x', schema, LONGEST_TIMER_MS + 1).problems).toHaveLength(1)
    expect(problemsIn('x', schema, { on: 1 }).problems).toEqual([{ path: 'x.on', message: 'must be yes or no' }])
  })
  it('a backoff is data or one of cockatiel’s', () => {
    const seen: unknown[] = []
    let calls = 0
    const source$ = defer(() => (++calls === 1 ? throwError(() => 'x') : of('a')))
    source$
      .pipe(definePolicy({ retry: { backoff: new ConstantBackoff(0) } }))
      .subscribe((value) => seen.push(value))
      .unsubscribe()
    expect(calls).toBe(1)
  })
})
