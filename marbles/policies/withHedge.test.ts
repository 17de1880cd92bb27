import { compose, withBreaker, withDeadline, withHedge, withTimeout, type PolicyEvent } from 'rxswarm/policies'
import { inVirtualTime, marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { defer, NEVER, Subscription, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { DeadlineError } from '../../src/errors/errors.ts'
import { Percentile } from '../../src/policies/percentile.ts'
import { sixCases } from './sixCases.ts'

/** The attempts of one call, in turn. */
function inTurn<T>(...attempts: readonly Observable<T>[]): Observable<T> {
  let next = 0
  return defer(() => attempts[next++]!)
}

describe('withHedge', () => {
  obeysOperatorLaws(() => withHedge())
  sixCases(() => withHedge({ initialMs: 50, share: 0 }))

  marbles('makes a second attempt beside a slow one; the first to emit wins', (run) => {
    const { cold, expectObservable, expectSubscriptions, flush } = run
    const events: PolicyEvent[] = []
    const first$ = cold<string>('  ---------a|')
    const second$ = cold<string>('     ---b|')
    const result = '               -------b|'
    const hedge = withHedge({ initialMs: 4, onEvent: (event) => void events.push(event) })
    expectObservable(inTurn(first$, second$).pipe(hedge)).toBe(result)
    expectSubscriptions(first$.subscriptions).toBe('  ^------!')
    expectSubscriptions(second$.subscriptions).toBe(' ----^---!')
    flush()
    expect(events).toEqual([{ type: 'policy:hedged', policy: 'hedge', afterMs: 4 }])
  })
  marbles('lets go of the second when the first wins', ({ cold, expectObservable, expectSubscriptions }) => {
    const [first$, second$] = [cold<string>('-----a-b|'), cold<string>('---c|')]
    expectObservable(inTurn(first$, second$).pipe(withHedge({ initialMs: 4 }))).toBe('-----a-b|')
    expectSubscriptions(second$.subscriptions).toBe('----^!')
  })
  marbles('makes no second attempt beside one that is quick', ({ cold, expectObservable, expectSubscriptions }) => {
    const [first$, second$] = [cold<string>('--a-------|'), cold<string>('---c|')]
    expectObservable(inTurn(first$, second$).pipe(withHedge({ initialMs: 4 }))).toBe('--a-------|')
    expectSubscriptions(second$.subscriptions).toBe([])
  })
  marbles('lets a completion without a value win', ({ cold, expectObservable, expectSubscriptions }) => {
    const [first$, second$] = [cold<string>('---------a'), cold<string>('--|')]
    expectObservable(inTurn(first$, second$).pipe(withHedge({ initialMs: 4 }))).toBe('------|')
    expectSubscriptions(first$.subscriptions).toBe('^-----!')
  })
  marbles('goes on with the other when one fails', ({ cold, expectObservable }) => {
    const hedge = () => withHedge({ initialMs: 4 })
    const firstFails$ = inTurn(cold<string>('------#'), cold<string>('-----b|'))
    const secondFails$ = inTurn(cold<string>('--------a|'), cold<string>('--#'))
    expectObservable(firstFails$.pipe(hedge())).toBe('---------b|')
    expectObservable(secondFails$.pipe(hedge())).toBe('--------a|')
  })
  marbles('fails with the error of the last when both fail', ({ cold, expectObservable }) => {
    const source$ = inTurn(cold<string>('------#', {}, 'x'), cold<string>('-----#', {}, 'y'))
    expectObservable(source$.pipe(withHedge({ initialMs: 4 }))).toBe('---------#', undefined, 'y')
  })
  marbles('is no retry: an attempt that fails before its time is the last', ({ cold, expectObservable }) => {
    const source$ = inTurn(cold<string>('--#', {}, 'x'), cold<string>('a|'))
    expectObservable(source$.pipe(withHedge({ initialMs: 4 }))).toBe('--#', undefined, 'x')
  })
  marbles('makes several, each after the same time', ({ cold, expectObservable, expectSubscriptions }) => {
    const attempts = [cold<string>('-'), cold<string>('-'), cold<string>('-a|'), cold<string>('-')]
    expectObservable(inTurn(...attempts).pipe(withHedge({ initialMs: 4, hedges: 2 }))).toBe('---------a|')
    expectSubscriptions(attempts[1]!.subscriptions).toBe('----^----!')
    expectSubscriptions(attempts[2]!.subscriptions).toBe('--------^-!')
    expectSubscriptions(attempts[3]!.subscriptions).toBe([])
  })
  marbles('lets go of both when its subscriber leaves', ({ cold, expectObservable, expectSubscriptions }) => {
    const [first$, second$] = [cold<string>('-'), cold<string>('-')]
    expectObservable(inTurn(first$, second$).pipe(withHedge({ initialMs: 4 })), '^-----!').toBe('-')
    expectSubscriptions(first$.subscriptions).toBe('^-----!')
    expectSubscriptions(second$.subscriptions).toBe('----^-!')
  })

  marbles('learns from past calls when one is slow', ({ cold, expectObservable, expectSubscriptions }) => {
    const hedge = withHedge({ percentile: 0.75, minSamples: 16 })
    // calls of 1 to 16 ms, three quarters of which take no longer than 12
    for (let i = 1; i <= 16; i++) {
      expectObservable(cold<string>(`${'-'.repeat(i)}a|`).pipe(hedge)).toBe(`${'-'.repeat(i)}a|`)
    }
    const [first$, second$] = [cold<string>('-'), cold<string>('--b|')]
    expectObservable(inTurn(first$, second$).pipe(hedge), '20ms ^').toBe('34ms b|')
    expectSubscriptions(second$.subscriptions).toBe('32ms ^--!')
  })
  marbles(
    'makes no other attempt before it has seen enough, unless it is told a time',
    ({ cold, expectObservable }) => {
      const hedge = withHedge({ minSamples: 2 })
      expectObservable(cold<string>('-a|').pipe(hedge)).toBe('-a|')
      const [first$, second$] = [cold<string>('20ms a|'), cold<string>('b|')]
      expectObservable(inTurn(first$, second$).pipe(hedge), '--^').toBe('22ms a|')
    },
  )
  marbles('keeps to its budget: 10 a window beside its share', ({ cold, expectObservable, flush }) => {
    let attempts = 0
    const slow$ = defer(() => {
      attempts++
      return cold<string>('---------a|')
    })
    const hedge = withHedge({ initialMs: 1, share: 0.1, minSamples: 1_000 })
    for (let i = 0; i < 40; i++) expectObservable(slow$.pipe(hedge))
    flush()
    expect(attempts).toBe(40 + 4 + 10)
  })
  marbles('passes its deadline on', ({ cold, expectObservable }) => {
    const stack = compose(withDeadline({ deadlineMs: 6 }), withHedge({ initialMs: 4 }))
    const late = new DeadlineError('not settled within 6 ms', { deadlineMs: 6 })
    expectObservable(inTurn(cold<string>('-'), cold<string>('-')).pipe(stack)).toBe('------#', undefined, late)
  })
  marbles('makes what a listener throws the error of that call', ({ cold, expectObservable, expectSubscriptions }) => {
    const onEvent = () => {
      throw new Error('deaf')
    }
    const first$ = cold<string>('---------a|')
    expectObservable(first$.pipe(withHedge({ initialMs: 4, onEvent }))).toBe('----#', undefined, new Error('deaf'))
    expectSubscriptions(first$.subscriptions).toBe('^---!')
  })
  it.each([
    [{ percentile: 1.1 }, 'withHedge.percentile: must be from 0 to 1'],
    [{ samples: 0 }, 'withHedge.samples: must be above 0'],
    [{ minSamples: -1 }, 'withHedge.minSamples: must not be below 0'],
    [{ initialMs: Number.NaN }, 'withHedge.initialMs: must be a finite number of milliseconds'],
    [{ initialMs: 1e10 }, 'withHedge.initialMs: must be at most 2147483647, which is 24.8 days'],
    [{ hedges: 0 }, 'withHedge.hedges: must be above 0'],
    [{ share: -1 }, 'withHedge.share: must be from 0 to 1'],
    [{ after: 7 }, 'withHedge.after: is not an option'],
  ])('refuses %j', (options, message) => {
    expect(() => withHedge(options as never)).toThrow(`configuration: ${message}`)
  })
  it('makes no other attempt when its listener has cancelled the call', () =>
    inVirtualTime(({ flush }) => {
      const said: string[] = []
      const call = new Subscription()
      const onEvent = ({ type }: PolicyEvent) => {
        said.push(type)
        call.unsubscribe()
      }
      const stack = compose(withHedge({ initialMs: 4, onEvent }), withBreaker(), withTimeout({ timeoutMs: 9, onEvent }))
      const source$ = defer(() => {
        said.push('attempt')
        return NEVER
      })
      call.add(source$.pipe(stack).subscribe())
      flush()
      expect(said).toEqual(['attempt', 'policy:hedged'])
    }))
})

describe('percentile', () => {
  const after = (part: number, size: number, samples: readonly number[]) => {
    const percentile = new Percentile(part, size)
    for (const sample of samples) percentile.add(sample)
    return percentile
  }
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
  it('is the sample that so large a part does not exceed', () => {
    expect(after(0.95, 128, upTo(104)).value).toBe(99)
    expect(after(0.5, 128, [3, 1, 2]).value).toBe(2)
    expect([after(0, 8, upTo(8)).value, after(1, 8, upTo(8)).value]).toEqual([1, 8])
  })
  it('knows nothing before the first', () => {
    expect(after(0.95, 8, []).value).toBeNaN()
    expect(after(0.95, 8, [7])).toMatchObject({ count: 1, value: 7 })
  })
  it('forgets what is older than its size', () => {
    expect(after(1, 8, [1_000, ...upTo(15)]).value).toBe(15)
  })
})
