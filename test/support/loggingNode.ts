// A node in a process of its own that logs to its standard output, or to the file that it is given, and ends at once.
import { connections, createSwarm } from 'rxswarm'
import { logging } from 'rxswarm/observability'
import { firstValueFrom } from 'rxjs'

const [destination, ending, lines = '0'] = process.argv.slice(2)
const swarm = await createSwarm({
  use: [
    connections(),
    logging({
      ...(destination === undefined || destination === '-' ? {} : { destination }),
      areas: { logging: 'info' },
      maxPerSecond: 1e6,
      maxBufferBytes: 100_000,
    }),
  ],
  transports: ['tcp'],
  listen: ['/ip4/127.0.0.1/tcp/0'],
})
for (let n = 0; n < Number(lines); n++) {
  const level = n % 2 === 0 ? 'debug' : 'info'
  await firstValueFrom(swarm.execute(logging.setLevel({ area: 'counted', level })))
}
if (ending !== 'at once') await swarm.stop()
if (ending === 'crash') throw new Error('the program broke')
if (ending !== 'naturally') process.exit(0)
