import { connections, createSwarm, identify, relay } from 'rxswarm'
import { describe, expect, it, vi } from 'vitest'
import { failure } from './support/wait.ts'

const built = vi.hoisted(() => ({ transport: {}, server: {} }))
vi.mock('@libp2p/circuit-relay-v2', () => ({
  circuitRelayTransport: () => () => built.transport,
  circuitRelayServer: () => () => built.server,
}))

/** As libp2p's transport is built, as far as rxswarm relies upon it. */
const transport = () => ({
  [Symbol.toStringTag]: 'relay',
  onStop: () => undefined,
  discovery: undefined,
  reservationStore: { hasReservation: () => false },
})

describe('what relay relies upon in libp2p', () => {
  const start = (server: boolean) =>
    createSwarm({ use: [connections(), identify(), relay({ server })], transports: ['memory'], listen: [] })

  it.each(['onStop', 'discovery', 'reservationStore'])(
    'is looked at when a node is made: %s of its transport',
    async (part) => {
      built.transport = Object.fromEntries(Object.entries(transport()).filter(([name]) => name !== part))
      const error = await failure(start(false))
      expect(error.message).toContain('@libp2p/circuit-relay-v2: its transport is not built as rxswarm expects')
    },
  )
  it('is looked at when a node is made: its server', async () => {
    built.transport = transport()
    const error = await failure(start(true))
    expect(error.message).toContain('@libp2p/circuit-relay-v2: its server is not built as rxswarm expects')
  })
})
