import { compose, withBulkhead, withRetry, type PolicyEvent } from 'rxswarm/policies'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import fc from 'fast-check'
import { concatMap, EMPTY, finalize, mergeMap, NEVER, Observable, of, range, Subject, type Subscription } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { OverloadedError } from '../../src/errors/errors.ts'
import { sixCases } from './sixCases.ts'

const full = (concurrent: number, maxWaiting: number) =>
  new OverloadedError(`${concurrent} calls run and ${maxWaiting} wait already; try again later`, {
    limit: concurrent + maxWaiting,
  })

describe('withBulkhead', () => {
  obeysOperatorLaws(() => withBulkhead({ concurrent: 2 }))
  sixCases(() => withBulkhead({ concurrent: 1 }))

  marbles('lets so many run, and so many wait', ({ cold, hot, expectObservable, expectSubscriptions }) => {
    const bulkhead = withBulkhead({ concurrent: 1, maxWaiting: 1 })
    const works = { a: cold<string>('--(a|)'), b: cold<string>('---(b|)') }
    const calls = '   ab-----'
    const result = '  --a--b-'
    const calls$ = hot<'a' | 'b'>(calls)
    expectObservable(calls$.pipe(mergeMap((name) => works[name].pipe(bulkhead)))).toBe(result)
    expectSubscriptions(works.a.subscriptions).toBe('^-!')
    expectSubscriptions(works.b.subscriptions).toBe('--^--!')
  })
  marbles('refuses at once what may neither run nor wait', ({ cold, expectObservable, flush }) => {
    const events: PolicyEvent[] = []
    const bulkhead = withBulkhead({ concurrent: 1, maxWaiting: 1, onEvent: (event) => void events.push(event) })
    const call$ = cold<string>('---(a|)').pipe(bulkhead)
    expectObservable(call$, '  ^').toBe('      ---(a|)')
    expectObservable(call$, '  -^').toBe('     ------(a|)')
    expectObservable(call$, '  --^').toBe('    --#', undefined, full(1, 1))
    expectObservable(call$, '  ----^').toBe('  ---------(a|)')
    flush()
    expect(events).toEqual([{ type: 'policy:rejected', policy: 'bulkhead', reason: 'full' }])
  })
  marbles('lets the longest waiting in first', ({ cold, expectObservable }) => {
    const bulkhead = withBulkhead({ concurrent: 2, maxWaiting: 9 })
    const work = (letter: string) => cold<string>(`----(${letter}|)`).pipe(bulkhead)
    expectObservable(work('a'), '^').toBe('----(a|)')
    expectObservable(work('b'), '-^').toBe('-----(b|)')
    expectObservable(work('d'), '---^').toBe('---------(d|)')
    expectObservable(work('c'), '--^').toBe('--------(c|)')
  })
  marbles('forgets who leaves while it waits', ({ cold, expectObservable, expectSubscriptions }) => {
    const bulkhead = withBulkhead({ concurrent: 1, maxWaiting: 1 })
    const [a$, b$, c$] = [cold<string>('-----|'), cold<string>('--|'), cold<string>('--|')]
    expectObservable(a$.pipe(bulkhead), '^').toBe('-----|')
    expectObservable(b$.pipe(bulkhead), '-^-!').toBe('-')
    expectObservable(c$.pipe(bulkhead), '----^').toBe('-------|')
    expectSubscriptions(b$.subscriptions).toBe([])
    expectSubscriptions(c$.subscriptions).toBe('-----^-!')
  })
  marbles('has the place of one who leaves while it runs', ({ cold, expectObservable, expectSubscriptions }) => {
    const bulkhead = withBulkhead({ concurrent: 1, maxWaiting: 1 })
    const [a$, b$] = [cold<string>('----------'), cold<string>('--|')]
    expectObservable(a$.pipe(bulkhead), '^--!').toBe('-')
    expectObservable(b$.pipe(bulkhead), '-^').toBe('-----|')
    expectSubscriptions(b$.subscriptions).toBe('---^-!')
  })
  marbles('shares its places among all sources, and gives back those that fail', ({ cold, expectObservable }) => {
    const bulkhead = withBulkhead({ concurrent: 1 })
    expectObservable(cold('--#').pipe(bulkhead), '^').toBe('--#')
    expectObservable(cold('-|').pipe(bulkhead), '-^').toBe('-#', undefined, full(1, 0))
    expectObservable(cold('-|').pipe(bulkhead), '---^').toBe('----|')
  })
  marbles('is worth a retry', ({ cold, expectObservable }) => {
    const stack = compose(withRetry({ backoff: { type: 'constant', delayMs: 2 } }), withBulkhead({ concurrent: 1 }))
    expectObservable(cold('---|').pipe(stack)).toBe('---|')
    expectObservable(cold('---|').pipe(stack)).toBe('-------|')
  })

  it('says how full it is', () => {
    const bulkhead = withBulkhead({ concurrent: 2, maxWaiting: 5 })
    const calls = [1, 2, 3, 4].map(() => NEVER.pipe(bulkhead).subscribe())
    expect([bulkhead.running, bulkhead.waiting]).toEqual([2, 2])
    calls[3]!.unsubscribe()
    expect([bulkhead.running, bulkhead.waiting]).toEqual([2, 1])
    calls[0]!.unsubscribe()
    expect([bulkhead.running, bulkhead.waiting]).toEqual([2, 0])
    for (const call of calls) call.unsubscribe()
    expect([bulkhead.running, bulkhead.waiting]).toEqual([0, 0])
  })
  it('has the place of a call free when its subscriber hears of its end', () => {
    const bulkhead = withBulkhead({ concurrent: 1 })
    const seen: string[] = []
    const next = { complete: () => seen.push('done'), error: (error: Error) => seen.push(error.name) }
    of(1)
      .pipe(bulkhead)
      .subscribe({ complete: () => EMPTY.pipe(bulkhead).subscribe(next) })
    const fails$ = new Observable((out) => out.error('x'))
    fails$.pipe(bulkhead).subscribe({ error: () => EMPTY.pipe(bulkhead).subscribe(next) })
    expect(seen).toEqual(['done', 'done'])
    expect(bulkhead.running).toBe(0)
  })
  it('does not pile up the stack: 10 000 calls that end at once', () => {
    const bulkhead = withBulkhead({ concurrent: 1, maxWaiting: 10_000 })
    const gate$ = new Subject<void>()
    let done = 0
    gate$.pipe(bulkhead).subscribe()
    for (let i = 0; i < 10_000; i++)
      of(i)
        .pipe(bulkhead)
        .subscribe({ complete: () => void done++ })
    expect([done, bulkhead.waiting]).toEqual([0, 10_000])
    gate$.complete()
    expect([done, bulkhead.running, bulkhead.waiting]).toEqual([10_000, 0, 0])
    range(10_000)
      .pipe(concatMap((i) => of(i).pipe(bulkhead)))
      .subscribe(() => void done++)
    expect(done).toBe(20_000)
  })
  it('does not lose a place to a source that throws when it is let go of', () => {
    const bulkhead = withBulkhead({ concurrent: 1 })
    const call = NEVER.pipe(
      finalize(() => {
        throw new Error('clinging')
      }),
      bulkhead,
    ).subscribe()
    expect(() => call.unsubscribe()).toThrow('clinging')
    expect(bulkhead.running).toBe(0)
  })
  it('takes no place for a subscriber that has left already', () => {
    const bulkhead = withBulkhead({ concurrent: 1 })
    const out = NEVER.subscribe()
    out.unsubscribe()
    NEVER.pipe(bulkhead).subscribe(out as never)
    expect(bulkhead.running).toBe(0)
  })
  it('makes what a listener throws the error of the refused call, and of no other', () => {
    const bulkhead = withBulkhead({
      concurrent: 1,
      onEvent: () => {
        throw new Error('deaf')
      },
    })
    const errors: unknown[] = []
    const error = (thrown: unknown) => void errors.push(thrown)
    const call = NEVER.pipe(bulkhead).subscribe({ error })
    NEVER.pipe(bulkhead).subscribe({ error })
    expect(errors).toEqual([new Error('deaf')])
    expect([call.closed, bulkhead.running, bulkhead.waiting]).toEqual([false, 1, 0])
  })
  it('never runs more than it may, and loses nothing, whatever happens', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant({ type: 'call' as const, at: 0 }) },
      fc.record({ type: fc.constantFrom('end' as const, 'fail' as const, 'leave' as const), at: fc.nat(50) }),
    )
    const holds = fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 6 }),
      fc.array(step, { minLength: 10, maxLength: 80 }),
      (concurrent, maxWaiting, steps) => {
        const bulkhead = withBulkhead({ concurrent, maxWaiting })
        const calls: { readonly work$: Subject<number>; readonly sub: Subscription; state: string }[] = []
        const started: number[] = []
        const among = (state: string) => calls.filter((call) => call.state === state)
        for (const { type, at } of steps) {
          if (type === 'call') {
            const work$ = new Subject<number>()
            const id = calls.length
            const call = { work$, state: 'waiting', sub: undefined as unknown as Subscription }
            calls.push(call)
            const source$ = new Observable<number>((out) => {
              call.state = 'running'
              started.push(id)
              return work$.subscribe(out)
            })
            call.sub = source$.pipe(bulkhead).subscribe({
              complete: () => void (call.state = 'over'),
              error: (error: unknown) => void (call.state = error === 'x' ? 'over' : 'refused'),
            })
          } else {
            const open = [...among('running'), ...(type === 'leave' ? among('waiting') : [])]
            const call = open[at % Math.max(1, open.length)]
            if (type === 'end') call?.work$.complete()
            else if (type === 'fail') call?.work$.error('x')
            else if (call !== undefined) {
              call.state = 'over'
              call.sub.unsubscribe()
            }
          }
          const [running, waiting] = [among('running').length, among('waiting').length]
          expect([bulkhead.running, bulkhead.waiting]).toEqual([running, waiting])
          expect(running).toBeLessThanOrEqual(concurrent)
          expect(waiting).toBeLessThanOrEqual(maxWaiting)
          if (running < concurrent) expect(waiting).toBe(0) // nobody waits beside a free place
        }
        expect(started).toEqual(started.toSorted((a, b) => a - b))
        for (let open = among('running'); open.length > 0; open = among('running')) open[0]!.work$.complete()
        expect(among('waiting')).toEqual([])
        expect([bulkhead.running, bulkhead.waiting]).toEqual([0, 0])
      },
    )
    fc.assert(holds, { numRuns: 100, seed: 1 })
  })
  it.each([
    [{}, 'withBulkhead.concurrent: must be a whole number'],
    [{ concurrent: 0 }, 'withBulkhead.concurrent: must be above 0'],
    [{ concurrent: 1.5 }, 'withBulkhead.concurrent: must be a whole number'],
    [{ concurrent: 1, maxWaiting: -1 }, 'withBulkhead.maxWaiting: must not be below 0'],
    [{ concurrent: 1, maxWaiting: Infinity }, 'withBulkhead.maxWaiting: must be a whole number'],
    [{ concurrent: 1, scheduler: 1 }, 'withBulkhead.scheduler: is not an option'],
  ])('refuses %j', (options, message) => {
    expect(() => withBulkhead(options as never)).toThrow(`configuration: ${message}`)
  })
})
