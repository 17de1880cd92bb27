import { connections, createSwarm, ping } from 'rxswarm'
import { health, pages } from 'rxswarm/observability'

await using swarm = await createSwarm({
  use: [
    connections(),
    ping(),
    health({
      minPeers: 1,
      checks: {
        disk: {
          check$: () => import('node:fs/promises').then((fs) => fs.access('.').then(() => true)),
          everyMs: 10_000,
        },
      },
    }),
    pages({ port: 9464 }),
  ],
})
swarm.execute(health.watch()).subscribe(({ isReady, checks }) => {
  console.log(
    isReady,
    checks.filter(({ status }) => status !== 'ok'),
  )
})
