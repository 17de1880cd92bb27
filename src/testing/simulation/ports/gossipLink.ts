import type { SimulatedStream } from '../simulatedNode.ts'
import type { GossipPeer } from './gossipMeshes.ts'

/** A connected peer that speaks gossip: one stream to it, and one from it. */
export class GossipLink implements GossipPeer {
  /** See {@link GossipPeer.name}. */
  readonly name: string
  /** See {@link GossipPeer.topics}. */
  readonly topics = new Set<string>()
  /** Which run of the peer's node this is; another one means that it has started anew. */
  session: string | undefined
  /** Our stream to it. */
  outbound: SimulatedStream | undefined
  /** Its stream to us. */
  inbound: SimulatedStream | undefined
  /** Whether more waits in our stream than its window. */
  isFull = false
  /** Whether it has read nothing for so long that nobody waits for it any more. */
  isStalled = false
  /** Whether it takes no stream from us, and nobody waits for one any more. */
  isExcused = false

  constructor(name: string) {
    this.name = name
  }

  /** See {@link GossipPeer.send}. */
  send(frame: Uint8Array): boolean {
    const { outbound } = this
    if (outbound === undefined || outbound.status !== 'open') return false
    if (!outbound.send(frame)) this.isFull = true
    return true
  }
}
