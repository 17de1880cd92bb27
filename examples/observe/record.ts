import { createSwarm, ping } from 'rxswarm'
import { recording } from 'rxswarm/observability'

await using swarm = await createSwarm({ use: [ping(), recording({ path: 'node.jsonl' })] })
console.log(swarm.self)
