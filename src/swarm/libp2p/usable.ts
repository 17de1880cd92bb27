import type { Connection, IdentifyResult, Libp2p, StreamCloseEvent } from '@libp2p/interface'
import { Observable } from 'rxjs'
import { DialError } from '../../errors/errors.ts'

/** Nobody answers this protocol; a refusal of it crosses the network and back, and starts no handler there. */
export const PROBE_PROTOCOL = '/rxswarm/usable/1.0.0'

/** How long identify may take before the connection is probed besides. @unit milliseconds */
const IDENTIFY_FIRST_MS = 300

/** QUIC loses streams that arrive before the remote has let us in, so a probe is repeated while none is answered. */
const PROBE_AGAIN_MS = 250
const MOST_PROBES = 20

/**
 * Emits the connection once it has carried something there and back.
 *
 * libp2p's dial resolves when the handshake is done. On QUIC that is before the remote has decided whether it lets us in,
 * and a refusal closes the connection a moment later.
 *
 * @param isNew Whether identify is about to run on it; its answer is proof enough, and costs no stream of its own.
 * @shape  Cold; one value. Unsubscribing ends the probe and leaves the connection alone.
 * @errors `DialError` when the connection closes first. Has no deadline of its own.
 * @source ours; identify's answer is the proof where it runs, any answer to an unknown protocol elsewhere.
 */
export function usable(node: Libp2p, connection: Connection, isNew: boolean): Observable<Connection> {
  return new Observable((out) => {
    let controller: AbortController | undefined
    const prove = () => {
      out.next(connection)
      out.complete()
    }
    const refuse = (cause?: unknown) => out.error(refused(connection, cause))
    if (connection.status !== 'open') return refuse()

    const onClose = ({ error }: StreamCloseEvent) => refuse(error)
    const onIdentify = ({ detail }: CustomEvent<IdentifyResult>) => void (detail.connection === connection && prove())
    connection.addEventListener('close', onClose)
    node.addEventListener('peer:identify', onIdentify)
    let probes = 0
    const again = (): void => {
      if (++probes < MOST_PROBES) timer = setTimeout(again, PROBE_AGAIN_MS)
      controller ??= new AbortController()
      probe(connection, controller.signal).then(prove, () => undefined) // a connection that closes says so itself
    }
    let timer: NodeJS.Timeout | undefined
    if (isNew && node.services['identify'] !== undefined) timer = setTimeout(again, IDENTIFY_FIRST_MS)
    else again()
    return () => {
      clearTimeout(timer)
      controller?.abort()
      connection.removeEventListener('close', onClose)
      node.removeEventListener('peer:identify', onIdentify)
    }
  })
}

function refused({ remotePeer, remoteAddr }: Connection, cause: unknown): DialError {
  const peer = remotePeer.toString()
  const message = `${peer} closed the connection before it was usable: it refused us, or is at its limit of connections`
  return new DialError(message, { peer, address: remoteAddr.toString(), cause })
}

async function probe(connection: Connection, signal: AbortSignal): Promise<void> {
  try {
    const stream = await connection.newStream(PROBE_PROTOCOL, {
      signal,
      runOnLimitedConnection: true,
      maxOutboundStreams: Infinity,
    })
    stream.abort(new Error('the probe is over'))
  } catch (error) {
    if ((error as Error).name !== 'UnsupportedProtocolError') throw error
  }
}
