import { describe, expect, it } from 'vitest'
import { chains, ChainError } from 'rxswarm'
import type { ConnectionInfo } from '../../../../src/swarm/vocabulary/event.ts'
import { initialOpener, openerStep } from '../../../../src/swarm/behaviours/chains/openerMachine.ts'
import type { OpenerDecisions, OpenerEffect, OpenerInput } from '../../../../src/swarm/behaviours/chains/openerState.ts'
import { UNBOUNDED } from '../../../../src/swarm/behaviours/chains/chainWords.ts'

const decisions: OpenerDecisions = { pathMs: 5_000, resumeMs: 10_000, random: () => 0 }
const connection = { id: 'c1' } as ConnectionInfo
const [a, b, c] = [
  ['a', 'z'],
  ['b', 'z'],
  ['c', 'z'],
]
const info = { session: 's', peer: 'z', direction: 'outbound', path: a, connection: 'c1' } as const
const no = new ChainError('no', 'UNREACHABLE')
const via = chains.open({ to: 'z', via: [['a'], ['b']] })
const search = chains.open({ to: 'z', hops: 1 })
const commanded = (command: typeof via): OpenerInput => ({ type: 'command', command })
const opened = (work: string): OpenerInput => ({ type: 'opened', work, info, connection, granted: UNBOUNDED })

/** What is done and said about inputs, each at its own time. */
function after(...inputs: readonly (readonly [nowMs: number, input: OpenerInput])[]) {
  const run: OpenerEffect[] = []
  const say: string[] = []
  let state = initialOpener
  for (const [nowMs, input] of inputs) {
    const step = openerStep(decisions, state, input, nowMs)
    state = step.state
    run.push(...(step.run ?? []))
    say.push(...(step.say ?? []).map(({ type }) => type))
  }
  return { state, say, run: run.map((effect) => ('path' in effect ? `${effect.do} ${effect.path[0]}` : effect.do)) }
}

describe('openerMachine', () => {
  it('tries paths until one stands', () => {
    const { run, say } = after(
      [0, commanded(via)],
      [1, { type: 'failed', work: via.id, path: a, error: no }],
      [2, opened(via.id)],
    )
    expect(run).toEqual(['open a', 'open b'])
    expect(say).toEqual(['chain:path-failed', 'chain:opened', 'command:completed'])
  })
  it('gives every opening what the whole chain may use', () => {
    const bounded = chains.open({ to: 'z', via: [['a']], budget: { bytes: 5 } })
    expect(openerStep(decisions, initialOpener, commanded(bounded), 0).run).toMatchObject([
      { do: 'open', path: a, total: { bytes: 5, ms: Infinity }, withinMs: 5_000 },
    ])
  })
  it('ends a chain that stands when nobody waits for it any more', () => {
    expect(after([0, commanded(via)], [1, { type: 'cancelled', id: via.id }], [2, opened(via.id)]).run).toEqual([
      'open a',
      'end',
    ])
  })
  it('tries the other paths of a lost chain first, and the lost one last', () => {
    const { run, say, state } = after(
      [0, commanded(via)],
      [1, opened(via.id)],
      [2, { type: 'broken', session: 's', error: no }],
      [3, { type: 'failed', work: 's', path: b, error: no }],
      [4, { type: 'failed', work: 's', path: a, error: no }],
      [254, { type: 'again', session: 's' }],
      [255, { type: 'resumed', session: 's', path: b }],
    )
    expect(run).toEqual(['open a', 'resume b', 'resume a', 'wait', 'resume b'])
    expect(say.slice(2)).toEqual(['chain:path-failed', 'chain:path-failed', 'chain:path-failed', 'chain:failed-over'])
    expect(state.held.get('s')!.info.path).toEqual(b)
  })
  it('searches anew from the second round on, when its paths were found', () => {
    const { run } = after(
      [0, commanded(search)],
      [1, { type: 'routed', work: search.id, routes: [a] }],
      [2, opened(search.id)],
      [3, { type: 'broken', session: 's', error: no }],
      [4, { type: 'failed', work: 's', path: a, error: no }],
      [254, { type: 'again', session: 's' }],
      [255, { type: 'routed', work: 's', routes: [a, c] }],
      [256, { type: 'resumed', session: 's', path: c }],
    )
    expect(run).toEqual(['route', 'open a', 'resume a', 'wait', 'route', 'resume c'])
  })
  it('counts as no failure that a path is used up', () => {
    const spent = new ChainError('spent', 'BUDGET')
    const { state } = after(
      [0, commanded(via)],
      [1, opened(via.id)],
      [2, { type: 'broken', session: 's', error: spent }],
    )
    expect(state.quality.size).toBe(0)
  })
  it('goes on looking when the old path breaks before another one stands', () => {
    const { run, state } = after(
      [0, commanded(via)],
      [1, opened(via.id)],
      [2, { type: 'broken', session: 's' }],
      [3, { type: 'broken', session: 's' }],
      [9, { type: 'broken', session: 's', error: no }],
    )
    expect(run).toEqual(['open a', 'resume b'])
    expect(state.held.get('s')!.repair).toMatchObject({ isAhead: false, sinceMs: 9 })
  })
  it('never gives up a chain whose path still carries', () => {
    const { run } = after(
      [0, commanded(via)],
      [1, opened(via.id)],
      [2, { type: 'broken', session: 's' }],
      [3, { type: 'failed', work: 's', path: b, error: no }],
      [20_000, { type: 'failed', work: 's', path: a, error: no }],
    )
    expect(run.at(-1)).toBe('wait')
  })
  it('ends a chain that was lost for too long', () => {
    const { run } = after(
      [0, commanded(via)],
      [1, opened(via.id)],
      [2, { type: 'broken', session: 's', error: no }],
      [3, { type: 'failed', work: 's', path: b, error: no }],
      [10_002, { type: 'failed', work: 's', path: a, error: no }],
    )
    expect(run.at(-1)).toBe('end')
  })
  it('leaves alone what the other end has opened, and what it does not know', () => {
    const theirs = { ...info, session: 't', direction: 'inbound' } as const
    const { run, say, state } = after(
      [0, { type: 'accepted', info: theirs }],
      [1, { type: 'broken', session: 't', error: no }],
      [2, { type: 'broken', session: 'x', error: no }],
      [3, { type: 'failed', work: 'x', error: no }],
      [4, { type: 'resumed', session: 'x', path: a }],
      [5, { type: 'again', session: 'x' }],
      [6, { type: 'closed', session: 'x', bytes: 1 }],
      [7, { type: 'closed', session: 't', bytes: 1 }],
    )
    expect(run).toEqual([])
    expect(say).toEqual(['chain:closed'])
    expect(state.held.size).toBe(0)
  })
  it('tries at most eight paths for one chain', () => {
    const many = chains.open({ to: 'z', via: Array.from({ length: 20 }, (_, i) => [`p${i}`]) })
    const inputs = Array.from({ length: 8 }, (_, i): readonly [number, OpenerInput] => [
      i + 1,
      { type: 'failed', work: many.id, path: [`p${i}`, 'z'], error: no },
    ])
    const { run, say } = after([0, commanded(many)], ...inputs)
    expect(run.length).toBe(8)
    expect(say.at(-1)).toBe('command:failed')
  })
})
