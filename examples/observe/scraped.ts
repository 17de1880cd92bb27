import { createSwarm, identify, ping } from 'rxswarm'
import { metrics, pages } from 'rxswarm/observability'

await using swarm = await createSwarm({ use: [identify(), ping(), metrics(), pages({ port: 9464 })] })
console.log(swarm.self)
