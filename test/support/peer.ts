// A peer in a process of its own: says who it is and where, and stays until it is killed.
import type { TransportName } from 'rxswarm'
import { startSwarm } from './swarms.ts'

const swarm = await startSwarm(process.argv[2] as TransportName)
console.log(JSON.stringify({ self: swarm.self, addresses: swarm.addresses }))
