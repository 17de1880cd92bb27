import { withFallback, type PolicyEvent } from 'rxswarm/policies'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { defer, of, Subject, Subscription, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { DialError } from '../../src/errors/errors.ts'
import { sixCases } from './sixCases.ts'

const boom = () => {
  throw new Error('boom')
}

describe('withFallback', () => {
  obeysOperatorLaws(() => withFallback({ to: () => of('f') }))
  sixCases(() => withFallback({ to: () => of('f'), on: ['DialError'] }))

  marbles('goes on with something else after an error', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>(' -a-#')
    const expected = '             -a-(f|)'
    expectObservable(source$.pipe(withFallback({ to: () => of('f') }))).toBe(expected)
    expectSubscriptions(source$.subscriptions).toBe('^--!')
  })
  marbles('makes the substitute of the error', ({ cold, expectObservable }) => {
    const fallback = withFallback({ to: (error) => [`instead of ${String(error)}`] })
    expectObservable(cold<string>('--#', {}, 'x').pipe(fallback)).toBe('--(f|)', { f: 'instead of x' })
  })
  marbles('has a substitute for the errors that it is told', ({ cold, expectObservable }) => {
    const dial = new DialError('no route')
    const byName = withFallback({ to: () => of('f'), on: ['DialError'] })
    const byFunction = withFallback({ to: () => of('f'), on: (error) => error === 'x' })
    expectObservable(cold<string>('-#', {}, dial).pipe(byName)).toBe('-(f|)')
    expectObservable(cold<string>('-#', {}, 'x').pipe(byName)).toBe('-#', undefined, 'x')
    expectObservable(cold<string>('-#', {}, 'x').pipe(byFunction)).toBe('-(f|)')
    expectObservable(cold<string>('-#', {}, dial).pipe(byFunction)).toBe('-#', undefined, dial)
  })
  it('starts no substitute when its listener has cancelled the call', () => {
    let starts = 0
    const source$ = new Subject()
    const call = new Subscription()
    const to = () =>
      defer(() => {
        starts++
        return of('f')
      })
    call.add(source$.pipe(withFallback({ to, onEvent: () => call.unsubscribe() })).subscribe())
    source$.error('x')
    expect(starts).toBe(0)
  })
  marbles('lets go of the substitute when its subscriber leaves', ({ cold, expectObservable, expectSubscriptions }) => {
    const instead$ = cold<string>('-----')
    expectObservable(cold<string>('-#').pipe(withFallback({ to: () => instead$ })), '^---!').toBe('-----')
    expectSubscriptions(instead$.subscriptions).toBe('-^--!')
  })
  marbles('has no substitute for the substitute', ({ cold, expectObservable }) => {
    const fallback = withFallback({ to: () => throwError(() => 'y') })
    expectObservable(cold<string>('-#', {}, 'x').pipe(fallback)).toBe('-#', undefined, 'y')
  })
  marbles('makes what its callbacks throw the error of that call', ({ cold, expectObservable }) => {
    const boomed = new Error('boom')
    const broken = [
      withFallback({ to: boom }),
      withFallback({ to: () => of('f'), on: boom }),
      withFallback({ to: () => of('f'), onEvent: boom }),
    ]
    for (const fallback of broken) expectObservable(cold<string>('-#').pipe(fallback)).toBe('-#', undefined, boomed)
  })
  marbles('tells of it', ({ cold, expectObservable, flush }) => {
    const events: PolicyEvent[] = []
    const fallback = withFallback({ to: () => of('f'), onEvent: (event) => void events.push(event) })
    expectObservable(cold<string>('-#', {}, 'x').pipe(fallback)).toBe('-(f|)')
    flush()
    expect(events).toEqual([{ type: 'policy:fell-back', policy: 'fallback', error: 'x' }])
  })
  it.each([
    [{}, 'withFallback.to: must be a function'],
    [{ to: boom, on: [7] }, 'withFallback.on: must be a function, or a list of names of errors'],
    [{ to: boom, value: 7 }, 'withFallback.value: is not an option'],
  ])('refuses %j', (options, message) => {
    expect(() => withFallback(options as never)).toThrow(`configuration: ${message}`)
  })
})
