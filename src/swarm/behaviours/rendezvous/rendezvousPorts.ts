import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import {
  catchError,
  defer,
  firstValueFrom,
  from,
  ignoreElements,
  map,
  mergeMap,
  Observable,
  of,
  throwError,
  timeout,
} from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { InvalidMessageError, OverloadedError, RendezvousError, type SwarmError } from '../../../errors/errors.ts'
import { asError } from '../../libp2p/asError.ts'
import { connectTo, dialTo } from '../../libp2p/connectTo.ts'
import { gateOf, internalsOf } from '../../libp2p/createHost.ts'
import { parseAddress, parsePeer } from '../../libp2p/parse.ts'
import { openRecord, ownRecord, type OpenedRecord, type RecordForm } from '../../libp2p/peerRecords.ts'
import { streamError } from '../../libp2p/streamError.ts'
import { BOTH_FORMS } from './pointDecisions.ts'
import { freshPoint, PointStore } from './pointStore.ts'
import { RENDEZVOUS, type RendezvousService } from './rendezvousService.ts'
import {
  decodeDiscovered,
  decodeRegistered,
  decodeRequest,
  encodeAnswer,
  encodeDiscover,
  encodeRegister,
  encodeUnregister,
  MOST_MESSAGE_BYTES,
  RENDEZVOUS_PROTOCOL,
  type WireDiscovered,
  type WireRegistered,
} from './rendezvousWire.ts'
import type {
  DiscoveredPage,
  DiscoverQuestion,
  FoundRegistration,
  IgnoredRegistration,
  PointAnswer,
  PointRef,
  PointRequest,
  RendezvousPorts,
} from './rendezvousVocabulary.ts'

/** How long a remote may take to send its request, or to take its answer. @unit milliseconds */
const REMOTE_MS = 10_000

/** Streams of one connection, and of all, on which requests are read or answered. A further one is reset. */
const STREAMS = 64
const MOST_SERVED = 1_024

/** A request: a record of at most 8 KiB, and its namespace. @unit bytes */
const MOST_REQUEST_BYTES = 16_384

/** Peers whose latest record is remembered; the oldest gives way. */
const MOST_KNOWN = 16_384

/** Of a registration that names none. @unit seconds @source libp2p rendezvous r3 */
const USUAL_TTL_S = 7_200

/** However long a point says that a registration holds. @unit seconds @source libp2p rendezvous r3 */
const LONGEST_TTL_S = 72n * 3_600n

/** Rendezvous over a libp2p node: the client, and the point. */
export function rendezvousPorts(node: Libp2p): RendezvousPorts {
  const store = new PointStore(internalsOf(node).datastore)
  const known = new Map<string, OpenedRecord>()
  const record = ownRecord(node)
  const held = new Map<string, number>()
  const answers = new Map<string, (answer: PointAnswer) => void>()
  const unregister = (ref: PointRef, namespace: string) =>
    connected(node, ref).pipe(
      mergeMap((connection) => fromAbortable((signal) => tell(connection, encodeUnregister(namespace), signal))),
      catchError(failure(ref)),
    )
  return {
    register: (ref, namespace, ttlS) =>
      defer(() => from(record())).pipe(
        mergeMap((records) => {
          if (records === undefined) {
            const why = 'this node announces no address; listen on one, or reserve at a relay'
            throw new RendezvousError(`register at ${ref.point}: ${why}`, 'NO_ADDRESS', { peer: ref.point })
          }
          const inForm = (form: RecordForm) =>
            exchange(node, ref, encodeRegister(namespace, records[form], ttlS)).pipe(
              map((bytes) => grantedBy(ref, decodeRegistered(bytes))),
            )
          return inForm('standard').pipe(
            mergeMap((granted) =>
              granted.isBoth
                ? inForm('rust').pipe(
                    map(() => granted),
                    catchError(() => of(granted)), // it stands in the form that counts
                  )
                : of(granted),
            ),
            catchError((error: unknown) => (isUnread(error) ? inForm('rust') : throwError(() => error))),
          )
        }),
        map(({ ttlS: granted = BigInt(ttlS ?? USUAL_TTL_S) }) => Number(within(granted))),
        catchError(failure(ref)),
      ),
    hold: (ref, namespace) =>
      new Observable<never>(() => {
        const name = `${ref.point} ${namespace}`
        held.set(name, (held.get(name) ?? 0) + 1)
        return () => {
          const left = held.get(name)! - 1
          if (left > 0) return void held.set(name, left)
          held.delete(name)
          if (node.status === 'started') takeLeave(node, unregister(ref, namespace))
        }
      }),
    unregister,
    discover: (ref, question) =>
      exchange(node, ref, encodeDiscover(question)).pipe(
        mergeMap((bytes) => {
          const answer = decodeDiscovered(bytes)
          if (answer.status !== 'OK') throw refused('discover', ref, answer.status, answer.text)
          return from(believed(node, known, question, answer))
        }),
        catchError(failure(ref)),
      ),
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
    load: () => defer(() => from(store.load(Date.now()))),
    fresh: freshPoint,
    save: (changes) => defer(() => from(store.save(changes))).pipe(ignoreElements()),
  }
}

/** Told while the node still runs; a point that does not hear of it sees the registration expire. */
function takeLeave(node: Libp2p, unregister$: Observable<unknown>): void {
  const { farewells } = node.services[RENDEZVOUS] as RendezvousService
  const told = firstValueFrom(unregister$.pipe(timeout(REMOTE_MS))).catch(() => undefined)
  farewells.add(told)
  void told.finally(() => farewells.delete(told))
}

