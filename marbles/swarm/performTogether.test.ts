import { performTogether, type AnyCommand } from 'rxswarm'
import { marbles } from 'rxswarm/testing'
import { map, NEVER, throwError, type Observable } from 'rxjs'
import { describe } from 'vitest'

type Join = AnyCommand & { readonly topic: string }
const commands: Record<string, Join> = {
  a: { type: 'x/join', id: 'a', topic: 't' },
  b: { type: 'x/join', id: 'b', topic: 't' },
  o: { type: 'x/join', id: 'o', topic: 'other' },
}
const together = (cancel$: Observable<string>, work: (topic: string) => Observable<string>) =>
  performTogether<Join, string, { type: string; causes?: readonly string[] }>(cancel$, {
    groupOf: ({ topic }) => topic,
    work,
    say: (result) => ({ type: result }),
    first: (topic) => ({ type: `joined ${topic}` }),
    last: (topic) => ({ type: `left ${topic}` }),
  })
const brief = map((fact: { type: string; cause?: string; causes?: readonly string[] }) =>
  [fact.type, ...(fact.causes ?? []), ...(fact.cause === undefined ? [] : [fact.cause])].join(' '),
)
const said = {
  f: 'joined t',
  l: 'left t',
  r: 'r a',
  s: 'r a b',
  t: 'r b',
  o: 'joined other',
  p: 'r o',
  x: 'command:failed a',
  y: 'command:failed b',
  c: 'command:completed a',
}

describe('performTogether', () => {
  marbles('starts with the first command of a group and ends with the last', (run) => {
    const { cold, hot, expectObservable, expectSubscriptions } = run
    const command$ = hot('  -a-b-------', commands)
    const work$ = cold<string>('     -r-r-r-r-r-')
    const cancel$ = hot('   -----a-b---')
    const expected = '      -fr-s-tl---'
    expectObservable(
      command$.pipe(
        together(cancel$, () => work$),
        brief,
      ),
    ).toBe(expected, said)
    expectSubscriptions(work$.subscriptions).toBe('-^-----!')
  })
  marbles('the picture of its doc comment: causes left out', ({ cold, hot, expectObservable }) => {
    const command$ = hot('  -a-b-------', commands)
    const work = '          -r-r-r-r-r-'
    const cancel$ = hot('   -----a-b---')
    const expected = '      -fr-r-rl---'
    const letter = map((fact: { type: string }) => (fact.type[0] === 'j' ? 'f' : fact.type[0]!))
    expectObservable(
      command$.pipe(
        together(cancel$, () => cold<string>(work)),
        letter,
      ),
    ).toBe(expected)
  })
  marbles('keeps groups apart', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-a-o-----', commands)
    expectObservable(
      command$.pipe(
        together(NEVER, () => cold<string>('---r--')),
        brief,
      ),
    ).toBe('-f-or-p', {
      ...said,
      o: 'joined other',
    })
  })
  marbles('fails every command of a group whose work fails; the next one starts it again', (run) => {
    const { cold, hot, expectObservable, expectSubscriptions } = run
    const work$ = cold<string>('----#')
    const command$ = hot('-a-b------a-', commands)
    expectObservable(
      command$.pipe(
        together(NEVER, () => work$),
        brief,
      ),
      '^----------!',
    ).toBe('-f---(lxy)f', said)
    expectSubscriptions(work$.subscriptions).toBe(['-^---!', '----------^!'])
  })
  marbles('fails the command whose work throws', ({ hot, expectObservable }) => {
    const thrower = () => {
      throw new Error('mine')
    }
    expectObservable(hot('-a', commands).pipe(together(NEVER, thrower), brief)).toBe('-x', said)
    const failing = () => throwError(() => new Error('mine'))
    expectObservable(hot('-a', commands).pipe(together(NEVER, failing), brief)).toBe('-x', said)
  })
  marbles('completes the commands of a group whose work completes', ({ cold, hot, expectObservable }) => {
    expectObservable(
      hot('-a--', commands).pipe(
        together(NEVER, () => cold<string>('-r|')),
        brief,
      ),
    ).toBe('-fr(lc)', said)
  })
  marbles('completes when its commands have and every group has ended', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-a|', commands)
    expectObservable(
      command$.pipe(
        together(NEVER, () => cold<string>('-r--|')),
        brief,
      ),
    ).toBe('-fr--(lc|)', said)
  })
  marbles('stops every work when nobody listens', ({ cold, hot, expectObservable, expectSubscriptions }) => {
    const work$ = cold<string>('------')
    expectObservable(hot('-a----', commands).pipe(together(NEVER, () => work$)), '^---!')
    expectSubscriptions(work$.subscriptions).toBe('-^--!')
  })
})
