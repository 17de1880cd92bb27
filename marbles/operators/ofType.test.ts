import { describe } from 'vitest'
import { ofType } from 'rxswarm/operators'
import { marbles } from 'rxswarm/testing'

const values = { a: { type: 'a' }, b: { type: 'b' }, c: { type: 'c' } } as const
type Value = (typeof values)[keyof typeof values]

describe('ofType', () => {
  marbles('lets one type pass', ({ cold, expectObservable }) => {
    const source = '  -a-b-a-|'
    const expected = '-a---a-|'
    expectObservable(cold<Value>(source, values).pipe(ofType('a'))).toBe(expected, values)
  })
  marbles('lets several types pass, in order', ({ cold, expectObservable }) => {
    expectObservable(cold<Value>('-abcba-|', values).pipe(ofType('a', 'c'))).toBe('-a-c-a-|', values)
  })
  marbles('passes never, empty and error on', ({ cold, expectObservable }) => {
    expectObservable(cold<Value>('---').pipe(ofType('a'))).toBe('---')
    expectObservable(cold<Value>('--|').pipe(ofType('a'))).toBe('--|')
    expectObservable(cold<Value>('b-#', values).pipe(ofType('a'))).toBe('--#')
  })
  marbles('lets go of its source when its subscriber leaves', ({ hot, expectObservable, expectSubscriptions }) => {
    const source$ = hot<Value>('-a-a-a-', values)
    expectObservable(source$.pipe(ofType('a')), '^---!').toBe('-a-a-', values)
    expectSubscriptions(source$.subscriptions).toBe('^---!')
  })
})
