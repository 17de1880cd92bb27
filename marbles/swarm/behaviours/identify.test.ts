import { identify, type IdentifyPorts } from 'rxswarm'
import { FAKE_SELF, fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { identifyBehaviour } from '../../../src/swarm/behaviours/identify/identifyBehaviour.ts'

const once = identify.once({ peer: 'p' })
const identity = { peer: 'p', agentVersion: 'test/1', addresses: ['/memory/p'], protocols: ['/x/1'] }

describe('identify', () => {
  obeysBehaviourLaws(identifyBehaviour, [once])

  marbles('says who a peer is', ({ cold, hot, expectObservable }) => {
    const command$ = hot(' -i-------', { i: once })
    const port = '           ---p|'
    const expected = '     ----sd---'
    const ports: IdentifyPorts = { identify: () => cold(port, { p: identity }) }
    expectObservable(identifyBehaviour(fakeWires({ command$, ports }))).toBe(expected, {
      s: { type: 'identify:identified', identity, cause: once.id },
      d: { type: 'command:completed', cause: once.id, command: 'identify/once' },
    })
  })
  marbles('does not ask itself', ({ cold, expectObservable, flush }) => {
    const ports: IdentifyPorts = { identify: () => cold('p|', { p: identity }) }
    const command$ = cold('i', { i: identify.once({ peer: FAKE_SELF }) })
    const types: string[] = []
    identifyBehaviour(fakeWires({ command$, ports })).subscribe(({ type }) => types.push(type))
    expectObservable(command$)
    flush()
    expect(types).toEqual(['command:failed'])
  })
  it('keeps who connected peers are', () => {
    const { initial, on } = identify().state!
    const event = { type: 'peer:identify', at: 0, connection: '1', ...identity } as const
    const known = on['peer:identify']!(initial, event)
    expect(known.get('p')).toEqual(identity)
    expect(on['peer:disconnect']!(known, { type: 'peer:disconnect', at: 1, peer: 'p' }).size).toBe(0)
    const asked = { type: 'identify:identified', at: 2, identity: { ...identity, agentVersion: 'test/2' } } as const
    expect(on['identify:identified']!(known, asked).get('p')?.agentVersion).toBe('test/2')
  })
})
