import fc from 'fast-check'
import {
  EMPTY,
  NEVER,
  Observable,
  Subject,
  defer,
  delay,
  finalize,
  map,
  of,
  range,
  take,
  throwError,
  timer,
} from 'rxjs'
import { mergeMapFairly, type FairOptions, type LaneReport } from 'rxswarm/operators'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { AccessDeniedError, type SwarmError } from '../../src/errors/errors.ts'
import { fairFields } from '../../src/operators/fair/fairFields.ts'
import { FairRun } from '../../src/operators/fair/fairRun.ts'

/** One at a time; `c…` are urgent, `b…` are bulk; who is refused is said as `letter!code`. */
const basics: FairOptions<string, string> = {
  concurrent: 1,
  lanes: { control: { strict: true }, normal: { weight: 4 }, bulk: {} },
  laneOf: (item) => (item.startsWith('c') ? 'control' : item.startsWith('b') ? 'bulk' : 'normal'),
  flowOf: (item) => item,
  refused: (item, { code }) => of(`${item}!${code}`),
}
/** One number at a time. */
const numbers: FairOptions<number, number> = {
  concurrent: 1,
  lanes: { bulk: {} },
  laneOf: () => 'bulk',
  refused: () => EMPTY,
}
const throwing = (message: string) => (): never => {
  throw new Error(message)
}
/** What each item's error was. */
function errorsOf(given: Partial<FairOptions<string, string>>, project = (item: string) => of(item)) {
  const errors: Record<string, SwarmError> = {}
  const heard: string[] = []
  const refused = (item: string, error: SwarmError) => {
    errors[item] = error
    return EMPTY
  }
  of('x', 'bad', 'y')
    .pipe(mergeMapFairly(project, { ...basics, ...given, refused }))
    .subscribe((value) => heard.push(value))
  return { errors, heard: heard.join('') }
}

