import { relay, type RelayCommand, type RelayPorts, type Reservation } from 'rxswarm'
import { FAKE_SELF, fakePorts, fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import {
  asyncScheduler,
  auditTime,
  concat,
  filter,
  finalize,
  from,
  ignoreElements,
  map,
  merge,
  mergeMap,
  NEVER,
  of,
  scan,
  takeUntil,
  throwError,
  timer,
  type Observable,
} from 'rxjs'
import { describe, expect, it } from 'vitest'
import { InvalidMessageError, RelayError, type SwarmError } from '../../../src/errors/errors.ts'
import { relayBehaviour as behaviourOf } from '../../../src/swarm/behaviours/relay/relayBehaviour.ts'
import type { RelayDecisions } from '../../../src/swarm/behaviours/relay/relayMachineState.ts'
import { MOST_RELAYS } from '../../../src/swarm/behaviours/relay/relayWork.ts'

const HOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/hop'
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
const held = (relayId: string) => concat(of(granted(relayId)), NEVER)

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
  protocols: [HOP_PROTOCOL],
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

  marbles('a trusted relay is tried again: at once after a loss, then twice as late each time', (run) => {
    const { cold, expectObservable, expectSubscriptions } = run
    const dead$ = cold<Reservation>('--#', {}, gone)
    const held$ = concat(of(granted(A)), timer(20_000).pipe(mergeMap(() => throwError(() => gone))))
    const ports = portsOf({ [A]: [held$, dead$, dead$, dead$, NEVER] })
    const said$ = behaviour({ relays: [ref(A)] })(fakeWires({ command$: NEVER, ports }))
    expectObservable(said$.pipe(brief), '^ 22s !').toBe('(fr) 19996ms l 176ms a 301ms b 601ms c', {
      f: 'found A',
      r: 'reserved A',
      l: 'lost A 175',
      a: 'failed A 300',
      b: 'failed A 600',
      c: 'failed A 1200',
    })
    expectSubscriptions(dead$.subscriptions).toBe([' 20175ms ^-!', ' 20477ms ^-!', ' 21079ms ^-!'])
  })
  marbles('never gives up on a trusted relay, and tries it every two seconds at most for half an hour', ({ cold }) => {
    const attempts: number[] = []
    const dead$ = cold<Reservation>('#', {}, gone)
    const ports: RelayPorts = {
      ...portsOf({}),
      reserve: () => {
        attempts.push(Date.now())
        return dead$
      },
    }
    const wires = fakeWires({ command$: NEVER, ports })
    behaviour({ relays: [ref(A)] })(wires)
      .pipe(takeUntil(timer(7_200_000)))
      .subscribe()
    asyncScheduler.schedule(() => {
      const gaps = attempts.slice(1).map((when, index) => [when, when - attempts[index]!] as const)
      const early = gaps.filter(([when]) => when < 1_800_000).map(([, gap]) => gap)
      const late = gaps.filter(([when]) => when > 1_900_000).map(([, gap]) => gap)
      expect(Math.max(...early)).toBe(1_500)
      expect(Math.max(...late)).toBe(22_500)
      expect(attempts.at(-1)).toBeGreaterThan(7_170_000)
    }, 7_200_000)
  })
  marbles('another relay takes the place of one that is lost, and gives it back to a trusted one', (run) => {
    const { hot, expectObservable } = run
    const briefly$ = concat(of(granted(A)), timer(100).pipe(mergeMap(() => throwError(() => gone))))
    const later$ = concat(timer(400).pipe(ignoreElements()), of(granted(A)), NEVER)
    const ports = portsOf({ [A]: [briefly$, later$], [B]: [held(B)] })
    const event$ = hot('-----b', { b: identified(B) })
    const said$ = behaviour({ relays: [ref(A)] })(fakeWires({ command$: NEVER, ports, event$: event$ }))
    expectObservable(said$.pipe(brief), '^ 1500ms !').toBe('(fa)-g 94ms (lb) 571ms (ar)', {
      f: 'found A',
      a: 'reserved A',
      g: 'found B',
      l: 'lost A 175',
      b: 'reserved B',
      r: 'released B',
    })
  })
  marbles('spreads over places: a relay elsewhere goes before one in the subnet of another', (run) => {
    const relays = [ref(A, '192.0.2.1'), ref(B, '192.0.2.2'), ref(C, '198.51.100.1')]
    const ports = portsOf({ [A]: [held(A)], [B]: [held(B)], [C]: [held(C)] })
    const said$ = behaviour({ relays, reservations: 2 })(fakeWires({ command$: NEVER, ports }))
    run.expectObservable(said$.pipe(brief), '^--!').toBe('(fghac)', {
      f: 'found A',
      g: 'found B',
      h: 'found C',
      a: 'reserved A',
      c: 'reserved C',
    })
  })
  marbles('a refusal is told with its status, and waits longer than a failure', ({ cold, expectObservable }) => {
    const ports = portsOf({
      [A]: [cold('------#', {}, refusal(A))],
      [B]: [cold('------#', {}, refusal(B, 'PERMISSION_DENIED'))],
      [C]: [cold('------#', {}, new InvalidMessageError('a lie'))],
    })
    const relays = [ref(A), ref(B), ref(C)]
    const said$ = behaviour({ relays, reservations: 3 })(fakeWires({ command$: NEVER, ports }))
    expectObservable(said$.pipe(brief), '^ 1s !').toBe('(fgh)-(ablc)', {
      l: 'lied C',
      f: 'found A',
      g: 'found B',
      h: 'found C',
      a: 'refused A 1500',
      b: 'refused B 7500',
      c: 'failed C 3750',
    })
  })
  marbles('a relay that does not answer has its attempt ended', ({ cold, expectObservable, expectSubscriptions }) => {
    const silent$ = cold<Reservation>('-')
    const ports = portsOf({ [A]: [silent$] })
    const said$ = behaviour({ relays: [ref(A)] })(fakeWires({ command$: NEVER, ports }))
    expectObservable(said$.pipe(brief), '^ 2600ms !').toBe('f 2499ms a', { f: 'found A', a: 'failed A 150' })
    expectSubscriptions(silent$.subscriptions).toBe('^ 2499ms !')
  })
  marbles('a reservation that is not renewed ends when it expires', ({ expectObservable }) => {
    const ports = portsOf({ [A]: [concat(of(granted(A, { expiresAt: 500 })), NEVER), NEVER] })
    const said$ = behaviour({ relays: [ref(A)] })(fakeWires({ command$: NEVER, ports }))
    expectObservable(said$.pipe(brief), '^ 600ms !').toBe('(fa) 496ms l', {
      f: 'found A',
      a: 'reserved A',
      l: 'lost A 175',
    })
  })
  marbles('one that is renewed is told again, and holds on', ({ cold, expectObservable }) => {
    const renewed = { a: granted(A, { expiresAt: 500 }), b: granted(A, { expiresAt: 1_500 }) }
    const ports = portsOf({ [A]: [cold('a 399ms b', renewed)] })
    const said$ = behaviour({ relays: [ref(A)] })(fakeWires({ command$: NEVER, ports }))
    expectObservable(said$.pipe(brief), '^ 1s !').toBe('(fa) 396ms b', {
      f: 'found A',
      a: 'reserved A',
      b: 'refreshed A',
    })
  })
  marbles('a relay that grants and lets go at once is tried ever less often', ({ expectObservable }) => {
    const flapping$ = concat(of(granted(A)), timer(4).pipe(mergeMap(() => throwError(() => gone))))
    const said$ = behaviour({ relays: [ref(A)] })(fakeWires({ command$: NEVER, ports: portsOf({ [A]: [flapping$] }) }))
    const waits$ = said$.pipe(mergeMap((said) => ('retryInMs' in said ? [said.retryInMs] : [])))
    const expected = '----a 178ms b 303ms c 603ms d'
    expectObservable(waits$, '^ 1200ms !').toBe(expected, { a: 175, b: 300, c: 600, d: 1_200 })
  })
  marbles('everything is let go of when nobody listens', ({ cold, expectObservable, expectSubscriptions }) => {
    const held$ = cold<Reservation>('r', { r: granted(A) })
    const said$ = behaviour({ relays: [ref(A)] })(fakeWires({ command$: NEVER, ports: portsOf({ [A]: [held$] }) }))
    expectObservable(said$.pipe(brief), '^---!').toBe('(fa)', { f: 'found A', a: 'reserved A' })
    expectSubscriptions(held$.subscriptions).toBe('^---!')
  })

  describe('finds relays', () => {
    marbles('among the peers that say so of themselves, and uses as many as it needs', ({ hot, expectObservable }) => {
      const ports = portsOf({ [B]: [held(B)], [C]: [held(C)] })
      const event$ = hot('-b----c', { b: identified(B), c: identified(C) })
      const said$ = behaviour()(fakeWires({ command$: NEVER, ports, event$: event$ }))
      expectObservable(said$.pipe(brief), '^ 20ms !').toBe('-(fb)-g', {
        f: 'found B',
        b: 'reserved B',
        g: 'found C',
      })
    })
    marbles('not when it is told to keep to those it trusts', ({ hot, expectObservable }) => {
      const event$ = hot('-b-c', { b: identified(B), c: identified(C) })
      const said$ = behaviour({ discover: false })(fakeWires({ command$: NEVER, ports: portsOf({}), event$: event$ }))
      expectObservable(said$.pipe(brief), '^ 20ms !').toBe('-')
    })
    marbles(
      'by a search when there are too few, less often each time',
      ({ cold, expectObservable, expectSubscriptions }) => {
        const search$ = cold<never>('|')
        const ports = { ...portsOf({}), search: () => search$ }
        expectObservable(behaviour()(fakeWires({ command$: NEVER, ports })), '^ 30s !').toBe('-')
        expectSubscriptions(search$.subscriptions).toBe(['(^!)', '3750ms (^!)', '11250ms (^!)', '26250ms (^!)'])
      },
    )
    marbles('and forgets the worst when there are too many', ({ cold, flush }) => {
      const names = Array.from({ length: MOST_RELAYS + 3 }, (_, index) => `${id('R').slice(4)}${1_000 + index}`)
      const event$ = cold('(e|)', { e: 0 }).pipe(mergeMap(() => from(names.map((name) => identified(name)))))
      const types: string[] = []
      behaviour({ reservations: 0 })(
        fakeWires({ command$: NEVER, ports: portsOf({}), event$: concat(event$, NEVER) as never }),
      )
        .pipe(takeUntil(timer(10)))
        .subscribe(({ type }) => void types.push(type))
      flush()
      expect(types.filter((type) => type === 'relay:found').length).toBe(MOST_RELAYS + 3)
      expect(types.filter((type) => type === 'relay:forgotten').length).toBe(3)
    })
    marbles(
      'that connect while they are waited for, and does not wait then',
      ({ cold, hot, expectSubscriptions, expectObservable }) => {
        const dead$ = cold<Reservation>('#', {}, gone)
        const event$ = hot('- 99ms b', { b: identified(B) })
        const ports = portsOf({ [B]: [dead$] })
        const first$ = hot('-b', { b: identified(B) })
        const said$ = behaviour()(fakeWires({ command$: NEVER, ports, event$: merge(first$, event$) as never }))
        expectObservable(said$.pipe(brief), '^ 700ms !').toBe('-(fa) 595ms b', {
          f: 'found B',
          a: 'failed B 1500',
          b: 'failed B 3000',
        })
        expectSubscriptions(dead$.subscriptions).toBe(['-(^!)', '- 599ms (^!)'])
      },
    )
  })

  describe('rotates', () => {
    const relays = [ref(A), ref(B, '198.51.100.1')]
    marbles('when it is told to: the new reservation is made before the old one is given up', (run) => {
      const { cold, hot, expectObservable, expectSubscriptions } = run
      const old$ = cold<Reservation>('r', { r: granted(A) })
      const command$ = hot('------c', { c: relay.rotate() })
      const ports = portsOf({ [A]: [old$], [B]: [cold('---r', { r: granted(B) })] })
      const said$ = behaviour({ relays })(fakeWires({ command$, ports }))
      expectObservable(said$.pipe(brief), '^ 20ms !').toBe('(fga)----(bxyd)', {
        f: 'found A',
        g: 'found B',
        a: 'reserved A',
        b: 'reserved B',
        x: 'released A',
        y: 'rotated',
        d: 'command:completed',
      })
      expectSubscriptions(old$.subscriptions).toBe('^--------!')
    })
    marbles(
      'to the next one when the best refuses, and fails when there is none',
      ({ cold, hot, expectObservable }) => {
        const command$ = hot('------c', { c: relay.rotate({ relay: A }) })
        const ports = portsOf({
          [A]: [held(A)],
          [B]: [cold('-#', {}, refusal(B))],
          [C]: [cold('-#', {}, refusal(C))],
        })
        const said$ = behaviour({ relays: [...relays, ref(C)] })(fakeWires({ command$, ports }))
        expectObservable(said$.pipe(brief), '^ 20ms !').toBe('(fgha)-b(cx)', {
          f: 'found A',
          g: 'found B',
          h: 'found C',
          a: 'reserved A',
          b: 'refused B 1500',
          c: 'refused C 1500',
          x: 'command:failed',
        })
      },
    )
    marbles('by itself to a relay that is clearly better, and not to one that is a little better', (run) => {
      const { hot, expectObservable } = run
      const near = (name: string, rttMs: number) => concat(of(granted(name, { rttMs })), NEVER)
      const event$ = hot('-b----c', { b: identified(B), c: identified(C, '198.51.100.9') })
      const said = (distance: number) => {
        const ports: RelayPorts = {
          ...portsOf({ [B]: [near(B, 100)], [C]: [near(C, distance)] }),
          measure: (name) => of(name === C ? distance : 100),
        }
        const found = behaviour({ rotateAfterMs: 100 })
        return found(fakeWires({ command$: NEVER, ports, event$: event$ })).pipe(brief)
      }
      const words = {
        f: 'found B',
        b: 'reserved B',
        g: 'found C',
        c: 'reserved C',
        r: 'released B',
        x: 'rotated',
      }
      expectObservable(said(20), '^ 250ms !').toBe('-(fb)-g 93ms (crx)', words)
      expectObservable(said(80), '^ 250ms !').toBe('-(fb)-g', words)
    })
  })

  describe('does not rotate', () => {
    const near = (name: string) => concat(of(granted(name, { rttMs: name === B ? 1 : 100 })), NEVER)
    const ports: RelayPorts = {
      ...portsOf({ [A]: [near(A)], [B]: [near(B)] }),
      measure: (name) => of(name === B ? 1 : 100),
    }
    const words = { f: 'found A', a: 'reserved A', g: 'found B', x: 'command:failed' }
    const b = identified(B, '198.51.100.1')
    marbles('by itself from a trusted relay to one that is not: it would come back at once', (run) => {
      const found = behaviour({ relays: [ref(A)], rotateAfterMs: 100 })
      const said$ = found(fakeWires({ command$: NEVER, ports, event$: run.hot('-----b', { b }) }))
      run.expectObservable(said$.pipe(brief), '^ 250ms !').toBe('(fa)-g', words)
    })
    marbles('from a trusted relay to one that is not when it is told to, either', (run) => {
      const command$ = run.hot('-------c', { c: relay.rotate() })
      const said$ = behaviour({ relays: [ref(A)] })(fakeWires({ command$, ports, event$: run.hot('-----b', { b }) }))
      run.expectObservable(said$.pipe(brief), '^ 20ms !').toBe('(fa)-g-x', words)
    })
    marbles('for ever when what it moves to is asked for and let go of meanwhile', (run) => {
      const reserve = relay.reserve({ relay: B })
      const command$ = run.hot('----c-d', { c: relay.rotate(), d: reserve })
      const cancel$ = run.hot(' --------x', { x: reserve.id })
      const slow = portsOf({ [A]: [held(A)], [B]: [run.cold('--------r', { r: granted(B) })] })
      const relays = [ref(A), ref(B, '198.51.100.1')]
      const said$ = behaviour({ relays })(fakeWires({ command$, cancel$, ports: slow }))
      run.expectObservable(said$.pipe(brief), '^ 50ms !').toBe('(fga)-------(brxd)', {
        ...words,
        b: 'reserved B',
        r: 'released A',
        x: 'rotated',
        d: 'command:completed',
      })
    })
  })

  describe('is told', () => {
    const reserve = relay.reserve({ relay: at(D) })
    marbles('to keep a relay for as long as somebody waits, besides its own', ({ hot, expectObservable }) => {
      const command$ = hot('------c', { c: reserve })
      const cancel$ = hot(' ------------x', { x: reserve.id })
      const ports = portsOf({ [A]: [held(A)], [D]: [held(D)] })
      const said$ = behaviour({ relays: [ref(A)] })(fakeWires({ command$, cancel$, ports }))
      expectObservable(said$.pipe(brief), '^ 20ms !').toBe('(fa)--(gd)--r', {
        f: 'found A',
        a: 'reserved A',
        g: 'found D',
        d: 'reserved D',
        r: 'released D',
      })
    })
    marbles('to keep one, and forgets it afterwards when it keeps to those it trusts', ({ hot, expectObservable }) => {
      const command$ = hot('-c', { c: reserve })
      const cancel$ = hot(' -------x', { x: reserve.id })
      const ports = portsOf({ [D]: [held(D)] })
      const said$ = behaviour({ discover: false })(fakeWires({ command$, cancel$, ports }))
      expectObservable(said$.pipe(brief), '^ 20ms !').toBe('-(gd)--(rf)', {
        g: 'found D',
        d: 'reserved D',
        r: 'released D',
        f: 'forgotten D',
      })
    })
    marbles(
      'to keep one that is away: it is tried for as long as somebody waits',
      ({ cold, hot, expectObservable }) => {
        const command$ = hot('-c', { c: reserve })
        const cancel$ = hot(' - 999ms x', { x: reserve.id })
        const ports = portsOf({ [D]: [cold('----#', {}, gone)] })
        const said$ = behaviour({ reservations: 0 })(fakeWires({ command$, cancel$, ports }))
        expectObservable(said$.pipe(brief), '^ 9s !').toBe('-g---a 153ms b 303ms c', {
          g: 'found D',
          a: 'failed D 150',
          b: 'failed D 300',
          c: 'failed D 600',
        })
      },
    )
    marbles('to keep one that it has: the command hears of it at once', ({ hot, expectObservable }) => {
      const command$ = hot('------c', { c: relay.reserve({ relay: A }) })
      const said$ = behaviour({ relays: [ref(A)] })(fakeWires({ command$, ports: portsOf({ [A]: [held(A)] }) }))
      const causes$ = said$.pipe(mergeMap((said) => ('causes' in said ? [said.causes?.length] : [])))
      expectObservable(causes$, '^ 20ms !').toBe('a-----b', { a: 0, b: 1 })
    })
    marbles('to release one: it stays away until it is named again', ({ hot, expectObservable }) => {
      const command$ = hot('------c---d', { c: relay.release({ relay: A }), d: relay.reserve({ relay: A }) })
      const said$ = behaviour({ relays: [ref(A)] })(fakeWires({ command$, ports: portsOf({ [A]: [held(A)] }) }))
      expectObservable(said$.pipe(brief), '^ 20ms !').toBe('(fa)--(rd)a', {
        f: 'found A',
        a: 'reserved A',
        r: 'released A',
        d: 'command:completed',
      })
    })
    marbles('to list them', ({ hot, expectObservable }) => {
      const command$ = hot('------c', { c: relay.list() })
      const ports = portsOf({ [A]: [held(A)], [B]: [NEVER] })
      const said$ = behaviour({ relays: [ref(A), ref(B)] })(fakeWires({ command$, ports }))
      const statuses$ = said$.pipe(
        mergeMap((said) => ('candidates' in said ? [said.candidates.map(({ status }) => status).join(' ')] : [])),
      )
      expectObservable(statuses$, '^ 20ms !').toBe('------s', { s: 'held idle' })
    })
    marbles('nonsense', ({ cold, expectObservable }) => {
      const refused = (bad: RelayCommand) => {
        const said$ = behaviour()(fakeWires({ command$: cold('-c', { c: bad }), ports: portsOf({}) }))
        const what$ = said$.pipe(map((said) => ('error' in said ? (said.error as Error).name : said.type)))
        expectObservable(what$, '^--!').toBe('-i', { i: 'InvalidCommandError' })
      }
      refused(relay.reserve({ relay: '/ip4/192.0.2.1/tcp/1' }))
      refused(relay.reserve({ relay: `${at(A)}/p2p-circuit/p2p/${B}` }))
      refused(relay.reserve({} as never))
      refused(relay.rotate({ relay: A }))
    })
  })

  describe('replaces relayed connections', () => {
    const open = (direction: 'inbound' | 'outbound') => ({
      type: 'connection:open',
      at: 0,
      connection: { id: 'c', peer: 'P', direction, direct: false },
    })
    const addresses = ['/ip4/192.0.2.7/tcp/1', '/x/p2p-circuit']
    const told = { type: 'peer:identify', at: 0, peer: 'P', connection: 'c', protocols: [], addresses }
    const close = { type: 'connection:close', at: 0, connection: { id: 'c' } }
    const direct = {
      type: 'connection:open',
      at: 0,
      connection: { id: 'd', peer: 'P', direct: true, address: 'there' },
    }
    const said = (event$: Observable<unknown>, upgrade: () => Observable<string>) => {
      const ports: RelayPorts = { ...portsOf({}), upgrade }
      return behaviour({ discover: false })(fakeWires({ command$: NEVER, ports, event$: event$ as never })).pipe(brief)
    }
    marbles('by direct ones, once the peer has told its addresses', ({ cold, hot, expectObservable }) => {
      const event$ = hot('-o-i--d', { o: open('outbound'), i: told, d: direct })
      const upgraded$ = said(event$, () => cold('---u|', { u: 'there' }))
      expectObservable(upgraded$, '^ 20ms !').toBe('---u--d', { u: 'upgrading P', d: 'upgraded P' })
    })
    marbles('and does not try when somebody else has made a direct one', ({ hot, expectObservable }) => {
      const event$ = hot('-o-d-i', { o: open('outbound'), i: told, d: direct })
      expectObservable(
        said(event$, () => NEVER),
        '^ 20ms !',
      ).toBe('---d', { d: 'upgraded P' })
    })
    marbles('and gives up after five seconds, with an error that says so', ({ hot, expectObservable }) => {
      const event$ = hot('-o-i', { o: open('outbound'), i: told })
      const ports: RelayPorts = { ...portsOf({}), upgrade: () => NEVER }
      const said$ = behaviour({ discover: false })(fakeWires({ command$: NEVER, ports, event$ }))
      const errors$ = said$.pipe(map((fact) => (fact as { readonly error?: Error }).error?.name ?? fact.type))
      expectObservable(errors$, '^ 6s !').toBe('---u 4999ms t', { u: 'relay:upgrading', t: 'TimeoutError' })
    })
    marbles('of many peers at the same time, though few are tried at once', ({ hot, expectObservable }) => {
      const many = Array.from({ length: 40 }, (_, index) => `${index}`)
      const opened = many.map((name) => ({
        ...open('outbound'),
        connection: { id: name, peer: name, direction: 'outbound', direct: false },
      }))
      const identifies = many.map((name) => ({ ...told, peer: name, connection: name }))
      const event$ = hot<string>('-o-i', { o: 'o', i: 'i' }).pipe(
        mergeMap((which) => from<object[]>(which === 'o' ? opened : identifies)),
      )
      let running = 0
      let most = 0
      const ports: RelayPorts = {
        ...portsOf({}),
        upgrade: () => {
          most = Math.max(most, ++running)
          return concat(timer(10).pipe(ignoreElements()), of('there')).pipe(finalize(() => running--))
        },
      }
      const said$ = behaviour({ discover: false })(fakeWires({ command$: NEVER, ports, event$: event$ as never }))
      const tried$ = said$.pipe(
        scan((count) => count + 1, 0),
        auditTime(5),
        map((count) => [count, most]),
      )
      expectObservable(tried$, '^ 60ms !').toBe('--- 5ms a 9ms b 9ms c', { a: [16, 16], b: [32, 16], c: [40, 16] })
    })
    marbles('and does not try one for which there was no room until it had closed', ({ hot, expectObservable }) => {
      const many = Array.from({ length: 17 }, (_, index) => `${index}`)
      const opened = many.map((name) => ({
        ...open('outbound'),
        connection: { id: name, peer: name, direction: 'outbound', direct: false },
      }))
      const identifies = many.map((name) => ({ ...told, peer: name, connection: name }))
      const closed = { ...close, connection: { id: '16' } }
      const event$ = hot<string>('-o-i-x', { o: 'o', i: 'i', x: 'x' }).pipe(
        mergeMap((which) => from<object[]>(which === 'o' ? opened : which === 'i' ? identifies : [closed])),
      )
      const ports: RelayPorts = { ...portsOf({}), upgrade: () => NEVER }
      const said$ = behaviour({ discover: false })(fakeWires({ command$: NEVER, ports, event$: event$ as never }))
      const tried$ = said$.pipe(
        filter(({ type }) => type === 'relay:upgrading'),
        scan((count) => count + 1, 0),
        auditTime(7_000),
      )
      expectObservable(tried$, '^ 8s !').toBe('--- 7s a', { a: 16 })
    })
    marbles('later when the other side has dialled, and not when it has closed', ({ cold, hot, expectObservable }) => {
      const later$ = hot(' -o-i', { o: open('inbound'), i: told })
      expectObservable(
        said(later$, () => cold('--#')),
        '^ 1100ms !',
      ).toBe('--- 1s u-d', {
        u: 'upgrading P',
        d: 'upgrade-failed P',
      })
      const closed$ = hot('-o-i--x', { o: open('inbound'), i: told, x: close })
      expectObservable(
        said(closed$, () => cold('--#')),
        '^ 1100ms !',
      ).toBe('-')
    })
  })

  it('keeps two reservations unless it is told otherwise, and none as a relay', () => {
    expect(relay().options).toMatchObject({ reservations: 2, discover: true, holePunching: true })
    expect(relay({ server: true }).options).toMatchObject({ reservations: 0 })
    expect(relay({ server: {}, reservations: 1 }).options).toMatchObject({
      server: { circuitMs: 120_000, circuitBytes: 131_072 },
      reservations: 1,
    })
  })
  it('begins anew after a crash: what was known of relays is gone', () => {
    const { initial, on } = relay().state!
    const found = on['relay:found']!(initial, { type: 'relay:found', at: 0, trusted: false, ...ref(A) })
    const crashed = { type: 'behaviour:crashed', at: 0, behaviour: 'relay' } as never
    expect(on['behaviour:crashed']!(found, crashed).candidates.size).toBe(0)
  })

  it('keeps reservations, candidates and the counts of a relay in state', () => {
    const { initial, on } = relay().state!
    const reserved = on['relay:reserved']!(initial, { type: 'relay:reserved', at: 0, ...granted(A) })
    expect([...reserved.reservations.keys()]).toEqual([A])
    const error = gone as SwarmError
    const lost = { type: 'relay:lost', at: 0, relay: A, reason: '', error, retryInMs: 1 } as const
    expect(on['relay:lost']!(reserved, lost).reservations.size).toBe(0)
    expect(on['relay:lost']!(reserved, { ...lost, relay: B })).toBe(reserved)
    const accepted = { type: 'relay:accepted', at: 0, peer: B, address: '', expiresAt: 1 } as const
    expect(on['relay:accepted']!(initial, accepted).server).toEqual({ reservations: 1, circuits: 0, denied: 0 })
  })
})
