import {
  defer,
  EMPTY,
  from,
  isObservable,
  lastValueFrom,
  of,
  range,
  Subject,
  take,
  throwError,
  toArray,
  type Observable,
} from 'rxjs'
import { describe, expect, it } from 'vitest'
import { makeMeters } from '../../../src/observability/metrics/meters.ts'
import { countedPorts } from '../../../src/observability/metrics/portCells.ts'

/** Ports that are counted by a clock that stands until it is set. */
function counted<P extends object>(ports: P) {
  const meters = makeMeters({ defaultLabels: {}, peerLabels: 0 })
  const clock = { nowMs: 1_000 }
  const given = countedPorts('echo', ports, meters, { now: () => clock.nowMs, lately: () => clock.nowMs }) as P
  const calls = () => meters.rxswarm_port_calls_total.cells.map(({ labels, value }) => [...labels, value])
  const errors = () => meters.rxswarm_port_errors_total.cells.map(({ labels, value }) => [...labels, value])
  const measured = () =>
    meters.rxswarm_port_call_duration_seconds.cells.map(({ labels, value, counts }) => [
      ...labels,
      counts.reduce((sum, count) => sum + count),
      value,
    ])
  return { ports: given, clock, calls, errors, measured }
}

const ask = (work$: Observable<unknown>) => work$.subscribe({ error: () => undefined })

describe('countedPorts', () => {
  it('gives a port exactly what it was given, and itself as `this`', () => {
    const { ports } = counted({
      own: 'mine',
      tell(this: unknown, ...given: unknown[]) {
        return { self: this, given }
      },
    })
    for (const given of [[], [1], [undefined], [1, 2], [1, undefined], [1, 2, 3], [1, 2, 3, 4, 5]]) {
      expect(ports.tell(...given)).toEqual({ self: ports, given })
    }
    expect(ports.own).toBe('mine')
  })
  it('leaves alone what is no Observable, and what is of a class', () => {
    class Held {
      work() {
        return of(1)
      }
    }
    const held = new Held()
    const answer = { subscribe: () => undefined }
    const { ports, calls } = counted({ answer: () => answer, promise: () => Promise.resolve(1), held })
    expect(ports.answer()).toBe(answer)
    expect(ports.promise()).toBeInstanceOf(Promise)
    expect(ports.held).toBe(held)
    expect(calls()).toEqual([])
    expect(
      countedPorts('echo', held, makeMeters({ defaultLabels: {}, peerLabels: 0 }), { now: Number, lately: Number }),
    ).toBe(held)
  })
  it('lets go of a source that never ends by itself', async () => {
    const { ports, measured } = counted({ count: () => range(0, Infinity) })
    expect(await lastValueFrom(ports.count().pipe(take(3), toArray()))).toEqual([0, 1, 2])
    expect(measured()).toEqual([['echo', 'count', 'cancelled', 1, 0]])
  })
  it('passes everything on, and is no more than an Observable', () => {
    const source$ = new Subject<number>()
    const { ports, measured, clock } = counted({ listen: () => source$ as Observable<number> })
    const heard: unknown[] = []
    const answer$ = ports.listen()
    expect(isObservable(answer$)).toBe(true)
    expect(answer$).not.toBeInstanceOf(Subject)
    answer$.subscribe({ next: (value) => heard.push(value), complete: () => heard.push('end') })
    const leaving = answer$.subscribe()
    source$.next(1)
    clock.nowMs += 500
    leaving.unsubscribe()
    leaving.unsubscribe()
    source$.next(2)
    clock.nowMs += 500
    source$.complete()
    expect(heard).toEqual([1, 2, 'end'])
    expect(source$.observed).toBe(false)
    expect(measured()).toEqual([
      ['echo', 'listen', 'cancelled', 1, 0.5],
      ['echo', 'listen', 'completed', 1, 1],
    ])
  })
  it('counts each subscription of a call that fails, by the class of its error', () => {
    const thrown: readonly unknown[] = [
      new RangeError('a'),
      'text',
      null,
      { name: '' },
      { name: 7 },
      new TypeError('b'),
    ]
    const { ports, errors, calls } = counted({ fail: (error: unknown) => throwError(() => error) })
    for (const error of thrown) {
      const work$ = ports.fail(error)
      ask(work$)
      ask(work$)
    }
    expect(calls()).toEqual([['echo', 'fail', 6]])
    expect(errors()).toEqual([
      ['echo', 'fail', 'RangeError', 2],
      ['echo', 'fail', 'unknown', 8],
      ['echo', 'fail', 'TypeError', 2],
    ])
  })
  it('measures 256 calls of a second, and again in the next one; of a clock that was put back too', () => {
    const { ports, clock, measured, calls } = counted({ work: () => EMPTY })
    const count = () => measured()[0]![3]
    const askOften = () => {
      for (let index = 0; index < 1_000; index++) ask(ports.work())
    }
    askOften()
    expect(count()).toBe(256)
    clock.nowMs += 999
    askOften()
    expect(count()).toBe(256)
    clock.nowMs += 1
    askOften()
    expect(count()).toBe(512)
    clock.nowMs -= 100_000
    askOften()
    expect(count()).toBe(768)
    expect(calls()).toEqual([['echo', 'work', 4_000]])
  })
  it('counts every error of a port that fails, however often it is called, until a minute after the last one', () => {
    const failing = { work: true }
    const { ports, clock, errors } = counted({
      work: () => (failing.work ? throwError(() => new RangeError()) : EMPTY),
    })
    const askOften = () => {
      for (let index = 0; index < 1_000; index++) ask(ports.work())
    }
    askOften()
    expect(errors()).toEqual([['echo', 'work', 'RangeError', 1_000]])
    failing.work = false
    clock.nowMs += 59_000
    askOften()
    failing.work = true
    ask(ports.work())
    expect(errors()).toEqual([['echo', 'work', 'RangeError', 1_001]])
    failing.work = false
    clock.nowMs += 60_000
    askOften()
    failing.work = true
    ask(ports.work()) // nobody looks: it was well 256 times in this second
    expect(errors()).toEqual([['echo', 'work', 'RangeError', 1_001]])
  })
  it('asks for nothing before it is subscribed', async () => {
    let asked = 0
    const { ports, errors } = counted({ work: () => defer(() => from([++asked])) })
    const work$ = ports.work()
    expect(asked).toBe(0)
    expect(await lastValueFrom(work$)).toBe(1)
    expect(errors()).toEqual([])
  })
})
