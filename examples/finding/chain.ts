// Two nodes that have no connection to each other talk through two carriers, one of which is switched off in the middle:
// the chain goes on over other carriers, and what arrives is what was sent. Try: node examples/finding/chain.ts

import { chains, connections, createSwarm, identify, ofType, xstream } from 'rxswarm'
import { createHash, randomBytes } from 'node:crypto'
import { firstValueFrom } from 'rxjs'

const BYTES = 16 << 20
const CHUNK_BYTES = 64 << 10

const start = (carry: boolean) =>
  createSwarm({
    use: [connections(), identify(), xstream(), chains({ carry })],
    transports: ['tcp'],
    listen: ['/ip4/127.0.0.1/tcp/0'],
  })

// alice - one - two - bob, and alice - three - bob
const [alice, one, two, three, bob] = await Promise.all([false, true, true, true, false].map(start))
const nodes = [alice!, one!, two!, three!, bob!] as const
const links = [
  [alice!, one!],
  [one!, two!],
  [two!, bob!],
  [alice!, three!],
  [three!, bob!],
] as const
for (const [from, to] of links) await firstValueFrom(from.execute(connections.dial({ to: to.addresses })))
const nameOf = (peer: string) => ['alice', 'one', 'two', 'three', 'bob'][nodes.findIndex(({ self }) => self === peer)]
const shown = (path: readonly string[]) => ['alice', ...path.map(nameOf)].join(' > ')

alice!.event$.pipe(ofType('chain:failed-over')).subscribe(({ from, path }) => {
  console.log(`lost ${shown(from)}`)
  console.log(`now  ${shown(path)}`)
})

// A carrier sees who talks to whom, and how much; what is said only the ends can read.
const taken = firstValueFrom(bob!.execute(xstream.accept()))
const via = [[one!.self, two!.self], [three!.self]]
const connection = await firstValueFrom(alice!.execute(chains.open({ to: bob!.self, via })))
const [chain] = await firstValueFrom(alice!.execute(chains.list()))
console.log(`open ${shown(chain!.path)}: a connection by ${connection.transport}`)

const stream = await firstValueFrom(alice!.execute(xstream.open({ peer: bob!.self })))
const data = randomBytes(BYTES)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const arrived = (await taken).readToEnd(BYTES)
for (let at = 0; at < BYTES; at += CHUNK_BYTES) {
  if (at === BYTES / 2) void nodes.find(({ self }) => self === chain!.path[0])!.stop({ drainMs: 0 })
  await stream.write(data.subarray(at, at + CHUNK_BYTES))
}
await stream.end()
const isSame = sha256(await arrived) === sha256(data)
console.log(`${BYTES >> 20} MiB arrived, ${isSame ? 'byte for byte' : 'CHANGED'}`)

await Promise.all(nodes.map((node) => node.stop()))
process.exitCode = isSame ? 0 : 1
