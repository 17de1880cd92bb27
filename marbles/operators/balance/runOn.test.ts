import { marbles } from 'rxswarm/testing'
import { asyncScheduler, NEVER, of, range, take, tap } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { runOn, type RunOptions } from '../../../src/operators/balance/runOn.ts'
import { seat } from '../../../src/operators/balance/seat.ts'

const setUp = () => {
  const place = seat('a', 'target', 1, 100)
  const learned: [latencyMs: number, atLeast: boolean][] = []
  const options: RunOptions<string> = {
    scheduler: asyncScheduler,
    penaltyMs: 5,
    learn: (_, latencyMs, __, atLeast = false) => void learned.push([latencyMs, atLeast]),
  }
  return { place, learned, options }
}

describe('runOn', () => {
  marbles('notes the time to the first value, and is in flight to the end', ({ cold, expectObservable, flush }) => {
    const { place, learned, options } = setUp()
    const work$ = cold('             --a--b--|')
    const inFlight$ = cold<string>(' -x--x----x')
    const seen: number[] = []
    inFlight$.subscribe(() => seen.push(place.inFlight))
    expectObservable(runOn(place, () => work$, options)).toBe('--a--b--|')
    flush()
    expect(learned).toEqual([[2, false]])
    expect(seen).toEqual([1, 1, 0])
  })
  marbles('notes the time to the end if there is no value', ({ cold, expectObservable, flush }) => {
    const { learned, options, place } = setUp()
    expectObservable(runOn(place, () => cold('---|'), options)).toBe('---|')
    flush()
    expect(learned).toEqual([[3, false]])
  })
  marbles('notes the penalty for an error, or its time if that was longer', ({ cold, expectObservable, flush }) => {
    const { learned, options, place } = setUp()
    expectObservable(runOn(place, () => cold('-#'), options)).toBe('-#')
    expectObservable(runOn(place, () => cold('-------#'), options)).toBe('-------#')
    flush()
    expect(learned).toEqual([
      [5, false],
      [7, false],
    ])
    expect(place.inFlight).toBe(0)
  })
  marbles('notes the penalty, not its age, for a stream that breaks late', ({ cold, expectObservable, flush }) => {
    const { learned, options, place } = setUp()
    expectObservable(runOn(place, () => cold('-a-------#'), options)).toBe('-a-------#')
    flush()
    expect(learned).toEqual([
      [1, false],
      [5, false],
    ])
  })
  marbles('notes of a call that is given up that it took longer', ({ cold, expectObservable, flush }) => {
    const { learned, options, place } = setUp()
    expectObservable(
      runOn(place, () => cold('----'), options),
      '^--!',
    ).toBe('----')
    expectObservable(
      runOn(place, () => cold('-a--'), options),
      '^--!',
    ).toBe('-a--')
    flush()
    expect(learned).toEqual([
      [1, false],
      [3, true],
    ])
    expect(place.inFlight).toBe(0)
  })
  it('counts a work that throws as one that fails', () => {
    const { learned, options, place } = setUp()
    const errors: unknown[] = []
    const thrown = new Error('thrown')
    const work = () => {
      throw thrown
    }
    runOn(place, work, options).subscribe({ error: (error: unknown) => errors.push(error) })
    expect(errors).toEqual([thrown])
    expect(learned).toEqual([[5, false]])
    expect(place.inFlight).toBe(0)
  })
  it('lets go of a work that speaks at once as soon as its subscriber leaves', () => {
    const { options, place } = setUp()
    const made: number[] = []
    const work = () => range(0, 1_000).pipe(tap((value) => made.push(value)))
    const heard: number[] = []
    runOn(place, work, options)
      .pipe(take(2))
      .subscribe((value) => heard.push(value))
    expect([heard, made, place.inFlight]).toEqual([[0, 1], [0, 1], 0])
  })
  it.each(['next', 'complete'])('tells what the lesson throws in place of %s, and releases the seat', (when) => {
    const { options, place } = setUp()
    const learn = () => {
      throw new Error('no lesson')
    }
    const heard: unknown[] = []
    runOn(place, () => (when === 'next' ? of(1) : []), { ...options, learn }).subscribe({
      next: (value) => heard.push(value),
      error: (error: unknown) => heard.push(error),
      complete: () => heard.push('complete'),
    })
    expect(heard).toEqual([new Error('no lesson')])
    expect(place.inFlight).toBe(0)
  })
  it('starts nothing before it is subscribed', () => {
    const { options, place } = setUp()
    runOn(place, () => NEVER, options)
    expect(place.inFlight).toBe(0)
  })
})
