import { compose, policy, withDeadline, withFallback, withRetry, type Policy, type PolicyEvent } from 'rxswarm/policies'
import { marbles, obeysOperatorLaws } from 'rxswarm/testing'
import { delay, map, NEVER, of, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { IDLE, reporting } from '../../src/policies/policy.ts'
import { sixCases } from './sixCases.ts'

const retry = (onEvent?: (event: PolicyEvent) => void) =>
  withRetry({ backoff: { type: 'constant', delayMs: 1 }, retries: 1, ...(onEvent && { onEvent }) })

/** Writes down what passes it. */
const named = (name: string, log: string[]) =>
  policy((next) => (source, call, out) => {
    log.push(name)
    next(source, call, out)
  })

describe('compose', () => {
  obeysOperatorLaws(() => compose(withFallback({ to: () => of('f') }), retry()))
  sixCases(() => compose(named('a', []), named('b', [])))

  marbles('puts the first outermost', ({ cold, expectObservable }) => {
    const source$ = cold<string>('-#')
    const expected = '            ---(f|)'
    expectObservable(source$.pipe(compose(withFallback({ to: () => of('f') }), retry()))).toBe(expected)
    expectObservable(source$.pipe(compose(retry(), withFallback({ to: () => of('f') })))).toBe('-(f|)')
  })
  it('asks from the first to the last', () => {
    const log: string[] = []
    of(1)
      .pipe(compose(named('a', log), compose(named('b', log), named('c', log)), named('d', log)))
      .subscribe()
    expect(log).toEqual(['a', 'b', 'c', 'd'])
  })
  marbles('takes operators of any kind', ({ cold, expectObservable }) => {
    const later = <T>(source$: Observable<T>) => source$.pipe(delay(2))
    expectObservable(cold('a---#').pipe(compose(retry(), later))).toBe('--a----a-#')
  })
  marbles('is no policy at all when it is given none', ({ cold, expectObservable }) => {
    expectObservable(cold('-a-#').pipe(compose())).toBe('-a-#')
  })
  marbles('makes what an operator throws the error of the call', ({ cold, expectObservable }) => {
    const broken = () => {
      throw new Error('broken')
    }
    expectObservable(cold('-a|').pipe(compose(broken))).toBe('#', undefined, new Error('broken'))
  })
})

describe('policy', () => {
  const lower: Policy = policy((next) => (source, call, out) => {
    call.report({ type: 'policy:probed', policy: 'breaker' })
    next(source, call, out)
  })
  it('hears what it does itself, once, and not what the policies inside it do', () => {
    const heard: string[] = []
    const listener = (name: string) => (event: PolicyEvent) => void heard.push(`${name} ${event.type}`)
    const outer = policy(
      (next) => (source, call, out) => {
        call.report({ type: 'policy:recovered', policy: 'breaker' })
        next(source, call, out)
      },
      listener('outer'),
    )
    const inner = policy(lower.layer, listener('inner'))
    const stack = compose(outer, withDeadline({ deadlineMs: 5, onEvent: listener('deadline') }), inner)
    stack
      .call(() => NEVER, { dueAt: Infinity, report: listener('caller') })
      .subscribe()
      .unsubscribe()
    expect(heard).toEqual([
      'outer policy:recovered',
      'caller policy:recovered',
      'inner policy:probed',
      'caller policy:probed',
    ])
  })
  it('lets the others hear when a listener throws', () => {
    const heard: string[] = []
    const deaf = policy(lower.layer, () => {
      throw new Error('deaf')
    })
    const report = (event: PolicyEvent) => void heard.push(event.type)
    let thrown: unknown
    deaf.call(() => NEVER, { dueAt: Infinity, report }).subscribe({ error: (error: unknown) => (thrown = error) })
    expect(String(thrown)).toContain('deaf')
    expect(heard).toEqual(['policy:probed'])
  })
  it('gives an attempt another listener and leaves its deadline alive', () => {
    const call = { dueAt: 5, report: () => undefined }
    const other = reporting(call, () => undefined)
    call.dueAt = 7
    expect(other.dueAt).toBe(7)
    expect(IDLE.dueAt).toBe(Infinity)
  })
  it('turns a source that can not be made into one that fails', () => {
    let thrown: unknown
    const cannot = () => {
      throw new Error('cannot')
    }
    lower.call(cannot, IDLE).subscribe({ error: (error: unknown) => (thrown = error) })
    expect(String(thrown)).toContain('cannot')
  })
})

describe('policyEvent', () => {
  marbles('is plain data that says what happened and why', ({ cold, expectObservable, flush }) => {
    const events: PolicyEvent[] = []
    const source$ = cold('#', {}, 'why').pipe(retry((event) => void events.push(event)))
    expectObservable(source$.pipe(map(String))).toBe('-#', undefined, 'why')
    flush()
    expect(events).toEqual(JSON.parse(JSON.stringify(events)))
  })
})
