import { assertSame, draw, inVirtualTime, type TestMessage } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'

const next = (frame: number, value: unknown): TestMessage => ({ frame, notification: { kind: 'N', value } })
const complete = (frame: number): TestMessage => ({ frame, notification: { kind: 'C' } })
const error = (frame: number): TestMessage => ({ frame, notification: { kind: 'E', error: 'why' } })

describe('draw', () => {
  it('draws one character a millisecond', () => {
    expect(draw([next(1, 'x'), next(3, 'y'), complete(5)], [])).toBe('-a-b-|')
    expect(draw([error(2)], [])).toBe('--#')
  })
  it('gives equal values one letter, across lines', () => {
    const legend: unknown[] = []
    expect(draw([next(0, { n: 1 }), next(1, { n: 2 })], legend)).toBe('ab')
    expect(draw([next(0, { n: 2 })], legend)).toBe('b')
    expect(legend).toEqual([{ n: 1 }, { n: 2 }])
  })
  it('groups what happens at once, and keeps the time after it', () => {
    expect(draw([next(1, 'x'), next(1, 'y'), next(7, 'x')], [])).toBe('-(ab)--a')
  })
  it('names the frame of what falls under a group', () => {
    expect(draw([next(1, 'x'), next(1, 'y'), next(3, 'x')], [])).toBe('-(ab)a@3')
  })
  it('draws a long gap as its time', () => {
    expect(draw([next(1, 'x'), complete(5_000)], [])).toBe('-a 4998ms |')
  })
})

describe('assertSame', () => {
  it('draws what happened under what was expected', () => {
    const failing = () =>
      inVirtualTime(({ cold, expectObservable }) => {
        expectObservable(cold('-a-b|')).toBe('-a--b|')
      })
    expect(failing).toThrow(`\nexpected  -a--b|\nactual    -a-b|\na = 'a'\nb = 'b'`)
  })
  it('names the error of a line that was not expected to have one', () => {
    const failing = () =>
      inVirtualTime(({ cold, expectObservable }) => {
        expectObservable(cold('-#', {}, new Error('the reason'))).toBe('-|')
      })
    expect(failing).toThrow(/the reason/)
  })
  it('compares anything else as assert does', () => {
    expect(() => assertSame(1, 2)).toThrow()
    expect(() => assertSame({ a: [1] }, { a: [1] })).not.toThrow()
  })
})

describe('inVirtualTime', () => {
  it('gives Date.now the virtual time, and gives it back', () => {
    const times: number[] = []
    inVirtualTime(({ cold, expectObservable, flush }) => {
      const source$ = cold('--a|')
      source$.subscribe(() => times.push(Date.now()))
      expectObservable(source$).toBe('--a|')
      flush()
    })
    expect(times).toEqual([2])
    expect(Date.now()).toBeGreaterThan(1_000_000)
  })
})
