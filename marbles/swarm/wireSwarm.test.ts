import {
  command,
  ofType,
  perform,
  type AnyCommand,
  type BehaviourModule,
  type Command,
  type CommandMeta,
  type Fact,
  type Stamped,
} from 'rxswarm'
import { fakeSwarm, marbles } from 'rxswarm/testing'
import { concat, defer, filter, map, merge, mergeMap, NEVER, Observable, of, take, tap, throwError, timer } from 'rxjs'
import { describe, expect, it } from 'vitest'

/** A behaviour of one command, whose work is what its port says. */
interface EchoPorts {
  echo(text: string): Observable<string>
}
type Once = Command<'echo/once', { readonly text: string }, string>
type Always = Command<'echo/always', { readonly text: string }, string>
type Echoed = { readonly type: 'echo:echoed'; readonly text: string; readonly cause?: string }

const echo: BehaviourModule<'echo', Once | Always, Echoed, EchoPorts> = {
  name: 'echo',
  commands: {
    'echo/once': { answers: { 'echo:echoed': ({ text }) => text } },
    'echo/always': { openEnded: true, answers: { 'echo:echoed': ({ text }) => text } },
  },
  ports: () => ({ echo: of }),
  behaviour: ({ command$, cancel$, ports }) =>
    command$.pipe(
      perform(
        cancel$,
        ({ text }) => ports.echo(text),
        (text): Echoed => ({ type: 'echo:echoed', text }),
      ),
    ),
}
const once = (id: string, meta?: CommandMeta): Once => ({ ...command('echo/once', { text: id }, meta), id })
const always = (id: string, meta?: CommandMeta): Always => ({ ...command('echo/always', { text: id }, meta), id })
const over = (port: (text: string) => Observable<string>) => ({ ports: { echo: { echo: port } } })
const brief = map((fact: Fact) => {
  const { error, text } = fact as { error?: Error; text?: string }
  return [fact.type.replace('command:', ''), fact.cause, error?.name ?? text].filter(Boolean).join(' ')
})
const nameOf = (error: unknown) => (error as Error).name

