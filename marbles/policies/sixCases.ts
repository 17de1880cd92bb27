import { marbles } from 'rxswarm/testing'
import type { MonoTypeOperatorFunction } from 'rxjs'

/**
 * RxJS's six cases, for a policy that is not called upon: never, empty, values, an error, an endless source, a subscriber
 * that leaves.
 */
export function sixCases(make: () => MonoTypeOperatorFunction<string>): void {
  marbles('case: never', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>('      -------')
    expectObservable(source$.pipe(make()), '^-----!').toBe('-------')
    expectSubscriptions(source$.subscriptions).toBe('^-----!')
  })
  marbles('case: empty', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>('               |')
    expectObservable(source$.pipe(make())).toBe('|')
    expectSubscriptions(source$.subscriptions).toBe('(^!)')
  })
  marbles('case: values', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>('               a-(bc)-d|')
    expectObservable(source$.pipe(make())).toBe('a-(bc)-d|')
    expectSubscriptions(source$.subscriptions).toBe('^-------!')
  })
  marbles('case: an error', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold<string>('               -a-#', undefined, 'why')
    expectObservable(source$.pipe(make())).toBe('-a-#', undefined, 'why')
    expectSubscriptions(source$.subscriptions).toBe('^--!')
  })
  marbles('case: endless', ({ hot, expectObservable, expectSubscriptions }) => {
    const source$ = hot('                        -a-b-c-d-e-')
    expectObservable(source$.pipe(make()), '         ^---------!').toBe('-a-b-c-d-e')
    expectSubscriptions(source$.subscriptions).toBe('   ^---------!')
  })
  marbles('case: the subscriber leaves', ({ hot, expectObservable, expectSubscriptions }) => {
    const source$ = hot('                                 -a-b-c-')
    expectObservable(source$.pipe(make()), '^---!').toBe('-a-b')
    expectSubscriptions(source$.subscriptions).toBe('     ^---!')
  })
}
