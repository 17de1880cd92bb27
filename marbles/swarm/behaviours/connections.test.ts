import { connections, type ConnectionInfo, type ConnectionsCommand, type ConnectionsPorts } from 'rxswarm'
import { FAKE_SELF, fakePorts, fakeWires, inVirtualTime, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { map, NEVER, of, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { connectionsBehaviour as behaviourOf } from '../../../src/swarm/behaviours/connections/connectionsBehaviour.ts'

/** As it is without policies. */
const connectionsBehaviour = behaviourOf({ policy: false })

const connection: ConnectionInfo = {
  id: '1',
  peer: 'p',
  address: '/memory/p',
  direction: 'outbound',
  since: 0,
  transport: 'memory',
  direct: true,
  limited: false,
}
const dial = connections.dial({ to: 'p' })
const every: readonly ConnectionsCommand[] = [
  dial,
  connections.hangUp({ peer: 'p' }),
  connections.listen({ address: '/memory/a' }),
  connections.unlisten({ address: '/memory/a' }),
  connections.list(),
]
const silent = fakePorts<ConnectionsPorts>(() => NEVER)
const typeOf = map((fact: object) => {
  const { type, error } = fact as { type: string; error?: Error & { field?: string } }
  return error === undefined ? type : `${error.name} ${error.field}`
})

describe('connections', () => {
  obeysBehaviourLaws(connectionsBehaviour, every)

  marbles('says that a dial is over when its connection is usable', ({ cold, hot, expectObservable }) => {
    const command$ = hot(' -d-------', { d: dial })
    const port = '           ---c|'
    const expected = '     ----sd---'
    const ports = { ...silent, dial: () => cold(port, { c: connection }) }
    expectObservable(connectionsBehaviour(fakeWires({ command$, ports }))).toBe(expected, {
      s: { type: 'connections:dialed', connection, cause: dial.id },
      d: { type: 'command:completed', cause: dial.id, command: 'connections/dial' },
    })
  })
  it('leaves a dial time to say what it has tried, and of a short deadline at least half', () => {
    const asked: number[] = []
    const dueIn = (deadlineMs: number) => {
      const ports = { ...silent, dial: (_: unknown, dueInMs: number) => (asked.push(Math.round(dueInMs)), NEVER) }
      const command$ = of(connections.dial({ to: 'p' }, { deadlineMs }))
      connectionsBehaviour(fakeWires({ command$, ports, scheduler: new VirtualTimeScheduler() })).subscribe()
    }
    for (const deadlineMs of [5_000, 50, 20, 2]) dueIn(deadlineMs)
    expect(asked).toEqual([4_975, 25, 10, 1])
  })
  marbles('does not let a slow dial hold up the next', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-ab--', { a: connections.dial({ to: 'slow' }), b: connections.dial({ to: 'quick' }) })
    const ports = { ...silent, dial: (to: unknown) => cold<ConnectionInfo>(to === 'slow' ? '-----c|' : '-c|') }
    expectObservable(connectionsBehaviour(fakeWires({ command$, ports })).pipe(typeOf)).toBe('---sd-sd', {
      s: 'connections:dialed',
      d: 'command:completed',
    })
  })
  it.each([
    [connections.dial({ to: FAKE_SELF }), 'InvalidCommandError to'],
    [connections.dial({ to: [`/memory/x/p2p/${FAKE_SELF}`] }), 'InvalidCommandError to'],
    [connections.dial({ to: '' }), 'InvalidCommandError to'],
    [connections.dial({ to: [] }), 'InvalidCommandError to'],
    [{ ...dial, to: 7 as never }, 'InvalidCommandError to'],
    [connections.hangUp({ peer: FAKE_SELF }), 'InvalidCommandError peer'],
    [connections.hangUp({ peer: '' }), 'InvalidCommandError peer'],
  ])('refuses %j: %s', (command, error) => {
    inVirtualTime(({ cold, expectObservable }) => {
      const said$ = connectionsBehaviour(fakeWires({ command$: cold('c', { c: command }), ports: silent }))
      expectObservable(said$.pipe(typeOf)).toBe('e', { e: error })
    })
  })
  it('counts what came and went', () => {
    const { initial, on } = connections().state!
    const opened = on['connection:open']!(initial, { type: 'connection:open', at: 0, connection })
    expect(on['connection:close']!(opened, { type: 'connection:close', at: 1, connection })).toEqual({
      opened: 1,
      closed: 1,
    })
  })
  it('takes addresses and peers as text or as objects', () => {
    const peer = { toString: () => 'p' }
    expect(connections.dial({ to: peer }).to).toBe('p')
    expect(connections.dial({ to: ['/a', '/b'] }).to).toEqual(['/a', '/b'])
    expect(connections.hangUp({ peer }).peer).toBe('p')
  })
})
