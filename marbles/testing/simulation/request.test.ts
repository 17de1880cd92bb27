import { marbles } from 'rxswarm/testing'
import { asyncScheduler, catchError, EMPTY, NEVER, of, timer } from 'rxjs'
import { describe, expect } from 'vitest'
import { answer, request, type Answerer } from '../../../src/testing/simulation/request.ts'
import { FakeNet } from './fakeNet.ts'

const PROTOCOL = '/ask/1'

/** Two nodes, the second of which answers. */
function pair(answerer: Answerer, options = {}) {
  const net = new FakeNet(1)
  const [a, b] = [net.add('a'), net.add('b')]
  a.learn('b', b.addresses)
  const release = answer(b, PROTOCOL, answerer, options)
  return { a, b, release }
}

describe('request', () => {
  marbles('emits the one answer', ({ expectObservable }) => {
    const { a } = pair((asked) => of(asked.map((byte) => byte + 1)))
    expectObservable(request(a, 'b', PROTOCOL, Uint8Array.of(1, 2))).toBe('----(a|)', { a: Uint8Array.of(2, 3) })
  })
  marbles('carries what is larger than a window, both ways', ({ flush }) => {
    const { a } = pair((asked) => of(asked.slice()))
    const big = new Uint8Array(3_000_000).map((_, at) => at)
    const heard: boolean[] = []
    request(a, 'b', PROTOCOL, big).subscribe((echo) => heard.push(echo.every((byte, at) => byte === big[at])))
    flush()
    expect(heard).toEqual([true])
  })
  marbles('fails when the answerer fails, throws or has nothing to say', ({ flush }) => {
    const seen: string[] = []
    const failing: Answerer[] = [
      () => EMPTY,
      () => {
        throw new Error('no')
      },
    ]
    for (const answerer of failing) {
      const { a } = pair(answerer)
      request(a, 'b', PROTOCOL, Uint8Array.of(1)).subscribe({ error: ({ name }) => seen.push(name) })
    }
    flush()
    expect(seen).toEqual(['StreamError', 'StreamError'])
  })
  marbles('fails after its time', ({ expectObservable }) => {
    const { a } = pair(() => NEVER)
    const asked$ = request(a, 'b', PROTOCOL, Uint8Array.of(1), { timeoutMs: 9 })
    const name$ = asked$.pipe(catchError(({ name }) => of(name as string)))
    expectObservable(name$).toBe('---------(n|)', { n: 'TimeoutError' })
  })
  marbles('resets its stream when nobody waits for it, which stops the answerer', ({ flush }) => {
    let left = 0
    const { a, b } = pair(() => timer(1_000, asyncScheduler).pipe(() => NEVER))
    const asked = request(a, 'b', PROTOCOL, Uint8Array.of(1)).subscribe()
    asyncScheduler.schedule(() => asked.unsubscribe(), 10)
    asyncScheduler.schedule(() => (left = b.connections[0]?.streams.length ?? -1), 20)
    flush()
    expect([left, a.connections[0]?.streams.length]).toEqual([0, 0])
  })
  marbles('refuses an answer, and a request, that is too long', ({ flush }) => {
    const seen: string[] = []
    const { a } = pair(() => of(new Uint8Array(9)), { maxBytes: 5 })
    const hear = { error: ({ name }: Error) => void seen.push(name), next: () => void seen.push('answered') }
    request(a, 'b', PROTOCOL, new Uint8Array(5), { maxBytes: 8 }).subscribe(hear)
    request(a, 'b', PROTOCOL, new Uint8Array(5), { maxBytes: 9 }).subscribe(hear)
    request(a, 'b', PROTOCOL, new Uint8Array(6)).subscribe(hear)
    flush()
    expect(seen.toSorted()).toEqual(['StreamError', 'StreamError', 'answered'])
  })
  marbles('answers so many of a peer at once', ({ flush }) => {
    const seen: string[] = []
    const { a, release } = pair(() => NEVER, { atOnce: 2 })
    for (const at of [1, 2, 3]) {
      request(a, 'b', PROTOCOL, Uint8Array.of(at)).subscribe({ error: ({ name }) => seen.push(`${at} ${name}`) })
    }
    asyncScheduler.schedule(() => release(), 100)
    flush()
    expect(seen).toEqual(['3 StreamError', '1 StreamError', '2 StreamError'])
  })
})
