import { connections, identify } from 'rxswarm'
import { answer, faults, request, simulate, type SimulatedNode } from 'rxswarm/testing'
import { catchError, map, of, Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { who, type WhoPorts } from './who.ts'

const PROTOCOL = '/who/1.0.0'

// The adapter to a simulated node: what whoPorts.ts is to libp2p.
function simulatedWhoPorts(node: SimulatedNode): WhoPorts {
  const asked$ = new Subject<string>()
  answer(node, PROTOCOL, (_, { peer }) => {
    asked$.next(peer)
    return of(new TextEncoder().encode(`I am ${node.name}`))
  })
  return {
    asked$,
    ask: (peer) => request(node, peer, PROTOCOL, new Uint8Array()).pipe(map((nick) => new TextDecoder().decode(nick))),
  }
}

const network = () =>
  simulate({
    seed: 42,
    nodes: ['alice', 'bob'],
    use: (name) => [connections(), identify(), who(name)] as const,
    ports: { who: simulatedWhoPorts },
    link: { latencyMs: { type: 'lognormal', medianMs: 30, sigma: 0.4 }, loss: 0.02 },
    faults: faults('-----c----r', { c: { type: 'crash', node: 'bob' }, r: { type: 'restart', node: 'bob' } }),
  })

describe('who, on a network that is slow and loses packets', () => {
  it('is answered, not when the other is down, and again when it is back', () => {
    using net = network()
    const alice = net.node('alice')
    net.until(alice.execute(connections.dial({ to: net.node('bob').addresses })))
    const ask = () => net.until(alice.execute(who.ask({ peer: 'bob' })).pipe(catchError(({ name }: Error) => of(name))))
    const answers = [ask()]
    net.advance(5_000 - net.now) // bob crashes
    answers.push(ask())
    net.advance(12_000 - net.now) // bob is back
    answers.push(ask())
    expect(answers).toEqual(['I am bob', 'StreamError', 'I am bob'])
  })
  it('is the same each time, to the byte', () => {
    const log = () => {
      using net = network()
      net
        .node('alice')
        .execute(connections.dial({ to: net.node('bob').addresses }))
        .subscribe()
      net.advance(20_000)
      return net.log
    }
    expect(log()).toEqual(log())
    expect(log().length).toBeGreaterThan(10)
  })
})
