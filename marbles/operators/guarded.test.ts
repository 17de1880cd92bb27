import { guarded } from 'rxswarm/operators'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { map, merge, of, Subject } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'

const silent = { threw: () => undefined }
const thrower = () => {
  throw new Error('mine')
}

describe('guarded', () => {
  obeysOperatorLaws(() => (source$) => guarded(source$, silent))

  marbles('passes everything on', ({ cold, expectObservable }) => {
    const source = '  -a-b-|'
    const expected = '-a-b-|'
    expectObservable(guarded(cold(source), silent)).toBe(expected)
    expectObservable(guarded(cold('-a-#'), silent)).toBe('-a-#')
  })
  it('reports what a subscriber throws, and goes on', () => {
    const report = vi.fn()
    const source$ = new Subject<number>()
    const heard: number[] = []
    guarded(source$, { threw: report }).subscribe((n) => {
      heard.push(n)
      thrower()
    })
    source$.next(1)
    source$.next(2)
    expect(heard).toEqual([1, 2])
    expect(report).toHaveBeenCalledTimes(2)
    expect(report).toHaveBeenCalledWith(new Error('mine'), 1)
  })
  it('holds through operators', () => {
    const report = vi.fn()
    guarded(of(1), { threw: report })
      .pipe(
        map((n) => n + 1),
        map((n) => n + 1),
      )
      .subscribe(thrower)
    expect(report).toHaveBeenCalledOnce()
  })
  it('reports what complete and error callbacks throw', () => {
    const report = vi.fn()
    guarded(of(1), { threw: report }).subscribe({ complete: thrower })
    guarded(new Subject(), { threw: report }).subscribe({ error: thrower })
    const failing$ = new Subject()
    guarded(failing$, { threw: report }).subscribe({ error: thrower })
    failing$.error('x')
    expect(report).toHaveBeenCalledTimes(2)
  })
  it('lets an error go that its subscriber has no callback for', () => {
    const failing$ = new Subject()
    guarded(failing$, silent).subscribe()
    expect(() => failing$.error('x')).not.toThrow()
  })
  it('tells of an error that its subscriber has no callback for, when asked to', () => {
    const unheard = vi.fn()
    const mapped$ = guarded(of(1), { threw: vi.fn(), unheard }).pipe(map(thrower))
    mapped$.subscribe()
    mapped$.subscribe({ error: () => undefined })
    expect(unheard.mock.calls).toEqual([[new Error('mine')]])
  })
  it('lets a subscriber go that throws at the report of its own throw, for ever', () => {
    const source$ = new Subject<number>()
    let throws = 0
    guarded(source$, { threw: () => source$.next(0) }).subscribe(() => {
      throws++
      thrower()
    })
    source$.next(0)
    expect(throws).toBe(1_000)
    expect(source$.observed).toBe(false)
  })
  it('still works inside creation functions', () => {
    const heard: number[] = []
    merge(guarded(of(1), silent), of(2)).subscribe((n) => heard.push(n))
    expect(heard).toEqual([1, 2])
  })
})