// ---- asking ----------------------------------------------------------------------------------------------------------

function connected(node: Libp2p, { point, addresses }: PointRef): Observable<Connection> {
  return defer(() => {
    const isConnected = addresses.length === 0 || node.getPeers().some((peer) => peer.toString() === point)
    return isConnected
      ? connectTo(node, point, 'any')
      : dialTo(
          node,
          addresses.map((text) => parseAddress(text)),
        )
  })
}

function opened(connection: Connection, signal: AbortSignal): Promise<Stream> {
  return connection.newStream(RENDEZVOUS_PROTOCOL, {
    signal,
    runOnLimitedConnection: true,
    maxOutboundStreams: Infinity,
  })
}

/** One request and its answer, on a stream of their own. */
function exchange(node: Libp2p, ref: PointRef, request: Uint8Array): Observable<Uint8Array> {
  const ask = async (connection: Connection, signal: AbortSignal) => {
    const stream = await opened(connection, signal)
    try {
      const messages = lpStream(stream, { maxDataLength: MOST_MESSAGE_BYTES })
      await messages.write(request, { signal })
      const answer = (await messages.read({ signal })).subarray()
      void stream.close().catch(() => undefined)
      return answer
    } catch (error) {
      const reason = asError(error)
      stream.abort(reason)
      if (!/^Invalid(Data|Message)Length/.test(reason.name)) throw reason
      throw new InvalidMessageError(`${RENDEZVOUS_PROTOCOL}: ${ref.point} sent too long an answer: ${reason.message}`, {
        peer: ref.point,
        protocol: RENDEZVOUS_PROTOCOL,
        cause: reason,
      })
    }
  }
  return connected(node, ref).pipe(mergeMap((connection) => fromAbortable((signal) => ask(connection, signal))))
}

/** A request without an answer. */
async function tell(connection: Connection, request: Uint8Array, signal: AbortSignal): Promise<void> {
  const stream = await opened(connection, signal)
  try {
    await lpStream(stream).write(request, { signal })
    await stream.close({ signal })
  } catch (error) {
    stream.abort(asError(error))
    throw error
  }
}

function failure({ point }: PointRef) {
  return (cause: unknown) => throwError(() => streamError(cause, RENDEZVOUS_PROTOCOL, point))
}

/** What a point has granted. @errors `RendezvousError` with its status */
function grantedBy(ref: PointRef, { status, text, ttlS }: WireRegistered) {
  if (status !== 'OK') throw refused('register', ref, status, text)
  return { isBoth: text === BOTH_FORMS, ...(ttlS === undefined ? {} : { ttlS }) }
}

/** Whether a point may have been unable to read the record: rust-libp2p closes the stream without an answer. */
function isUnread(error: unknown): boolean {
  const { name, status } = Object(error) as { readonly name?: unknown; readonly status?: unknown }
  return (
    status === 'E_INVALID_SIGNED_PEER_RECORD' ||
    name === 'UnexpectedEOFError' ||
    ['StreamResetError', 'StreamError'].includes(String(name))
  )
}

function refused(what: string, { point }: PointRef, status: string, text: string): RendezvousError {
  const why = text === '' ? '' : `: ${text.slice(0, 256)}`
  return new RendezvousError(`${what}: ${point} answers ${status}${why}`, status, { peer: point })
}

function within(ttlS: bigint): bigint {
  return ttlS > LONGEST_TTL_S ? LONGEST_TTL_S : ttlS < 1n ? 1n : ttlS
}

/** What a point has told, with the signatures looked at; what is believed is kept for dials. */
async function believed(
  node: Libp2p,
  known: Map<string, OpenedRecord>,
  { namespace }: DiscoverQuestion,
  { registrations, cookie }: WireDiscovered,
): Promise<DiscoveredPage> {
  const found: FoundRegistration[] = []
  const ignored: IgnoredRegistration[] = []
  for (const { namespace: of, record, ttlS = 7_200n } of registrations) {
    try {
      if (namespace !== undefined && of !== namespace) throw new Error('it is of another namespace')
      const opened = await openRecord(record)
      const { peer } = opened
      const latest = known.get(peer)
      // a peer may have told another point later: where it is now is in its latest record
      const best = latest !== undefined && latest.seq > opened.seq ? latest : opened
      remember(known, best)
      found.push({
        peer,
        namespace: of,
        addresses: best.addresses,
        seq: best.seq,
        ttlMs: Number(within(ttlS)) * 1_000,
      })
      if (best !== latest && peer !== node.peerId.toString()) await keep(node, opened, record)
    } catch (error) {
      ignored.push({ reason: asError(error).message.slice(0, 256) })
    }
  }
  return { found, ignored, cookie, count: registrations.length }
}

/** Keeps the addresses of a peer for later dials: certified, where libp2p can read the record. */
async function keep(node: Libp2p, { form, peer, addresses }: OpenedRecord, record: Uint8Array) {
  if (form === 'standard') return node.peerStore.consumePeerRecord(record)
  return node.peerStore.merge(parsePeer(peer), { multiaddrs: addresses.map((address) => parseAddress(address)) })
}

function remember(known: Map<string, OpenedRecord>, record: OpenedRecord): void {
  known.delete(record.peer)
  known.set(record.peer, record)
  const [oldest] = known.keys()
  if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest)
}

// ---- being asked -----------------------------------------------------------------------------------------------------

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
