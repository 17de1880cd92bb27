// Peers of a hub in a process of their own: told an address, each dials it until it is connected.
import { firstValueFrom, retry } from 'rxjs'
import { connections, createSwarm, identify } from 'rxswarm'

/** Dials at once: the hub has to answer all of them in time. */
const AT_ONCE = 4

const dialers = await Promise.all(
  Array.from({ length: Number(process.argv[2]) }, () =>
    createSwarm({ use: [connections(), identify()], transports: ['tcp'], listen: [] }),
  ),
)

process.on('message', ({ dial }: { readonly dial: string }) => {
  const waiting = dialers.values()
  const work = async () => {
    for (const one of waiting) await firstValueFrom(one.execute(connections.dial({ to: dial })).pipe(retry(10)))
  }
  void Promise.all(Array.from({ length: AT_ONCE }, work)).then(() => process.send?.('done'))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
