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
import { InvalidMessageError, RendezvousError } from '../../../errors/errors.ts'
import { asError } from '../../libp2p/asError.ts'
import { connectTo, dialTo } from '../../libp2p/connectTo.ts'
import { internalsOf } from '../../libp2p/createHost.ts'
import { parseAddress, parsePeer } from '../../libp2p/parse.ts'
import { openRecord, ownRecord, type OpenedRecord, type RecordForm } from '../../libp2p/peerRecords.ts'
import { streamError } from '../../libp2p/streamError.ts'
import { BOTH_FORMS, USUAL_TTL_S } from './pointDecisions.ts'
import { pointPorts } from './pointPorts.ts'
import { freshPoint, PointStore } from './pointStore.ts'
import { RENDEZVOUS, type RendezvousService } from './rendezvousService.ts'
import {
  decodeDiscovered,
  decodeRegistered,
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
  PointRef,
  RendezvousPorts,
} from './rendezvousVocabulary.ts'

/** How long a point may take to hear that this node goes. @unit milliseconds */
const FAREWELL_MS = 10_000

/** Peers whose latest record is remembered; the oldest gives way. */
const MOST_KNOWN = 16_384

/** However long a point says that a registration holds. @unit seconds @source libp2p rendezvous r3 */
const LONGEST_TTL_S = 72n * 3_600n

/** Rendezvous over a libp2p node: the client, and the point. */
export function rendezvousPorts(node: Libp2p): RendezvousPorts {
  const store = new PointStore(internalsOf(node).datastore)
  const known = new Map<string, OpenedRecord>()
  const record = ownRecord(node)
  const held = new Map<string, number>()
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
    ...pointPorts(node),
    load: () => defer(() => from(store.load(Date.now()))),
    fresh: freshPoint,
    save: (changes) => defer(() => from(store.save(changes))).pipe(ignoreElements()),
  }
}

/** Told while the node still runs; a point that does not hear of it sees the registration expire. */
function takeLeave(node: Libp2p, unregister$: Observable<unknown>): void {
  const { farewells } = node.services[RENDEZVOUS] as RendezvousService
  const told = firstValueFrom(unregister$.pipe(timeout(FAREWELL_MS))).catch(() => undefined)
  farewells.add(told)
  void told.finally(() => farewells.delete(told))
}

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

const CUT_SHORT = new Set(['UnexpectedEOFError', 'StreamResetError', 'StreamError'])

/** Whether a point may have been unable to read the record: rust-libp2p closes the stream without an answer. */
function isUnread(error: unknown): boolean {
  const { name, status } = Object(error) as { readonly name?: unknown; readonly status?: unknown }
  return status === 'E_INVALID_SIGNED_PEER_RECORD' || CUT_SHORT.has(String(name))
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
  for (const { namespace: of, record, ttlS = BigInt(USUAL_TTL_S) } of registrations) {
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
