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
  type SwarmError,
  type Wires,
} from 'rxswarm'
import { fakeSwarm, inVirtualTime, marbles } from 'rxswarm/testing'
import {
  asapScheduler,
  catchError,
  concat,
  concatMap,
  defer,
  filter,
  map,
  merge,
  mergeMap,
  NEVER,
  Observable,
  observeOn,
  of,
  retry,
  Subject,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs'
import { describe, expect, it, vi } from 'vitest'

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
  describe('admission', () => {
    const strict = (admit: (sent: AnyCommand) => never): typeof echo => ({ ...echo, admit })
    marbles('that throws lets nobody in, and says who could not decide', ({ expectObservable }) => {
      const cause = new Error('mine')
      const { execute, event$ } = fakeSwarm(
        [
          strict(() => {
            throw cause
          }),
        ],
        over(() => NEVER),
      )
      const failure$ = execute(once('c')).pipe(
        catchError((error: SwarmError) => of([error.name, error.cause, (error as { behaviour?: string }).behaviour])),
      )
      expectObservable(event$.pipe(brief), '^!').toBe('f', { f: 'failed c UnexpectedError' })
      expectObservable(failure$, '^!').toBe('(e|)', { e: ['UnexpectedError', cause, 'echo'] })
    })
  })
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
        limits: { intake: 2, running: 2, openEnded: 1 },
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
    it('has its last word also when it is closed at the outcome of its last command', () =>
      inVirtualTime(({ cold, flush }) => {
        const swarm = fakeSwarm(
          [echo],
          over(() => cold<string>('---r|')),
        )
        const heard: string[] = []
        swarm.execute(once('c')).subscribe()
        swarm.drain(1_000).subscribe((left) => swarm.close(left))
        swarm.event$.pipe(brief).subscribe({ next: (line) => heard.push(line), complete: () => heard.push('|') })
        flush()
        expect(heard.slice(-3)).toEqual(['completed c', 'swarm:stopped', '|'])
      }))
  })
  describe('each command has one outcome, and it is its own', () => {
    marbles('when it is tried again as soon as it was late', ({ cold, expectObservable, expectSubscriptions }) => {
      const [late$, good$] = [cold<string>('-------'), cold<string>('--r|')]
      let tries = 0
      const { execute } = fakeSwarm([echo], { ...over(() => (tries++ === 0 ? late$ : good$)), deadlineMs: 4 })
      expectObservable(execute(once('c')).pipe(retry(1))).toBe('------r|')
      expectSubscriptions(late$.subscriptions).toBe('^---!')
    })
    it('when another command with its id is refused', () => {
      const { command$, execute } = fakeSwarm(
        [echo],
        over(() => NEVER),
      )
      const error = vi.fn()
      execute(once('c')).subscribe({ error })
      command$.next({ type: 'no/such', id: 'c' })
      command$.next({ ...once('c'), meta: 1 as never })
      expect(error).not.toHaveBeenCalled()
    })
    it('when it is cancelled and its id is used again in the same turn', () => {
      const works = [new Subject<string>(), new Subject<string>()]
      let next = 0
      const { execute, event$ } = fakeSwarm(
        [echo],
        over(() => works[next++]!),
      )
      const heard: unknown[] = []
      const first = execute(once('c')).subscribe()
      event$.pipe(ofType('echo:echoed'), take(1)).subscribe(() => first.unsubscribe())
      event$
        .pipe(
          filter(({ type }) => type.startsWith('command:')),
          take(1),
        )
        .subscribe(() => {
          execute(once('c')).subscribe({ next: (text) => heard.push(text), complete: () => heard.push('|') })
        })
      works[0]!.next('one')
      works[1]?.next('two')
      works[1]?.complete()
      expect(heard).toEqual(['two', '|'])
    })
    it('when who sent it changes it afterwards', () => {
      const work$ = new Subject<string>()
      const { execute } = fakeSwarm(
        [echo],
        over(() => work$),
      )
      const command = { ...once('c') }
      const heard: unknown[] = []
      execute(command).subscribe({ next: (text) => heard.push(text), complete: () => heard.push('|') })
      ;(command as { id: string }).id = 'd'
      work$.next('r')
      work$.complete()
      expect(heard).toEqual(['r', '|'])
    })
    it('when what answers it throws', () => {
      const thrower = () => {
        throw new Error('mine')
      }
      const broken = { ...echo, commands: { 'echo/once': { answers: { 'echo:echoed': thrower } } } }
      const { execute } = fakeSwarm([broken], over(of))
      const error = vi.fn()
      execute(once('c')).subscribe({ error })
      expect(error).toHaveBeenCalledWith(expect.objectContaining({ name: 'UnexpectedError' }))
    })
  })

  describe('nothing that user code does breaks it', () => {
    const heardBy = (options: Parameters<typeof fakeSwarm>[1], modules = [echo]) => {
      const swarm = fakeSwarm(modules, { ...over(of), ...options })
      const heard: string[] = []
      swarm.event$.pipe(brief).subscribe((line) => heard.push(line))
      return { ...swarm, heard }
    }
    it('a command chain that makes nothing of a command', () => {
      const { command$, heard } = heardBy({ commandChain: map(() => undefined as never) })
      command$.next(once('c'))
      expect(heard).toEqual(['chain:crashed UnexpectedError', 'failed c UnexpectedError'])
    })
    it('an event chain that makes nothing of an event', () => {
      const { execute, heard } = heardBy({ eventChain: map(() => undefined as never) })
      const complete = vi.fn()
      execute(once('c')).subscribe({ complete })
      expect(complete).toHaveBeenCalledOnce()
      expect(heard).toContain('chain:crashed UnexpectedError')
    })
    it('a behaviour that says nothing', () => {
      const mute = {
        ...echo,
        behaviour: ({ command$ }: Wires<Once | Always, EchoPorts>) => command$.pipe(map(() => undefined as never)),
      }
      const { command$, heard, close } = heardBy({}, [mute])
      command$.next(once('c'))
      expect(heard).toEqual(['behaviour:crashed BehaviourCrashedError', 'failed c BehaviourCrashedError'])
      close([])
    })
    it.each([{ type: { toString: 1 }, id: 'x' }, { type: 'echo/once', id: { toString: 1 } }, Object.create(null)])(
      'something sent as a command that can not even be printed',
      (sent) => {
        const { command$, heard } = heardBy({})
        command$.next(sent as never)
        expect(heard.map((line) => line.replace(' x', ''))).toEqual(['failed InvalidCommandError'])
      },
    )
    it('an operator on event$ that throws: it is reported', () => {
      const { command$, event$, heard } = heardBy({})
      event$.pipe(map((event) => (event as never as { foo: { bar: 1 } }).foo.bar)).subscribe()
      command$.next(once('c'))
      expect(heard).toContain('subscriber:failed UnexpectedError')
    })
    it('a subscriber that throws later, at every event, also at the report of that', async () => {
      const { command$, event$, heard } = heardBy({})
      event$.pipe(observeOn(asapScheduler)).subscribe(() => {
        throw new Error('mine')
      })
      command$.next(once('c'))
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(heard.filter((line) => line.startsWith('subscriber:failed'))).toHaveLength(2)
    })
    it('an event chain that always fails later', async () => {
      const { command$, heard } = heardBy({ eventChain: concatMap(() => Promise.reject(new Error('mine'))) })
      command$.next(once('c'))
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(heard.length).toBeLessThan(10)
    })
    marbles('a command chain that breaks at one command: the others that it holds go on', ({ expectObservable }) => {
      const commandChain = (command$: Observable<AnyCommand>) =>
        command$.pipe(
          mergeMap((c) => (c.id === 'bad' ? throwError(() => new Error('mine')) : timer(5).pipe(map(() => c)))),
        )
      const { execute } = fakeSwarm([echo], { ...over((text) => of(text)), commandChain })
      expectObservable(execute(once('good'))).toBe('-------(a|)', { a: 'good' })
      expectObservable(execute(once('bad')).pipe(settled), '--^').toBe('--(e|)', { e: 'UnexpectedError' })
    })
    marbles('a restart: it does not bring back what the command chain dropped', ({ cold, expectObservable }) => {
      const lives = [cold<never>('---#'), NEVER]
      let life = 0
      const bombed: typeof echo = { ...echo, behaviour: (wires) => merge(echo.behaviour(wires), lives[life++]!) }
      const commandChain = filter(({ id }: AnyCommand) => id !== 'forbidden')
      const { execute } = fakeSwarm([bombed], { ...over((text) => of(text)), commandChain, deadlineMs: 90 })
      expectObservable(execute(once('forbidden')).pipe(settled)).toBe('90ms (e|)', { e: 'DeadlineError' })
      expectObservable(execute(once('held')), '----^').toBe('78ms (h|)', { h: 'held' })
    })
    marbles('an endless event chain: it ends with the swarm', ({ expectObservable, expectSubscriptions, cold }) => {
      const ticks$ = cold<never>('------')
      const { event$, close } = fakeSwarm([echo], { ...over(of), eventChain: (all$) => merge(all$, ticks$) })
      expectObservable(event$.pipe(brief)).toBe('--(s|)', { s: 'swarm:stopped' })
      timer(2).subscribe(() => close([]))
      expectSubscriptions(ticks$.subscriptions).toBe('--(^!)')
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
