import { connections, createSwarm } from 'rxswarm'
import { firstValueFrom } from 'rxjs'
import { who } from './who.ts'

const listen = ['/ip4/127.0.0.1/udp/0/quic-v1']
await using alice = await createSwarm({ use: [connections(), who('alice')], listen })
await using bob = await createSwarm({ use: [connections(), who('bob')], listen })

await firstValueFrom(alice.execute(connections.dial({ to: bob.addresses })))
console.log(await firstValueFrom(alice.execute(who.ask({ peer: bob.self }))))
