import { marbles } from 'rxswarm/testing'
import { asyncScheduler, EMPTY, map, mergeMap, NEVER, throwError, type Observable } from 'rxjs'
import { describe } from 'vitest'
import { approvals } from '../../src/swarm/approvals.ts'

const words = {
  decided: (decision: string) => decision,
  failed: ({ message }: Error) => message,
  scheduler: asyncScheduler,
}

describe('approvals', () => {
  marbles('are what an operator of the app decides', ({ cold, expectObservable }) => {
    const request$ = cold('-a-----b--')
    const expected = '     -y-----n--'
    const approve = map((request: string) => (request === 'a' ? 'y' : 'n'))
    expectObservable(approvals(approve, request$, words), '^---------!').toBe(expected)
  })
  marbles('say that the operator threw, and start it again a second later', ({ hot, expectObservable }) => {
    const request$ = hot(' -a----- 1s a--')
    const expected = '     -f----- 1s f--'
    const approve = mergeMap((request: string) => throwError(() => new Error(`no ${request}`)))
    expectObservable(approvals(approve, request$, words), '^ 1010ms !').toBe(expected, { f: 'no a' })
  })
  marbles('say that the operator has ended, and start it again', ({ expectObservable }) => {
    const expected = 'e 999ms e'
    const approve = (): Observable<string> => EMPTY
    expectObservable(approvals(approve, NEVER, words), '^ 1000ms !').toBe(expected, { e: 'the approval has ended' })
  })
  marbles('say what is no decision, and go on', ({ hot, expectObservable }) => {
    const request$ = hot(' -a---- 1s b--')
    const expected = '     -f---- 1s b--'
    const decided = (decision: string) => {
      if (decision === 'a') throw new Error('no decision')
      return decision
    }
    expectObservable(
      approvals((asked$) => asked$, request$, { ...words, decided }),
      '^ 1010ms !',
    ).toBe(expected, {
      f: 'no decision',
      b: 'b',
    })
  })
})
