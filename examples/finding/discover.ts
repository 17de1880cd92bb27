// Five nodes that are told of one address find each other: by the bootstrap list, and by walking the DHT from there.
import { connections, createSwarm, discovery, identify, kad, ofType, ping } from 'rxswarm'
import { filter, firstValueFrom } from 'rxjs'

const NODES = 5

const start = (bootstrap: readonly string[]) =>
  createSwarm({
    use: [
      connections(),
      identify(),
      ping(),
      kad(),
      // dials those who are found until four are connected; `mdns: true` would ask the local network as well
      discovery({ bootstrap, dht: { soonMs: 250 }, dial: { upTo: NODES - 1 } }),
    ],
    transports: ['tcp'],
    listen: ['/ip4/127.0.0.1/tcp/0'],
  })

const first = await start([])
const others = await Promise.all(Array.from({ length: NODES - 1 }, () => start(first.addresses)))
const [newcomer] = others

// One stream for all sources: each peer once, until it is forgotten; other addresses of it are `peer:updated`.
newcomer?.event$.pipe(ofType('peer:found')).subscribe(({ by }) => console.log(`found a peer by ${by}`))

// Everybody knows everybody, though each was told of one address.
for (const swarm of [first, ...others]) {
  await firstValueFrom(
    swarm.state$.pipe(filter(({ discovery: { known }, peers }) => Math.min(known, peers.size) === NODES - 1)),
  )
}
const known = newcomer === undefined ? [] : await firstValueFrom(newcomer.execute(discovery.list()))
console.log(`${known.length} peers are known, and connected: ${newcomer?.node.getPeers().length}`)

// A source can be switched off while the node runs.
await firstValueFrom(first.execute(discovery.switch({ source: 'dht', on: false })))
console.log('the first node walks no more')

await Promise.all([first, ...others].map((swarm) => swarm.stop()))
