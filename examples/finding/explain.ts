import { access, connections, createSwarm, explain, identify, ofType, type PeerExplanation } from 'rxswarm'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { filter, firstValueFrom } from 'rxjs'

// Everything that bears on a connection is an event; `explain` remembers the events and answers from them.
const node = () =>
  createSwarm({
    use: [connections(), identify(), access({ policy: { rules: [], default: 'allow' } }), explain()],
    transports: ['tcp'],
    listen: ['/ip4/127.0.0.1/tcp/0'],
  })
await using me = await node()
await using ann = await node()
await using bob = await node()

// Peer ids and ports differ from run to run; the words do not.
const names = new Map([
  [me.self, 'me'],
  [ann.self, 'ann'],
  [bob.self, 'bob'],
])
const readable = (text: string) =>
  [...names]
    .reduce((said, [id, name]) => said.replaceAll(id, name), text)
    .replace(/(\/ip4\/)?127\.0\.0\.1(:|\/tcp\/)\d+/g, 'PORT')
const print = ({ summary, alternatives: [first] }: PeerExplanation) => {
  console.log(readable(summary))
  if (first !== undefined) console.log(`  → ${readable(first.text)}`)
}
const why = async (peer: string) => print(await firstValueFrom(me.execute(explain.peer({ peer }))))
const dial = (to: string | readonly string[]) =>
  firstValueFrom(me.execute(connections.dial({ to }))).catch(() => undefined)

// Nobody has heard of ann yet.
await why(ann.self)

// Now there is a connection …
await dial(ann.addresses)
await firstValueFrom(me.state$.pipe(filter(({ identify: known }) => known.has(ann.self))))
await why(ann.self)

// … until ann ends it.
const closed = firstValueFrom(me.event$.pipe(ofType('connection:close')))
await firstValueFrom(ann.state$.pipe(filter(({ identify: known }) => known.has(me.self))))
await firstValueFrom(ann.execute(connections.hangUp({ peer: me.self })))
await closed
await why(ann.self)

// A rule forbids bob.
const policy = { rules: [{ id: 'not-bob', effect: 'deny', peer: bob.self }], default: 'allow' } as const
await firstValueFrom(me.execute(access.set({ policy })))
await dial(bob.addresses)
await why(bob.self)

// Nobody is at this port.
const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
server.close()
await once(server, 'close')
const eve = '12D3KooWJbJFaZ1dwpuu9tQY3ELCKCpWMJc1dSRVbcMwhiLiFq7q'
names.set(eve, 'eve')
await dial(`/ip4/127.0.0.1/tcp/${port}/p2p/${eve}`)
await why(eve)
