import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connections, createSwarm, ofType } from 'rxswarm'
import { profiled, profiling } from 'rxswarm/observability'
import { firstValueFrom, map } from 'rxjs'

const folder = await mkdtemp(join(tmpdir(), 'profiles-'))
const path = join(folder, 'node.cpuprofile')
const start = () =>
  createSwarm({ use: [connections(), profiling()], transports: ['tcp'], listen: ['/ip4/127.0.0.1/tcp/0'] })
await using swarm = await start()
await using other = await start()
swarm.event$
  .pipe(
    ofType('peer:connect'),
    profiled(
      'naming',
      map(({ peer }) => peer.slice(-6)),
    ),
  )
  .subscribe()

await firstValueFrom(swarm.execute(profiling.cpu({ durationMs: 200, path })))
console.log(Object.keys(JSON.parse(await readFile(path, 'utf8')) as object).join(' '))
await rm(folder, { recursive: true })

const measured = firstValueFrom(swarm.execute(profiling.timing({ durationMs: 500 })))
await firstValueFrom(swarm.execute(connections.dial({ to: other.addresses })))
const report = await measured
const seen = report.rows.map(({ kind, name }) => `${kind} ${name}`)
for (const row of ['command connections/dial', 'port connections.dial', 'operator naming'])
  console.log(row, seen.includes(row))
