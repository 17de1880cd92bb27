import { connections, createSwarm, gossipsub, identify, ofType } from 'rxswarm'
import { filter, firstValueFrom } from 'rxjs'

const listen = ['/ip4/127.0.0.1/udp/0/quic-v1']
await using alice = await createSwarm({ use: [connections(), identify(), gossipsub()], listen })
await using bob = await createSwarm({ use: [connections(), identify(), gossipsub()], listen })

// Joins the topic for as long as somebody subscribes.
const greeting = firstValueFrom(bob.execute(gossipsub.subscribe({ topic: 'news' })))

// Cold: nothing happens until somebody subscribes or awaits. Settles within its deadline, always.
await firstValueFrom(alice.execute(connections.dial({ to: bob.addresses })))
await firstValueFrom(alice.state$.pipe(filter(({ gossipsub: { peers } }) => peers.has('news'))))

// Fire and forget works too: what comes of it is an event.
const published = firstValueFrom(alice.event$.pipe(ofType('gossipsub:published')))
alice.command$.next(gossipsub.publish({ topic: 'news', data: new TextEncoder().encode('hello, swarm') }))
const { topic, peers } = await published
console.log(`published to ${peers.length} peer of ${topic}`)

const { data, from } = await greeting
console.log(new TextDecoder().decode(data), from === alice.self ? 'from alice' : 'from somebody else')
