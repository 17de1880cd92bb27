import { autoNAT, type AutoNATComponents, type AutoNATServiceInit } from '@libp2p/autonat'
import type { Connection, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { Subject, type Observable } from 'rxjs'
import type { AutonatVerdict } from './reachabilityVocabulary.ts'

/** AutoNAT of a node, with what each peer found that was asked. */
export interface AutonatService {
  readonly verdict$: Observable<AutonatVerdict>
}

/** What the service counts of one address. */
interface DialResults {
  readonly success: number
  readonly failure: number
  /** Peers whose word was counted: each is added just before. */
  readonly verifyingPeers: { add(peer: PeerId): unknown }
}

/** The parts of the service that its public type leaves out. */
interface AutonatInternals {
  /** By the address that peers are asked about. */
  readonly dialResults: ReadonlyMap<string, DialResults>
  /** Asks one peer to dial one address, and counts what it says. */
  askPeerToVerify(connection: Connection, segment: string, options: { readonly multiaddr: Multiaddr }): Promise<void>
}

/** Peers whose place is remembered; the service asks three at once about each address, of at most a few dozen. */
const MOST_ASKED = 256

/**
 * AutoNAT v1, client and server.
 *
 * The service tells nobody what peers say; it counts, and has an address announced or withdrawn when it has counted enough. It
 * adds a peer to those that have spoken and counts what it said in one go, so the count right after tells which it was.
 */
export function autonatService(init: AutoNATServiceInit) {
  return (components: AutoNATComponents): AutonatService => {
    const verdicts = new Subject<AutonatVerdict>()
    const service = autoNAT(init)(components) as AutonatInternals
    const ask = service.askPeerToVerify.bind(service)
    const heard = new WeakSet<DialResults>()
    const places = new Map<string, string>()

    const listen = (results: DialResults, address: string) => {
      heard.add(results)
      const { verifyingPeers } = results
      const add = verifyingPeers.add.bind(verifyingPeers)
      verifyingPeers.add = (id) => {
        const { success, failure } = results
        const peer = id.toString()
        const from = places.get(peer) ?? ''
        queueMicrotask(() => {
          if (results.success + results.failure === success + failure) return
          verdicts.next({ peer, from, address, isReached: results.success > success })
        })
        return add(id)
      }
    }
    service.askPeerToVerify = async (connection, segment, options) => {
      const address = options.multiaddr.toString()
      const peer = connection.remotePeer.toString()
      const results = service.dialResults.get(address)
      if (results !== undefined && !heard.has(results)) listen(results, address)
      places.delete(peer)
      places.set(peer, connection.remoteAddr.toString())
      if (places.size > MOST_ASKED) {
        const [oldest] = places.keys()
        places.delete(oldest!)
      }
      await ask(connection, segment, options)
    }
    return Object.assign(service, { verdict$: verdicts.asObservable() })
  }
}