describe('wireSwarm', () => {
  describe('execute', () => {
    marbles('emits what answers the command, and completes with its outcome', ({ cold, expectObservable }) => {
      const { execute } = fakeSwarm(
        [echo],
        over(() => cold<string>('--r-s|')),
      )
      expectObservable(execute(once('c'))).toBe('--r-s|')
    })
    marbles('is cold: sends the command for each subscriber, under an id of its own', ({ cold, expectObservable }) => {
      const { execute, event$ } = fakeSwarm(
        [echo],
        over(() => cold<string>('---r|')),
      )
      const result$ = execute(once('c'))
      expectObservable(event$.pipe(brief)).toBe('---ax-by', {
        a: 'echo:echoed c r',
        x: 'completed c',
        b: 'echo:echoed c.1 r',
        y: 'completed c.1',
      })
      expectObservable(result$).toBe('---r|')
      expectObservable(result$, '---^').toBe('------r|')
    })
    marbles('cancels the command when its subscriber leaves', ({ cold, expectObservable, expectSubscriptions }) => {
      const work$ = cold<string>('-----r|')
      const { execute, event$ } = fakeSwarm(
        [echo],
        over(() => work$),
      )
      expectObservable(event$.pipe(brief)).toBe('---x', { x: 'cancelled c' })
      expectObservable(execute(once('c')), '^--!').toBe('')
      expectSubscriptions(work$.subscriptions).toBe('^--!')
    })
    marbles('counts as completed when its subscriber leaves with the only answer', ({ cold, expectObservable }) => {
      const { execute, event$ } = fakeSwarm(
        [echo],
        over(() => cold<string>('--(r|)')),
      )
      expectObservable(event$.pipe(brief)).toBe('--(rc)', { r: 'echo:echoed c r', c: 'completed c' })
      expectObservable(execute(once('c')).pipe(take(1))).toBe('--(r|)')
    })
    marbles('counts as cancelled when its subscriber leaves with the first of several', (run) => {
      const { cold, expectObservable, expectSubscriptions } = run
      const work$ = cold<string>('--r--s|')
      const { execute, event$ } = fakeSwarm(
        [echo],
        over(() => work$),
      )
      expectObservable(event$.pipe(brief)).toBe('--(rx)', { r: 'echo:echoed c r', x: 'cancelled c' })
      expectObservable(execute(once('c')).pipe(take(1))).toBe('--(r|)')
      expectSubscriptions(work$.subscriptions).toBe('^-!')
    })
    marbles('errs with the typed error of the outcome', ({ cold, expectObservable }) => {
      const { execute } = fakeSwarm(
        [echo],
        over(() => cold<string>('--#', {}, new Error('mine'))),
      )
      const error$ = new Observable<string>((out) => {
        execute(once('c')).subscribe({ error: (error: Error) => out.next(`${error.name}: ${error.message}`) })
      })
      expectObservable(error$).toBe('--e', { e: 'UnexpectedError: mine' })
    })
    marbles('always settles within the deadline, also when the behaviour does not', ({ expectObservable }) => {
      const { execute, event$ } = fakeSwarm([echo], { ...over(() => NEVER), deadlineMs: 7 })
      const fails = (c: AnyCommand) => execute(c).pipe(settled)
      expectObservable(fails(once('a'))).toBe('-------(e|)', { e: 'DeadlineError' })
      expectObservable(fails(once('b', { deadlineMs: 3 }))).toBe('---(e|)', { e: 'DeadlineError' })
      expectObservable(event$.pipe(brief)).toBe('---b---a', {
        a: 'failed a DeadlineError',
        b: 'failed b DeadlineError',
      })
    })
    marbles('stops the work of a command that is late', ({ cold, expectObservable, expectSubscriptions }) => {
      const work$ = cold<string>('---------')
      const { execute } = fakeSwarm([echo], { ...over(() => work$), deadlineMs: 4 })
      expectObservable(execute(once('c')).pipe(settled)).toBe('----(e|)', { e: 'DeadlineError' })
      expectSubscriptions(work$.subscriptions).toBe('^---!')
    })
    marbles('lets an open-ended command last, unless it names a deadline', ({ cold, expectObservable }) => {
      const { execute } = fakeSwarm([echo], { ...over(() => cold<string>('9s r')), deadlineMs: 4 })
      expectObservable(execute(always('c')), '^ 10s !').toBe('9s r')
      expectObservable(execute(always('d', { deadlineMs: 5 })).pipe(settled)).toBe('-----(e|)', { e: 'DeadlineError' })
    })
  })

  describe('intake', () => {
    const refusalOf = (sent: unknown) => {
      const { execute } = fakeSwarm(
        [echo],
        over(() => NEVER),
      )
      let refusal: (Error & { field?: string }) | undefined
      execute(sent as AnyCommand).subscribe({ error: (error: Error) => (refusal = error) })
      return `${refusal?.name} ${refusal?.field ?? ''}`.trim()
    }
    it.each([
      [null, 'InvalidCommandError command'],
      [undefined, 'InvalidCommandError command'],
      [7, 'InvalidCommandError command'],
      ['echo/once', 'InvalidCommandError command'],
      [{}, 'InvalidCommandError type'],
      [{ type: 'echo/once' }, 'InvalidCommandError id'],
      [{ type: 'echo/once', id: '' }, 'InvalidCommandError id'],
      [{ type: 'echo/once', id: 'c', meta: 1 }, 'InvalidCommandError meta'],
      [once('c', { deadlineMs: 0 }), 'InvalidCommandError meta.deadlineMs'],
      [once('c', { deadlineMs: -1 }), 'InvalidCommandError meta.deadlineMs'],
      [once('c', { deadlineMs: Number.NaN }), 'InvalidCommandError meta.deadlineMs'],
      [once('c', { deadlineMs: Infinity }), 'InvalidCommandError meta.deadlineMs'],
      [once('c', { deadlineMs: '5' as never }), 'InvalidCommandError meta.deadlineMs'],
      [{ type: 'no/such', id: 'c' }, 'UnknownCommandError'],
      [{ type: 'toString', id: 'c' }, 'UnknownCommandError'],
    ])('refuses %j: %s', (sent, error) => {
      expect(refusalOf(sent)).toBe(error)
    })
    it('refuses what is sent to command$ as events, and goes on', () => {
      const { command$, event$ } = fakeSwarm(
        [echo],
        over((text) => of(text)),
      )
      const heard: string[] = []
      event$.pipe(brief).subscribe((line) => heard.push(line))
      command$.next(null as never)
      command$.next({ type: 'no/such', id: 'c' })
      command$.next(once('d'))
      expect(heard).toEqual([
        'failed InvalidCommandError',
        'failed c UnknownCommandError',
        'echo:echoed d d',
        'completed d',
      ])
    })
    it('refuses what does not fit, names it, and takes more when there is room', () => {
      const { command$, event$, execute } = fakeSwarm([echo], {
        ...over(() => NEVER),
        limits: { intake: 2, openEnded: 1 },
      })
      const heard: string[] = []
      event$.pipe(brief).subscribe((line) => heard.push(line))
      const first = execute(once('a')).subscribe()
      command$.next(once('b'))
      command$.next(once('c'))
      command$.next(always('d'))
      command$.next(always('e'))
      first.unsubscribe()
      command$.next(once('f'))
      expect(heard).toEqual(['failed c OverloadedError', 'failed e OverloadedError', 'cancelled a'])
    })
    it('refuses a second command with the id of one in flight, without harm to the first', () => {
      const { command$, event$, execute } = fakeSwarm(
        [echo],
        over(() => timer(0).pipe(map(String))),
      )
      const heard: string[] = []
      event$.pipe(brief).subscribe((line) => heard.push(line))
      execute(once('a')).subscribe()
      command$.next(once('a'))
      expect(heard).toEqual(['failed InvalidCommandError'])
    })
  })

  describe('order', () => {
    it('is one for all listeners, also when one answers an event with a command', () => {
      const { command$, event$ } = fakeSwarm(
        [echo],
        over((text) => of(text)),
      )
      const [first, second]: [string[], string[]] = [[], []]
      event$.pipe(brief).subscribe((line) => {
        first.push(line)
        if (line === 'echo:echoed a a') command$.next(once('b'))
      })
      event$.pipe(brief).subscribe((line) => second.push(line))
      command$.next(once('a'))
      expect(first).toEqual(second)
      expect(first).toEqual(['echo:echoed a a', 'echo:echoed b b', 'completed b', 'completed a'])
    })
    it('has the state changed before an event is heard', () => {
      const counting = { ...echo, state: { initial: 0, on: { 'echo:echoed': (n: number) => n + 1 } } }
      const swarm = fakeSwarm(
        [counting],
        over((text) => of(text)),
      )
      const seen: unknown[] = []
      swarm.event$.pipe(ofType('echo:echoed')).subscribe(() => seen.push((swarm.state() as { echo?: number }).echo))
      swarm.command$.next(once('a'))
      swarm.command$.next(once('b'))
      expect(seen).toEqual([1, 2])
    })
  })

  describe('chains', () => {
    marbles('let the user hold commands back', ({ cold, expectObservable }) => {
      const commandChain = (command$: Observable<AnyCommand>) =>
        command$.pipe(mergeMap((c) => timer(5).pipe(map(() => c))))
      const { execute } = fakeSwarm([echo], { ...over(() => cold<string>('-r|')), commandChain })
      expectObservable(execute(once('c'))).toBe('------r|')
    })
    marbles('settle a command that an operator drops, by its deadline', ({ expectObservable }) => {
      const { execute } = fakeSwarm([echo], { ...over(of), deadlineMs: 6, commandChain: filter(() => false) })
      expectObservable(execute(once('c')).pipe(settled)).toBe('------(e|)', { e: 'DeadlineError' })
    })
    it('fail the command at which an operator throws, and take the next', () => {
      const commandChain = tap(({ id }: AnyCommand) => {
        if (id === 'bad') throw new Error('mine')
      })
      const { command$, event$ } = fakeSwarm([echo], { ...over((text) => of(text)), commandChain })
      const heard: string[] = []
      event$.pipe(brief).subscribe((line) => heard.push(line))
      command$.next(once('bad'))
      command$.next(once('good'))
      expect(heard).toEqual([
        'chain:crashed UnexpectedError',
        'failed bad UnexpectedError',
        'echo:echoed good good',
        'completed good',
      ])
    })
    it('change what is heard outside, and not what execute gets', () => {
      const eventChain = filter(({ type }: Stamped<Fact>) => type !== 'echo:echoed')
      const { execute, event$ } = fakeSwarm([echo], { ...over((text) => of(text)), eventChain })
      const heard: unknown[] = []
      event$.pipe(brief).subscribe((line) => heard.push(line))
      execute(once('c')).subscribe((text) => heard.push(text))
      expect(heard).toEqual(['c', 'completed c'])
    })
    it('say so when an operator of the event chain throws, even at every event', () => {
      const eventChain = tap<Stamped<Fact>>(() => {
        throw new Error('mine')
      })
      const { execute, event$ } = fakeSwarm([echo], { ...over((text) => of(text)), eventChain })
      const heard: string[] = []
      event$.pipe(brief).subscribe((line) => heard.push(line))
      const results: unknown[] = []
      execute(once('c')).subscribe((text) => results.push(text))
      expect(results).toEqual(['c'])
      expect(heard).toEqual(['chain:crashed UnexpectedError', 'chain:crashed UnexpectedError'])
    })
  })

  describe('supervision', () => {
    const fragile: typeof echo = {
      ...echo,
      behaviour: (wires) =>
        merge(
          echo.behaviour({ ...wires, command$: wires.command$.pipe(filter(({ text }) => text !== 'bomb')) }),
          wires.command$.pipe(
            filter(({ text }) => text === 'bomb'),
            mergeMap(() => throwError(() => new Error('bomb'))),
          ),
        ),
    }
    marbles('restarts a crashed behaviour; its commands fail, and later ones wait for it', (run) => {
      const { cold, expectObservable } = run
      const { execute, event$ } = fakeSwarm(
        [fragile],
        over(() => cold<string>('-----r|')),
      )
      expectObservable(event$.pipe(brief)).toBe('--(abc) 70ms d----ef', {
        a: 'behaviour:crashed BehaviourCrashedError',
        b: 'failed slow BehaviourCrashedError',
        c: 'failed bomb BehaviourCrashedError',
        d: 'behaviour:restarted',
        e: 'echo:echoed late r',
        f: 'completed late',
      })
      expectObservable(execute(once('slow')).pipe(settled)).toBe('--(e|)', { e: 'BehaviourCrashedError' })
      expectObservable(execute(once('bomb')).pipe(settled), '--^').toBe('--(e|)', { e: 'BehaviourCrashedError' })
      expectObservable(execute(once('late')), '----^').toBe('82ms r|')
    })
    it('leaves the other behaviours alone', () => {
      const other = { ...echo, name: 'other', commands: { 'other/once': { answers: {} } } }
      const ports = { echo: { echo: of }, other: { echo: of } }
      const { command$, event$ } = fakeSwarm([fragile, other], { ports })
      const heard: string[] = []
      event$.pipe(brief).subscribe((line) => heard.push(line))
      command$.next(once('bomb'))
      command$.next({ ...once('o'), type: 'other/once' })
      expect(heard.slice(2)).toEqual(['echo:echoed o o', 'completed o'])
    })
    it('shows in the state', () => {
      const swarm = fakeSwarm([fragile], over(of))
      swarm.command$.next(once('bomb'))
      expect([...swarm.state().troubled]).toEqual([['echo', 'restarting']])
      swarm.close([])
    })
    it('fails the commands of a behaviour that has ended', () => {
      const ending: typeof echo = { ...echo, behaviour: () => of() }
      const { execute } = fakeSwarm([ending], over(of))
      let error: unknown
      execute(once('c')).subscribe({ error: (thrown: unknown) => (error = thrown) })
      expect(nameOf(error)).toBe('BehaviourCrashedError')
    })
  })

  describe('subscribers', () => {
    it('that throw are reported, and hear on', () => {
      const { command$, event$ } = fakeSwarm(
        [echo],
        over((text) => of(text)),
      )
      const heard: string[] = []
      event$.pipe(brief).subscribe((line) => {
        heard.push(line)
        throw new Error('mine')
      })
      command$.next(once('c'))
      expect(heard).toEqual([
        'echo:echoed c c',
        'subscriber:failed UnexpectedError',
        'completed c',
        'subscriber:failed UnexpectedError',
      ])
    })
    it('of an execution that throw are reported too', () => {
      const { execute, event$ } = fakeSwarm(
        [echo],
        over((text) => of(text)),
      )
      const heard: string[] = []
      event$.pipe(brief).subscribe((line) => heard.push(line))
      execute(once('c')).subscribe(() => {
        throw new Error('mine')
      })
      expect(heard).toContain('subscriber:failed UnexpectedError')
      expect(heard).toContain('completed c')
    })
  })

  describe('stop', () => {
    marbles('refuses new commands, waits for those in flight, and reports what is left', (run) => {
      const { cold, expectObservable } = run
      const work = { quick: cold<string>('---r|'), slow: cold<string>('---------------r|') }
      const swarm = fakeSwarm(
        [echo],
        over((text) => work[text as keyof typeof work]),
      )
      expectObservable(swarm.event$.pipe(brief)).toBe('-s-ac---d', {
        s: 'swarm:stopping',
        a: 'echo:echoed quick r',
        c: 'completed quick',
        d: 'failed slow StoppedError',
      })
      expectObservable(swarm.execute(once('quick'))).toBe('---r|')
      expectObservable(swarm.execute(once('slow')).pipe(settled)).toBe('--------(e|)', { e: 'StoppedError' })
      expectObservable(swarm.drain(7), '-^').toBe('--------(u|)', { u: [{ id: 'slow', type: 'echo/once' }] })
    })
    marbles('does not wait longer than it must', ({ cold, expectObservable }) => {
      const swarm = fakeSwarm(
        [echo],
        over(() => cold<string>('---r|')),
      )
      expectObservable(swarm.execute(once('c'))).toBe('---r|')
      expectObservable(swarm.drain(1_000)).toBe('----(u|)', { u: [] })
    })
    marbles('completes open-ended commands', ({ cold, expectObservable }) => {
      const swarm = fakeSwarm(
        [echo],
        over(() => cold<string>('-r-r-r-r-')),
      )
      expectObservable(swarm.execute(always('c'))).toBe('-r-r|')
      expectObservable(swarm.drain(1_000), '----^').toBe('----(u|)', { u: [] })
    })
    it('says that it has stopped and completes every stream', () => {
      const swarm = fakeSwarm([echo], over(of))
      const heard: string[] = []
      swarm.event$.pipe(brief).subscribe({ next: (line) => heard.push(line), complete: () => heard.push('|') })
      swarm.state$.subscribe({ complete: () => heard.push('state |') })
      swarm.close([])
      expect(heard).toEqual(['swarm:stopped', '|', 'state |'])
    })
  })
  marbles('costs nothing when idle: no timer is left after the last command', ({ expectObservable }) => {
    const { execute } = fakeSwarm(
      [echo],
      over((text) => of(text)),
    )
    expectObservable(
      concat(
        execute(once('a')),
        defer(() => execute(once('b'))),
      ),
    ).toBe('(ab|)')
  })
})

/** The name of the error, as a value; the value itself otherwise. */
function settled(result$: Observable<unknown>): Observable<unknown> {
  return new Observable((out) =>
    result$.subscribe({
      next: (value) => out.next(value),
      error: (error: Error) => {
        out.next(error.name)
        out.complete()
      },
      complete: () => out.complete(),
    }),
  )
}
