import { profiled } from 'rxswarm/observability'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { map, of } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'
import { Stopwatch } from '../../../src/observability/profiling/stopwatch.ts'
import { timing } from '../../../src/observability/profiling/timing.ts'

describe('profiled', () => {
  afterEach(() => void (timing.current = undefined))
  obeysOperatorLaws(() => profiled('stage'))
  obeysOperatorLaws(() =>
    profiled(
      'stage',
      map((text: string) => text),
    ),
  )

  marbles('changes nothing of the stream', ({ cold, expectObservable }) => {
    const source$ = cold(' -a-b-|')
    const expected = '     -a-b-|'
    expectObservable(source$.pipe(profiled('stage'))).toBe(expected)
  })
  marbles('lets errors through', ({ cold, expectObservable }) => {
    expectObservable(cold('-a-#').pipe(profiled('stage'))).toBe('-a-#')
  })

  it('tells the time of its operator from the time of what follows', () => {
    let now = 0
    const watch = new Stopwatch(() => now)
    timing.current = watch
    const slow = map((n: number) => {
      now += 10
      return n + 1
    })
    of(1, 2)
      .pipe(profiled('slow', slow))
      .subscribe(() => (now += 5))
    expect(watch.report().rows).toMatchObject([
      { kind: 'operator', name: 'slow', count: 2, totalMs: 30, selfMs: 20 },
      { kind: 'below', name: 'slow', count: 2, totalMs: 10, selfMs: 10 },
    ])
  })
  it('leaves its part when an operator throws', () => {
    const watch = new Stopwatch(() => 0)
    timing.current = watch
    of(1)
      .pipe(
        profiled(
          'bad',
          map(() => {
            throw new Error('no')
          }),
        ),
      )
      .subscribe({ error: () => undefined })
    watch.enter({ key: 'x', kind: 'command', name: 'x' })
    watch.leave()
    expect(watch.report().rows).toMatchObject([{ name: 'bad' }, { name: 'x' }])
  })
})
