import { connections, createSwarm, identify, ping } from 'rxswarm'
import { observe } from 'rxswarm/observability'
import { firstValueFrom, map, filter } from 'rxjs'

const listen = ['/ip4/127.0.0.1/udp/0/quic-v1']
await using bob = await createSwarm({ use: [identify(), ping()], listen })
await using alice = await createSwarm({
  use: [...observe({ logging: { level: 'error' } }), connections(), identify(), ping()],
  listen,
})
await firstValueFrom(alice.execute(connections.dial({ to: bob.addresses })))
await firstValueFrom(alice.execute(ping.once({ peer: bob.self })))

const url = await firstValueFrom(
  alice.state$.pipe(
    map(({ pages: { url } }) => url),
    filter((url) => url !== undefined),
  ),
)
const metrics = await (await fetch(`${url}metrics`)).text()
console.log(metrics.split('\n').find((line) => line.startsWith('rxswarm_commands_total{command="ping/once"')))
console.log((await (await fetch(`${url}livez`)).text()).split('\n').at(0))
