import { once } from 'node:events'
import { createSwarm, identify, ping } from 'rxswarm'
import { metrics, pages } from 'rxswarm/observability'

await using swarm = await createSwarm({ use: [identify(), ping(), metrics(), pages({ port: 9464 })] })
console.log(`scrape ${swarm.self} at http://127.0.0.1:9464/metrics`)
await once(process, 'SIGINT') // it goes on until Ctrl-C, and stops cleanly
