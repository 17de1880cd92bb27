import { mergeMap, Observable } from 'rxjs'
import { StreamError } from '../../../errors/errors.ts'
import type { PingPorts } from '../../../swarm/behaviours/ping/pingBehaviour.ts'
import type { SimulatedNode, SimulatedStream } from '../simulatedNode.ts'
import { lifetimeOf } from './lifetimeOf.ts'

/** The protocol, and the bytes that go there and back. @source libp2p ping 1.0.0 */
const PROTOCOL = '/ipfs/ping/1.0.0'
const PAYLOAD_BYTES = 32

/** Ping of a simulated node: on a stream of its own, whose opening does not count. */
export function simulatedPing(node: SimulatedNode): PingPorts {
  lifetimeOf(node).add(node.handle(PROTOCOL, echo))
  return { ping: (peer) => node.open(peer, PROTOCOL).pipe(mergeMap((stream) => roundTrip(node, stream))) }
}

/** Sends back what comes, as it comes: a ping is answered once it has arrived, in however many pieces. */
function echo(stream: SimulatedStream): void {
  stream.chunk$.subscribe({
    next: (chunk) => void stream.send(chunk),
    error: () => undefined, // the asker has gone
    complete: () => stream.end(),
  })
}

/** Emits how long 32 bytes took there and back. @unit milliseconds, to the microsecond */
function roundTrip({ scheduler, random }: SimulatedNode, stream: SimulatedStream): Observable<number> {
  return new Observable((out) => {
    const payload = new Uint8Array(PAYLOAD_BYTES)
    for (let at = 0; at < PAYLOAD_BYTES; at++) payload[at] = random() * 256
    const sentAt = scheduler.now()
    let answered = 0
    const broken = (why: string) => {
      const { peer, protocol } = stream
      out.error(new StreamError(`ping: ${peer} ${why}`, { peer, protocol }))
    }
    out.add(() => void (answered < PAYLOAD_BYTES && stream.reset()))
    out.add(
      stream.chunk$.subscribe({
        next: (chunk) => {
          for (const byte of chunk) if (byte !== payload[answered++]) return broken('answered what was not sent')
          if (answered < PAYLOAD_BYTES) return
          stream.end()
          out.next(Math.round((scheduler.now() - sentAt) * 1_000) / 1_000)
          out.complete()
        },
        error: (error: unknown) => out.error(error),
        complete: () => broken('ended the stream before its answer'),
      }),
    )
    stream.send(payload)
  })
}
