import { createSwarm, identify, ping } from 'rxswarm'
import { metrics } from 'rxswarm/observability'
import { firstValueFrom } from 'rxjs'

await using swarm = await createSwarm({ use: [identify(), ping(), metrics()] })
console.log(await firstValueFrom(swarm.execute(metrics.scrape())))
