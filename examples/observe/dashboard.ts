import { connections, createSwarm, identify, ping } from 'rxswarm'

await using swarm = await createSwarm({
  use: [connections(), identify(), ping()],
  dashboard: true,
})
swarm.state$.subscribe(({ pages }) => pages.url && console.log(`${pages.url}dashboard/`))
