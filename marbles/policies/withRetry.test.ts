import { ConstantBackoff, DelegateBackoff, ExponentialBackoff, IterableBackoff } from 'cockatiel'
import {
  compose,
  halfJitter,
  retryBudget,
  withDeadline,
  withRetry,
  type BackoffSpec,
  type PolicyEvent,
  type RetryOptions,
} from 'rxswarm/policies'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { concat, defer, NEVER, Observable, of, Subscriber, throwError, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { AccessDeniedError, DialError } from '../../src/errors/errors.ts'
import { sixCases } from './sixCases.ts'

const constant = (delayMs: number) => new ConstantBackoff(delayMs)
const boom = () => {
  throw new Error('boom')
}

describe('withRetry', () => {
  obeysOperatorLaws(() => withRetry({ retries: 1, backoff: constant(4) }))
  sixCases(() => withRetry({ retries: 0, backoff: constant(4) }))

  marbles('waits as told, then lets the last error through', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>(' --#')
    const first = '        ^-!'
    const second = '       ------^-!'
    const expected = '     --------#'
    expectObservable(source$.pipe(withRetry({ retries: 1, backoff: constant(4) }))).toBe(expected)
    expectSubscriptions(source$.subscriptions).toBe([first, second])
  })
  marbles('waits longer each time', ({ cold, expectSubscriptions, expectObservable }) => {
    const source$ = cold<string>('-#')
    const backoff = new ExponentialBackoff({ initialDelay: 4, generator: halfJitter(() => 0) })
    expectObservable(source$.pipe(withRetry({ retries: 2, backoff }))).toBe('---------#')
    expectSubscriptions(source$.subscriptions).toBe(['^!', '---^!', '--------^!'])
  })
  marbles('lets the values of a failed attempt pass', ({ cold, expectObservable }) => {
    const source$ = cold<string>('                                                    a-#')
    expectObservable(source$.pipe(withRetry({ retries: 2, backoff: constant(1) }))).toBe('a--a--a-#')
  })
  marbles('keeps nothing between calls: each has all its retries', ({ cold, expectObservable }) => {
    const retried$ = cold<string>('-#').pipe(withRetry({ retries: 1, backoff: new IterableBackoff([1, 20]) }))
    expectObservable(retried$, '^---------').toBe('---#')
    expectObservable(retried$, '-----^----').toBe('--------#')
  })

  marbles('does not retry what is not worth it', ({ cold, expectObservable }) => {
    const retryOn = (error: unknown) => error !== 'denied'
    expectObservable(cold<string>('-#', {}, 'denied').pipe(withRetry({ backoff: constant(1), retryOn }))).toBe(
      '-#',
      undefined,
      'denied',
    )
  })
  marbles('decides by the class of the error, of which it is given the names', ({ cold, expectObservable }) => {
    const retry = withRetry({ backoff: constant(1), retries: 1, retryOn: ['DialError', 'TypeError'] })
    const [dial, type, range] = [new DialError('no route'), new TypeError('x'), new RangeError('y')]
    expectObservable(cold('-#', {}, dial).pipe(retry)).toBe('---#', undefined, dial)
    expectObservable(cold('-#', {}, type).pipe(retry)).toBe('---#', undefined, type)
    expectObservable(cold('-#', {}, range).pipe(retry)).toBe('-#', undefined, range)
    expectObservable(cold('-#', {}, 'DialError').pipe(retry)).toBe('-#', undefined, 'DialError')
    expectObservable(cold('-#', {}, null).pipe(retry)).toBe('-#', undefined, null)
  })
  marbles('by itself asks the error: a refusal is never retried, a failed dial is', ({ cold, expectObservable }) => {
    const retry = withRetry({ backoff: constant(1), retries: 1 })
    const [denied, dial] = [new AccessDeniedError('not you'), new DialError('no route')]
    expectObservable(cold('-#', {}, denied).pipe(retry)).toBe('-#', undefined, denied)
    expectObservable(cold('-#', {}, dial).pipe(retry)).toBe('---#', undefined, dial)
    expectObservable(cold('-#', {}, undefined).pipe(retry)).toBe('---#', undefined, undefined)
  })

  marbles('starts its backoff over after a source that ran long', ({ cold, expectObservable, expectSubscriptions }) => {
    const sources = [cold<string>('-#'), cold<string>('-------#'), cold<string>('-#'), cold<string>('-a|')]
    let next = 0
    const source$ = defer(() => sources[next++]!)
    const backoff = new IterableBackoff([2, 20])
    expectObservable(source$.pipe(withRetry({ backoff, resetAfterMs: 5 }))).toBe('34ms a|')
    expectSubscriptions(sources[1]!.subscriptions).toBe('---^------!')
    expectSubscriptions(sources[2]!.subscriptions).toBe('------------^!')
  })
  marbles('has all its retries again after a source that ran long', ({ cold, expectObservable }) => {
    const source$ = cold<string>('-----#')
    const retry = withRetry({ backoff: constant(1), retries: 1, resetAfterMs: 5 })
    expectObservable(source$.pipe(retry), '^ 29ms !').toBe('-')
  })
  marbles('tells of each retry before it waits', ({ cold, expectObservable, flush }) => {
    const told: unknown[] = []
    const onRetry = (error: unknown, delayMs: number) => void told.push([error, delayMs])
    expectObservable(cold<string>('#', {}, 'x').pipe(withRetry({ retries: 2, backoff: constant(3), onRetry }))).toBe(
      '------#',
      undefined,
      'x',
    )
    flush()
    expect(told).toEqual([
      ['x', 3],
      ['x', 3],
    ])
  })
  marbles('says each retry, and the one that it does not make', ({ cold, expectObservable, flush }) => {
    const events: PolicyEvent[] = []
    const retry = withRetry({ retries: 1, backoff: constant(3), onEvent: (event) => void events.push(event) })
    expectObservable(cold('#', {}, 'x').pipe(retry)).toBe('---#', undefined, 'x')
    flush()
    expect(events).toEqual([
      { type: 'policy:retried', policy: 'retry', error: 'x', retry: 1, delayMs: 3 },
      { type: 'policy:rejected', policy: 'retry', reason: 'retries used up', error: 'x' },
    ])
  })
  marbles('cuts its wait short when its subscriber leaves', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>('-#')
    expectObservable(source$.pipe(withRetry({ backoff: constant(9) })), '^----!').toBe('------')
    expectSubscriptions(source$.subscriptions).toBe('^!')
  })
  marbles('does not retry beyond a deadline that it knows of', ({ cold, expectObservable, flush }) => {
    const events: PolicyEvent[] = []
    const policy = compose(
      withDeadline({ deadlineMs: 9 }),
      withRetry({ backoff: constant(3), onEvent: (event) => void events.push(event) }),
    )
    expectObservable(cold('--#', {}, 'x').pipe(policy)).toBe('-------#', undefined, 'x')
    flush()
    expect(events.at(-1)).toEqual({
      type: 'policy:rejected',
      policy: 'retry',
      reason: 'deadline too near',
      error: 'x',
    })
  })
  marbles('ends at once a source whose attempt throws, and can try again', ({ expectObservable }) => {
    let calls = 0
    const policy = compose(withRetry({ backoff: constant(2) }), (source$) => {
      if (++calls < 3) throw new Error('not yet')
      return source$
    })
    expectObservable(of('a').pipe(policy)).toBe('----(a|)')
  })

  const throwing: readonly (readonly [string, Partial<RetryOptions>])[] = [
    ['retryOn', { retryOn: boom }],
    ['onRetry', { onRetry: boom }],
    ['onEvent', { onEvent: boom }],
    ['backoff', { backoff: new DelegateBackoff(boom) }],
    ['budget', { budget: { call: () => undefined, spend: boom, left: 0 } }],
    ['budget', { budget: { call: boom, spend: () => true, left: 0 } }],
  ]
  for (const [name, options] of throwing) {
    marbles(`makes what ${name} throws the error of that call`, ({ cold, expectObservable }) => {
      const retry = withRetry({ backoff: constant(1), ...options })
      const when = options.budget?.call === boom ? '#' : '-#'
      expectObservable(cold('-#', {}, 'x').pipe(retry)).toBe(when, {}, new Error('boom'))
      if (when === '-#') expectObservable(cold('-a|').pipe(retry)).toBe('-a|')
    })
  }
  it('keeps nothing of the waits that are over, however often it retries', () => {
    const scheduler = new VirtualTimeScheduler()
    const kept: number[] = []
    const out = new Subscriber<never>()
    const finalizers = () => (Reflect.get(out, '_finalizers') as unknown[] | null)?.length ?? 0
    const source$ = defer(() => throwError(() => kept.push(finalizers())))
    source$.pipe(withRetry({ backoff: constant(1), retries: 200, scheduler })).subscribe(out)
    scheduler.flush()
    expect(kept).toHaveLength(201)
    expect(kept[200]).toBeLessThan(5)
  })
  it('is patient: a delay beyond what a timer can count is not cut down to nothing', () => {
    const scheduler = new VirtualTimeScheduler()
    const delays: number[] = []
    const onRetry = (_: unknown, delayMs: number) => void delays.push(delayMs)
    const backoff = new IterableBackoff([2 ** 40, Infinity])
    throwError(() => 'x')
      .pipe(withRetry({ backoff, retries: 2, scheduler, onRetry }))
      .subscribe({ error: () => undefined })
    scheduler.flush()
    expect(delays).toEqual([2 ** 31 - 1, 2 ** 31 - 1])
  })
  it.each([
    [{}, 'withRetry.backoff: must be exponential, constant or iterable, or a backoff of cockatiel'],
    [{ backoff: constant(1), retries: -1 }, 'withRetry.retries: must not be below 0'],
    [{ backoff: constant(1), retries: '2' }, 'withRetry.retries: must be a whole number from 0, or Infinity'],
    [
      { backoff: constant(1), retryOn: 'DialError' },
      'withRetry.retryOn: must be a function, or a list of names of errors',
    ],
    [{ backoff: constant(1), budget: {} }, 'withRetry.budget: must be a retryBudget'],
    [{ backoff: constant(1), resetAfterMs: 0 }, 'withRetry.resetAfterMs: must be above 0'],
    [{ backoff: constant(1), onRetry: 7 }, 'withRetry.onRetry: must be a function'],
    [{ backoff: constant(1), scheduler: {} }, 'withRetry.scheduler: must be an RxJS scheduler'],
    [{ backoff: constant(1), delay: 7 }, 'withRetry.delay: is not an option'],
    [{ backoff: { type: 'exponential' } }, 'withRetry.random: is needed: the backoff leaves its delays to chance'],
  ])('refuses %j', (options, message) => {
    expect(() => withRetry(options as never)).toThrow(`configuration: ${message}`)
  })
})

