import { UnexpectedError } from 'rxswarm'
import type { PagesEvent, PagesPorts } from 'rxswarm/observability'
import { fakeWires, inVirtualTime, marbles } from 'rxswarm/testing'
import { concat, NEVER, of, Subject, throwError, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { pagesBehaviour } from '../../../src/observability/pages/pagesBehaviour.ts'

const error = new UnexpectedError('in use')
const listening: PagesEvent = {
  type: 'pages:listening',
  url: 'http://127.0.0.1:1/',
  host: '127.0.0.1',
  port: 1,
  pages: [],
}
const refused = (path: string): PagesEvent => ({ type: 'pages:refused', path, reason: 'host', from: '127.0.0.1' })
const failed = (path: string): PagesEvent => ({ type: 'pages:failed', path, error })
const said$ = (ports: PagesPorts) =>
  pagesBehaviour(fakeWires<never, PagesPorts>({ command$: NEVER, ports })) as Observable<PagesEvent>

describe('pagesBehaviour', () => {
  marbles('starts a server that breaks again', ({ cold, expectObservable }) => {
    const server$ = cold(' -l-#', { l: listening }, error)
    const unsubscribed = ' ^ 381ms !'
    const expected = '     -l-f 375ms l-g'
    const again = (retryInMs: number) => ({ type: 'pages:failed' as const, error, retryInMs })
    const said = { l: listening, f: again(375), g: again(750) }
    expectObservable(said$({ server$ }), unsubscribed).toBe(expected, said)
  })
  it('waits longer each time, at most 30 s', () => {
    inVirtualTime(({ flush }) => {
      const waits: number[] = []
      const said = said$({ server$: throwError(() => error) }).subscribe((event) => {
        if (event.type === 'pages:failed') waits.push(event.retryInMs!)
        if (waits.length === 9) said.unsubscribe()
      })
      flush()
      expect(waits).toEqual([375, 750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500, 22_500])
    })
  })
  it('tells at most 8 refusals a second one by one, and counts the others', () => {
    inVirtualTime(({ flush }) => {
      const server$ = new Subject<PagesEvent>()
      const heard: PagesEvent[] = []
      const running = said$({ server$ }).subscribe((event) => heard.push(event))
      for (let i = 0; i < 1_000; i++) server$.next(refused(`/${i}`))
      server$.next(failed('/metrics'))
      expect(heard.map((event) => ('path' in event ? event.path : ''))).toEqual([
        '/0',
        '/1',
        '/2',
        '/3',
        '/4',
        '/5',
        '/6',
        '/7',
        '/metrics',
      ])
      flush()
      expect(heard.slice(9)).toEqual([{ ...refused('/999'), more: 991 }])
      server$.next(refused('/again'))
      expect(heard.slice(10)).toEqual([refused('/again')])
      running.unsubscribe()
    })
  })
  it('tells what it has held back when it ends', () => {
    inVirtualTime(() => {
      const heard: PagesEvent[] = []
      const refusals = Array.from({ length: 10 }, (_, i) => refused(`/${i}`))
      said$({ server$: concat(of(...refusals)) }).subscribe((event) => heard.push(event))
      expect(heard).toHaveLength(9)
      expect(heard.at(-1)).toEqual({ ...refused('/9'), more: 1 })
    })
  })
})
