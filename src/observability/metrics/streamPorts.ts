import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { connectionInfo } from '../../swarm/libp2p/connectionInfo.ts'
import { internalsOf } from '../../swarm/libp2p/createHost.ts'
import type { Cell } from './cell.ts'
import type { MetricsProbe } from './metricsProbe.ts'

type Middleware = (stream: Stream, connection: Connection, next: (s: Stream, c: Connection) => void) => unknown

/** The part of a stream through which all of its bytes go, that is not in its interface. */
interface Innards {
  readonly readBufferLength: number
  onData?(data: { readonly byteLength: number }): void
  sendData?(data: { readonly byteLength: number }): { readonly sentBytes: number }
}

/**
 * Counts the streams of a node and what goes through them, once their protocol is agreed on.
 *
 * @shape  A middleware of every protocol, so that streams over QUIC are counted as those of yamux are; behind the gate, so
 *         that one that is refused is not counted. Bytes are counted where the muxer hands them to the stream and takes
 *         them from it.
 * @source libp2p's own count of a connection's bytes leaves QUIC out, whose connections have none.
 */
export function countStreams(node: Libp2p, probe: MetricsProbe): void {
  const { registrar } = internalsOf(node) as unknown as {
    readonly registrar: { getMiddleware(protocol: string): Middleware[] }
  }
  const own = registrar.getMiddleware.bind(registrar)
  const count: Middleware = (stream, connection, next) => {
    try {
      track(probe, stream, connection)
    } catch {
      probe.failed('stream')
    }
    next(stream, connection)
  }
  registrar.getMiddleware = (protocol) => [...own(protocol), count]
}

function track(probe: MetricsProbe, stream: Stream, connection: Connection): void {
  const { meters, peerLabels } = probe
  const { protocol, direction } = stream
  const { transport, peer } = connectionInfo(connection)
  const sent = [meters.rxswarm_bytes_total.at(protocol, 'sent', transport)]
  const received = [meters.rxswarm_bytes_total.at(protocol, 'received', transport)]
  if (peerLabels > 0) {
    sent.push(meters.rxswarm_peer_bytes_total.at(peer, 'sent'))
    received.push(meters.rxswarm_peer_bytes_total.at(peer, 'received'))
  }
  countBytes(stream, sent, received) // throws before anything is counted that would have to be taken back
  const open = meters.rxswarm_streams.at(protocol, direction)
  open.value++
  meters.rxswarm_streams_opened_total.at(protocol, direction, transport).value++
  let isOver = false
  const close = () => {
    if (isOver) return
    isOver = true
    open.value--
    const { status, timeline } = stream
    const how = status === 'reset' || status === 'aborted' ? status : 'closed'
    meters.rxswarm_streams_closed_total.at(protocol, direction, how).value++
    const tookMs = (timeline.close ?? Date.now()) - timeline.open
    meters.rxswarm_stream_duration_seconds.at(protocol).observe(Math.max(0, tookMs) / 1_000)
  }
  if (stream.status !== 'open' && stream.status !== 'closing') return close()
  // cheaper than a listener, of which a protocol that opens a stream for each question would add one each time
  const dispatch = stream.dispatchEvent
  stream.dispatchEvent = (event) => {
    if (event.type === 'close') close()
    return dispatch.call(stream, event)
  }
}

function countBytes(stream: Innards, [sent, ...sentToo]: Cell[], [received, ...receivedToo]: Cell[]): void {
  const { onData, sendData } = stream
  if (typeof onData !== 'function' || typeof sendData !== 'function') throw new TypeError('no stream that is known')
  const add = (one: Cell, others: readonly Cell[], bytes: number) => {
    one.value += bytes
    for (const other of others) other.value += bytes
  }
  add(received!, receivedToo, stream.readBufferLength) // it came while the protocol was agreed on
  stream.onData = (data) => {
    add(received!, receivedToo, data.byteLength)
    onData.call(stream, data)
  }
  stream.sendData = (data) => {
    const result = sendData.call(stream, data)
    add(sent!, sentToo, result.sentBytes)
    return result
  }
}
