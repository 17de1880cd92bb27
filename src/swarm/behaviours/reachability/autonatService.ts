import { autoNAT, type AutoNATComponents, type AutoNATServiceInit } from '@libp2p/autonat'
import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { Subject, type Observable } from 'rxjs'
import type { AutonatVerdict } from './reachabilityVocabulary.ts'

/** AutoNAT of a node, with what each peer found that was asked. */
export interface AutonatService {
  readonly verdict$: Observable<AutonatVerdict>
}

/** The parts of the service that its public type leaves out. */
interface AutonatInternals {
  /** Counts of the addresses that peers are asked about. */
  readonly dialResults: ReadonlyMap<string, { readonly success: number; readonly failure: number }>
  /** Asks one peer to dial one address, and counts what it says. */
  askPeerToVerify(connection: Connection, segment: string, options: { readonly multiaddr: Multiaddr }): Promise<void>
}

/**
 * AutoNAT v1, client and server.
 *
 * The service tells nobody what peers say; it counts, and has an address announced or withdrawn when it has counted enough. So
 * the peers are asked about an address one after the other, and the counts before and after tell what each has said.
 */
export function autonatService(init: AutoNATServiceInit) {
  return (components: AutoNATComponents): AutonatService => {
    const verdicts = new Subject<AutonatVerdict>()
    const service = autoNAT(init)(components) as AutonatInternals
    const ask = service.askPeerToVerify.bind(service)
    const turns = new Map<string, Promise<void>>()
    service.askPeerToVerify = (connection, segment, options) => {
      const address = options.multiaddr.toString()
      const mine = (turns.get(address) ?? Promise.resolve()).then(async () => {
        const counts = service.dialResults.get(address)
        const { success = 0, failure = 0 } = counts ?? {}
        await ask(connection, segment, options)
        if (counts === undefined || counts.success + counts.failure === success + failure) return
        verdicts.next({
          peer: connection.remotePeer.toString(),
          from: connection.remoteAddr.toString(),
          address,
          isReached: counts.success > success,
        })
      })
      const settled = mine.catch(() => undefined)
      turns.set(address, settled)
      void settled.then(() => turns.get(address) === settled && turns.delete(address))
      return mine
    }
    return Object.assign(service, { verdict$: verdicts.asObservable() })
  }
}
