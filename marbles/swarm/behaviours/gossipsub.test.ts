import { gossipsub, type GossipMessage, type GossipsubCommand, type GossipsubPorts } from 'rxswarm'
import { fakePorts, fakeWires, inVirtualTime, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { map, NEVER } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { gossipsubBehaviour } from '../../../src/swarm/behaviours/gossipsub/gossipsubBehaviour.ts'

const behaviour = gossipsubBehaviour({ maxMessageBytes: 8, policy: false })
const data = new Uint8Array([1])
const publish = gossipsub.publish({ topic: 't', data })
const peers = gossipsub.peers({ topic: 't' })
const [first, second] = [gossipsub.subscribe({ topic: 't' }), gossipsub.subscribe({ topic: 't' })]
const message: GossipMessage = { topic: 't', data, from: 'p', id: '1' }
const ports = (given: Partial<GossipsubPorts>): GossipsubPorts => ({
  publish: () => NEVER,
  join: () => NEVER,
  peers: () => NEVER,
  membership$: NEVER,
  refused$: NEVER,
  ...given,
})
const brief = map((fact: object) => {
  const { type, causes, error } = fact as {
    type: string
    causes?: readonly string[]
    error?: Error & { field?: string }
  }
  return [type, ...(causes ?? []), error?.name, error?.field].filter(Boolean).join(' ')
})
const said = {
  j: 'gossipsub:joined',
  l: 'gossipsub:left',
  m: `gossipsub:message ${first.id}`,
  n: `gossipsub:message ${first.id} ${second.id}`,
  o: `gossipsub:message ${second.id}`,
}

describe('gossipsub', () => {
  obeysBehaviourLaws(behaviour, [publish, peers])

  marbles('joins a topic for its first subscriber and hears its messages', ({ cold, hot, expectObservable }) => {
    const command$ = hot(' -s---s------', { s: first })
    const port = '          --m-----m---'
    const expected = '     -j-m-----m--'
    const join = () => cold(port, { m: message })
    expectObservable(behaviour(fakeWires({ command$, ports: ports({ join }) })).pipe(brief)).toBe(expected, said)
  })
  marbles('tells each message once, to all, and leaves with the last', (run) => {
    const { hot, expectObservable, expectSubscriptions } = run
    const topic$ = hot('   --m-m-m-m', { m: message })
    const command$ = hot(' -ab------', { a: first, b: second })
    const cancel$ = hot('  -----a-b-', { a: first.id, b: second.id })
    const expected = '     -jm-n-ol-'.replace('m-n', 'm-n')
    expectObservable(
      behaviour(fakeWires({ command$, cancel$, ports: ports({ join: () => topic$ }) })).pipe(brief),
    ).toBe(expected, said)
    expectSubscriptions(topic$.subscriptions).toBe('-^-----!')
  })
  marbles('says where a message went', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-p', { p: publish })
    const send = () => cold('--r|', { r: { topic: 't', peers: ['p', 'q'] } })
    expectObservable(behaviour(fakeWires({ command$, ports: ports({ publish: send }) }))).toBe('---pd', {
      p: { type: 'gossipsub:published', topic: 't', peers: ['p', 'q'], cause: publish.id },
      d: { type: 'command:completed', command: 'gossipsub/publish', cause: publish.id },
    })
  })
  marbles('tells who joins and leaves, and what is refused', ({ hot, expectObservable }) => {
    const membership$ = hot('-j-l', {
      j: { peer: 'p', topic: 't', joined: true },
      l: { peer: 'p', topic: 't', joined: false },
    })
    const refused$ = hot('-----r', { r: { topic: 't', peer: 'p', verdict: 'reject' as const } })
    const said$ = behaviour(
      fakeWires<GossipsubCommand, GossipsubPorts>({ command$: NEVER, ports: ports({ membership$, refused$ }) }),
    )
    expectObservable(said$.pipe(brief)).toBe('-j-l-r', {
      j: 'gossipsub:peer-joined',
      l: 'gossipsub:peer-left',
      r: 'gossipsub:refused',
    })
  })
  it.each([
    [gossipsub.publish({ topic: '', data }), 'InvalidCommandError topic'],
    [gossipsub.publish({ topic: 7 as never, data }), 'InvalidCommandError topic'],
    [gossipsub.publish({ topic: 't', data: 'text' as never }), 'InvalidCommandError data'],
    [gossipsub.publish({ topic: 't', data: new Uint8Array(9) }), 'InvalidCommandError data'],
    [gossipsub.subscribe({ topic: '' }), 'InvalidCommandError topic'],
    [gossipsub.peers({ topic: '' }), 'InvalidCommandError topic'],
  ] as const)('refuses %j: %s', (command, refusal) => {
    inVirtualTime(({ cold, expectObservable }) => {
      const command$ = cold<GossipsubCommand>('c', { c: command })
      const said$ = behaviour(fakeWires({ command$, ports: fakePorts<GossipsubPorts>(() => NEVER) }))
      expectObservable(said$.pipe(brief)).toBe('e', { e: `command:failed ${refusal}` })
    })
  })
  it('keeps which topics are joined, and by whom', () => {
    const { initial, on } = gossipsub().state!
    const joined = on['gossipsub:joined']!(initial, { type: 'gossipsub:joined', at: 0, topic: 't' })
    expect([...joined.joined]).toEqual(['t'])
    expect(on['gossipsub:left']!(joined, { type: 'gossipsub:left', at: 0, topic: 't' }).joined.size).toBe(0)
    const member = { at: 0, topic: 't', peer: 'p' }
    const known = on['gossipsub:peer-joined']!(joined, { type: 'gossipsub:peer-joined', ...member })
    expect([...known.peers.get('t')!]).toEqual(['p'])
    expect(on['gossipsub:peer-left']!(known, { type: 'gossipsub:peer-left', ...member }).peers.size).toBe(0)
    expect(on['peer:disconnect']!(known, { type: 'peer:disconnect', at: 0, peer: 'p' }).peers.size).toBe(0)
  })
  it('reports every problem of its options', () => {
    const { problems } = gossipsub({ maxMessageBytes: 5_000_000, validators: { t: 'no' as never } })
    expect(problems?.map(({ path }) => path)).toEqual(['gossipsub.validators.t', 'gossipsub.maxMessageBytes'])
  })
})
