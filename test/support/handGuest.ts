import { createPor, type Por, type TransportName } from 'rxswarm'
import type { Libp2p, PrivateKey, Stream } from '@libp2p/interface'
import {
  encodeRequest,
  encodeResponse,
  POR_PROTOCOL,
  type PorResponse,
} from '../../src/swarm/behaviours/xauth/porMessages.ts'
import { startBareNode, type BareNode } from './bareNode.ts'

/** The clock of proofs. @unit seconds since the Unix epoch */
export const nowS = (): number => Math.floor(Date.now() / 1_000)

/** A node without a gate of its own, that speaks the protocol of proofs by hand and says what it likes. */
export interface HandGuest {
  readonly node: BareNode
  /** Protocols of the streams that ran here, in order. */
  readonly ran: string[]
  /** A proof about this guest. @param by who signs @param forS until when it holds @unit seconds */
  prove(by: PrivateKey, forS?: number): Promise<Por>
  /** Shows a proof to a node that it is connected to. */
  show(to: Libp2p, por: Por): Promise<void>
}

/** Starts a {@link HandGuest} that echoes on these protocols; without `answers` it does not know the one of proofs. */
export async function startHandGuest(
  transport: TransportName,
  echoes: readonly string[],
  answers?: PorResponse,
): Promise<HandGuest> {
  const node = await startBareNode(transport, { withIdentify: true })
  const ran: string[] = []
  const limits = { maxInboundStreams: 64, maxOutboundStreams: 2_048, runOnLimitedConnection: true }
  for (const protocol of echoes) {
    await node.handle(protocol, (stream) => (ran.push(protocol), echo(stream)), limits)
  }
  if (answers !== undefined) {
    await node.handle(POR_PROTOCOL, async (stream) => {
      ran.push(POR_PROTOCOL)
      stream.addEventListener('message', () => undefined)
      stream.send(encodeResponse(answers))
      await stream.close()
    })
  }
  return {
    node,
    ran,
    prove: (by, forS = 100) =>
      createPor({ owner: by, peer: node.peerId, issuedAtS: nowS() - 5, expiresAtS: nowS() + forS }),
    show: async (to, por) => {
      const stream = await node.getConnections(to.peerId)[0]!.newStream(POR_PROTOCOL)
      stream.addEventListener('message', () => undefined)
      stream.send(encodeRequest({ por, metadata: {} }))
      await stream.close()
    },
  }
}

/** Sends back what comes. */
export function echo(stream: Stream): void {
  stream.addEventListener('message', ({ data }) => {
    if (stream.writeStatus === 'writable') stream.send(data) // it may be reset between two messages
  })
}
