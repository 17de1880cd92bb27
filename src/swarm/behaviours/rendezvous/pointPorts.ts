import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { defer, ignoreElements, Observable, of } from 'rxjs'
import { OverloadedError, type SwarmError } from '../../../errors/errors.ts'
import { asError } from '../../libp2p/asError.ts'
import { gateOf } from '../../libp2p/createHost.ts'
import { openRecord, type RecordForm } from '../../libp2p/peerRecords.ts'
import { decodeRequest, encodeAnswer, RENDEZVOUS_PROTOCOL } from './rendezvousWire.ts'
import type { PointAnswer, PointRequest, RendezvousPorts } from './rendezvousVocabulary.ts'

/** How long a remote may take to send its request, or to take its answer. @unit milliseconds */
const REMOTE_MS = 10_000

/** Streams of one connection, and of all, on which requests are read or answered. A further one is reset. */
const STREAMS = 64
const MOST_SERVED = 1_024

/** A request: a record of at most 8 KiB, and its namespace. @unit bytes */
const MOST_REQUEST_BYTES = 16_384

/** The streams of a rendezvous point: what remotes ask over them, and the answers. */
export function pointPorts(node: Libp2p): Pick<RendezvousPorts, 'request$' | 'answer'> {
  const answers = new Map<string, (answer: PointAnswer) => void>()
  return {
    request$: new Observable((out) => {
      const serving = new Set<Stream>()
      let requests = 0
      const serve = (stream: Stream, connection: Connection) => {
        if (serving.size >= MOST_SERVED) {
          const message = `${RENDEZVOUS_PROTOCOL}: ${MOST_SERVED} streams are being served`
          return stream.abort(new OverloadedError(message, { protocol: RENDEZVOUS_PROTOCOL, limit: MOST_SERVED }))
        }
        serving.add(stream)
        const next = (request: Read) => {
          const id = String(++requests)
          const { remotePeer, remoteAddr } = connection
          return new Promise<PointAnswer | undefined>((resolve) => {
            answers.set(id, resolve)
            out.next({ ...request, id, peer: remotePeer.toString(), address: remoteAddr.toString() })
            if (request.type === 'unregister' || request.type === 'unreadable') resolve(undefined)
          }).finally(() => void answers.delete(id))
        }
        void converse(stream, next, () => reads(node, connection)).finally(() => void serving.delete(stream))
      }
      gateOf(node).refuseWith(RENDEZVOUS_PROTOCOL, refuse)
      const options = { maxInboundStreams: STREAMS, runOnLimitedConnection: true }
      void node.handle(RENDEZVOUS_PROTOCOL, serve, options)
      return () => {
        void node.unhandle(RENDEZVOUS_PROTOCOL)
        for (const stream of serving) stream.abort(new Error('this node is no rendezvous point any more'))
        answers.clear()
      }
    }),
    answer: (id, answer) => defer(() => of(answers.get(id)?.(answer))).pipe(ignoreElements()),
  }
}

type Read = PointRequest extends infer One ? (One extends PointRequest ? Omit<One, 'id' | 'peer' | 'address'> : never) : never // prettier-ignore

/** Reads requests of a stream one after the other, and writes what they come to. */
async function converse(
  stream: Stream,
  next: (request: Read) => Promise<PointAnswer | undefined>,
  form: () => Promise<RecordForm>,
): Promise<void> {
  const messages = lpStream(stream, { maxDataLength: MOST_REQUEST_BYTES })
  try {
    for (;;) {
      const bytes = await messages.read({ signal: AbortSignal.timeout(REMOTE_MS) }).catch((error: unknown) => {
        if (stream.remoteWriteStatus === 'closed') return undefined // it has asked everything
        throw error
      })
      if (bytes === undefined) break
      const answer = await next(await readable(bytes.subarray(), form))
      if (answer !== undefined) await messages.write(encodeAnswer(answer), { signal: AbortSignal.timeout(REMOTE_MS) })
    }
    await stream.close({ signal: AbortSignal.timeout(REMOTE_MS) })
  } catch (error) {
    const reason = asError(error)
    if (/^Invalid/.test(reason.name)) void next({ type: 'unreadable', reason: reason.message.slice(0, 256) })
    stream.abort(reason)
  }
}

/** Which connections are of rust-libp2p, as far as identify has told. */
const rustConnections = new WeakMap<Connection, boolean>()

/** In which form a remote reads records: its agent tells. */
async function reads(node: Libp2p, connection: Connection): Promise<RecordForm> {
  const known = rustConnections.get(connection)
  if (known !== undefined) return known ? 'rust' : 'standard'
  const peer = await node.peerStore.get(connection.remotePeer).catch(() => undefined)
  const agent = peer?.metadata.get('AgentVersion')
  if (agent === undefined) return 'standard'
  const isRust = /\brust-libp2p\b/.test(new TextDecoder().decode(agent))
  rustConnections.set(connection, isRust)
  return isRust ? 'rust' : 'standard'
}

async function readable(bytes: Uint8Array, form: () => Promise<RecordForm>): Promise<Read> {
  const request = decodeRequest(bytes)
  if (request.type === 'discover') return { ...request, reads: await form() }
  if (request.type === 'unregister') return request
  const { record, ...rest } = request
  try {
    const { form: sealed, peer, seq, addresses } = await openRecord(record)
    if (addresses.length === 0) throw new Error('it has no address')
    return { ...rest, record: { form: sealed, bytes: record, seq, addresses: addresses.length, peer } }
  } catch (error) {
    return { ...rest, record: { flaw: asError(error).message.slice(0, 256) } }
  }
}

/** Says no in the words of the protocol to who may not ask at all. */
async function refuse(stream: Stream, { name }: SwarmError): Promise<void> {
  const signal = AbortSignal.timeout(REMOTE_MS)
  const messages = lpStream(stream, { maxDataLength: MOST_REQUEST_BYTES })
  if (stream.readStatus === 'paused') stream.resume() // it has waited
  const { type } = decodeRequest((await messages.read({ signal })).subarray())
  if (type !== 'unregister') {
    const isBusy = name === 'RateLimitedError' || name === 'OverloadedError' || name === 'TimeoutError'
    const no = { status: isBusy ? 'E_UNAVAILABLE' : 'E_NOT_AUTHORIZED', text: 'not admitted' } as const
    await messages.write(encodeAnswer(type === 'register' ? { type, ...no } : { type, ...no, registrations: [] }), { signal }) // prettier-ignore
  }
  await stream.close({ signal })
}
