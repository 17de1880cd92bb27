import { DeadlineError, perform, type AnyCommand } from 'rxswarm'
import { marbles } from 'rxswarm/testing'
import { map, NEVER, throwError } from 'rxjs'
import { describe } from 'vitest'

const commands: Record<string, AnyCommand> = { c: { type: 'x/do', id: 'c' }, k: { type: 'x/do', id: 'k' } }
const say = (result: string) => ({ type: `x:${result}` })
const brief = map((fact: { type: string; cause?: string }) => `${fact.type} ${fact.cause}`)
const said = {
  f: 'x:r c',
  d: 'command:completed c',
  x: 'command:failed c',
  g: 'x:r k',
  e: 'command:completed k',
}

describe('perform', () => {
  marbles('says each result, then the outcome', ({ cold, hot, expectObservable }) => {
    const command$ = hot(' -c--------', commands)
    const work = '          --r-r|'
    const expected = '      ---f-fd--'
    expectObservable(
      command$.pipe(
        perform(NEVER, () => cold<string>(work), say),
        brief,
      ),
    ).toBe(expected, said)
  })
  marbles('does the work of several commands side by side', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-ck-----', commands)
    const work = () => cold<string>('--r---|')
    expectObservable(command$.pipe(perform(NEVER, work, say), brief)).toBe('---fg--de', said)
  })
  marbles('turns a failure of the work into the outcome of that command alone', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-ck-----', commands)
    const work = ({ id }: AnyCommand) => (id === 'c' ? cold<string>('--#') : cold<string>('--r|'))
    expectObservable(command$.pipe(perform(NEVER, work, say), brief)).toBe('---xge', said)
  })
  marbles('does the same with work, or a say, that throws', ({ cold, hot, expectObservable }) => {
    const thrower = (): never => {
      throw new Error('mine')
    }
    expectObservable(hot('-c---', commands).pipe(perform(NEVER, thrower, say), brief)).toBe('-x', said)
    const work = () => cold<string>('-r-r|')
    expectObservable(hot('-c---', commands).pipe(perform(NEVER, work, thrower), brief)).toBe('--x', said)
  })
  marbles('keeps a typed error, and wraps any other', ({ hot, expectObservable }) => {
    const nameOf = map((fact: object) => (fact as { error?: Error }).error?.name)
    const failWith = (error: unknown) => perform(NEVER, () => throwError(() => error), say)
    expectObservable(hot('c', commands).pipe(failWith(new DeadlineError('late')), nameOf)).toBe('n', {
      n: 'DeadlineError',
    })
    expectObservable(hot('c', commands).pipe(failWith('text'), nameOf)).toBe('n', { n: 'UnexpectedError' })
  })
  marbles('stops the work of a cancelled command and says nothing of it', (run) => {
    const { cold, hot, expectObservable, expectSubscriptions } = run
    const work$ = cold<string>('--r-r-r|')
    const command$ = hot('-c------', commands)
    const cancel$ = hot(' ----c---')
    expectObservable(
      command$.pipe(
        perform(cancel$, () => work$, say),
        brief,
      ),
    ).toBe('---f----', said)
    expectSubscriptions(work$.subscriptions).toBe('-^--!')
  })
  marbles('completes when its commands have, and every work is done', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-c--|', commands)
    expectObservable(
      command$.pipe(
        perform(NEVER, () => cold<string>('-----r|'), say),
        brief,
      ),
    ).toBe('------f(d|)', said)
    expectObservable(
      hot('--|', commands).pipe(
        perform(NEVER, () => cold<string>('r|'), say),
        brief,
      ),
    ).toBe('--|')
  })
  marbles('passes an error of its commands on', ({ cold, hot, expectObservable }) => {
    expectObservable(
      hot('--#', commands).pipe(
        perform(NEVER, () => cold<string>('r|'), say),
        brief,
      ),
    ).toBe('--#')
  })
  marbles('stops every work when nobody listens', ({ cold, hot, expectObservable, expectSubscriptions }) => {
    const work$ = cold<string>('------')
    const command$ = hot('-ck---', commands)
    expectObservable(command$.pipe(perform(NEVER, () => work$, say)), '^---!').toBe('-----')
    expectSubscriptions(work$.subscriptions).toBe(['-^--!', '--^-!'])
    expectSubscriptions(command$.subscriptions).toBe('^---!')
  })
})
