import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { askHop, channelOf } from '../../src/swarm/libp2p/chains/askHop.ts'
import { decodeChainRequest, decodeOpen, encodeChainAnswer } from '../../src/swarm/libp2p/chains/chainWire.ts'
import { END_PROTOCOL, HOP_PROTOCOL, UNBOUNDED } from '../../src/swarm/behaviours/chains/chainWords.ts'

/** What a carrier made by hand does to the bytes that go through it: passes these on, or nothing. */
export type Tap = (bytes: Uint8Array, towards: 'acceptor' | 'opener') => Uint8Array | undefined

/**
 * Makes a carrier of a node: one that checks nothing, and does to the bytes what it is told.
 *
 * @param lateMs How long it keeps what it passes on. Default: 0, not at all. @unit milliseconds
 */
export function carryByHand(node: Libp2p, tap: Tap, lateMs = 0): void {
  const carry = async (left: Stream, { remotePeer }: Connection) => {
    const signal = AbortSignal.timeout(20_000)
    const channel = channelOf(left)
    const request = decodeChainRequest((await channel.read({ signal })).subarray())
    if (request.type !== 'open') return left.abort(new Error('not asked'))
    const { opener, path } = decodeOpen(request.signed.open)
    const at = [opener, ...path].indexOf(remotePeer.toString())
    const next = path[at + 1]!
    const connection = node.getConnections().find((one) => one.remotePeer.toString() === next)!
    const protocol = next === path.at(-1) ? END_PROTOCOL : HOP_PROTOCOL
    const asked = await askHop(connection, protocol, request, signal)
    await channel.write(encodeChainAnswer({ type: 'opened', granted: UNBOUNDED }), { signal })
    const right = asked.channel.unwrap()
    channel.unwrap()
    pour(left, right, (bytes) => tap(bytes, 'acceptor'), lateMs)
    pour(right, left, (bytes) => tap(bytes, 'opener'), lateMs)
  }
  void node.handle(HOP_PROTOCOL, (stream, connection) => {
    carry(stream, connection).catch((error: Error) => stream.abort(error))
  })
}

function pour(from: Stream, to: Stream, through: (bytes: Uint8Array) => Uint8Array | undefined, lateMs: number): void {
  from.addEventListener('message', ({ data }) => {
    const passed = through(Uint8Array.from(data.subarray()))
    const pass = () => void (passed !== undefined && to.writeStatus === 'writable' && to.send(passed))
    if (lateMs === 0) pass()
    else setTimeout(pass, lateMs)
  })
  from.addEventListener('close', ({ error }) =>
    error === undefined ? void to.close().catch(() => undefined) : to.abort(error),
  )
}
