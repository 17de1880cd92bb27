import { marbles } from 'rxswarm/testing'
import { asyncScheduler, defer, type Observable } from 'rxjs'
import { describe, expect } from 'vitest'
import { supervise } from '../../src/swarm/supervise.ts'

const told: string[] = []
const options = {
  scheduler: asyncScheduler,
  random: () => 0.5,
  onUp: (again: boolean) => void told.push(again ? 'up again' : 'up'),
  onCrash: (error: unknown, restartInMs: number) => void told.push(`${String(error)} ${restartInMs}`),
}

describe('supervise', () => {
  marbles('starts a crashed stream again, later each time', ({ cold, expectObservable, flush }) => {
    told.length = 0
    const source = '  -a-#'
    const result = '  -a- 75ms -a-'
    const twice = '   150ms -a'
    expectObservable(
      supervise(() => cold<string>(source), options),
      '^ 240ms !',
    ).toBe(`${result} ${twice}`)
    flush()
    expect(told).toEqual(['up', 'error 75', 'up again', 'error 150', 'up again', 'error 300'])
  })
  marbles('starts its backoff over after half a minute without a crash', ({ cold, expectObservable, flush }) => {
    told.length = 0
    const lives = [cold<string>('#'), cold<string>('40s #'), cold<string>('-')]
    let life = 0
    expectObservable(
      supervise(() => defer(() => lives[life++]!), options),
      '^ 41s !',
    ).toBe('')
    flush()
    expect(told.filter((line) => line.startsWith('error'))).toEqual(['error 75', 'error 75'])
  })
  marbles('completes when the stream does, and stops when nobody listens', (run) => {
    const { cold, expectObservable, expectSubscriptions } = run
    expectObservable(supervise(() => cold<string>('-a|'), options)).toBe('-a|')
    const source$ = cold<string>('------')
    expectObservable(
      supervise(() => source$, options),
      '^--!',
    )
    expectSubscriptions(source$.subscriptions).toBe('^--!')
  })
  marbles('treats a start that throws as a crash', ({ expectObservable, flush }) => {
    told.length = 0
    const thrower = (): Observable<never> => {
      throw new Error('mine')
    }
    expectObservable(supervise(thrower, options), '^ 10ms !').toBe('')
    flush()
    expect(told).toEqual(['Error: mine 75'])
  })
})
