import { compose, policy, withRetry, withTimeout, type Bounds, type PolicyEvent } from 'rxswarm/policies'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { Observable, of, VirtualTimeScheduler, type SchedulerLike } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { TimeoutError } from '../../src/errors/errors.ts'
import { timed } from '../../src/policies/timed.ts'
import { sixCases } from './sixCases.ts'

const late = new TimeoutError('not over within 4 ms', { deadlineMs: 4 })
const silent = new TimeoutError('no value within 4 ms', { deadlineMs: 4 })

describe('withTimeout', () => {
  // the law of silence has no end, so time stands still for it
  obeysOperatorLaws(() => withTimeout({ timeoutMs: 50, scheduler: new VirtualTimeScheduler() }))
  sixCases(() => withTimeout({ timeoutMs: 50 }))

  marbles('gives up an attempt that takes too long', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>(' -a---b---')
    const expected = '             -a--#'
    expectObservable(source$.pipe(withTimeout({ timeoutMs: 4 }))).toBe(expected, undefined, late)
    expectSubscriptions(source$.subscriptions).toBe('^---!')
  })
  marbles('is met by a completion in time', ({ cold, expectObservable }) => {
    expectObservable(cold('-a-|').pipe(withTimeout({ timeoutMs: 4 }))).toBe('-a-|')
  })
  marbles('may be about the first value alone', ({ cold, expectObservable }) => {
    const timeout = withTimeout({ timeoutMs: 4, bounds: 'first-value' })
    expectObservable(cold('---a-----b-').pipe(timeout), '^---------!').toBe('---a-----b')
    expectObservable(cold('-----a').pipe(timeout)).toBe('----#', undefined, silent)
    expectObservable(cold('--|').pipe(timeout)).toBe('--|')
  })
  marbles('gives each attempt of a retry the same time again', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>('-----')
    const stack = compose(
      withRetry({ backoff: { type: 'constant', delayMs: 1 }, retries: 1 }),
      withTimeout({ timeoutMs: 4 }),
    )
    expectObservable(source$.pipe(stack)).toBe('---------#', undefined, late)
    expectSubscriptions(source$.subscriptions).toBe(['^---!', '-----^---!'])
  })
  marbles('keeps time for each call by itself', ({ cold, expectObservable }) => {
    const timed$ = cold<string>('--a---').pipe(withTimeout({ timeoutMs: 4 }))
    expectObservable(timed$, '^------').toBe('--a-#', undefined, late)
    expectObservable(timed$, '--^----').toBe('----a-#', undefined, late)
  })
  marbles('tells of it', ({ cold, expectObservable, flush }) => {
    const events: PolicyEvent[] = []
    const timeout = withTimeout({ timeoutMs: 4, onEvent: (event) => void events.push(event) })
    expectObservable(cold('-----').pipe(timeout)).toBe('----#', undefined, late)
    flush()
    expect(events).toEqual([{ type: 'policy:timed-out', policy: 'timeout', afterMs: 4 }])
  })
  marbles('makes what a listener throws the error of that call', ({ cold, expectObservable, expectSubscriptions }) => {
    const onEvent = () => {
      throw new Error('deaf')
    }
    const source$ = cold<string>('-------')
    expectObservable(source$.pipe(withTimeout({ timeoutMs: 4, onEvent }))).toBe('----#', undefined, new Error('deaf'))
    expectSubscriptions(source$.subscriptions).toBe('^---!')
  })
  it.each([
    [{}, 'withTimeout.timeoutMs: must be a finite number of milliseconds'],
    [{ timeoutMs: 0 }, 'withTimeout.timeoutMs: must be above 0'],
    [{ timeoutMs: Number.NaN }, 'withTimeout.timeoutMs: must be a finite number of milliseconds'],
    [{ timeoutMs: Infinity }, 'withTimeout.timeoutMs: must be a finite number of milliseconds'],
    [{ timeoutMs: 2 ** 31 }, 'withTimeout.timeoutMs: must be at most 2147483647, which is 24.8 days'],
    [{ timeoutMs: 4, bounds: 'half' }, 'withTimeout.bounds: must be whole or first-value'],
    [{ timeoutMs: 4, onEvent: {} }, 'withTimeout.onEvent: must be a function'],
  ])('refuses %j', (options, message) => {
    expect(() => withTimeout(options as never)).toThrow(`configuration: ${message}`)
  })
})

describe('timed', () => {
  const within = <T>(source$: Observable<T>, bounds: Bounds, scheduler: SchedulerLike) =>
    policy((next) => (source, call, out) => {
      timed(next, source, call, out, { afterMs: 4, bounds, scheduler, tooLate: () => 'late' })
    })(source$)
  it('sets no timer for a source that is over, or has spoken, when it is subscribed to', () => {
    const scheduler = new VirtualTimeScheduler()
    within(of(1), 'whole', scheduler).subscribe()
    within(new Observable<number>((out) => out.next(1)), 'first-value', scheduler).subscribe()
    expect(scheduler.actions).toEqual([])
  })
  it('leaves no timer behind', () => {
    const scheduler = new VirtualTimeScheduler()
    within(new Observable<number>(), 'whole', scheduler).subscribe().unsubscribe()
    scheduler.flush()
    expect(scheduler.frame).toBe(0)
  })
  it('gives the call what its source throws when it is let go of', () => {
    const scheduler = new VirtualTimeScheduler()
    const clinging$ = new Observable<number>(() => () => {
      throw new Error('clinging')
    })
    let failed: unknown
    within(clinging$, 'whole', scheduler).subscribe({
      error: (error: unknown) => void (failed = error),
    })
    scheduler.flush()
    expect(String(failed)).toContain('clinging')
  })
})
