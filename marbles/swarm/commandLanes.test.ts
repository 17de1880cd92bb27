import { command, perform, type BehaviourModule, type Command, type CommandMeta, type Fact } from 'rxswarm'
import { fakeSwarm, inVirtualTime, marbles } from 'rxswarm/testing'
import {
  catchError,
  defer,
  delay,
  filter,
  finalize,
  map,
  mergeMap,
  of,
  repeat,
  Subscription,
  throwError,
  take,
  timer,
  type Observable,
} from 'rxjs'
import { describe, expect, it } from 'vitest'

/** A behaviour whose work takes as long as its command says, and whose port is asked when the work starts. */
type Work = Command<'slow/work', { readonly name: string; readonly peer?: string; readonly forMs: number }, string>
type Done = { readonly type: 'slow:done'; readonly name: string; readonly cause?: string }
const slow: BehaviourModule<'slow', Work, Done, { start(name: string): void }> = {
  name: 'slow',
  commands: { 'slow/work': { answers: { 'slow:done': ({ name }) => name } } },
  ports: () => ({ start: () => undefined }),
  behaviour: ({ command$, cancel$, ports, scheduler }) =>
    command$.pipe(
      perform(
        cancel$,
        ({ name, forMs }) => {
          ports.start(name)
          return timer(forMs, scheduler)
        },
        (_, { name }): Done => ({ type: 'slow:done', name }),
      ),
    ),
}
const work = (name: string, meta?: CommandMeta, peer?: string, forMs = 10): Work =>
  command('slow/work', { name, forMs, ...(peer === undefined ? {} : { peer }) }, meta)

function swarmOf(limits = { intake: 100, running: 8, openEnded: 8 }, deadlineMs = 5_000) {
  const started: string[] = []
  const ports = { slow: { start: (name: string) => void started.push(name) } }
  const swarm = fakeSwarm([slow], { ports, limits, deadlineMs })
  const send = (name: string, meta?: CommandMeta, peer?: string, forMs?: number) =>
    swarm.command$.next(work(name, meta, peer, forMs))
  const flood = (count: number, meta?: CommandMeta, peer?: string) => {
    for (let i = 0; i < count; i++) send(`${peer ?? meta?.principal ?? 'x'}${i}`, meta, peer)
  }
  const failed$ = swarm.event$.pipe(filter(({ type }: Fact) => type === 'command:failed'))
  return { swarm, started, send, flood, failed$ }
}