describe('mergeMapFairly', () => {
  obeysOperatorLaws(() => mergeMapFairly((item) => of(item), basics))

  marbles('starts who is urgent first', ({ cold, expectObservable, expectSubscriptions }) => {
    const source$ = cold('(xyc)-----|')
    const inner$ = cold(' --r|')
    const expected = '    --x--c--y-|'
    expectObservable(source$.pipe(mergeMapFairly((item) => inner$.pipe(map(() => item)), basics))).toBe(expected)
    expectSubscriptions(inner$.subscriptions).toBe(['^--!', '---^--!', '------^--!'])
  })
  marbles('runs as many at once as it may', ({ cold, expectObservable, expectSubscriptions }) => {
    const inner$ = cold('---r|')
    const fairly = mergeMapFairly<string, string>(() => inner$, { ...basics, concurrent: 2 })
    expectObservable(cold('abc|').pipe(fairly)).toBe('---rr--r|')
    expectSubscriptions(inner$.subscriptions).toBe(['^---!', '-^---!', '----^---!'])
  })
  marbles('counts what it starts', ({ cold, expectObservable }) => {
    const fairly = mergeMapFairly<string, string>((item, index) => of(`${item}${index}`), basics)
    expectObservable(cold('a-b|').pipe(fairly)).toBe('a-b|', { a: 'a0', b: 'b1' })
  })
  marbles('takes promises, lists and all that RxJS takes', ({ cold, expectObservable }) => {
    expectObservable(cold('-(a|)').pipe(mergeMapFairly(() => ['x', 'y'], basics))).toBe('-(xy|)')
  })
  marbles('shares what runs between flows: a flood delays only itself', ({ cold, expectObservable }) => {
    const source$ = cold<string>('(mmmmmmno)|')
    const fairly = mergeMapFairly<string, string>((item) => of(item).pipe(delay(10)), basics)
    expectObservable(source$.pipe(fairly)).toBe(
      `          ${'----------m'}${'---------m'}${'---------n'}${'---------o'}` +
        `${'---------m'}${'---------m'}${'---------m'}${'---------(m|)'}`,
    )
  })
  marbles('shares by weight', ({ cold, expectObservable }) => {
    const source$ = cold<string>('(zbbbnnnnnnnn|)')
    const options = { ...basics, flowOf: () => 'one' }
    const fairly = mergeMapFairly<string, string>((item) => timer(1).pipe(map(() => item)), options)
    expectObservable(source$.pipe(fairly)).toBe('-zbnnnnbnnnn(b|)')
  })
  marbles('reckons by cost', ({ cold, expectObservable }) => {
    const options = { ...basics, quantum: 2, costOf: (item: string) => (item === 'd' ? 2 : 1) }
    const fairly = mergeMapFairly<string, string>((item) => timer(1).pipe(map(() => item)), options)
    expectObservable(cold<string>('(zddeeee|)').pipe(fairly)).toBe('-zdeede(e|)')
  })
  marbles('never lets the urgent starve the others', ({ cold, expectObservable }) => {
    const options = { ...basics, strictBurst: 2 }
    const fairly = mergeMapFairly<string, string>((item) => timer(1).pipe(map(() => item)), options)
    expectObservable(cold<string>('(ccccccxx|)').pipe(fairly)).toBe('-cccxccx(c|)')
  })

  describe('cancel$', () => {
    marbles('takes out what waits', ({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source$ = cold('  (xyz)-----|')
      const cancel$ = hot('   -y---------')
      const inner$ = cold('   --r|')
      const expected = '      --x--z----|'
      const fairly = mergeMapFairly<string, string>((item) => inner$.pipe(map(() => item)), { ...basics, cancel$ })
      expectObservable(source$.pipe(fairly)).toBe(expected)
      expectSubscriptions(inner$.subscriptions).toBe(['^--!', '---^--!'])
      expectSubscriptions(cancel$.subscriptions).toBe('^---------!')
    })
    marbles('lets go of what runs, and starts the next', ({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source$ = cold('  (xy)|')
      const cancel$ = hot('   -x---')
      const inner$ = cold('   --r|')
      const expected = '      ---y|'
      const fairly = mergeMapFairly<string, string>((item) => inner$.pipe(map(() => item)), { ...basics, cancel$ })
      expectObservable(source$.pipe(fairly)).toBe(expected)
      expectSubscriptions(inner$.subscriptions).toBe(['^!', '-^--!'])
    })
    marbles('completes the result with the last one', ({ cold, hot, expectObservable }) => {
      const fairly = mergeMapFairly<string, string>(() => NEVER, { ...basics, cancel$: hot('---y-x') })
      expectObservable(cold('(xy|)').pipe(fairly)).toBe('-----|')
    })
    marbles('goes by idOf, and passes over ids that it does not know', ({ cold, hot, expectObservable }) => {
      const options = {
        ...basics,
        cancel$: hot('-?X', { '?': 'x', X: 'X' }),
        idOf: (item: string) => item.toUpperCase(),
      }
      expectObservable(cold('x----').pipe(mergeMapFairly(() => timer(5), { ...options, refused: () => EMPTY }))).toBe(
        '',
      )
    })
    marbles('says its error', ({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source$ = cold('x----')
      const fairly = mergeMapFairly<string, string>(() => NEVER, { ...basics, cancel$: hot('--#') })
      expectObservable(source$.pipe(fairly)).toBe('--#')
      expectSubscriptions(source$.subscriptions).toBe('^-!')
    })
    it('reaches an item while it is being started', () => {
      const log: string[] = []
      const logs = (item: string) => defer(() => of((log.push(`+${item}`), item)))
      for (const then of [logs, throwing('why')]) {
        const cancel$ = new Subject<string>()
        const project = (item: string) => {
          if (item !== 'x') return of(item)
          cancel$.next('x')
          return then(item)
        }
        of('x', 'y')
          .pipe(mergeMapFairly<string, string>(project, { ...basics, cancel$ }))
          .subscribe({ next: (item) => log.push(item), complete: () => log.push('|') })
      }
      expect(log.join('')).toBe('y|y|')
    })
    marbles('means the latest item of an id', ({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source$ = cold('xx------|')
      const cancel$ = hot(' ---x-----')
      const inner$ = cold(' --|')
      const fairly = mergeMapFairly<string, string>(() => inner$, { ...basics, cancel$ })
      expectObservable(source$.pipe(fairly)).toBe('--------|')
      expectSubscriptions(inner$.subscriptions).toBe(['^-!', '--^!'])
    })
    it('forgets an id with its item', () => {
      const [source$, cancel$, inner$] = [new Subject<string>(), new Subject<string>(), new Subject<string>()]
      let over = 0
      source$.pipe(mergeMapFairly(() => inner$.pipe(take(1), finalize(() => over++)), { ...basics, concurrent: 9, cancel$ })).subscribe() // prettier-ignore
      source$.next('x')
      inner$.next('done')
      source$.next('y')
      cancel$.next('x')
      expect(over).toBe(1)
      cancel$.next('y')
      expect(over).toBe(2)
    })
  })

  describe('refused', () => {
    marbles('is said of who finds no room: the newest of the longest flow', ({ cold, expectObservable }) => {
      const options = { ...basics, lanes: { normal: { maxWaiting: 2 } }, laneOf: () => 'normal' }
      const fairly = mergeMapFairly<string, string>((item) => timer(9).pipe(map(() => item)), options)
      const values = { x: 'x', y: 'y', z: 'z', Y: 'y!ERR_OVERLOADED' }
      expectObservable(cold('xyyz------|').pipe(fairly)).toBe('---Y-----x--------y--------(z|)', values)
    })
    it('gets the bound that was reached', () => {
      const options = { lanes: { normal: { maxWaiting: 1 } }, laneOf: () => 'normal', flowOf: () => 'one' }
      const { errors } = errorsOf(options, () => NEVER)
      expect(errors['y']).toMatchObject({ code: 'ERR_OVERLOADED', limit: 1, retryable: true })
      expect(errors['y']!.message).toBe("lane 'normal' is full: 1 items wait in it; come again later")
    })
    it('gets what a callback threw, and nobody else notices', () => {
      const bad = (item: string): string => (item === 'bad' ? throwing('why')() : 'normal')
      const number = (item: string): number => bad(item).length
      const cancel$ = NEVER
      for (const given of [{ laneOf: bad }, { flowOf: bad }, { costOf: number }, { idOf: bad, cancel$ }]) {
        const { errors, heard } = errorsOf(given)
        expect(heard).toBe('xy')
        expect(Object.keys(errors)).toEqual(['bad'])
        expect(errors['bad']).toMatchObject({ code: 'ERR_UNEXPECTED', cause: new Error('why') })
      }
    })
    it('gets what project threw, and the next one is started', () => {
      const { errors, heard } = errorsOf({}, (item) => (item === 'bad' ? throwing('why')() : of(item)))
      expect([heard, errors['bad']?.code]).toEqual(['xy', 'ERR_UNEXPECTED'])
      const denied = new AccessDeniedError('no')
      const deny = (item: string) => {
        if (item === 'bad') throw denied
        return of(item)
      }
      expect(errorsOf({}, deny).errors['bad']).toBe(denied)
      const nothing = (item: string) => (item === 'bad' ? undefined : of(item)) as Observable<string>
      expect(errorsOf({}, nothing).errors['bad']?.cause).toBeInstanceOf(TypeError)
    })
    it('gets items of a lane that is none, or at a cost that is none', () => {
      const lane = errorsOf({ laneOf: (item) => (item === 'bad' ? 'toString' : 'normal') })
      expect([lane.heard, lane.errors['bad']?.code, lane.errors['bad']?.field]).toEqual([
        'xy',
        'ERR_CONFIG',
        'FairQueue.offer.lane',
      ])
      const cost = errorsOf({ costOf: (item) => (item === 'bad' ? NaN : 1) })
      expect([cost.heard, cost.errors['bad']?.field]).toEqual(['xy', 'FairQueue.offer.cost'])
    })
    marbles('is heard to its end before the result completes', ({ cold, expectObservable }) => {
      const options = { ...basics, laneOf: throwing('why'), refused: () => cold<string>('--r--|') }
      expectObservable(cold<string>('(x|)').pipe(mergeMapFairly(() => EMPTY, options))).toBe('--r--|')
    })
    marbles('that throws or fails is the error of the result', ({ cold, expectObservable }) => {
      for (const refused of [throwing('worse'), () => throwError(() => new Error('worse'))]) {
        const options = { ...basics, laneOf: throwing('why'), refused }
        expectObservable(cold('-x-|').pipe(mergeMapFairly(() => EMPTY, options))).toBe('-#', {}, new Error('worse'))
      }
    })
  })

  describe('watch', () => {
    marbles('tells how the lanes are, at once and then at intervals, until the end', ({ cold, expectObservable }) => {
      const source$ = cold('xyz-------|')
      const waits = (report$: Observable<readonly LaneReport[]>) =>
        report$.pipe(map((lanes) => lanes.map(({ waiting, oldestMs }) => `${waiting}/${oldestMs}`).join(' ')))
      const heard$ = new Subject<string>()
      const options = {
        ...basics,
        reportEveryMs: 4,
        watch: (report$: Observable<readonly LaneReport[]>) => void waits(report$).subscribe(heard$),
      }
      expectObservable(heard$).toBe('a---b---c---a--|', { a: '0/0 0/0 0/0', b: '0/0 2/3 0/0', c: '0/0 1/6 0/0' })
      const values = { x: 'x', y: 'y', z: 'z' }
      const fairly = mergeMapFairly<string, string>((item) => timer(5).pipe(map(() => item)), options)
      expectObservable(source$.pipe(fairly)).toBe('-----x----y----(z|)', values)
    })
    marbles('ends at an error', ({ cold, expectObservable }) => {
      const heard$ = new Subject<string>()
      const watch = (report$: Observable<unknown>) => void report$.pipe(map(() => 'r')).subscribe(heard$)
      expectObservable(heard$).toBe('r-|')
      expectObservable(cold('--#').pipe(mergeMapFairly((item) => of(item), { ...basics, watch }))).toBe('--#')
    })
    marbles('ends when the subscriber leaves', ({ cold, expectObservable }) => {
      const heard$ = new Subject<string>()
      const watch = (report$: Observable<unknown>) => void report$.pipe(map(() => 'r')).subscribe(heard$)
      expectObservable(heard$).toBe('r--|')
      expectObservable(cold('-----').pipe(mergeMapFairly((item) => of(item), { ...basics, watch })), '^--!').toBe('')
    })
    it('tells nothing more to who asks after the end', () => {
      const kept: Observable<readonly LaneReport[]>[] = []
      of('x').pipe(mergeMapFairly((item) => of(item), { ...basics, watch: (report$) => void kept.push(report$) })).subscribe() // prettier-ignore
      const heard: string[] = []
      kept[0]!.subscribe({ next: () => heard.push('report'), complete: () => heard.push('|') })
      expect(heard).toEqual(['|'])
    })
    marbles('that throws is the error of the result', ({ cold, expectObservable }) => {
      const fairly = mergeMapFairly<string, string>((item) => of(item), { ...basics, watch: throwing('why') })
      expectObservable(cold('-x-|').pipe(fairly)).toBe('#', {}, new Error('why'))
    })
  })

  describe('its end', () => {
    marbles('never comes for a source that never ends', ({ cold, expectObservable }) => {
      expectObservable(cold('').pipe(mergeMapFairly((item) => of(item), basics))).toBe('')
    })
    marbles('comes at once for an empty source', ({ cold, expectObservable }) => {
      expectObservable(cold('|').pipe(mergeMapFairly((item) => of(item), basics))).toBe('|')
    })
    marbles('waits for what runs and what waits', ({ cold, expectObservable }) => {
      const inner$ = cold('---|')
      expectObservable(cold('(xy|)').pipe(mergeMapFairly(() => inner$, basics))).toBe('------|')
    })
    marbles('is the error of the source, and nothing runs on', ({ cold, expectObservable, expectSubscriptions }) => {
      const inner$ = cold('-----')
      expectObservable(cold('(xy)--#').pipe(mergeMapFairly(() => inner$, basics))).toBe('------#')
      expectSubscriptions(inner$.subscriptions).toBe(['^-----!'])
    })
    marbles('is the error of an inner stream, as in mergeMap', ({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('(xy)---')
      const inner$ = cold(' --#')
      expectObservable(source$.pipe(mergeMapFairly(() => inner$, basics))).toBe('--#')
      expectSubscriptions(inner$.subscriptions).toBe(['^-!'])
      expectSubscriptions(source$.subscriptions).toBe('^-!')
    })
    marbles('lets go of all when the subscriber leaves', ({ cold, hot, expectObservable, expectSubscriptions }) => {
      const [source$, cancel$] = [cold('(xyz)---'), hot('-----')]
      const inner$ = cold('-----')
      const fairly = mergeMapFairly<string, string>(() => inner$, { ...basics, concurrent: 2, cancel$ })
      expectObservable(source$.pipe(fairly), '^--!')
      expectSubscriptions(inner$.subscriptions).toBe(['^--!', '^--!'])
      expectSubscriptions(source$.subscriptions).toBe('^--!')
      expectSubscriptions(cancel$.subscriptions).toBe('^--!')
    })
    it('starts nothing more when the subscriber leaves', () => {
      const started: string[] = []
      const project = (item: string) => (started.push(item), NEVER)
      const source$ = new Subject<string>()
      const result = source$.pipe(mergeMapFairly(project, basics)).subscribe()
      source$.next('x')
      source$.next('y')
      result.unsubscribe()
      expect(started).toEqual(['x'])
    })
    it('is final: nobody is asked what to say after it', () => {
      const asked: string[] = []
      const refused = (item: string) => (asked.push(item), EMPTY)
      const source$ = new Subject<string>()
      const project = (): never => (result.unsubscribe(), throwing('why')())
      const result = source$.pipe(mergeMapFairly(project, { ...basics, refused })).subscribe()
      source$.next('x')
      expect(asked).toEqual([])
    })
    it('stops a source and an inner stream that would not stop by themselves', () => {
      const endless$ = defer(() => range(0, Infinity))
      const heard: number[] = []
      endless$
        .pipe(
          mergeMapFairly(() => endless$, numbers),
          take(3),
        )
        .subscribe((value) => heard.push(value))
      endless$
        .pipe(
          mergeMapFairly((item) => of(item), numbers),
          take(3),
        )
        .subscribe((value) => heard.push(value))
      expect(heard).toEqual([0, 1, 2, 0, 1, 2])
    })
  })

  it('works off items that its own results bring, without growing the stack', () => {
    const source$ = new Subject<number>()
    let last = 0
    source$.pipe(mergeMapFairly((item) => of(item), numbers)).subscribe((item) => {
      last = item
      if (item < 100_000) source$.next(item + 1)
    })
    source$.next(0)
    expect(last).toBe(100_000)
  })
  it('lets go of what one item held before the next is started', () => {
    const log: string[] = []
    const project = (item: string) =>
      defer(() => (log.push(`+${item}`), of(item))).pipe(finalize(() => log.push(`-${item}`)))
    of('x', 'y').pipe(mergeMapFairly(project, basics)).subscribe()
    expect(log.join('')).toBe('+x-x+y-y')
  })

  it('loses nothing: every item is answered, refused or cancelled, once, and no more than may run at once', () => {
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ flow: fc.constantFrom('a', 'b', 'c'), lane: fc.constantFrom('x', 'y', '?') }),
      },
      { weight: 2, arbitrary: fc.record({ ends: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ cancels: fc.nat() }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 3 }), (steps, concurrent) => {
        interface Item { readonly id: number; readonly flow: string; readonly lane: string } // prettier-ignore
        const [source$, cancel$] = [new Subject<Item>(), new Subject<number>()]
        const running = new Map<number, Subject<string>>()
        const answers = new Map<number, number>()
        const open = new Set<number>()
        let completed = false
        const project = ({ id }: Item) =>
          new Observable<string>((listener) => {
            const end$ = new Subject<string>()
            running.set(id, end$)
            expect(running.size).toBeLessThanOrEqual(concurrent)
            listener.add(() => running.delete(id))
            listener.add(end$.subscribe(listener))
          })
        const answer = (id: number) => {
          answers.set(id, (answers.get(id) ?? 0) + 1)
          open.delete(id)
        }
        const options: FairOptions<Item, string> = {
          concurrent,
          lanes: { x: { maxWaiting: 2 }, y: { strict: true, maxWaiting: 3 } },
          laneOf: ({ lane }) => lane,
          flowOf: ({ flow }) => flow,
          refused: ({ id }) => (answer(id), EMPTY),
          cancel$,
          idOf: ({ id }) => id,
        }
        source$.pipe(mergeMapFairly(project, options)).subscribe({ complete: () => void (completed = true) })
        const end = (id: number) => {
          const end$ = running.get(id)
          answer(id)
          end$?.complete()
        }
        let offered = 0
        for (const each of steps) {
          if ('lane' in each) {
            open.add(offered)
            source$.next({ id: offered++, ...each })
          } else if ('ends' in each) {
            const id = [...running.keys()][each.ends % Math.max(1, running.size)]
            if (id !== undefined) end(id)
          } else {
            const id = [...open][each.cancels % Math.max(1, open.size)]
            if (id === undefined) continue
            answer(id)
            cancel$.next(id)
            expect(running.has(id)).toBe(false)
          }
          expect(running.size).toBe(Math.min(concurrent, open.size))
        }
        source$.complete()
        for (let id = [...running.keys()][0]; id !== undefined; id = [...running.keys()][0]) end(id)
        expect([...answers.values()]).toEqual(Array.from({ length: offered }, () => 1))
        expect([open.size, completed]).toEqual([0, true])
      }),
      { numRuns: 200 },
    )
  })

  it('refuses options that can not be used, with all that is wrong', () => {
    const wrong = {
      concurrent: 0,
      lanes: { a: { strict: true, weight: 1 }, b: { maxWaiting: Infinity }, c: { wait: 1 } },
      laneOf: 'a',
      cancel$: 1,
      reportEveryMs: NaN,
    }
    const paths = (options: unknown) => {
      try {
        mergeMapFairly(() => EMPTY, options as FairOptions<string, string>)
        return []
      } catch (error) {
        return (error as { problems: { path: string }[] }).problems.map(({ path }) => path)
      }
    }
    expect(paths(wrong)).toEqual([
      'mergeMapFairly.concurrent',
      'mergeMapFairly.lanes.a.weight',
      'mergeMapFairly.lanes.b.maxWaiting',
      'mergeMapFairly.lanes.c.wait',
      'mergeMapFairly.laneOf',
      'mergeMapFairly.refused',
      'mergeMapFairly.cancel$',
      'mergeMapFairly.reportEveryMs',
    ])
    expect(paths({ ...basics, lanes: {} })).toEqual(['mergeMapFairly.lanes'])
    expect(paths({ ...basics, lanes: { '': {} } })).toHaveLength(1)
  })
})

describe('fairRun', () => {
  it('is one subscription: its report is its own', () => {
    expect(FairRun.length).toBe(2)
    const kept: Observable<readonly LaneReport[]>[] = []
    const source$ = new Subject<string>()
    const result$ = source$.pipe(
      mergeMapFairly(() => NEVER, { ...basics, watch: (report$) => void kept.push(report$) }),
    )
    result$.pipe(take(1)).subscribe()
    source$.next('x')
    source$.next('y')
    result$.subscribe()
    const waiting = kept.map((report$) => {
      let sum = 0
      report$.pipe(take(1)).subscribe((lanes) => void (sum = lanes.reduce((all, { waiting }) => all + waiting, 0)))
      return sum
    })
    expect(waiting).toEqual([1, 0])
  })
})

describe('fairFields', () => {
  it('have shares above nothing and counts from one', () => {
    expect(fairFields.count.safeParse(1).success).toBe(true)
    for (const bad of [0, 1.5, NaN, Infinity, '1']) expect(fairFields.count.safeParse(bad).success).toBe(false)
    for (const bad of [0, -1, NaN, Infinity]) expect(fairFields.queue.quantum.safeParse(bad).success).toBe(false)
  })
})
