import { connections, createSwarm, identify, ofType, rendezvous } from 'rxswarm'
import { firstValueFrom, share, take, toArray } from 'rxjs'

const listen = ['/ip4/127.0.0.1/udp/0/quic-v1']

// A meeting point. With a `datastore` it knows after a restart who was registered before.
await using point = await createSwarm({ use: [connections(), identify(), rendezvous({ point: true })], listen })
const points = [point.addresses[0]!]
const guest = () => createSwarm({ use: [connections(), identify(), rendezvous({ points })], listen })
await using alice = await guest()
await using bob = await guest()

// Who comes and goes, at all points together.
const changes = firstValueFrom(
  bob.execute(rendezvous.watch({ namespace: 'chess', intervalMs: 100 })).pipe(take(2), toArray()),
)

// Registered for as long as somebody subscribes: renewed in time, and anew when the addresses change.
const found = firstValueFrom(bob.event$.pipe(ofType('rendezvous:found')))
const registered$ = alice.execute(rendezvous.register({ namespace: 'chess' })).pipe(share())
const staying = registered$.subscribe()
const { ttlMs } = await firstValueFrom(registered$)
console.log(`alice is registered for ${ttlMs / 3_600_000} hours`)
const { peer } = await found
console.log(`bob has found ${peer === alice.self ? 'alice' : 'somebody else'}`)

// What was found is known: the peer id is enough.
await firstValueFrom(bob.execute(connections.dial({ to: peer })))
console.log('bob has dialled alice')

staying.unsubscribe()
for (const { kind } of await changes) console.log(`alice was ${kind}`)
