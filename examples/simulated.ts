import { connections, gossipsub, identify, ofType } from 'rxswarm'
import { faults, simulate } from 'rxswarm/testing'

using network = simulate({
  seed: 7,
  nodes: ['alice', 'bob', 'carol'],
  use: () => [connections(), identify(), gossipsub()] as const,
  link: { latencyMs: { type: 'lognormal', medianMs: 40, sigma: 0.3 }, loss: 0.01 },
  faults: faults('----c---------', { c: { type: 'crash', node: 'carol' } }, { frameMs: 1_000 }),
})
const alice = network.node('alice')
alice.event$.pipe(ofType('peer:connect', 'peer:disconnect')).subscribe(({ type, peer, at }) => {
  console.log(`${(at / 1_000).toFixed(1)} s  ${type} ${peer}`)
})
for (const name of ['bob', 'carol']) {
  network
    .node(name)
    .execute(gossipsub.subscribe({ topic: 'news' }))
    .subscribe({ error: () => undefined })
  network.until(alice.execute(connections.dial({ to: network.node(name).addresses })))
}
network.advance(2_000)
const { peers } = network.until(alice.execute(gossipsub.publish({ topic: 'news', data: new Uint8Array([1]) })))
console.log(`published to ${peers.join(' and ')}`)
network.advance(60_000) // a minute, in a few milliseconds
