import { stateMachine, type Machine, type Step } from 'rxswarm/operators'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { concat, EMPTY, from, NEVER, Observable, of, Subject, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'

/** A machine that says what it hears, and does no work. */
const echo: Machine<number, string, never, string> = {
  initial: 0,
  step: (state, input) => ({ state: state + 1, say: [input] }),
  perform: () => NEVER,
}

/** A machine of which only some inputs mean something; its state is the list of those that it has heard. */
const machine = (
  steps: Readonly<Record<string, Omit<Step<never, string, string>, 'state'>>>,
  perform: (effect: string) => Observable<string> = () => NEVER,
  keyOf?: (effect: string) => string | undefined,
) =>
  stateMachine<readonly string[], string, string, string>({
    initial: [],
    step: (state, input) => ({ state: [...state, input], ...steps[input] }),
    perform,
    ...(keyOf === undefined ? {} : { keyOf }),
  })

describe('stateMachine', () => {
  obeysOperatorLaws(() => stateMachine(echo))

  marbles('the picture of its doc comment', ({ cold, expectObservable, expectSubscriptions }) => {
    const input$ = cold('   -a-b-----|')
    const work$ = cold('      ---r|')
    const expected = '      -s--d----|'
    const steps = { a: { say: ['s'], run: ['w'] }, r: { say: ['d'] } }
    expectObservable(input$.pipe(machine(steps, () => work$))).toBe(expected)
    expectSubscriptions(work$.subscriptions).toBe('-^---!')
  })
  marbles('keeps its state from input to input', ({ cold, expectObservable }) => {
    const counted = stateMachine<number, string, never, number>({
      ...echo,
      step: (state) => ({ state: state + 1, say: [state + 1] }),
    })
    expectObservable(cold('-a-b-c-|').pipe(counted)).toBe('-x-y-z-|', { x: 1, y: 2, z: 3 })
  })
  marbles('says nothing for an input that means nothing, and all that one means', ({ cold, expectObservable }) => {
    expectObservable(cold('-a-b-----|').pipe(machine({ b: { say: ['x', 'y'] } }))).toBe('---(xy)--|')
  })
  marbles('lets work of no name run beside each other', ({ cold, expectObservable, expectSubscriptions }) => {
    const work$ = cold('   ---r|')
    const input$ = cold('  aa-------|')
    const steps = { a: { run: ['w'] }, r: { say: ['d'] } }
    expectObservable(input$.pipe(machine(steps, () => work$))).toBe('---dd----|')
    expectSubscriptions(work$.subscriptions).toBe(['^---!', '-^---!'])
  })
  marbles('lets later work of a name take the place of the one before', (run) => {
    const { cold, expectObservable, expectSubscriptions } = run
    const work$ = cold('   ---r|')
    const input$ = cold('  a-a------|')
    const named = machine({ a: { run: ['w'] }, r: { say: ['d'] } }, () => work$, (effect) => effect) // prettier-ignore
    expectObservable(input$.pipe(named)).toBe('-----d---|')
    expectSubscriptions(work$.subscriptions).toBe(['^-!', '--^---!'])
  })
  marbles('ends work by its name, and no other', ({ cold, expectObservable, expectSubscriptions }) => {
    const [v$, w$] = [cold('-----v'), cold('-----w')]
    const steps = { a: { run: ['v', 'w'] }, b: { stop: ['v', 'nothing'] }, v: { say: ['v'] }, w: { say: ['w'] } }
    const named = machine(steps, (effect) => (effect === 'v' ? v$ : w$), (effect) => effect) // prettier-ignore
    expectObservable(cold('a--b-----|').pipe(named)).toBe('-----w---|')
    expectSubscriptions(v$.subscriptions).toBe('^--!')
    expectSubscriptions(w$.subscriptions).toBe('^--------!')
  })
  marbles('ends before it starts: one step can begin work anew', ({ cold, expectSubscriptions, expectObservable }) => {
    const work$ = cold('-')
    const steps = { a: { run: ['w'] }, b: { stop: ['w'], run: ['w'] } }
    expectObservable(cold('a-b-|').pipe(machine(steps, () => work$, (effect) => effect))).toBe('----|') // prettier-ignore
    expectSubscriptions(work$.subscriptions).toBe(['^-!', '--^-!'])
  })
  marbles('ends all work when its source completes', ({ cold, expectObservable, expectSubscriptions }) => {
    const work$ = cold('-----r')
    expectObservable(cold('a--|').pipe(machine({ a: { run: ['w'] } }, () => work$))).toBe('---|')
    expectSubscriptions(work$.subscriptions).toBe('^--!')
  })
  marbles('ends all work when its subscriber leaves', ({ cold, expectObservable, expectSubscriptions }) => {
    const [input$, work$] = [cold('a-----'), cold('-----r')]
    expectObservable(input$.pipe(machine({ a: { run: ['w'] } }, () => work$)), '^--!').toBe('----')
    expectSubscriptions(work$.subscriptions).toBe('^--!')
    expectSubscriptions(input$.subscriptions).toBe('^--!')
  })
  marbles('ends all work when its source fails, and fails', ({ cold, expectObservable, expectSubscriptions }) => {
    const work$ = cold('-----r')
    expectObservable(cold('a--#').pipe(machine({ a: { run: ['w'] } }, () => work$))).toBe('---#')
    expectSubscriptions(work$.subscriptions).toBe('^--!')
  })
  marbles('fails with its work, and ends the rest of it', ({ cold, expectObservable, expectSubscriptions }) => {
    const [input$, other$] = [cold('ab-----'), cold('------')]
    const works: Record<string, Observable<string>> = { bad: cold('-#'), good: other$ }
    const steps = { a: { run: ['good'] }, b: { run: ['bad'] } }
    expectObservable(input$.pipe(machine(steps, (effect) => works[effect]!))).toBe('--#')
    expectSubscriptions(other$.subscriptions).toBe('^-!')
    expectSubscriptions(input$.subscriptions).toBe('^-!')
  })
  marbles('fails when a step or the start of work throws', ({ cold, expectObservable }) => {
    const thrower = () => {
      throw 'error' // eslint-disable-line no-throw-literal -- what marbles say for #
    }
    expectObservable(cold('-a-b').pipe(stateMachine({ ...echo, step: thrower }))).toBe('-#')
    expectObservable(cold('-a-b').pipe(machine({ a: { say: ['s'], run: ['w'] } }, thrower))).toBe('-(s#)')
    expectObservable(cold('-a-b').pipe(machine({ a: { run: ['w'] } }, () => of('b'), thrower))).toBe('-#')
  })
  marbles('goes on when work completes', ({ cold, expectObservable }) => {
    const steps = { a: { run: ['w'] }, b: { say: ['b'] } }
    expectObservable(cold('a-b-|').pipe(machine(steps, () => EMPTY, (effect) => effect))).toBe('--b-|') // prettier-ignore
  })

  const heardOf = (said$: Observable<string>) => {
    const log: string[] = []
    said$.subscribe({ next: (one) => log.push(one), error: (e) => log.push(`# ${e}`), complete: () => log.push('|') })
    return log
  }
  it('finishes an input before it looks at the next, which its listener sent', () => {
    const input$ = new Subject<string>()
    const log: string[] = []
    const steps = { a: { say: ['1', '2'], run: ['w'] }, b: { say: ['3'] } }
    const perform = (effect: string) => {
      log.push(`starts ${effect}`)
      return EMPTY
    }
    input$.pipe(machine(steps, perform)).subscribe((said) => {
      log.push(said)
      if (said === '1') input$.next('b')
    })
    input$.next('a')
    expect(log).toEqual(['1', '2', 'starts w', '3'])
  })
  it('finishes an input before it looks at what its own work says at once', () => {
    const steps = { a: { run: ['v', 'w'] }, v: { say: ['v'] }, w: { say: ['w'] } }
    const started: string[] = []
    const perform = (effect: string) => {
      started.push(effect)
      return of(effect)
    }
    const input$ = new Subject<string>()
    const log = heardOf(input$.pipe(machine({ ...steps, v: { say: [] } }, perform)))
    input$.next('a')
    expect([started, log]).toEqual([['v', 'w'], ['w']])
  })
  it('works off what was sent before its source completed', () => {
    const input$ = new Subject<string>()
    const log: string[] = []
    input$.pipe(machine({ a: { say: ['a'] }, b: { say: ['b'] } })).subscribe({
      next: (said) => {
        log.push(said)
        if (said !== 'a') return
        input$.next('b')
        input$.complete()
      },
      complete: () => log.push('|'),
    })
    input$.next('a')
    expect(log).toEqual(['a', 'b', '|'])
  })
  it('stops in the middle of a step when its subscriber leaves', () => {
    const input$ = new Subject<string>()
    const started: string[] = []
    const perform = (effect: string) => {
      started.push(effect)
      return NEVER
    }
    const said: string[] = []
    const listening = input$.pipe(machine({ a: { say: ['1', '2'], run: ['w'] } }, perform)).subscribe((one) => {
      said.push(one)
      listening.unsubscribe()
    })
    input$.next('a')
    expect([said, started]).toEqual([['1'], []])
  })
  it('does not grow the stack with a chain of work', () => {
    const count = stateMachine<number, 'go', 'go', number>({
      initial: 0,
      step: (state) => ({ state: state + 1, ...(state < 50_000 ? { run: ['go'] } : { say: [state] }) }),
      perform: (effect) => of(effect),
    })
    expect(heardOf(of('go' as const).pipe(count as never))).toEqual([50_000, '|'])
  })
  it('forgets work that is over, also when it was over at once', () => {
    let running = 0
    const work$ = new Observable<string>((out) => {
      running++
      out.complete()
      return () => void running--
    })
    const steps = { a: { run: ['w'] }, b: { stop: ['w'] } }
    heardOf(concat(from(['a', 'a', 'b', 'a']), NEVER).pipe(machine(steps, () => work$, () => 'name'))) // prettier-ignore
    expect(running).toBe(0)
  })
  it('replaces work by work that fails at once', () => {
    const steps = { a: { run: ['w'] } }
    const works = [NEVER, throwError(() => 'bad')]
    const log = heardOf(concat(of('a', 'a'), NEVER).pipe(machine(steps, () => works.shift()!, () => 'name'))) // prettier-ignore
    expect(log).toEqual(['# bad'])
  })
})
