// Runs in a network namespace of its own: gets an IP more, loses it, and prints what keepAlive says of it and what is announced.
import { execFileSync } from 'node:child_process'
import { writeSync } from 'node:fs'
import { connections, createSwarm, identify, keepAlive } from 'rxswarm'
import { until } from './wait.ts'

const swarm = await createSwarm({
  use: [connections(), identify(), keepAlive({ networkPollMs: 100 })],
  transports: ['quic', 'tcp'],
})
const ip = (verb: string) => execFileSync('ip', ['addr', verb, '10.9.9.9/24', 'dev', 'lo'])
for (const verb of ['add', 'del']) {
  const changed = until(swarm.event$, ({ type }) => type === 'network:changed')
  const told = until(
    swarm.state$,
    ({ addresses }) => addresses.some((address) => address.includes('/10.9.9.9/')) === (verb === 'add'),
  )
  ip(verb)
  const event = await changed
  await told
  writeSync(1, `${JSON.stringify({ ...event, announced: swarm.addresses.length })}\n`)
}
await swarm.stop()
