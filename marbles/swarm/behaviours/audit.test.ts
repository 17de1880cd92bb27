import { audit, type AuditPorts } from 'rxswarm'
import { fakePorts, fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { EMPTY, map, NEVER } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { auditBehaviour } from '../../../src/swarm/behaviours/audit/auditBehaviour.ts'
import { AUDITED, entryOf, isAudited } from '../../../src/swarm/behaviours/audit/auditedEntry.ts'

describe('audit', () => {
  const flush = audit.flush()
  obeysBehaviourLaws(auditBehaviour([...AUDITED]), [flush])

  marbles('notes what is to be noted, and says what the log says of itself', ({ cold, hot, expectObservable }) => {
    const event$ = hot('-d-x-----', { d: { type: 'access:denied', at: 1 }, x: { type: 'peer:connect', at: 3 } })
    const log = '       ----f----'
    const expected = '  ----f----'
    const noted: unknown[] = []
    const ports: AuditPorts = {
      ...fakePorts<AuditPorts>(() => EMPTY),
      write: (entry) => void noted.push(entry.event),
      event$: cold(log, { f: { type: 'audit:lost', count: 1 } as const }),
    }
    const said$ = auditBehaviour([...AUDITED])(fakeWires({ command$: NEVER, event$: event$, ports }))
    expectObservable(said$, '^--------!').toBe(expected, { f: { type: 'audit:lost', count: 1 } })
    expectObservable(cold('---------(n|)').pipe(map(() => noted))).toBe('---------(n|)', { n: ['access:denied'] })
  })

  it('takes names, and beginnings of names; what the log says of itself never', () => {
    expect(isAudited(AUDITED, 'xauth:failed')).toBe(true)
    expect(isAudited(AUDITED, 'behaviour:crashed')).toBe(true)
    expect(isAudited(AUDITED, 'behaviour:restarted')).toBe(false)
    expect(isAudited(['*'], 'audit:failed')).toBe(false)
  })
  it('notes what smells of attack where peers are found, relayed and carried', () => {
    const discovered = ['discovery:impostor', 'discovery:flooded', 'rendezvous:refused', 'rendezvous:ignored']
    const carried = ['relay:denied', 'relay:lied', 'chain:accepted', 'chain:carried', 'chain:refused']
    expect([...discovered, ...carried].filter((type) => !isAudited(AUDITED, type))).toEqual([])
  })
  it('puts who and from where first, as far as they are known', () => {
    const address = '/ip4/192.0.2.7/tcp/4001/p2p/p'
    expect(entryOf({ type: 'xauth:failed', at: 9, peer: 'p', address } as never)).toEqual({
      event: 'xauth:failed',
      peer: 'p',
      ip: '192.0.2.7',
      address,
    })
    expect(entryOf({ type: 'access:would-differ', at: 9, request: { peer: 'q', ip: '::1' } } as never)).toMatchObject({
      peer: 'q',
      ip: '::1',
    })
    expect(entryOf({ type: 'behaviour:crashed', at: 9, behaviour: 'kad' } as never)).toEqual({
      event: 'behaviour:crashed',
      behaviour: 'kad',
    })
  })
})
