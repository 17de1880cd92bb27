/** Under which name the service stands. */
export const RENDEZVOUS = 'rxswarm:rendezvous'

/** How long a node that stops waits until its points know that it goes. @unit milliseconds */
const FAREWELL_MS = 500

/** Lets a node that stops take leave of its points first; libp2p closes its connections afterwards. */
export interface RendezvousService {
  /** What is on its way. */
  readonly farewells: Set<Promise<unknown>>
  /** Asked by libp2p, which asks only who starts and stops. */
  beforeStop(): Promise<void>
  start(): void
  stop(): void
}

/** The libp2p service behind `rendezvousPorts`. */
export function rendezvousService(): RendezvousService {
  const farewells = new Set<Promise<unknown>>()
  return {
    farewells,
    beforeStop: async () => {
      if (farewells.size === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, FAREWELL_MS)
      await Promise.race([Promise.all(farewells), promise])
      clearTimeout(timer)
    },
    start: () => undefined,
    stop: () => undefined,
  }
}
