import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { createSwarm, identify, relay } from 'rxswarm'
import type { Transport } from './nodesOn.ts'

/** What a relay says when others can reserve. */
export interface RelayReady {
  readonly addresses: readonly string[]
}

const [transport, key, listen] = process.argv.slice(2) as [Transport, string, string]
const swarm = await createSwarm({
  use: [identify(), relay({ server: true })],
  identity: privateKeyFromRaw(Buffer.from(key, 'hex')),
  transports: [transport],
  listen: [listen],
})
process.once('disconnect', () => void swarm.stop())
process.send!({ addresses: swarm.addresses } satisfies RelayReady)
