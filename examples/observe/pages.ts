import { createSwarm, connections } from 'rxswarm'
import { health, pages } from 'rxswarm/observability'
import { filter, firstValueFrom, map } from 'rxjs'

await using swarm = await createSwarm({ use: [connections(), health(), pages({ port: 9464 })] })
const url = await firstValueFrom(
  swarm.state$.pipe(
    map(({ pages: { url } }) => url),
    filter((url) => url !== undefined),
  ),
)
console.log(await (await fetch(`${url}readyz`)).text())
