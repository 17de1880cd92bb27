import { ConstantBackoff, ExponentialBackoff, IterableBackoff } from 'cockatiel'
import { halfJitter, withRetry } from 'rxswarm/policies'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { defer } from 'rxjs'
import { describe, expect, it } from 'vitest'

const constant = (delayMs: number) => new ConstantBackoff(delayMs)

describe('withRetry', () => {
  obeysOperatorLaws(() => withRetry({ retries: 1, backoff: constant(4) }))

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
  marbles('does not retry what is not worth it', ({ cold, expectObservable }) => {
    const retryOn = (error: unknown) => error !== 'denied'
    expectObservable(cold<string>('-#', {}, 'denied').pipe(withRetry({ backoff: constant(1), retryOn }))).toBe(
      '-#',
      {},
      'denied',
    )
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
  marbles('tells of each retry before it waits', ({ cold, expectObservable, flush }) => {
    const told: unknown[] = []
    const onRetry = (error: unknown, delayMs: number) => void told.push([error, delayMs])
    expectObservable(cold<string>('#', {}, 'x').pipe(withRetry({ retries: 2, backoff: constant(3), onRetry }))).toBe(
      '------#',
      {},
      'x',
    )
    flush()
    expect(told).toEqual([
      ['x', 3],
      ['x', 3],
    ])
  })
  marbles('cuts its wait short when its subscriber leaves', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>('-#')
    expectObservable(source$.pipe(withRetry({ backoff: constant(9) })), '^----!').toBe('------')
    expectSubscriptions(source$.subscriptions).toBe('^!')
  })
})

describe('halfJitter', () => {
  it('leaves the upper half of the delay to chance', () => {
    const delays = (random: () => number) => {
      const first = new ExponentialBackoff({ initialDelay: 100, maxDelay: 300, generator: halfJitter(random) }).next()
      const second = first.next(undefined)
      return [first.duration, second.duration, second.next(undefined).duration]
    }
    expect(delays(() => 0)).toEqual([50, 100, 150])
    expect(delays(() => 0.5)).toEqual([75, 150, 225])
  })
})
