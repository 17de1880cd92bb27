import type { Libp2p, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { lpStream } from '@libp2p/utils'
import { fromAbortable } from 'rxswarm/operators'
import { Subject } from 'rxjs'
import type { WhoPorts } from './who.ts'

const PROTOCOL = '/who/1.0.0'
const MOST_BYTES = 64

// The adapter: the one place that touches libp2p. Every byte from a peer is bounded before it is read.
export function whoPorts(node: Libp2p, nick: string): WhoPorts {
  const asked$ = new Subject<string>()
  void node.handle(PROTOCOL, async (stream, { remotePeer }) => {
    asked$.next(remotePeer.toString())
    await lpStream(stream).write(new TextEncoder().encode(nick))
    await stream.close()
  })
  return {
    asked$,
    ask: (peer) =>
      fromAbortable(async (signal) =>
        readNick(await node.dialProtocol(peerIdFromString(peer), PROTOCOL, { signal }), signal),
      ),
  }
}

async function readNick(stream: Stream, signal: AbortSignal): Promise<string> {
  const bytes = await lpStream(stream, { maxDataLength: MOST_BYTES }).read({ signal })
  await stream.close({ signal })
  return new TextDecoder().decode(bytes.subarray())
}
