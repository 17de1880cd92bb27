// As root: node --conditions=@rxswarm/source test/support/labByHand.ts
import { connections } from 'rxswarm'
import { firstValueFrom } from 'rxjs'
import { startLab } from './lab.ts'

await using lab = await startLab()
const home = await lab.router('cone') // or 'symmetric'
const [inside, outside] = [await home.host(), await lab.host()]
const [alice, bob] = await Promise.all([inside.node(), outside.node({ seed: 1 })])

alice.event$.subscribe(({ type }) => console.log(type))
await firstValueFrom(alice.execute(connections.dial({ to: outside.address(bob, 'quic') })))
console.log(await alice.carry(bob.self, 1 << 20)) // { intact: true, tookMs: … }
await outside.lose(100) // silence; lose(0) ends it
