import { staggered } from 'rxswarm/operators'
import { marbles } from 'rxswarm/testing'
import { of } from 'rxjs'
import { describe, expect, it } from 'vitest'

describe('staggered', () => {
  marbles('starts the next source beside a slow one; the first to emit wins', (run) => {
    const { cold, expectObservable, expectSubscriptions } = run
    const slow$ = cold<string>('   ---------a|')
    const quick$ = cold<string>('     --b|')
    const expected = '     -----(b|)'
    expectObservable(staggered([slow$, quick$], { staggerMs: 3 })).toBe(expected)
    expectSubscriptions(slow$.subscriptions).toBe(' ^----!')
    expectSubscriptions(quick$.subscriptions).toBe('---^-!')
  })
  marbles('starts the next source at once when the one before has failed', ({ cold, expectObservable }) => {
    const dead$ = cold<string>('-#')
    const live$ = cold<string>('--b|')
    expectObservable(staggered([dead$, live$], { staggerMs: 50 })).toBe('---(b|)')
  })
  marbles('does not wait for a slow one when a later one has failed', ({ cold, expectObservable }) => {
    const slow$ = cold<string>('----------a|')
    const dead$ = cold<string>('-#')
    const live$ = cold<string>('--c|')
    expectObservable(staggered([slow$, dead$, live$], { staggerMs: 3 })).toBe('------(c|)')
  })
  marbles('leaves a later source alone when the first one is quick', (run) => {
    const { cold, expectObservable, expectSubscriptions } = run
    const quick$ = cold<string>('-a|')
    const spare$ = cold<string>('b|')
    expectObservable(staggered([quick$, spare$], { staggerMs: 3 })).toBe('-(a|)')
    expectSubscriptions(spare$.subscriptions).toBe([])
  })
  marbles('fails with the error itself when there is one source', ({ cold, expectObservable }) => {
    expectObservable(staggered([cold<string>('--#', {}, 'why')])).toBe('--#', {}, 'why')
  })
  marbles('fails with every error when all have failed', ({ cold, expectObservable }) => {
    const sources = [cold<string>('---#', {}, 'first'), cold<string>('-#', {}, 'second')]
    const all = new AggregateError(['first', 'second'], 'all 2 attempts failed')
    expectObservable(staggered(sources, { staggerMs: 2 })).toBe('---#', {}, all)
  })
  marbles('counts a source that ends without a value as failed', ({ cold, expectObservable }) => {
    expectObservable(staggered([cold<string>('-|'), cold<string>('-b|')])).toBe('--(b|)')
  })
  marbles('lets go of every source when its subscriber leaves', ({ cold, expectObservable, expectSubscriptions }) => {
    const [one$, two$] = [cold<string>('-----'), cold<string>('-----')]
    expectObservable(staggered([one$, two$], { staggerMs: 2 }), '^---!').toBe('-----')
    expectSubscriptions(one$.subscriptions).toBe('^---!')
    expectSubscriptions(two$.subscriptions).toBe('--^-!')
  })
  marbles('starts each source at its time', ({ cold, expectObservable, expectSubscriptions }) => {
    const sources = [cold<string>('-------'), cold<string>('-------'), cold<string>('--c')]
    expectObservable(staggered(sources, { startsAtMs: [0, 2, 3] })).toBe('-----(c|)')
    expectSubscriptions(sources[1]!.subscriptions).toBe('--^--!')
    expectSubscriptions(sources[2]!.subscriptions).toBe('---^-!')
  })
  marbles('saves a spare source for its time while another is under way', ({ cold, expectObservable }) => {
    const [slow$, dead$, spare$] = [cold<string>('---------a'), cold<string>('-#'), cold<string>('-c')]
    const options = { startsAtMs: [0, 1, 6], isSpare: (index: number) => index === 2 }
    expectObservable(staggered([slow$, dead$, spare$], options)).toBe('-------(c|)')
  })
  marbles('takes a spare source at once when none is under way any more', ({ cold, expectObservable }) => {
    const options = { startsAtMs: [0, 600], isSpare: (index: number) => index === 1 }
    expectObservable(staggered([cold<string>('-#'), cold<string>('-c')], options)).toBe('--(c|)')
  })
  marbles('lets so many run at once, and the next when one has failed', (run) => {
    const { cold, expectObservable, expectSubscriptions } = run
    const sources = [cold<string>('----#'), cold<string>('-----------'), cold<string>('--c')]
    expectObservable(staggered(sources, { staggerMs: 1, atOnce: 2 })).toBe('------(c|)')
    expectSubscriptions(sources[2]!.subscriptions).toBe('----^-!')
  })
  it('fails at once with nothing to try', () => {
    let error: unknown
    staggered([]).subscribe({ error: (thrown: unknown) => void (error = thrown) })
    expect(error).toBeInstanceOf(AggregateError)
  })
  it.each([
    [[of(1)], { staggerMs: NaN }, 'staggered.staggerMs: must be a finite number of milliseconds'],
    [[of(1)], { staggerMs: -1 }, 'staggered.staggerMs: must not be below 0'],
    [[of(1), undefined], {}, 'staggered.sources[1]: must be an Observable'],
    [7, {}, 'staggered.sources: must be a list of Observables'],
  ])('refuses %j, %j', (sources, options, message) => {
    expect(() => staggered(sources as never, options)).toThrow(`configuration: ${message}`)
  })
})
