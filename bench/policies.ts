import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel'
import { defer, firstValueFrom, of } from 'rxjs'
import { definePolicy, keyed } from 'rxswarm/policies'
import { compare, type Bench } from './compare.ts'
import { interleave, type Measure } from './interleave.ts'

/** A turn is long enough that what is measured is compiled code. @unit calls */
const CALLS = 50_000
const ROUNDS = 11
const WARM_UPS = 3
const MANY_KEYS = 100_000
const FEW_KEYS = 10
const unit = 'µs'
const goal = { ratio: 2, micros: 3, flat: 0.9 }

/** The work of every call: it succeeds, a moment later. */
const work = () => Promise.resolve(1)
const work$ = defer(work)

/** How long a call takes, one after the other. @unit microseconds */
const perCall =
  (call: (index: number) => unknown): Measure =>
  async () => {
    const start = performance.now()
    for (let index = 0; index < CALLS; index++) await call(index)
    return ((performance.now() - start) * 1_000) / CALLS
  }

/** The same without a promise in between. */
const perSubscription =
  (call: (index: number) => void): Measure =>
  () => {
    const start = performance.now()
    for (let index = 0; index < CALLS; index++) call(index)
    return ((performance.now() - start) * 1_000) / CALLS
  }

const stack = definePolicy({
  deadline: { deadlineMs: 5_000 },
  bulkhead: { concurrent: 10 },
  retry: { retries: 3, backoff: { type: 'exponential', jitter: 'none' } },
  rateLimit: { perSecond: 1e9, burst: 1e6 },
  breaker: { breaker: { type: 'consecutive', threshold: 5 } },
})

const theirs = wrap(
  timeout(5_000, TimeoutStrategy.Cooperative),
  retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() }),
  circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) }),
  bulkhead(10),
)

const happyPath: Bench = {
  names: ['policies-stack', 'policies-stack-cost'],
  run: async () => {
    const contestants = {
      ours: perCall(() => firstValueFrom(work$.pipe(stack))),
      cockatiel: perCall(() => theirs.execute(work)),
      bare: perCall(() => firstValueFrom(work$)),
    }
    const times = await interleave(contestants, { rounds: ROUNDS, warmUps: WARM_UPS })
    const peerName = 'cockatiel wrap(timeout, retry, circuitBreaker, bulkhead)'
    return [
      compare(times.ours, times.cockatiel, {
        name: 'policies-stack',
        unit,
        better: 'less',
        peerName,
        atLeast: goal.ratio,
      }),
      compare(times.ours, times.bare, {
        name: 'policies-stack-cost',
        unit,
        better: 'less',
        peerName: 'no policy',
        addsAtMost: goal.micros,
      }),
    ]
  },
}

/** A breaker for each of so many keys, and calls to some of them. */
function keyedCalls(keys: number, called: number): Measure {
  const perKey = keyed({ policy: { breaker: {} }, maxKeys: MANY_KEYS })
  const names = Array.from({ length: keys }, (_, index) => `peer${index}`)
  const once$ = of(1)
  for (const name of names) once$.pipe(perKey(name)).subscribe()
  const spread = Math.floor(keys / called)
  return perSubscription((index) =>
    once$.pipe(perKey(names[(((index * 7_919) % called) * spread) % keys]!)).subscribe(),
  )
}

const flat: Bench = {
  names: ['policies-keyed', 'policies-keyed-cold'],
  run: async () => {
    const contestants = {
      many: keyedCalls(MANY_KEYS, FEW_KEYS),
      cold: keyedCalls(MANY_KEYS, MANY_KEYS),
      few: keyedCalls(FEW_KEYS, FEW_KEYS),
    }
    const times = await interleave(contestants, { rounds: ROUNDS, warmUps: WARM_UPS })
    const about = { unit, better: 'less', peerName: `rxswarm with ${FEW_KEYS} keys` } as const
    return [
      compare(times.many, times.few, { ...about, name: 'policies-keyed', atLeast: goal.flat }),
      compare(times.cold, times.few, { ...about, name: 'policies-keyed-cold' }),
    ]
  },
}

/**
 * The happy path through five policies, against four of cockatiel's and against no policy; and a keyed policy with 100 000
 * keys against itself with 10: when ten of them are called, and when every call is to another, which the processor's caches
 * don't hold.
 */
export const policies: readonly Bench[] = [happyPath, flat]
