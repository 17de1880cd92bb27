import type { MonoTypeOperatorFunction } from 'rxjs'
import { marbles } from './marbles.ts'

/**
 * What every operator keeps, whatever else it does: four tests for the top of its marble file.
 *
 * @param make Makes the operator anew; it lets plain text values pass.
 */
export function obeysOperatorLaws(make: () => MonoTypeOperatorFunction<string>): void {
  marbles('law: silence in, silence out', ({ cold, expectObservable }) => {
    expectObservable(cold('---').pipe(make())).toBe('---')
  })
  marbles('law: lets completion through', ({ cold, expectObservable }) => {
    expectObservable(cold('---|').pipe(make())).toBe('---|')
  })
  marbles('law: lets go of its source when its subscriber leaves', ({ hot, expectObservable, expectSubscriptions }) => {
    const source$ = hot('-a--b--c-')
    expectObservable(source$.pipe(make()), '^----!')
    expectSubscriptions(source$.subscriptions).toBe('^----!')
  })
  marbles('law: keeps nothing between subscribers', ({ cold, expectObservable }) => {
    const result$ = cold('-a-|').pipe(make())
    expectObservable(result$, '^-------').toBe('-a-|')
    expectObservable(result$, '----^---').toBe('-----a-|')
  })
}
