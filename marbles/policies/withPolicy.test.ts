import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  ConstantBackoff,
  fallback,
  handleAll,
  noop,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel'
import { compose, withFallback, withPolicy } from 'rxswarm/policies'
import {
  defer,
  from,
  NEVER,
  Observable,
  of,
  throwError,
  timer,
  type ObservableNotification,
  dematerialize,
  materialize,
} from 'rxjs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** What a stream says, with the millisecond at which it says it. */
function told(source$: Observable<unknown>) {
  const start = Date.now()
  const log: string[] = []
  const write = (text: string) => void log.push(`${Date.now() - start} ${text}`)
  const subscription = source$.subscribe({
    next: (value) => write(String(value)),
    error: (error: Error | string) => write(`# ${error instanceof Error ? error.message : error}`),
    complete: () => write('|'),
  })
  return { log, subscription }
}

const retries = (maxAttempts: number) => retry(handleAll, { maxAttempts, backoff: new ConstantBackoff(10) })

describe('withPolicy', () => {
  it('lets values and completion of its source pass', async () => {
    const { log } = told(of('a', 'b').pipe(withPolicy(noop)))
    await vi.advanceTimersByTimeAsync(0)
    expect(log).toEqual(['0 a', '0 b', '0 |'])
  })
  it('lets an empty source, a silent one and an error pass', async () => {
    const logs = [of(), NEVER, throwError(() => 'x')].map((source$) => told(source$.pipe(withPolicy(noop))).log)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(logs).toEqual([['0 |'], [], ['0 # x']])
  })
  it('tries again as a whole policy of cockatiel’s says', async () => {
    let attempts = 0
    const source$ = defer(() => (++attempts < 3 ? throwError(() => 'x') : of('a')))
    const policy = withPolicy(
      wrap(retries(5), circuitBreaker(handleAll, { halfOpenAfter: 50, breaker: new ConsecutiveBreaker(9) })),
    )
    const { log } = told(source$.pipe(policy))
    await vi.advanceTimersByTimeAsync(100)
    expect(log).toEqual(['20 a', '20 |'])
    expect(vi.getTimerCount()).toBe(0)
  })
  it('gives up with the last error', async () => {
    const { log } = told(throwError(() => new Error('x')).pipe(withPolicy(retries(2))))
    await vi.advanceTimersByTimeAsync(100)
    expect(log).toEqual(['20 # x'])
  })
  it('shares the state of the policy among all sources', async () => {
    const policy = withPolicy(circuitBreaker(handleAll, { halfOpenAfter: 50, breaker: new ConsecutiveBreaker(1) }))
    told(throwError(() => 'x').pipe(policy))
    await vi.advanceTimersByTimeAsync(1)
    const refused = told(of('a').pipe(policy))
    await vi.advanceTimersByTimeAsync(60)
    const letIn = told(of('a').pipe(policy))
    await vi.advanceTimersByTimeAsync(1)
    expect(refused.log[0]).toContain('breaker is open')
    expect(letIn.log).toEqual(['0 a', '0 |'])
  })
  it('lets go of a source that the policy gives up', async () => {
    let open = 0
    const source$ = new Observable<string>(() => {
      open++
      return () => void open--
    })
    const { log } = told(source$.pipe(withPolicy(wrap(retries(1), timeout(30, TimeoutStrategy.Aggressive)))))
    await vi.advanceTimersByTimeAsync(10)
    expect(open).toBe(1)
    await vi.advanceTimersByTimeAsync(200)
    expect([open, log.length, vi.getTimerCount()]).toEqual([0, 1, 0])
    expect(log[0]).toMatch(/^70 # .*timed out/)
  })
  it('emits what the policy returns without its source', async () => {
    const { log } = told(throwError(() => 'x').pipe(withPolicy(fallback(handleAll, 'instead'))))
    await vi.advanceTimersByTimeAsync(0)
    expect(log).toEqual(['0 instead', '0 |'])
  })
  it('aborts the policy and lets go of the source when its subscriber leaves; leaves no timer', async () => {
    let open = 0
    const source$ = new Observable<string>((out) => {
      open++
      out.add(timer(500).subscribe(() => out.next('late')))
      return () => void open--
    })
    const policy = withPolicy(wrap(retries(5), timeout(100, TimeoutStrategy.Aggressive)))
    const { log, subscription } = told(source$.pipe(policy))
    await vi.advanceTimersByTimeAsync(50)
    subscription.unsubscribe()
    expect(open).toBe(0)
    await vi.advanceTimersByTimeAsync(0)
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(1_000)
    expect([open, log]).toEqual([0, []])
  })
  it('makes no further attempt when its subscriber leaves between two', async () => {
    let attempts = 0
    const source$ = defer(() => {
      attempts++
      return throwError(() => 'x')
    })
    const { log, subscription } = told(source$.pipe(withPolicy(retries(9))))
    await vi.advanceTimersByTimeAsync(15)
    subscription.unsubscribe()
    await vi.advanceTimersByTimeAsync(1_000)
    expect([attempts, log, vi.getTimerCount()]).toEqual([2, [], 0])
  })
  it('does not start what waits in a bulkhead when its subscriber has left', async () => {
    const policy = withPolicy(bulkhead(1, 5))
    let started = 0
    const first = told(NEVER.pipe(policy))
    const second = told(defer(() => of(++started)).pipe(policy))
    const third = told(of('c').pipe(policy))
    second.subscription.unsubscribe()
    first.subscription.unsubscribe()
    await vi.advanceTimersByTimeAsync(10)
    expect([started, first.log, second.log]).toEqual([0, [], []])
    expect(third.log).toEqual(['0 c', '0 |'])
  })
  it('composes with the policies of this room', async () => {
    const stack = compose(withFallback({ to: () => of('f') }), withPolicy(retries(1)))
    const { log } = told(throwError(() => 'x').pipe(stack))
    await vi.advanceTimersByTimeAsync(50)
    expect(log).toEqual(['10 f', '10 |'])
  })
  it('keeps nothing between subscribers', async () => {
    const notes$ = from<ObservableNotification<string>[]>([{ kind: 'N', value: 'a' }, { kind: 'C' }])
    const source$ = notes$.pipe(dematerialize(), withPolicy(retries(1)), materialize())
    const [one, two] = [told(source$), told(source$)]
    await vi.advanceTimersByTimeAsync(0)
    expect(one.log).toEqual(two.log)
  })
  it.each([undefined, null, {}, 7])('refuses %j', (policy) => {
    expect(() => withPolicy(policy as never)).toThrow('configuration: withPolicy: must be a policy of cockatiel')
  })
})
