// A relay in a process of its own: says who it is and where, and stays until it is killed.
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { TransportName } from 'rxswarm'
import { startRelayed } from './relays.ts'

const [transport, key, address] = process.argv.slice(2) as [TransportName, string, string?]
const identity = privateKeyFromRaw(Buffer.from(key, 'hex'))
const listen = address === undefined || address === '' ? {} : { listen: [address] }
const swarm = await startRelayed(transport, { server: true }, { identity, ...listen })
console.log(JSON.stringify({ self: swarm.self, addresses: swarm.addresses }))