describe('backoff', () => {
  const delaysOf = (options: Omit<RetryOptions, 'onRetry' | 'scheduler'>, retries = 4) => {
    const scheduler = new VirtualTimeScheduler()
    const delays: number[] = []
    let failed: unknown
    throwError(() => 'x')
      .pipe(withRetry({ retries, ...options, scheduler, onRetry: (_, delayMs) => void delays.push(delayMs) }))
      .subscribe({ error: (error: unknown) => void (failed = error) })
    scheduler.flush()
    return { delays, failed }
  }
  const random = () => 0.5
  const specs: readonly (readonly [BackoffSpec, readonly number[]])[] = [
    [{ type: 'constant', delayMs: 7 }, [7, 7, 7, 7]],
    [{ type: 'iterable', delaysMs: [1, 5, 2] }, [1, 5, 2, 2]],
    [{ type: 'exponential', jitter: 'none' }, [128, 256, 512, 1_024]],
    [{ type: 'exponential', jitter: 'none', initialDelayMs: 3, maxDelayMs: 10 }, [3, 6, 10, 10]],
    [{ type: 'exponential', jitter: 'full', initialDelayMs: 100 }, [50, 100, 200, 400]],
    [{ type: 'exponential', jitter: 'half', initialDelayMs: 100 }, [75, 150, 300, 600]],
    [{ type: 'exponential', initialDelayMs: 100 }, [90, 109, 204, 405]],
    [{ type: 'exponential', initialDelayMs: 100, exponent: 3 }, [110, 256, 744, 2_227]],
  ]
  it.each(specs)('%j waits %j', (backoff, delays) => {
    expect(delaysOf({ backoff, random }).delays).toEqual(delays)
  })
  it('may be any of cockatiel’s', () => {
    expect(delaysOf({ backoff: new ConstantBackoff(3) }).delays).toEqual([3, 3, 3, 3])
    expect(delaysOf({ backoff: new IterableBackoff([4, 2]) }).delays).toEqual([4, 2, 2, 2])
    const exponential = new ExponentialBackoff({ initialDelay: 10, generator: halfJitter(() => 0) })
    expect(delaysOf({ backoff: exponential }).delays).toEqual([5, 10, 20, 40])
    const byAttempt = new DelegateBackoff<{ attempt: number }>(({ attempt }) => attempt * 10)
    expect(delaysOf({ backoff: byAttempt }).delays).toEqual([10, 20, 30, 40])
    const withState = new DelegateBackoff<unknown, number>((_, last = 1) => ({ delay: last * 3, state: last * 3 }))
    expect(delaysOf({ backoff: withState }).delays).toEqual([3, 9, 27, 81])
  })
  it('hears of the error and of which retry it is', () => {
    const heard: unknown[] = []
    const backoff = new DelegateBackoff<{ attempt: number; result: unknown }>(({ attempt, result }) => {
      heard.push([attempt, result])
      return 1
    })
    delaysOf({ backoff }, 2)
    expect(heard).toEqual([
      [1, { error: 'x' }],
      [2, { error: 'x' }],
    ])
  })
  it('that gives no time is the error of that call', () => {
    for (const delay of [Number.NaN, -1]) {
      const { delays, failed } = delaysOf({ backoff: new DelegateBackoff(() => ({ delay, state: undefined })) })
      expect(delays).toEqual([])
      expect(failed).toEqual(new RangeError(`the backoff must give milliseconds, and gave ${String(delay)}`))
    }
    expect(delaysOf({ backoff: new IterableBackoff([]) }).failed).toBeInstanceOf(RangeError)
  })
  it('starts anew with each call', () => {
    const scheduler = new VirtualTimeScheduler()
    const delays: number[] = []
    const onRetry = (_: unknown, delayMs: number) => void delays.push(delayMs)
    const retry = withRetry({ backoff: new IterableBackoff([1, 2, 3]), retries: 2, scheduler, onRetry })
    for (let i = 0; i < 2; i++)
      throwError(() => 'x')
        .pipe(retry)
        .subscribe({ error: () => undefined })
    scheduler.flush()
    expect(delays.toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2])
  })
})

describe('a source that throws when it is subscribed to', () => {
  marbles('is retried like any other', ({ expectObservable }) => {
    let calls = 0
    const source$ = new Observable<string>(() => {
      if (++calls === 1) throw new Error('once')
      return concat(of('a'), NEVER).subscribe()
    })
    expectObservable(source$.pipe(withRetry({ backoff: constant(2) })), '^--!').toBe('-')
    expectObservable(of(1).pipe(withRetry({ backoff: constant(2), budget: retryBudget() }))).toBe('(a|)', { a: 1 })
  })
})
