import { ExponentialBackoff } from 'cockatiel'
import { definePolicy, halfJitter, keyed, withRetry, withTimeout } from 'rxswarm/policies'
import { catchError, concatMap, defer, from, lastValueFrom, of, tap, throwError } from 'rxjs'

// Each policy is an operator. This source fails twice, then answers.
let asked = 0
const moody$ = defer(() => (++asked < 3 ? throwError(() => new Error('busy')) : of(`answers, asked ${asked} times`)))
const backoff = new ExponentialBackoff({ initialDelay: 10, generator: halfJitter(Math.random) })
console.log(await lastValueFrom(moody$.pipe(withTimeout({ timeoutMs: 1_000 }), withRetry({ retries: 2, backoff }))))

// The same from plain data, for each peer by itself: one that keeps failing is left alone for a while.
const perPeer = keyed({
  policy: {
    deadline: { deadlineMs: 5_000 },
    retry: { retries: 1, backoff: { type: 'constant', delayMs: 5 } },
    breaker: { breaker: { type: 'consecutive', threshold: 1 }, halfOpenAfterMs: 30_000 },
  },
  ejection: { atLeast: 1 }, // else a tenth of the peers, rounded down
  onEvent: ({ type, key }) => console.log(`  ${type} ${key}`),
})
const ask = (peer: string) => (peer === 'bob' ? throwError(() => new Error('bob is busy')) : of(`${peer} answers`))
const calls$ = from(['carol', 'bob', 'carol', 'bob']).pipe(
  concatMap((peer) =>
    ask(peer).pipe(
      perPeer(peer),
      catchError(({ name }: Error) => of(`${peer}: ${name}`)),
    ),
  ),
  tap((line) => console.log(line)),
)
await lastValueFrom(calls$)

// What is wrong with a policy is said where it is made.
try {
  definePolicy({ retry: { retries: -1, backoff: { type: 'constant', delayMs: NaN } } })
} catch (error) {
  console.log((error as Error).message)
}
