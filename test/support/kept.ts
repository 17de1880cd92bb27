// A peer that can be killed and started again under the same key and port: prints its addresses as JSON, and runs until it is killed.
import { writeSync } from 'node:fs'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { connections, createSwarm, identify, ping, type TransportName } from 'rxswarm'

const [transport, key, listen] = process.argv.slice(2) as [TransportName, string, string]
const swarm = await createSwarm({
  use: [connections(), identify(), ping()],
  identity: privateKeyFromRaw(Buffer.from(key, 'base64')),
  transports: [transport],
  listen: [listen],
})
writeSync(1, `${JSON.stringify({ self: swarm.self, addresses: swarm.addresses })}\n`)
