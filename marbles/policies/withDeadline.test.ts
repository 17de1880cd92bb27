import { compose, withDeadline, withRetry, type PolicyEvent } from 'rxswarm/policies'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { DeadlineError } from '../../src/errors/errors.ts'
import { policy } from '../../src/policies/policy.ts'
import { sixCases } from './sixCases.ts'

const late = new DeadlineError('not settled within 9 ms', { deadlineMs: 9 })
const retry = withRetry({ backoff: { type: 'constant', delayMs: 3 } })

describe('withDeadline', () => {
  // the law of silence has no end, so time stands still for it
  obeysOperatorLaws(() => withDeadline({ deadlineMs: 50, scheduler: new VirtualTimeScheduler() }))
  sixCases(() => withDeadline({ deadlineMs: 50 }))

  marbles('is known to the policies inside it', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>(' --#')
    const first = '                ^-!'
    const second = '               -----^-!'
    const expected = '             -------#'
    expectObservable(source$.pipe(compose(withDeadline({ deadlineMs: 9 }), retry))).toBe(expected)
    expectSubscriptions(source$.subscriptions).toBe([first, second])
  })
  marbles('gives up a call that takes too long', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>('-a----------b')
    expectObservable(source$.pipe(withDeadline({ deadlineMs: 9 }))).toBe('-a-------#', undefined, late)
    expectSubscriptions(source$.subscriptions).toBe('^--------!')
  })
  marbles('counts the retries and the waits', ({ cold, expectObservable }) => {
    const stack = compose(withDeadline({ deadlineMs: 9 }), retry)
    expectObservable(cold('-----#').pipe(stack)).toBe('---------#', undefined, late)
  })
  marbles('starts with each subscription', ({ cold, expectObservable }) => {
    const result$ = cold<string>('-').pipe(withDeadline({ deadlineMs: 9 }))
    expectObservable(result$, '     ^').toBe('      ---------#', undefined, late)
    expectObservable(result$, '     ---^').toBe('   ------------#', undefined, late)
  })
  marbles('may be about the first value alone, and then limits nothing any more', ({ cold, expectObservable }) => {
    const stack = compose(withDeadline({ deadlineMs: 9, bounds: 'first-value' }), retry)
    expectObservable(cold('a 19ms #').pipe(stack), '^ 40ms !').toBe('a 22ms a')
    expectObservable(cold('------#').pipe(stack)).toBe('------#')
    expectObservable(cold('----------a').pipe(stack)).toBe('---------#', undefined, late)
  })
  marbles('of two, the earlier counts', ({ cold, expectObservable, flush }) => {
    const due: number[] = []
    const look = policy((next) => (source, call, out) => {
      due.push(call.dueAt)
      next(source, call, out)
    })
    const [short, long] = [withDeadline({ deadlineMs: 9 }), withDeadline({ deadlineMs: 20 })]
    expectObservable(cold('-').pipe(compose(short, long, look))).toBe('---------#', undefined, late)
    expectObservable(cold('-').pipe(compose(long, short, look))).toBe('---------#', undefined, late)
    flush()
    expect(due).toEqual([9, 9])
  })
  marbles('tells of it; what a listener throws is the error of that call', ({ cold, expectObservable, flush }) => {
    const events: PolicyEvent[] = []
    const deadline = withDeadline({ deadlineMs: 9, onEvent: (event) => void events.push(event) })
    const onEvent = () => {
      throw new Error('deaf')
    }
    expectObservable(cold('-').pipe(deadline)).toBe('---------#', undefined, late)
    expectObservable(cold('-').pipe(withDeadline({ deadlineMs: 3, onEvent }))).toBe(
      '---#',
      undefined,
      new Error('deaf'),
    )
    flush()
    expect(events).toEqual([{ type: 'policy:timed-out', policy: 'deadline', afterMs: 9 }])
  })
  it.each([
    [{}, 'withDeadline.deadlineMs: must be a finite number of milliseconds'],
    [{ deadlineMs: -1 }, 'withDeadline.deadlineMs: must be above 0'],
    [{ deadlineMs: 1e12 }, 'withDeadline.deadlineMs: must be at most 2147483647, which is 24.8 days'],
    [{ deadlineMs: 4, bounds: 1 }, 'withDeadline.bounds: must be whole or first-value'],
  ])('refuses %j', (options, message) => {
    expect(() => withDeadline(options as never)).toThrow(`configuration: ${message}`)
  })
})
