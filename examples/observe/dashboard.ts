import { once } from 'node:events'
import { connections, createSwarm, identify, ping } from 'rxswarm'
import { filter, firstValueFrom } from 'rxjs'

await using swarm = await createSwarm({
  use: [connections(), identify(), ping()],
  dashboard: true,
})
const { pages } = await firstValueFrom(swarm.state$.pipe(filter(({ pages }) => pages.url !== undefined)))
console.log(`${pages.url}dashboard/`)
await once(process, 'SIGINT') // it goes on until Ctrl-C, and stops cleanly
