import { relay, type RelayEvent, type RelayPorts, type Reservation } from 'rxswarm'
import { FAKE_SELF, fakePorts, fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { concat, map, merge, mergeMap, NEVER, Observable, of, throwError, timer } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { RelayError, type SwarmError } from '../../../src/errors/errors.ts'
import { relayBehaviour as behaviourOf } from '../../../src/swarm/behaviours/relay/relayBehaviour.ts'
import type { RelayDecisions } from '../../../src/swarm/behaviours/relay/relayMachine.ts'

const HOP = '/libp2p/circuit/relay/0.2.0/hop'
const id = (letter: string) => letter.repeat(40)
const [A, B, C, D] = [id('A'), id('B'), id('C'), id('D')]
const at = (relayId: string, ip = '192.0.2.1') => `/ip4/${ip}/tcp/4001/p2p/${relayId}`
const ref = (relayId: string, ip?: string) => ({ relay: relayId, addresses: [at(relayId, ip)] })

const decisions: RelayDecisions = { reservations: 1, relays: [], discover: true, rotateAfterMs: 600_000 }
const behaviour = (more: Partial<RelayDecisions> = {}) => behaviourOf({ ...decisions, ...more })

const granted = (relayId: string, more: Partial<Reservation> = {}): Reservation => ({
  relay: relayId,
  addresses: [`${at(relayId)}/p2p-circuit/p2p/${FAKE_SELF}`],
  expiresAt: 3_600_000,
  limit: { seconds: 120, bytes: 131_072 },
  rttMs: 20,
  ...more,
})
const refusal = (relayId: string, status = 'RESERVATION_REFUSED') =>
  new RelayError(`${relayId} refuses`, { peer: relayId }, status)
const gone = new RelayError('gone')

/** What is said, in short: what, and of whom. */
const brief = map((fact: object) => {
  const said = fact as {
    type: string
    relay?: string
    peer?: string
    retryInMs?: number
    cause?: string
    error?: Error
  }
  const name = said.relay ?? said.peer
  const who = name === undefined ? '' : ` ${name.slice(0, 1)}`
  return `${said.type.replace(/^relay:/, '')}${who}${said.retryInMs === undefined ? '' : ` ${said.retryInMs}`}`
})

/** Ports of which only `reserve` speaks, by relay; the nth attempt at a relay gets its nth answer, and the last one for ever. */
function portsOf(answers: Readonly<Record<string, readonly Observable<Reservation>[]>>): RelayPorts {
  const attempts = new Map<string, number>()
  return {
    ...fakePorts<RelayPorts>(() => NEVER),
    ready: () => of(true),
    measure: () => NEVER,
    search: () => NEVER,
    upgrade: () => NEVER,
    served$: NEVER,
    reserve: ({ relay: name }) => {
      const attempt = attempts.get(name) ?? 0
      attempts.set(name, attempt + 1)
      const own = answers[name] ?? [NEVER]
      return own[Math.min(attempt, own.length - 1)]!
    },
  }
}
const identified = (relayId: string, ip?: string) => ({
  type: 'peer:identify' as const,
  at: 0,
  peer: relayId,
  connection: `c${relayId}`,
  addresses: [at(relayId, ip), `${at(relayId, ip)}/p2p-circuit`],
  protocols: [HOP],
})

describe('relay', () => {
  obeysBehaviourLaws(behaviour(), [])

  marbles('the picture of its doc comment', ({ cold, expectObservable }) => {
    const ready = '   -s-----------'
    const first = '    r-----#'
    const second = '         r-----'
    const expected = '-(fga)-(lb)--'
    const ports = {
      ...portsOf({
        [A]: [cold(first, { r: granted(A) }, gone)],
        [B]: [cold(second, { r: granted(B) })],
      }),
      ready: () => cold(ready),
    }
    const relays = [ref(A), ref(B)]
    const said$ = behaviour({ relays })(fakeWires({ command$: NEVER, ports }))
    expectObservable(said$.pipe(brief), '^ 50ms !').toBe(expected, {
      f: 'found A',
      g: 'found B',
      a: 'reserved A',
      l: 'lost A 175',
      b: 'reserved B',
    })
  })
})
