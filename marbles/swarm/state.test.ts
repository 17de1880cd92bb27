import type { ConnectionInfo, CoreEvent, Stamped } from 'rxswarm'
import { describe, expect, it, vi } from 'vitest'
import { reducer } from '../../src/swarm/state.ts'

const connection = (id: string, peer: string): ConnectionInfo => ({
  id,
  peer,
  address: `/memory/${peer}`,
  direction: 'inbound',
  since: 0,
  transport: 'memory',
  direct: true,
  limited: false,
})
const at = (event: CoreEvent): Stamped<CoreEvent> => ({ ...event, at: 0 })
const { initial, reduce } = reducer([], vi.fn())
const after = (...events: readonly CoreEvent[]) => events.map(at).reduce(reduce, initial)

describe('state$', () => {
  it('knows who is connected, and by which connections', () => {
    const [one, two] = [connection('1', 'p'), connection('2', 'p')]
    const both = after({ type: 'connection:open', connection: one }, { type: 'connection:open', connection: two })
    expect([...both.peers.get('p')!.connections.keys()]).toEqual(['1', '2'])
    const left = reduce(both, at({ type: 'connection:close', connection: one }))
    expect([...left.peers.get('p')!.connections.keys()]).toEqual(['2'])
    expect(reduce(left, at({ type: 'connection:close', connection: two })).peers.size).toBe(0)
    expect(both.peers.get('p')!.connections.size).toBe(2)
  })
  it('knows its addresses and its phase', () => {
    const listening = after({ type: 'transport:listening', addresses: ['/a'], announced: ['/a/p2p/self'] })
    expect(listening.addresses).toEqual(['/a/p2p/self'])
    expect(reduce(listening, at({ type: 'swarm:stopping', drainMs: 1 })).phase).toBe('stopping')
    expect(reduce(listening, at({ type: 'swarm:stopped', undrained: [] }))).toMatchObject({
      phase: 'stopped',
      addresses: [],
    })
  })
  it('is the same object when nothing changed', () => {
    expect(after({ type: 'peer:connect', peer: 'p' })).toBe(initial)
  })
  it('keeps the slice of a reducer that throws, and says so once', () => {
    const say = vi.fn()
    const on = {
      'peer:connect': () => {
        throw new Error('mine')
      },
      'reducer:failed': () => {
        throw new Error('again')
      },
    }
    const broken = { name: 'broken', commands: {}, ports: vi.fn(), behaviour: vi.fn(), state: { initial: 1, on } }
    const { initial: before, reduce: step } = reducer([broken], say)
    expect(step(before, at({ type: 'peer:connect', peer: 'p' }))).toBe(before)
    expect(say).toHaveBeenCalledWith(expect.objectContaining({ type: 'reducer:failed', slice: 'broken' }))
    step(before, { ...say.mock.calls[0]![0], at: 0 })
    expect(say).toHaveBeenCalledTimes(1)
  })
})
