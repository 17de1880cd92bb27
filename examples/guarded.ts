import { access, connections, createSwarm, identify, ofType, xauth, xstream, type XStream } from 'rxswarm'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { filter, firstValueFrom } from 'rxjs'

// Every node shows a proof that it represents an owner; nothing else runs until both sides have accepted the other's.
const [acme, globex, nobody] = await Promise.all([1, 2, 3].map(() => generateKeyPair('Ed25519')))
const policy = { rules: [{ id: 'no-kad', effect: 'deny', protocol: '/ipfs/kad/*' }], default: 'allow' } as const
const node = (owner = acme!, trust = [acme!.publicKey, globex!.publicKey]) =>
  createSwarm({
    use: [connections(), identify(), xauth({ owner, trust }), access({ policy }), xstream()],
    listen: ['/ip4/127.0.0.1/udp/0/quic-v1'],
  })
await using alice = await node(acme)
await using bob = await node(globex)
await using eve = await node(nobody)

const refused$ = bob.event$.pipe(
  ofType('xauth:failed'),
  filter(({ direction }) => direction === 'inbound'), // their proof; `outbound` is ours
)
refused$.subscribe(({ reason }) => console.log(`bob refuses a peer: ${reason}`))
const echo = async (stream: XStream) => {
  for await (const chunk of stream.source) await stream.write(chunk)
  await stream.end()
}
bob.execute(xstream.accept()).subscribe((stream) => void echo(stream))

await firstValueFrom(alice.execute(connections.dial({ to: bob.addresses })))
const stream = await firstValueFrom(alice.execute(xstream.open({ peer: bob.self })))
await stream.write(new TextEncoder().encode('hello, partner'))
await stream.end()
console.log(new TextDecoder().decode(await stream.readToEnd(1_000)))

await firstValueFrom(eve.execute(connections.dial({ to: bob.addresses })))
await firstValueFrom(eve.execute(xstream.open({ peer: bob.self }))).catch(({ name }: Error) =>
  console.log(`eve: ${name}`),
)
