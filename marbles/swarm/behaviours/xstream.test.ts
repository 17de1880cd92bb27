import { xstream, type XStream, type XStreamOffer, type XStreamPorts } from 'rxswarm'
import { fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { EMPTY, map, merge, NEVER, Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { Slots } from '../../../src/swarm/behaviours/xstream/slots.ts'
import { xstreamBehaviour, type XStreamSettings } from '../../../src/swarm/behaviours/xstream/xstreamBehaviour.ts'

const settings: XStreamSettings = { approve: 'all', decideMs: 10, policy: false }
const open = xstream.open({ peer: 'p' })
const accept = xstream.accept()
const offer: XStreamOffer = { offer: 'o', connection: 'k', peer: 'p', address: '/ip4/192.0.2.1/tcp/1' }
const stream = { peer: 'p', id: '1', abort: () => undefined } as Partial<XStream> as XStream

/** Ports that write down what they are told. */
function ports(given: Partial<XStreamPorts>, log: string[] = []): XStreamPorts {
  const answer = (name: string, reason?: string) => {
    log.push(`${name} ${reason ?? 'yes'}`)
    return EMPTY
  }
  const silent = { offer$: NEVER, withdrawn$: NEVER, accepted$: NEVER, closed$: NEVER, failed$: NEVER }
  return { open: () => NEVER, ...silent, answer, ...given }
}

describe('xstream', () => {
  obeysBehaviourLaws(xstreamBehaviour(settings), [open])

  marbles('opens streams, and hands out those that peers open', ({ cold, hot, expectObservable }) => {
    const command$ = hot(' -o---------', { o: open })
    const accepting$ = hot('t----------', { t: accept })
    const opening = '      --s|'.trim()
    const offer$ = hot('   ------f----', { f: offer })
    const accepted$ = hot('--------a--', { a: stream })
    const expected = '     ---oc---a--'
    const own = ports({ open: () => cold(opening, { s: stream }), offer$, accepted$ })
    const wires = fakeWires({ command$: merge(accepting$, command$), ports: own })
    expectObservable(xstreamBehaviour(settings)(wires), '^----------!').toBe(expected, {
      o: { type: 'xstream:opened', peer: 'p', stream, cause: open.id },
      c: { type: 'command:completed', command: 'xstream/open', cause: open.id },
      a: { type: 'xstream:accepted', peer: 'p', stream, cause: accept.id },
    })
  })

  const log: string[] = []
  const play = (
    change: Partial<XStreamSettings>,
    steps: (send: (what: unknown) => void, say: () => string[]) => void,
  ) => {
    log.length = 0
    const [command$, offer$, accepted$, withdrawn$] = [
      new Subject<never>(),
      new Subject<XStreamOffer>(),
      new Subject<XStream>(),
      new Subject<string>(),
    ]
    const event$ = new Subject<never>()
    const own = ports({ offer$, accepted$, withdrawn$ }, log)
    const wires = fakeWires({ command$, event$: event$, ports: own })
    const running = xstreamBehaviour({ ...settings, ...change })(wires).subscribe((fact) => {
      log.push(fact.type)
      event$.next({ ...fact, at: 0 } as never)
    })
    const send = (what: unknown) => {
      if (what === offer) offer$.next(offer)
      else if (what === stream) accepted$.next(stream)
      else if (typeof what === 'string') withdrawn$.next(what)
      else command$.next(what as never)
    }
    steps(send, () => log.splice(0))
    running.unsubscribe()
  }
  it('says no while nobody takes streams', () => {
    play({}, (send, said) => {
      send(offer)
      expect(said()).toEqual(['xstream:refused', 'o nobody takes streams here'])
    })
  })
  it('says yes to who may, and gives each taker one in turn', () => {
    play({}, (send, said) => {
      send(accept)
      send(offer)
      expect(said()).toEqual(['o yes'])
      send(stream)
      expect(said()).toEqual(['xstream:accepted'])
    })
  })
  it('asks once, and waits for the decision', () => {
    play({ approve: 'ask' }, (send, said) => {
      send(accept)
      send(offer)
      expect(said()).toEqual(['xstream:offered'])
      send(xstream.decide({ offer: 'o', accept: false, reason: 'no' }))
      expect(said()).toEqual(['xstream:refused', 'command:completed', 'o no'])
      send(xstream.decide({ offer: 'o', accept: true }))
      expect(said()).toEqual(['command:failed'])
    })
  })
  it('leaves the decision to an operator of the app', () => {
    play({ approve: map(({ offer: name }) => ({ offer: name, accept: true })) }, (send, said) => {
      send(accept)
      send(offer)
      expect(said()).toEqual(['xstream:offered', 'o yes'])
    })
  })
  it('says that a peer has withdrawn its offer, once, and forgets it', () => {
    play({ approve: 'ask' }, (send, said) => {
      send(accept)
      send(offer)
      said()
      send('o')
      expect(said()).toEqual(['xstream:withdrawn'])
      send('o')
      expect(said()).toEqual([])
      send(xstream.decide({ offer: 'o', accept: true }))
      expect(said()).toEqual(['command:failed'])
    })
  })
  marbles('refuses what nobody decides in time', ({ hot, expectObservable }) => {
    const command$ = hot('  t------------', { t: accept })
    const offer$ = hot('    -f-----------', { f: offer })
    const expected = '      -o---------r-'
    const said$ = xstreamBehaviour({ ...settings, approve: 'ask' })(fakeWires({ command$, ports: ports({ offer$ }) }))
    expectObservable(
      said$.pipe(map((said) => [said.type, (said as { reason?: string }).reason])),
      '^------------!',
    ).toBe(expected, { o: ['xstream:offered', undefined], r: ['xstream:refused', 'decision timeout'] })
  })
  marbles('refuses before the opener gives up, so that it hears why', ({ hot, expectObservable }) => {
    const command$ = hot('  t------------', { t: accept })
    const offer$ = hot('    -f-----------', { f: { ...offer, deadlineMs: 6 } })
    const expected = '      -o--r--------'
    const own = xstreamBehaviour({ ...settings, approve: 'ask' })
    expectObservable(
      own(fakeWires({ command$, ports: ports({ offer$ }) })).pipe(map(({ type }) => type)),
      '^------------!',
    ).toBe(expected, { o: 'xstream:offered', r: 'xstream:refused' })
  })
  it('names the field of a command that is wrong', () => {
    play({}, (send, said) => {
      send({ type: 'xstream/decide', id: 'c', offer: 7 })
      send({ type: 'xstream/accept', id: 'd', peer: '' })
      expect(said()).toEqual(['command:failed', 'command:failed'])
    })
  })
})

describe('Slots', () => {
  const never = new AbortController().signal
  const full = () => new Error('full')
  it('lets those who wait in, in their order, and gives a place back once', async () => {
    const slots = new Slots(1, 2)
    const order: string[] = []
    const release = await slots.take(never, full)
    const waiting = ['a', 'b'].map(async (name) => {
      const done = await slots.take(never, full)
      order.push(name)
      done()
    })
    await expect(slots.take(never, full)).rejects.toThrow('full')
    release()
    release()
    await Promise.all(waiting)
    expect(order).toEqual(['a', 'b'])
    await expect(slots.take(never, full)).resolves.toBeTypeOf('function')
  })
  it('forgets who has left', async () => {
    const slots = new Slots(1, 1)
    const release = await slots.take(never, full)
    const left = new AbortController()
    const waiting = slots.take(left.signal, full)
    left.abort(new Error('left'))
    await expect(waiting).rejects.toThrow('left')
    release()
    await expect(slots.take(never, full)).resolves.toBeTypeOf('function')
  })
})
