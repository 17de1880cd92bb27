import {
  InvalidMessageError,
  StreamError,
  TimeoutError,
  UnsupportedProtocolError,
  xauth,
  type Approval,
  type Arrival,
  type AuthDecision,
  type XauthCommand,
  type XauthPorts,
} from 'rxswarm'
import { failingPorts, fakePorts, fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { delay, EMPTY, map, mergeMap, NEVER, of, Subject, take, throwError, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { xauthBehaviour } from '../../../src/swarm/behaviours/xauth/xauthBehaviour.ts'
import { brief, connection, Desk, NOW_S, request, settings, silence } from './xauth/desk.ts'

const both = ['succeeded outbound c', 'stand c pending']
const DAY_S = 86_400

describe('xauth', () => {
  obeysBehaviourLaws(xauthBehaviour(settings), [])

  marbles('the picture of its doc comment', ({ cold, hot, expectObservable }) => {
    const event$ = hot('  -o-----------', { o: { type: 'connection:open', at: 0, connection: connection() } })
    const answer = '      --y|'
    const arrival$ = hot('------r------', { r: { type: 'requested', request: request({ from: -NOW_S }) } })
    const expected = '    ---s--(rsa)--'
    const ports: XauthPorts = {
      ...fakePorts<XauthPorts>(() => EMPTY),
      connections: () => of([]),
      arrival$: arrival$ as XauthPorts['arrival$'],
      denied$: NEVER,
      prove: () => of({ proof: request().por, owner: 'us' }),
      ask: () => cold(answer, { y: { ok: true, metadata: {} } }),
      isSigned: () => of(true),
      respond: () => EMPTY,
      stand: () => EMPTY,
      hangUp: () => EMPTY,
    }
    const said$ = xauthBehaviour({ ...settings, maxLifetimeS: 2e9 })(fakeWires({ command$: NEVER, event$, ports }))
    const types$ = said$.pipe(map(({ type }) => type.slice('xauth:'.length)))
    expectObservable(types$, '^------------!').toBe(expected, { s: 'succeeded', r: 'requested', a: 'authenticated' })
  })
})

describe('authentication', () => {
  it('begins when a connection opens', () => {
    expect(new Desk().open().took()).toEqual(['ask c', 'stand c pending'])
  })
  it('begins on connections that are open already, and only once', () => {
    const desk = new Desk({}, { connections: () => of([connection()]) })
    expect(desk.open().took()).toEqual(['ask c', 'stand c pending'])
  })
  it('is complete when both have accepted each other: ours first', () => {
    const desk = new Desk().open()
    desk.took()
    expect(desk.answer().took()).toEqual(both)
    expect(desk.arrive().took()).toEqual([
      'stand c pending',
      'requested r',
      'succeeded inbound c',
      'authenticated c',
      'respond r ok',
      'stand c authenticated o',
    ])
  })
  it('is complete when both have accepted each other: theirs first', () => {
    const desk = new Desk().open().arrive()
    desk.took()
    expect(desk.answer().took()).toEqual(['succeeded outbound c', 'authenticated c', 'stand c authenticated o'])
  })
  it('tells the owner, the end and what the remote said', () => {
    const desk = new Desk()
      .open()
      .answer()
      .arrive({ metadata: { name: 'x' } })
    const report = { connection: 'c', peer: 'p', owner: 'o', expiresAtS: NOW_S + 3_600, metadata: { name: 'x' } }
    expect(desk.said.at(-1)).toEqual({ type: 'xauth:authenticated', ...report })
  })
  it('waits, when it is manual, until it is told to, or the remote begins', () => {
    const told = new Desk({ start: 'manual' }).open()
    expect(told.took()).toEqual(['stand c stranger'])
    expect(told.tell(xauth.authenticate({ peer: 'p' })).took()).toEqual(['ask c', 'stand c pending'])
    const asked = new Desk({ start: 'manual' }).open()
    asked.took()
    expect(asked.arrive().took()).toEqual([
      'stand c pending',
      'requested r',
      'succeeded inbound c',
      'respond r ok',
      'ask c',
      'stand c pending',
    ])
    expect(asked.answer().took()).toContain('authenticated c')
  })
  it('ends after its time, each direction once and by its name', () => {
    const desk = new Desk().open()
    desk.took()
    expect(desk.pass(9_999).took()).toEqual([])
    expect(desk.pass(1).took()).toEqual(['failed outbound c: timeout', 'stand c refused'])
    const other = new Desk().open().answer()
    other.took()
    expect(other.pass(10_000).took()).toEqual(['failed inbound c: timeout', 'stand c refused'])
    expect([desk.pass(1e6).took(), other.pass(1e6).took()]).toEqual([[], []])
  })
  it('gives a request its own time', () => {
    const desk = new Desk({ approve: 'ask' }).open().answer().pass(6_000).arrive().pass(9_999)
    desk.took()
    expect(desk.pass(1).took()).toEqual(['failed inbound c: timeout', 'respond r decision timeout', 'stand c refused'].toSorted()) // prettier-ignore
  })
  it('says why our proof was not accepted', () => {
    const failing = (error: unknown) => {
      const desk = new Desk().open()
      desk.took()
      return desk.breaks(error).took()[0]
    }
    expect(failing(new UnsupportedProtocolError('x'))).toBe('failed outbound c: unsupported')
    expect(failing(new InvalidMessageError('x'))).toBe('failed outbound c: malformed')
    expect(failing(new TimeoutError('x'))).toBe('failed outbound c: timeout')
    expect(failing(new StreamError('x'))).toBe('failed outbound c: stream')
    expect(failing('x')).toBe('failed outbound c: stream')
    const rejected = new Desk().open()
    rejected.took()
    expect(rejected.answer('c', 'no').took()).toEqual(['failed outbound c: rejected', 'stand c refused'])
    expect(new Desk({}, { prove: () => throwError(() => new Error('x')) }).open().took()).toContain(
      'failed outbound c: no proof',
    )
  })
  it.each([
    ['not begun', (desk: Desk) => desk],
    ['asked', (desk: Desk) => desk.open()],
    ['accepted', (desk: Desk) => desk.open().answer()],
    ['looked at', (desk: Desk) => desk.open().arrive()],
    ['authenticated', (desk: Desk) => desk.friends()],
    ['failed', (desk: Desk) => desk.open().answer('c', 'no')],
  ])('is forgotten when the connection closes: %s', (_, lead) => {
    const desk = lead(new Desk({ approve: 'ask' })).close()
    desk.took()
    expect(desk.pass(1e8).took()).toEqual([])
    expect(desk.arrive({ request: 'late' }).took()).toEqual(['respond late the connection is closing'])
    expect(desk.garbage(undefined, 'bad').took()).toEqual(['respond bad the connection is closing'])
    expect(desk.open().took()).toEqual(['ask c', 'stand c pending'])
  })
  it('hears no answer that comes after the connection closed', () => {
    const desk = new Desk().open()
    const ask = desk.asks.get('c')!
    desk.close().took()
    expect(ask.observed).toBe(false)
  })
})

describe('a request', () => {
  const flawOf = (shows: Parameters<typeof request>[0], ports: Partial<XauthPorts> = {}, change = {}) => {
    const desk = new Desk(change, ports).open().answer()
    desk.took()
    return desk.arrive(shows).took().find((line) => line.startsWith('failed'))?.replace('failed inbound c: ', '') // prettier-ignore
  }
  const unsigned = { isSigned: () => of(false) }
  it('is refused with what is wrong', () => {
    expect(flawOf({})).toBeUndefined()
    expect(flawOf({ subject: 'q' })).toBe('wrong subject')
    expect(flawOf({ owner: 'x' })).toBe('untrusted owner')
    expect(flawOf({ to: 100_001 })).toBe('lifetime too long')
    expect(flawOf({ to: 100_000 })).toBeUndefined()
    expect(flawOf({ from: 1 })).toBe('not yet valid')
    expect(flawOf({ from: -9, to: -1 })).toBe('expired')
    expect(flawOf({}, unsigned)).toBe('invalid signature')
    expect(flawOf({}, { isSigned: () => throwError(() => new Error('x')) })).toBe('invalid signature')
    expect(flawOf({}, { isSigned: () => EMPTY })).toBe('invalid signature')
  })
  it('is refused with the first of what is wrong: the period, the signature, then the rest', () => {
    expect(flawOf({ from: 1, to: 200_000, subject: 'q', owner: 'x' }, unsigned)).toBe('not yet valid')
    expect(flawOf({ from: -200_000, to: -1, subject: 'q', owner: 'x' }, unsigned)).toBe('expired')
    expect(flawOf({ to: 200_000, subject: 'q', owner: 'x' }, unsigned)).toBe('invalid signature')
    expect(flawOf({ to: 200_000, subject: 'q', owner: 'x' })).toBe('lifetime too long')
    expect(flawOf({ subject: 'q', owner: 'x' })).toBe('wrong subject')
  })
  it('holds in the first and in the last second of its period', () => {
    expect(flawOf({ from: 0, to: 0 })).toBeUndefined()
    const desk = new Desk().pass(999).open().answer()
    desk.took()
    expect(desk.arrive({ from: 0, to: 0 }).took()).toContain('authenticated c')
  })
  it('waits for its signature, and for nobody else', () => {
    const signed$ = new Subject<boolean>()
    const desk = new Desk({}, { isSigned: () => signed$ }).open().answer().arrive()
    desk.took()
    expect(desk.arrive({ request: 'second' }).took()).toEqual(['respond second one request at a time'])
    signed$.next(true)
    expect(desk.took()).toContain('authenticated c')
  })
  it('is late when its signature is', () => {
    const signed$ = new Subject<boolean>()
    const desk = new Desk({}, { isSigned: () => signed$ }).open().answer().arrive().pass(10_000)
    expect(desk.took().slice(-3)).toEqual(['failed inbound c: timeout', 'respond r decision timeout', 'stand c refused']) // prettier-ignore
    signed$.next(true)
    expect(desk.took()).toEqual([])
  })
  it('that can not be read fails the direction, and says so', () => {
    const desk = new Desk().open()
    desk.took()
    const refusal = ['respond r nonsense', 'stand c refused']
    expect(desk.garbage(new InvalidMessageError('nonsense')).took()).toEqual(['failed inbound c: malformed', ...refusal]) // prettier-ignore
    expect(desk.garbage(new TimeoutError('nonsense')).took()).toEqual(['failed inbound c: timeout', ...refusal])
    expect(desk.garbage(new StreamError('nonsense')).took()).toEqual(['failed inbound c: stream', ...refusal])
  })
  it('that can not be read changes nothing beside one that can', () => {
    const desk = new Desk({ approve: 'ask' }).open().arrive()
    desk.took()
    expect(desk.garbage(undefined, 'bad').took()).toEqual(['respond bad garbage'])
    const friends = new Desk().friends()
    expect(friends.garbage(undefined, 'bad').took()).toEqual(['respond bad garbage'])
  })
  it('may be shown again after a failure, but not for ever', () => {
    const desk = new Desk().open().answer()
    for (const _ of Array(5)) desk.arrive({ owner: 'x' })
    desk.took()
    expect(desk.arrive().took()).toEqual([
      'failed inbound c: too many attempts',
      'respond r PoR verification rejected',
      'stand c refused',
      'hang up c',
    ])
    expect(desk.arrive().arrive().garbage().took()).toEqual([
      'respond r PoR verification rejected',
      'respond r PoR verification rejected',
      'respond r PoR verification rejected',
    ])
    const garbled = new Desk().open()
    for (const _ of Array(5)) garbled.garbage()
    garbled.took()
    expect(garbled.garbage().took()).toContain('hang up c')
  })
  it('heals a direction that had failed', () => {
    const desk = new Desk().open().answer().arrive({ owner: 'x' })
    desk.took()
    expect(desk.arrive().took()).toContain('authenticated c')
  })
})

describe('who is asked', () => {
  it('decides by command', () => {
    const desk = new Desk({ approve: 'ask' }).open().answer().arrive({ owner: 'x' })
    expect(desk.took().at(-1)).toBe('requested r (untrusted)')
    expect(desk.tell(xauth.decide({ request: 'r', approve: true })).took()).toEqual([
      'succeeded inbound c',
      'authenticated c',
      'completed xauth/decide',
      'respond r ok',
      'stand c authenticated x',
    ])
  })
  it('says no, with a reason or without', () => {
    const decided = (decision: Omit<AuthDecision, 'request'>) => {
      const desk = new Desk({ approve: 'ask' }).open().answer().arrive()
      desk.took()
      return desk.tell(xauth.decide({ request: 'r', ...decision })).took()
    }
    expect(decided({ approve: false, reason: 'who?' })).toEqual([
      'failed inbound c: rejected',
      'completed xauth/decide',
      'respond r who?',
      'stand c refused',
    ])
    expect(decided({ approve: false })).toContain('respond r PoR verification rejected')
  })
  it('decides once, in time, and over what there is', () => {
    const yes = xauth.decide({ request: 'r', approve: true })
    const desk = new Desk({ approve: 'ask' }).open().answer()
    desk.took()
    expect(desk.tell(yes).took()).toEqual(['xauth/decide InvalidCommandError'])
    desk.arrive().tell(yes).took()
    expect(desk.tell(yes).took()).toEqual(['xauth/decide InvalidCommandError'])
    const late = new Desk({ approve: 'ask' }).open().answer().arrive().pass(10_000)
    late.took()
    expect(late.tell(yes).took()).toEqual(['xauth/decide InvalidCommandError'])
  })
  it('is not asked about what does not hold, or was revoked', () => {
    const desk = new Desk({ approve: 'ask' })
      .tell(xauth.revoke({ owner: 'o' }))
      .open()
      .answer()
    desk.took()
    expect(desk.arrive().took()).not.toContain('requested r')
    expect(desk.arrive({ subject: 'q', owner: 'x' }).took()).not.toContain('requested r (untrusted)')
  })
  it('may be the command of a list too: nothing waits there', () => {
    const desk = new Desk().friends()
    expect(desk.tell(xauth.decide({ request: 'first c', approve: false })).took()).toEqual([
      'xauth/decide InvalidCommandError',
    ])
  })

  const approved = (approve: Approval) => {
    const desk = new Desk({ approve }).open().answer()
    desk.took()
    return desk.arrive()
  }
  it('may be an operator that answers at once', () => {
    const desk = approved(map(({ request: name, owner }) => ({ request: name, approve: owner === 'o' })))
    expect(desk.took()).toContain('authenticated c')
    expect(desk.open('d', 'q').answer('d').arrive({ on: 'd', subject: 'q', owner: 'x' }).took()).toContain(
      'failed inbound d: rejected',
    )
  })
  it('is still asked when our own proof is accepted, or refused, in the meantime', () => {
    const accepted = new Desk({ approve: 'ask' }).open().arrive().answer()
    accepted.took()
    const decision = xauth.decide({ request: 'r', approve: true })
    expect(accepted.tell(decision).took()).toContain('authenticated c')
    const refused = new Desk({ approve: 'ask' }).open().arrive().answer('c', 'no')
    refused.took()
    expect(refused.tell(decision).took()).toContain('respond r ok')
  })
  it('may be an operator that answers later, with what the remote is told', () => {
    const seen: object[] = []
    let desk: Desk | undefined
    const approve: Approval = mergeMap((asked) => {
      seen.push(asked)
      return of({ request: asked.request, approve: true, metadata: { a: 'b' } }).pipe(delay(50, desk!.clock))
    })
    desk = new Desk({ approve })
    desk.open().answer().arrive()
    desk.took()
    expect(desk.pass(50).took()).toContain('authenticated c')
    expect(seen).toMatchObject([{ request: 'r', peer: 'p', owner: 'o', trusted: true }])
    expect(seen[0]).not.toHaveProperty('type')
  })
  it('may answer for a request that is gone, or that never was', () => {
    const decision$ = new Subject<AuthDecision>()
    const desk = new Desk({ approve: () => decision$ }).open().answer().arrive().close()
    desk.took()
    decision$.next({ request: 'r', approve: true })
    decision$.next({ request: 'nobody', approve: false })
    expect(desk.took()).toEqual([])
  })
  it.each<[string, Approval, string]>([
    ['throws', () => throwError(() => new Error('mine')), 'mine'],
    [
      'throws as it is called',
      () => {
        throw new Error('mine')
      },
      'mine',
    ],
    ['ends', () => EMPTY, 'the approval has ended'],
    ['says nothing that makes sense', map(() => undefined as never), 'of a decision, request must name a request'],
    [
      'forgets what it decides',
      map(({ request: name }) => ({ request: name }) as never),
      'of a decision, approve must',
    ],
    ['has numbers for reasons', map(({ request: name }) => ({ request: name, approve: false, reason: 1 as never })), 'of a decision, reason must'], // prettier-ignore
    ['tells of numbers', map(({ request: name }) => ({ request: name, approve: true, metadata: { a: 1 as never } })), 'of a decision, metadata must'], // prettier-ignore
  ])('is started again when it %s', (_, broken, message) => {
    let starts = 0
    const whole: Approval = map(({ request: name }) => ({ request: name, approve: true }))
    const desk = new Desk({ approve: (request$) => (starts++ === 0 ? broken : whole)(request$) }).open().answer()
    desk.arrive()
    expect(desk.took().find((line) => line.startsWith('approval-failed'))).toContain(message)
    expect(desk.pass(1_000).took()).toEqual([])
    expect(starts).toBe(2)
    desk.close().open().answer().took()
    expect(desk.arrive({ request: 'again' }).took()).toContain('authenticated c')
  })
  it('is not started again and again without a pause', () => {
    let starts = 0
    const desk = new Desk({ approve: () => (starts++, EMPTY) }).pass(5_000)
    desk.took()
    expect(starts).toBe(6)
  })
  it('may stop after one, and hears the next ones when it is started again', () => {
    const one: Approval = (request$) => request$.pipe(take(1), map(({ request: name }) => ({ request: name, approve: true }))) // prettier-ignore
    const desk = new Desk({ approve: one }).friends().pass(1_000)
    desk.took()
    expect(desk.open('d').answer('d').arrive({ on: 'd' }).took()).toContain('authenticated d')
  })
})

describe('trust', () => {
  it('is given at once', () => {
    const desk = new Desk().open().answer()
    desk.took()
    expect(desk.tell(xauth.trust({ add: ['x'] })).took()).toEqual(['trusted o x', 'completed xauth/trust'])
    expect(desk.arrive({ owner: 'x' }).took()).toContain('authenticated c')
  })
  it('is taken back at once from who was accepted', () => {
    const desk = new Desk().friends().friends('d', 'q')
    desk.open('e', 's').took()
    expect(desk.tell(xauth.trust({ remove: ['o'] })).took()).toEqual([
      'trusted ',
      'failed inbound c: untrusted owner',
      'failed inbound d: untrusted owner',
      'completed xauth/trust',
      'stand c refused',
      'hang up c',
      'stand d refused',
      'hang up d',
    ])
    expect(desk.arrive({ request: 'again' }).took()).toContain('failed inbound c: untrusted owner')
  })
  it('is taken back from a request that waits', () => {
    const desk = new Desk({ approve: 'ask' }).open().answer().arrive()
    desk.took()
    expect(desk.tell(xauth.trust({ remove: ['o'] })).took()).toContain('respond r untrusted owner')
  })
  it('matters when the signature has been looked at, not before', () => {
    const signed$ = new Subject<boolean>()
    const desk = new Desk({}, { isSigned: () => signed$ }).open().answer().arrive()
    desk.tell(xauth.trust({ remove: ['o'] })).took()
    signed$.next(true)
    expect(desk.took()).toContain('failed inbound c: untrusted owner')
  })
  it('of ten thousand owners more is found quickly after many revocations', () => {
    const desk = new Desk()
    for (const n of Array(300).keys()) desk.tell(xauth.revoke({ owner: `r${n}` }))
    const add = [...Array(10_000).keys()].map((n) => `o${n}`)
    desk.took()
    expect(desk.tell(xauth.trust({ add })).took().at(-1)).toBe('completed xauth/trust')
  })
})

describe('revocation', () => {
  const cut = ['stand c refused', 'hang up c']
  it('of an owner ends what its peers were allowed, and keeps them out', () => {
    const desk = new Desk().friends().friends('d', 'q', { owner: 'o' })
    expect(desk.tell(xauth.revoke({ owner: 'o' })).took()).toEqual([
      'revoked c d',
      'failed inbound c: revoked',
      'failed inbound d: revoked',
      'completed xauth/revoke',
      ...cut,
      'stand d refused',
      'hang up d',
    ])
    desk.close().open().answer().took()
    expect(desk.arrive().took()).toContain('failed inbound c: revoked')
  })
  it('of a peer ends what it was allowed on every connection, and nobody else', () => {
    const desk = new Desk().friends().friends('d').friends('e', 'q')
    expect(desk.tell(xauth.revoke({ peer: 'p' })).took()[0]).toBe('revoked c d')
  })
  it('of a peer is not that of the owner whose key has the same text, nor the other way round', () => {
    const peer = new Desk().friends('c', 'p', { owner: 'o' }).friends('d', 'o')
    expect(peer.tell(xauth.revoke({ peer: 'o' })).took()[0]).toBe('revoked d')
    const owner = new Desk({ trust: ['p', 'o'] }).friends('c', 'p').friends('d', 'q', { owner: 'p' })
    expect(owner.tell(xauth.revoke({ owner: 'p' })).took()[0]).toBe('revoked d')
    expect(owner.close('d').open('e').answer('e').arrive({ on: 'e', request: 's' }).took()).toContain('authenticated e')
  })
  it('of a peer that is still a stranger closes its connection', () => {
    const desk = new Desk({ start: 'manual' }).open()
    desk.took()
    expect(desk.tell(xauth.revoke({ peer: 'p' })).took()).toEqual([
      'revoked c',
      'failed inbound c: revoked',
      'completed xauth/revoke',
      ...cut,
    ])
  })
  it('answers a request that waits, or whose signature is looked at', () => {
    const waiting = new Desk({ approve: 'ask' }).open().answer().arrive()
    waiting.took()
    expect(waiting.tell(xauth.revoke({ owner: 'o' })).took()).toContain('respond r revoked')
    const signed$ = new Subject<boolean>()
    const desk = new Desk({}, { isSigned: () => signed$ }).open().answer().arrive()
    desk.took()
    expect(desk.tell(xauth.revoke({ peer: 'p' })).took()).toContain('respond r revoked')
    signed$.next(true)
    expect(desk.took()).toEqual([])
  })
  it('of an owner nobody has shown is remembered', () => {
    const desk = new Desk()
      .open()
      .answer()
      .tell(xauth.revoke({ owner: 'o' }))
    expect(desk.took()).toContain('revoked ')
    expect(desk.arrive().took()).toContain('failed inbound c: revoked')
  })
  it('is lifted by trust', () => {
    const desk = new Desk()
      .tell(xauth.revoke({ owner: 'o' }))
      .tell(xauth.trust({ add: ['o'] }))
      .open()
      .answer()
    desk.took()
    expect(desk.arrive().took()).toContain('authenticated c')
  })
})

describe('renewal of ours', () => {
  it('comes before the end, with a later proof, and says nothing of the rest', () => {
    const desk = new Desk().friends('c', 'p', { to: 90_000 })
    desk.ours = [{ from: 3_000, to: 7_200 }]
    expect(desk.passTo(3_299, 999).took()).toEqual([])
    expect(desk.passTo(3_300).took()).toEqual(['expiring outbound', 'ask c'])
    expect(desk.answer().took()).toEqual(['renewed outbound to 7200', 'stand c authenticated o'])
    expect(desk.passTo(6_899, 999).took()).toEqual([])
    expect(desk.passTo(6_900).took()[0]).toBe('expiring outbound')
  })
  it('that is refused, broken or not answered leaves the last one until its end', () => {
    const ends: readonly ((desk: Desk) => Desk)[] = [
      (desk) => desk.answer('c', 'no'),
      (desk) => desk.breaks(new StreamError('x')),
      (desk) => desk.pass(10_000),
    ]
    const reasons = ['rejected', 'stream', 'timeout']
    for (const [index, end] of ends.entries()) {
      const desk = new Desk().friends('c', 'p', { to: 90_000 })
      desk.ours = [{ from: 3_000, to: 7_200 }]
      desk.passTo(3_300).took()
      expect(end(desk).took()).toEqual([`failed outbound c: ${reasons[index]} (the last holds)`])
      const later = desk.passTo(3_600, 999).took()
      expect(later.filter((line) => !/^(expiring outbound|ask c)$|the last holds/.test(line))).toEqual([])
      expect(desk.passTo(3_601).took()).toEqual(['failed outbound c: expired', 'stand c refused'])
    }
  })
  it('that fails is tried again when half of what is left has passed, three times', () => {
    const desk = new Desk().friends('c', 'p', { to: 90_000 })
    desk.ours = [3_000, 3_001, 3_002, 3_003, 3_004].map((from) => ({ from, to: from + 4_200 }))
    const asked: number[] = []
    for (let atS = 3_300; atS <= 3_600; atS++) {
      if (!desk.passTo(atS).took().includes('ask c')) continue
      asked.push(atS)
      desk.breaks(new StreamError('x')).took()
    }
    expect(asked).toEqual([3_300, 3_450, 3_525, 3_563])
  })
  it('that succeeds at the second try goes on as if at the first', () => {
    const desk = new Desk().friends('c', 'p', { to: 90_000 })
    desk.ours = [
      { from: 3_000, to: 7_200 },
      { from: 3_001, to: 7_300 },
    ]
    desk.passTo(3_300).breaks(new StreamError('x')).took()
    expect(desk.passTo(3_450).took()).toEqual(['expiring outbound', 'ask c'])
    expect(desk.answer().took()).toEqual(['renewed outbound to 7300', 'stand c authenticated o'])
    expect(desk.passTo(6_999, 999).took()).toEqual([])
  })
  it('does not show a proof that is no later than the last', () => {
    const desk = new Desk().friends('c', 'p', { to: 90_000 })
    expect(desk.passTo(3_300).took()).toEqual(['expiring outbound', 'failed outbound c: no proof (the last holds)'])
  })
  it('is done by command, and counted', () => {
    const desk = new Desk().friends().friends('d', 'q').open('e', 's')
    desk.ours = [{ from: 10, to: 3_700 }]
    desk.took()
    expect(desk.tell(xauth.renew()).took()).toEqual(['ask c', 'ask d'])
    expect(desk.answer('c').took()).toEqual(['renewed outbound to 3700', 'stand c authenticated o'])
    expect(desk.answer('d', 'no').took()).toEqual([
      'failed outbound d: rejected (the last holds)',
      'renewals 1',
      'completed xauth/renew',
    ])
  })
  it('by two commands at once is done once, and answers both', () => {
    const desk = new Desk().friends()
    desk.ours = [{ from: 10, to: 3_700 }]
    expect(
      desk
        .tell(xauth.renew())
        .tell(xauth.renew({ peer: 'p' }))
        .took(),
    ).toEqual(['ask c'])
    expect(desk.answer().took().filter((line) => line.startsWith('completed'))).toHaveLength(2) // prettier-ignore
  })
  it('by command while one is under way waits for that one', () => {
    const desk = new Desk().friends('c', 'p', { to: 90_000 })
    desk.ours = [{ from: 3_000, to: 7_200 }]
    desk.passTo(3_300).took()
    expect(desk.tell(xauth.renew()).took()).toEqual([])
    expect(desk.answer().took()).toContain('renewals 1')
  })
  it('by command is over when the connection closes, when its proof ends, and after its time', () => {
    const over = ['renewals 0', 'completed xauth/renew']
    const renewing = () => {
      const desk = new Desk({}, { prove: (_, after) => (after === undefined ? of({ proof: request().por, owner: 'us' }) : NEVER) }) // prettier-ignore
      desk.friends('c', 'p', { to: 90_000 }).tell(xauth.renew())
      desk.took()
      return desk
    }
    expect(renewing().close().took()).toEqual(over)
    expect(renewing().pass(10_000).took()).toEqual(['failed outbound c: timeout (the last holds)', ...over])
    const ended = new Desk({}, {}).friends('c', 'p', { to: 90_000 }).passTo(3_595)
    ended.ours = [{ from: 3_590, to: 7_000 }]
    ended.tell(xauth.renew()).took()
    expect(ended.passTo(3_601).took()).toEqual(['failed outbound c: expired', ...over, 'stand c refused'])
  })
  it('by command has nothing to do for strangers, and knows nobody that is not there', () => {
    const desk = new Desk().open()
    desk.took()
    expect(desk.tell(xauth.renew()).took()).toEqual(['renewals 0', 'completed xauth/renew'])
    expect(desk.tell(xauth.renew({ peer: 'q' })).took()).toEqual(['xauth/renew UnknownPeerError'])
  })
  it('of a proof that is shorter than the warning is not done again and again', () => {
    const desk = new Desk()
    desk.ours = [...Array(100).keys()].map((n) => ({ from: n, to: n + 20 }))
    desk.friends('c', 'p', { to: 90_000 })
    let asks = 0
    for (const _ of Array(20)) {
      const log = desk.pass(1_000).took()
      asks += log.filter((line) => line === 'ask c').length
      if (log.includes('ask c')) desk.answer()
    }
    expect(asks).toBeLessThanOrEqual(3)
    expect(desk.took()).not.toContain('failed outbound c: expired')
  })
})

describe('renewal of theirs', () => {
  it('holds from then on', () => {
    const desk = new Desk().friends()
    desk.ours = [{ from: 5_000, to: 90_000 }]
    desk.passTo(60).tell(xauth.renew()).answer().took()
    expect(desk.arrive({ from: 60, to: 7_200 }).took()).toEqual([
      'requested r',
      'renewed inbound to 7200',
      'respond r ok',
      'stand c authenticated o',
    ])
    expect(desk.passTo(6_899, 999).took()).toEqual([])
    expect(desk.passTo(6_900).took()).toEqual(['expiring inbound'])
    expect(desk.passTo(7_200, 999).took()).toEqual([])
    expect(desk.passTo(7_201).took()).toEqual(['failed inbound c: expired', 'stand c refused'])
  })
  it.each([
    ['by another owner', { owner: 'x', from: 5 }, 'not a renewal'],
    ['by another owner that is trusted', { owner: 'o2', from: 5 }, 'not a renewal'],
    ['issued at the same time', { from: 0 }, 'not a renewal'],
    ['issued earlier', { from: -1 }, 'not a renewal'],
    ['issued 301 s ahead', { from: 301 }, 'not yet valid'],
    ['about another peer', { from: 5, subject: 'q' }, 'wrong subject'],
    ['that is too long', { from: 5, to: 100_006 }, 'lifetime too long'],
    ['that is over', { from: -20, to: -10 }, 'expired'],
    ['that ends before it begins', { from: 200, to: 100 }, 'expired'],
  ])('%s leaves the last one until its end', (_, shows, reason) => {
    const desk = new Desk({ trust: ['o', 'o2'] }).friends()
    expect(desk.arrive(shows).took()).toEqual([
      ...(reason === 'unused' ? ['requested r'] : []),
      `failed inbound c: ${reason} (the last holds)`,
      `respond r ${reason}`,
    ])
    expect(desk.arrive({ request: 'good', from: 5 }).took()).toContain('renewed inbound to 3600')
  })
  it('may be issued 300 s ahead', () => {
    expect(new Desk().friends().arrive({ from: 300, to: 7_200 }).took()).toContain('renewed inbound to 7200')
    const desk = new Desk().open().answer()
    desk.took()
    expect(desk.arrive({ from: 300 }).took()).toContain('failed inbound c: not yet valid')
  })
  it('of a revoked owner has no connection to come on; of one not trusted any more neither', () => {
    const desk = new Desk().friends().tell(xauth.revoke({ owner: 'o' }))
    desk.took()
    expect(desk.arrive().took()).toContain('failed inbound c: revoked')
  })
  it('is approved by nobody again, also where somebody is asked', () => {
    const desk = new Desk({ approve: 'ask' }).open().answer().arrive().tell(xauth.decide({ request: 'r', approve: true })) // prettier-ignore
    desk.took()
    expect(desk.arrive({ request: 's', from: 5 }).took()).toContain('renewed inbound to 3600')
  })
  it('is one at a time', () => {
    const signed = [of(true), NEVER]
    const desk = new Desk({}, { isSigned: () => signed.shift()! }).friends().arrive({ request: 's', from: 5 })
    desk.took()
    expect(desk.arrive({ request: 't', from: 6 }).took()).toEqual(['respond t one request at a time'])
    expect(desk.tell(xauth.revoke({ peer: 'p' })).took()).toContain('respond s revoked')
  })
  it('that is refused too often ends the connection; accepted ones are not counted', () => {
    const desk = new Desk().friends()
    for (const n of Array(20).keys()) desk.arrive({ from: n + 1 })
    expect(desk.took().filter((line) => line.startsWith('renewed'))).toHaveLength(20)
    for (const _ of Array(6)) desk.arrive({ from: 0 })
    expect(desk.took()).toContain('failed inbound c: too many attempts')
  })
})

describe('the end of a proof', () => {
  it('of theirs is announced and comes to the second', () => {
    const desk = new Desk()
    desk.ours = [{ from: 0, to: 90_000 }]
    desk.friends()
    expect(desk.passTo(3_299, 999).took()).toEqual([])
    expect(desk.passTo(3_300).took()).toEqual(['expiring inbound'])
    expect(desk.passTo(3_600, 999).took()).toEqual([])
    expect(desk.passTo(3_601).took()).toEqual(['failed inbound c: expired', 'stand c refused'])
  })
  it('of theirs may be followed by a new request', () => {
    const desk = new Desk()
    desk.ours = [{ from: 0, to: 90_000 }]
    desk.friends().passTo(3_601).took()
    expect(desk.arrive({ from: 3_600, to: 7_000 }).took()).toContain('authenticated c')
  })
  it('is found after more than 24.8 days, at which timers end', () => {
    const desk = new Desk({ maxLifetimeS: 400 * DAY_S })
    desk.ours = [{ from: 0, to: 300 * DAY_S }]
    desk.friends('c', 'p', { to: 100 * DAY_S })
    expect(desk.passTo(100 * DAY_S - 300, -1).took()).toEqual([])
    expect(desk.pass(1).took()).toEqual(['expiring inbound'])
    expect(desk.passTo(100 * DAY_S + 1, -1).took()).toEqual([])
    expect(desk.pass(1).took()).toEqual(['failed inbound c: expired', 'stand c refused'])
  })
  it('is announced once, however long before', () => {
    const desk = new Desk({ maxLifetimeS: 400 * DAY_S, renewBeforeS: 80 * DAY_S })
    desk.ours = [{ from: 0, to: 399 * DAY_S }]
    desk.friends('c', 'p', { to: 100 * DAY_S })
    expect(desk.passTo(100 * DAY_S, 999).took()).toEqual(['expiring inbound'])
  })
})

describe('xauth.authenticate', () => {
  const again = xauth.authenticate({ peer: 'p' })
  it('is answered when both have accepted each other, with others that wait', () => {
    const other = xauth.authenticate({ peer: 'p' })
    const desk = new Desk().open().tell(again).tell(other).answer()
    desk.took()
    expect(desk.arrive().took().filter((line) => line.startsWith('completed'))).toHaveLength(2) // prettier-ignore
    expect(desk.said.find(({ type }) => type === 'xauth:authenticated')?.causes).toEqual([again.id, other.id])
  })
  it('is answered at once where it is done already', () => {
    const desk = new Desk().friends()
    expect(desk.tell(again).took()).toEqual(['confirmed c', 'completed xauth/authenticate'])
  })
  it('fails without a connection', () => {
    expect(new Desk().tell(again).took()).toEqual(['xauth/authenticate UnknownPeerError'])
  })
  it('tries again what failed: ours', () => {
    const desk = new Desk().open().arrive().answer('c', 'no')
    desk.took()
    expect(desk.tell(again).took()).toEqual(['ask c', 'stand c pending'])
    expect(desk.answer().took()).toEqual([
      'succeeded outbound c',
      'authenticated c',
      'completed xauth/authenticate',
      'stand c authenticated o',
    ])
  })
  it('tries again what failed: theirs, for which it waits its time', () => {
    const desk = new Desk().open().answer().arrive({ owner: 'x' })
    desk.took()
    expect(desk.tell(again).took()).toEqual(['stand c pending'])
    expect(desk.pass(10_000).took()).toEqual([
      'failed inbound c: timeout',
      'xauth/authenticate AuthenticationError',
      'stand c refused',
    ])
    desk.tell(again).took()
    expect(desk.arrive().took()).toContain('authenticated c')
  })
  it('gives a remote its attempts back', () => {
    const desk = new Desk().open().answer()
    for (const _ of Array(5)) desk.arrive({ owner: 'x' })
    desk.tell(again).took()
    expect(desk.arrive().took()).toContain('authenticated c')
  })
  it('goes on while one of several connections may succeed, and is answered by the first', () => {
    const desk = new Desk().open('c').open('d').tell(again)
    desk.took()
    expect(desk.answer('c', 'no').took()).toEqual(['failed outbound c: rejected', 'stand c refused'])
    expect(desk.answer('d').arrive({ on: 'd' }).took()).toContain('completed xauth/authenticate')
    const hopeless = new Desk().open('c').open('d').tell(again).answer('c', 'no')
    hopeless.took()
    expect(hopeless.answer('d', 'no').took()).toContain('xauth/authenticate AuthenticationError')
  })
  it('ends when what is left of the connections has failed', () => {
    const desk = new Desk().open('c').open('d').tell(again).answer('c', 'no')
    desk.took()
    expect(desk.close('d').took()).toEqual(['xauth/authenticate AuthenticationError'])
    const alone = new Desk().open().tell(again)
    alone.took()
    expect(alone.close().took()).toEqual(['xauth/authenticate AuthenticationError'])
  })
  it('says nothing any more when it was cancelled', () => {
    const desk = new Desk().open().tell(again).cancel(again).answer().arrive()
    expect(desk.took().filter((line) => line.includes('xauth/authenticate'))).toEqual([])
    const renew = xauth.renew()
    const renewing = new Desk().friends()
    renewing.ours = [{ from: 1, to: 4_000 }]
    renewing.tell(renew).cancel(renew).took()
    expect(renewing.answer().took()).toEqual(['renewed outbound to 4000', 'stand c authenticated o'])
  })
})

describe('a command that makes no sense', () => {
  it.each([
    [xauth.authenticate({ peer: '' }), 'peer'],
    [xauth.authenticate({ peer: 'self' }), 'peer'],
    [xauth.decide({ request: '', approve: true }), 'request'],
    [xauth.decide({ request: 'r', approve: 1 as never }), 'approve'],
    [xauth.decide({ request: 'r', approve: false, reason: 1 as never }), 'reason'],
    [xauth.decide({ request: 'r', approve: true, metadata: { a: 1 as never } }), 'metadata'],
    [xauth.decide({ request: 'r', approve: true, metadata: ['a'] as never }), 'metadata'],
    [xauth.decide({ request: 'r', approve: true, metadata: null as never }), 'metadata'],
    [{ ...xauth.trust({}), add: 'o' as never }, 'add'],
    [{ ...xauth.trust({}), remove: [1] as never }, 'remove'],
    [xauth.trust({ add: Array.from({ length: 10_001 }, () => 'o') }), 'add'],
    [xauth.revoke({}), 'owner'],
    [xauth.revoke({ owner: '' }), 'owner'],
    [xauth.revoke({ peer: 'self' }), 'peer'],
    [xauth.renew({ peer: '' }), 'peer'],
  ])('is refused: %#', (command, field) => {
    const desk = new Desk().tell(command)
    expect(desk.took()).toEqual([`${command.type} InvalidCommandError`])
    expect(desk.said[0]).toMatchObject({ error: { field }, cause: command.id })
  })
})

describe('ports that fail', () => {
  const every = (ports: () => Partial<XauthPorts>) => {
    const desk = new Desk({ approve: 'ask' }, ports())
    desk
      .open()
      .arrive()
      .tell(xauth.authenticate({ peer: 'p' }))
      .tell(xauth.decide({ request: 'r', approve: true }))
    desk
      .tell(xauth.renew())
      .tell(xauth.revoke({ owner: 'o' }))
      .pass(1e5)
      .close()
    desk.took()
    return desk.said.filter(({ type }) => type.startsWith('command:')).length
  }
  const bang = (): never => {
    throw new Error('the port threw')
  }
  const names = ['connections', 'prove', 'ask', 'respond', 'isSigned', 'stand', 'hangUp'] as const
  it.each(names)('never crash the behaviour, nor keep a command: %s', (name) => {
    expect(every(() => ({ [name]: () => throwError(() => new Error('x')) }))).toBe(4)
    expect(every(() => ({ [name]: bang }))).toBe(4)
    expect(every(() => ({ [name]: () => EMPTY }))).toBe(4)
    expect(every(() => ({ [name]: silence }))).toBe(4)
  })
  it('may all fail', () => {
    const { arrival$: _, ...ports } = failingPorts<XauthPorts>()
    expect(ports).toEqual({})
    expect(every(() => Object.fromEntries(names.map((name) => [name, bang])))).toBe(4)
  })
  it('are heard once, however often they speak', () => {
    const proven = { proof: request().por, owner: 'us' }
    const desk = new Desk({}, { prove: () => of(proven, proven) }).open()
    expect(desk.took()).toEqual(['ask c', 'stand c pending'])
  })
})

describe('its words', () => {
  it('are all known', () => {
    expect(brief({ type: 'command:cancelled' })).toBe('command:cancelled')
  })
})

describe('a restart after a crash', () => {
  it('forgets no revocation and no change of the trust list', () => {
    const behaviour = xauthBehaviour({ ...settings, trust: ['o', 'x'] })
    const run = (commands: readonly XauthCommand[], owner: string) => {
      const [command$, arrival$] = [new Subject<XauthCommand>(), new Subject<Arrival>()]
      const said: string[] = []
      const ports: XauthPorts = {
        ...fakePorts<XauthPorts>(() => EMPTY),
        connections: () => of([connection()]),
        arrival$,
        denied$: NEVER,
        isSigned: () => of(true),
        ask: () => NEVER,
        prove: () => of({ proof: request().por, owner: 'us' }),
      }
      const scheduler = new VirtualTimeScheduler()
      scheduler.frame = NOW_S * 1_000
      const running = behaviour(fakeWires({ command$, ports, scheduler })).subscribe((fact) => {
        said.push(fact.type === 'xauth:failed' ? `failed ${(fact as { reason: string }).reason}` : fact.type)
      })
      for (const command of commands) command$.next(command)
      arrival$.next({ type: 'requested', request: request({ owner }) })
      running.unsubscribe()
      return said
    }
    expect(run([xauth.trust({ add: ['new'], remove: ['x'] }), xauth.revoke({ owner: 'o' })], 'new')).toContain(
      'xauth:succeeded',
    )
    expect(run([], 'o')).toContain('failed revoked')
    expect(run([], 'x')).toContain('failed untrusted owner')
    expect(run([], 'new')).toContain('xauth:succeeded')
  })
})
