import { fromAbortable } from 'rxswarm/operators'
import { marbles } from 'rxswarm/testing'
import { asyncScheduler, take } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'

/** A promise in virtual time. */
const after = <T>(delayMs: number, settle: () => T): PromiseLike<T> => ({
  then(resolve, reject) {
    asyncScheduler.schedule(() => {
      try {
        void resolve?.(settle())
      } catch (error) {
        void reject?.(error)
      }
    }, delayMs)
    return this as never
  },
})

describe('fromAbortable', () => {
  marbles('emits what the work comes to, and completes', ({ expectObservable }) => {
    const work = '    --r'
    const expected = '--(r|)'
    expectObservable(fromAbortable(() => after(work.trim().indexOf('r'), () => 'r'))).toBe(expected)
  })
  marbles('passes the error of the work on', ({ expectObservable }) => {
    const fail = () => {
      throw new Error('no')
    }
    expectObservable(fromAbortable(() => after(3, fail))).toBe('---#', {}, new Error('no'))
  })
  marbles('starts anew for each subscriber', ({ expectObservable }) => {
    let starts = 0
    const work$ = fromAbortable(() => after(1, () => String(++starts)))
    expectObservable(work$, '^--').toBe('-(1|)')
    expectObservable(work$, '--^--').toBe('---(2|)')
  })
  marbles('aborts the work when its subscriber leaves', ({ expectObservable, flush }) => {
    let signal: AbortSignal | undefined
    const work$ = fromAbortable((given) => ((signal = given), after(9, () => 'r')))
    expectObservable(work$, '^--!').toBe('----')
    flush()
    expect(signal?.aborted).toBe(true)
  })
  marbles('does not abort work that is over', ({ expectObservable, flush }) => {
    let signal: AbortSignal | undefined
    const work$ = fromAbortable((given) => ((signal = given), after(2, () => 'r')))
    expectObservable(work$.pipe(take(1))).toBe('--(r|)')
    flush()
    expect(signal?.aborted).toBe(false)
  })
  it('passes on what start throws', () => {
    const error = vi.fn()
    fromAbortable(() => {
      throw new Error('at once')
    }).subscribe({ error })
    expect(error).toHaveBeenCalledWith(new Error('at once'))
  })
  it('emits the values of an async iterable at its pace, and ends it when its subscriber leaves', async () => {
    let ended = false
    async function* count() {
      try {
        for (let i = 0; ; i++) yield i
      } finally {
        ended = true
      }
    }
    const got: number[] = []
    await new Promise<void>((resolve) => {
      const running = fromAbortable(count).subscribe((i) => {
        got.push(i)
        if (i < 2) return
        running.unsubscribe()
        resolve()
      })
    })
    await vi.waitFor(() => expect(ended).toBe(true))
    expect(got).toEqual([0, 1, 2])
  })
})
