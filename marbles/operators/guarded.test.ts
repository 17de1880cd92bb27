import { guarded } from 'rxswarm/operators'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { map, merge, of, Subject } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'

const thrower = () => {
  throw new Error('mine')
}

describe('guarded', () => {
  obeysOperatorLaws(() => (source$) => guarded(source$, () => undefined))

  marbles('passes everything on', ({ cold, expectObservable }) => {
    const source = '  -a-b-|'
    const expected = '-a-b-|'
    expectObservable(guarded(cold(source), () => undefined)).toBe(expected)
    expectObservable(guarded(cold('-a-#'), () => undefined)).toBe('-a-#')
  })
  it('reports what a subscriber throws, and goes on', () => {
    const report = vi.fn()
    const source$ = new Subject<number>()
    const heard: number[] = []
    guarded(source$, report).subscribe((n) => {
      heard.push(n)
      thrower()
    })
    source$.next(1)
    source$.next(2)
    expect(heard).toEqual([1, 2])
    expect(report).toHaveBeenCalledTimes(2)
    expect(report).toHaveBeenCalledWith(new Error('mine'))
  })
  it('holds through operators', () => {
    const report = vi.fn()
    guarded(of(1), report)
      .pipe(
        map((n) => n + 1),
        map((n) => n + 1),
      )
      .subscribe(thrower)
    expect(report).toHaveBeenCalledOnce()
  })
  it('reports what complete and error callbacks throw', () => {
    const report = vi.fn()
    guarded(of(1), report).subscribe({ complete: thrower })
    guarded(new Subject(), report).subscribe({ error: thrower })
    const failing$ = new Subject()
    guarded(failing$, report).subscribe({ error: thrower })
    failing$.error('x')
    expect(report).toHaveBeenCalledTimes(2)
  })
  it('lets an error go that its subscriber has no callback for', () => {
    const failing$ = new Subject()
    guarded(failing$, thrower).subscribe()
    expect(() => failing$.error('x')).not.toThrow()
  })
  it('still works inside creation functions', () => {
    const heard: number[] = []
    merge(guarded(of(1), thrower), of(2)).subscribe((n) => heard.push(n))
    expect(heard).toEqual([1, 2])
  })
})