describe('commandLanes', () => {
  it('lets a flow run as many commands as there are places left, and every newcomer at once', () =>
    inVirtualTime(() => {
      const { started, send, flood } = swarmOf()
      flood(50, { principal: 'a' })
      expect(started).toHaveLength(4)
      send('b', { principal: 'b' })
      send('c', undefined, 'peer c')
      send('own')
      expect(started.slice(4)).toEqual(['b', 'c', 'own'])
    }))
  it('keeps a peer that is slow from delaying what is about others', () =>
    inVirtualTime(({ flush }) => {
      const { started, send, flood } = swarmOf()
      flood(50, undefined, 'slow peer')
      send('quick', undefined, 'other')
      expect(started.at(-1)).toBe('quick')
      flush()
      expect(started).toHaveLength(51)
    }))
  it('starts what waits by priority: control first, then normal four times as often as bulk', () =>
    inVirtualTime(({ flush }) => {
      const { started, send } = swarmOf({ intake: 100, running: 1, openEnded: 1 })
      send('first')
      for (let i = 0; i < 5; i++) send('b', { priority: 'bulk' })
      for (let i = 0; i < 8; i++) send('n')
      send('c', { priority: 'control' })
      flush()
      expect(started.slice(0, 2)).toEqual(['first', 'c'])
      const [early, late] = [started.slice(2, 7), started.slice(7, 12)]
      for (const five of [early, late]) expect(five.filter((name) => name === 'n')).toHaveLength(4)
      expect(started).toHaveLength(15)
    }))
  it('serves principals of one lane in turn, however many each has sent', () =>
    inVirtualTime(({ flush }) => {
      const { started, send, flood } = swarmOf({ intake: 200, running: 1, openEnded: 1 })
      flood(100, { principal: 'a' })
      for (let i = 0; i < 3; i++) send(`b${i}`, { principal: 'b' })
      flush()
      const places = ['b0', 'b1', 'b2'].map((name) => started.indexOf(name))
      for (const [i, place] of places.entries()) expect(place).toBeLessThanOrEqual(2 * i + 3)
    }))
  it('starts control at once while a place is free, also behind commands of its own principal', () =>
    inVirtualTime(() => {
      const { started, send, flood } = swarmOf()
      flood(6, { principal: 'a' })
      send('urgent', { principal: 'a', priority: 'control' })
      expect(started.slice(4)).toEqual(['urgent'])
    }))
  it('gives a place that is free to who waits, before who sends a command at each outcome', () =>
    inVirtualTime(({ flush }) => {
      const { swarm, started, send } = swarmOf({ intake: 9, running: 2, openEnded: 1 })
      for (const principal of ['a', 'b']) {
        const one$ = defer(() => swarm.execute(work(principal, { principal })))
        one$.pipe(repeat(3)).subscribe()
      }
      send('c', { principal: 'c' })
      flush()
      expect(started).toEqual(['a', 'b', 'c', 'a', 'b', 'a', 'b'])
    }))
  it('tells a principal from a behaviour of its name', () =>
    inVirtualTime(() => {
      const { swarm, started, send } = swarmOf({ intake: 9, running: 4, openEnded: 1 })
      for (const name of ['a', 'b', 'c', 'd']) send(name)
      swarm
        .execute(work('e', { principal: 'slow' }))
        .subscribe()
        .unsubscribe()
      expect(started).toEqual(['a', 'b', 'e'])
    }))
  it('knows a flow again whose commands the command chain held until it was forgotten', () =>
    inVirtualTime(({ flush }) => {
      const running = new Map<string, number>()
      let most = 0
      const behaviour: typeof slow.behaviour = ({ command$, cancel$, scheduler }) =>
        command$.pipe(
          perform(
            cancel$,
            ({ name, forMs }) => {
              const now = (running.get(name) ?? 0) + 1
              running.set(name, now)
              if (name === 'a') most = Math.max(most, now)
              return timer(forMs, scheduler).pipe(finalize(() => running.set(name, running.get(name)! - 1)))
            },
            (_, { name }): Done => ({ type: 'slow:done', name }),
          ),
        )
      const { command$, execute } = fakeSwarm([{ ...slow, behaviour }], {
        limits: { intake: 99, running: 8, openEnded: 1 },
        commandChain: mergeMap((one) => (one.meta?.priority === 'bulk' ? of(one).pipe(delay(1)) : of(one))),
      })
      for (let i = 0; i < 6; i++) command$.next(work('a', { principal: 'a', priority: 'bulk' }))
      for (let i = 0; i < 4_200; i++)
        execute(work('x', { principal: `x${i}` }))
          .subscribe()
          .unsubscribe()
      for (let i = 0; i < 6; i++) command$.next(work('a', { principal: 'a' }))
      flush()
      expect(most).toBe(4)
    }))
  it('takes a full intake from whoever fills it: the newest of the flood makes room, and says so', () =>
    inVirtualTime(() => {
      const { started, send, flood, failed$ } = swarmOf({ intake: 20, running: 8, openEnded: 1 })
      const failures: unknown[] = []
      failed$.subscribe((event) => failures.push((event as unknown as { error: Error }).error))
      flood(20, { principal: 'a' })
      expect(failures).toEqual([])
      send('b', { principal: 'b' })
      expect(started.at(-1)).toBe('b')
      expect(failures).toMatchObject([{ name: 'OverloadedError', limit: 20 }])
      flood(3, { principal: 'a' })
      expect(failures).toHaveLength(4)
    }))
  marbles('cancels what waits, without a word to its behaviour', ({ expectObservable }) => {
    const { swarm, started, send } = swarmOf({ intake: 9, running: 1, openEnded: 1 })
    send('first')
    const outcome$ = swarm.event$.pipe(filter(({ type }) => type.startsWith('command:')))
    swarm.execute(work('never')).subscribe().unsubscribe()
    expectObservable(outcome$.pipe(map(({ type }) => type))).toBe('10ms d', { d: 'command:completed' })
    expect(started).toEqual(['first'])
  })
  it('never starts what is cancelled in the moment in which its turn comes', () =>
    inVirtualTime(({ flush }) => {
      const { swarm, started } = swarmOf({ intake: 9, running: 1, openEnded: 1 })
      const second = new Subscription()
      swarm.execute(work('first')).subscribe({ complete: () => second.unsubscribe() })
      second.add(swarm.execute(work('second')).subscribe())
      swarm.execute(work('third')).subscribe()
      flush()
      expect(started).toEqual(['first', 'third'])
    }))
  it('never starts what is cancelled while the behaviour takes what waited for its restart', () =>
    inVirtualTime(({ flush }) => {
      let starts = 0
      const started: string[] = []
      const second = new Subscription()
      const start = (name: string) => {
        started.push(name)
        if (name === 'first') second.unsubscribe()
      }
      const behaviour: typeof slow.behaviour = (wires) =>
        starts++ === 0 ? timer(5).pipe(mergeMap(() => throwError(() => 'broken'))) : slow.behaviour(wires)
      const { execute } = fakeSwarm([{ ...slow, behaviour }], { ports: { slow: { start } } })
      timer(6).subscribe(() => {
        execute(work('first')).subscribe()
        second.add(execute(work('second')).subscribe())
        execute(work('third')).subscribe()
      })
      flush()
      expect(started).toEqual(['first', 'third'])
    }))
  marbles('settles what waits too long', ({ expectObservable }) => {
    const { swarm, send } = swarmOf({ intake: 9, running: 1, openEnded: 1 }, 5)
    send('first', { deadlineMs: 50 }, undefined, 40)
    const outcome$ = swarm.execute(work('late')).pipe(catchError(({ message }: Error) => of(message)))
    expectObservable(outcome$.pipe(map((text) => /waited in its lane/.test(String(text))))).toBe('-----(l|)', {
      l: true,
    })
  })
  marbles('tells what waits and for how long, at once and every second', ({ expectObservable }) => {
    const { swarm, send, flood } = swarmOf({ intake: 99, running: 1, openEnded: 1 })
    send('first', undefined, undefined, 2_500)
    flood(3, { principal: 'a', priority: 'bulk' })
    const bulk$: Observable<string> = swarm.lanes$.pipe(
      map((lanes) => lanes.find(({ lane }) => lane === 'bulk')!),
      map(({ waiting, oldestMs }) => `${waiting} ${oldestMs}`),
    )
    expectObservable(bulk$, '^ 2100ms !').toBe('a 999ms b 999ms c', { a: '3 0', b: '3 1000', c: '3 2000' })
  })
  it('counts what runs, what was started and what was refused', () =>
    inVirtualTime(({ flush }) => {
      const { swarm, flood } = swarmOf({ intake: 6, running: 4, openEnded: 1 })
      flood(9, { principal: 'a' })
      const normal = () => {
        let lane: unknown
        swarm.lanes$.pipe(take(1)).subscribe((lanes) => (lane = lanes.find((one) => one.lane === 'normal')))
        return lane
      }
      expect(normal()).toMatchObject({ running: 2, waiting: 4, started: 2, refused: 3 })
      flush()
      expect(normal()).toMatchObject({ running: 0, waiting: 0, started: 6, refused: 3 })
    }))
  marbles('lets what waits settle while the swarm drains', ({ expectObservable }) => {
    const { swarm, started, send } = swarmOf({ intake: 9, running: 1, openEnded: 1 })
    for (const name of ['a', 'b', 'c']) send(name)
    expectObservable(swarm.drain(25).pipe(map((left) => left.length))).toBe('25ms (n|)', { n: 1 })
    expect(started).toEqual(['a'])
  })
  it('refuses a priority or a principal that is none', () =>
    inVirtualTime(() => {
      const { send, failed$ } = swarmOf()
      const fields: unknown[] = []
      failed$.subscribe((event) => fields.push((event as unknown as { error: { field: string } }).error.field))
      send('a', { priority: 'urgent' as never })
      send('b', { principal: 7 as never })
      send('c', { policy: { retry: { retries: -1, backoff: { type: 'constant', delayMs: 1 } } } })
      expect(fields).toEqual(['meta.priority', 'meta.principal', 'meta.policy.retry.retries'])
    }))
})
