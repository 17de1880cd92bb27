import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { catchError, defer, EMPTY, mergeMap, Subject, throwError } from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { OverloadedError, StreamError, type SwarmError } from '../../../errors/errors.ts'
import type { HalfOrigin } from '../../../streams/xstream/acceptHalf.ts'
import { XStreamAcceptor } from '../../../streams/xstream/acceptor.ts'
import { halfOf } from '../../../streams/xstream/half.ts'
import { openXStream } from '../../../streams/xstream/opener.ts'
import type { XStream } from '../../../streams/xstream/XStream.ts'
import {
  encodeVerdict,
  GREETED_PROTOCOL,
  XSTREAM_PROTOCOL,
  type XStreamVerdict,
} from '../../../streams/xstream/xstreamWire.ts'
import { connectTo } from '../../libp2p/connectTo.ts'
import { gateOf } from '../../libp2p/createHost.ts'
import { streamError } from '../../libp2p/streamError.ts'
import { wireTraceOf, type WireSpan } from '../../libp2p/wireTrace.ts'
import { addressNotes } from '../../libp2p/addressNotes.ts'
import { decodeXStreamGreeting, encodeXStreamGreeting, type XStreamGreeting } from '../../libp2p/xstreamGreeting.ts'
import { asSwarmError } from '../../perform.ts'
import type { TraceContext } from '../../vocabulary/command.ts'
import { Slots } from './slots.ts'
import type { ClosedStream, FailedOffer, XStreamPorts } from './xstreamBehaviour.ts'
import type { XStreamOffer } from './xstreamVocabulary.ts'

/** What {@link xstreamPorts} is made with. */
export interface XStreamPortsOptions {
  /** Xstreams of one peer that it has opened and that are not over; further ones are refused. */
  readonly maxFromPeer: number
  /** Xstreams to one connection that are open at once; further ones wait. */
  readonly maxOpen: number
  /** Xstreams that wait for their turn on one connection; further ones fail. */
  readonly maxWaiting: number
  /** How long an offer may wait for its decision. @unit milliseconds */
  readonly decideMs: number
}

/** Substreams of the protocol on one connection, in each direction; who may open how many is decided here. */
const SUBSTREAMS = 4_096

/** Told to a peer that the gate does not let through, and nothing about why. */
const NOT_AUTHENTICATED = 'not authenticated'

/** Told to a peer whose greeting is none. */
const MALFORMED = 'malformed greeting'

/** An offer that waits, and the substream that is still to come for it. */
interface Pending {
  readonly offer: XStreamOffer
  readonly verdict: PromiseWithResolvers<XStreamVerdict>
  readonly span: WireSpan | undefined
  /** Whether the xstream stands; from then on it says itself when it is over. */
  isOpen: boolean
}

/** xstream over a libp2p node. */
export function xstreamPorts(node: Libp2p, options: XStreamPortsOptions): XStreamPorts {
  const closed$ = new Subject<ClosedStream>()
  const watch = (stream: XStream): XStream => {
    const { peer, connection, id, direction } = stream
    void stream.closed.then((error) =>
      closed$.next({ peer, connection, id, direction, ...(error === undefined ? {} : { error }) }),
    )
    return stream
  }
  return { closed$, open: opening(node, options, watch), ...accepting(node, options, watch) }
}

/** Opens xstreams, a bounded number on each connection. */
function opening(
  node: Libp2p,
  { maxOpen, maxWaiting }: XStreamPortsOptions,
  watch: (stream: XStream) => XStream,
): XStreamPorts['open'] {
  const slots = new WeakMap<Connection, Slots>()
  const ids = new WeakMap<Connection, bigint>()
  const spoken = new WeakMap<Connection, readonly string[]>()
  const open = async (
    connection: Connection,
    signal: AbortSignal,
    trace: TraceContext | undefined,
    dueAt: number,
  ): Promise<XStream> => {
    const peer = connection.remotePeer.toString()
    const own = slots.get(connection) ?? new Slots(maxOpen, maxWaiting)
    slots.set(connection, own)
    const release = await own.take(signal, () => {
      const message = `xstream: ${maxWaiting} wait already to be opened to ${peer}; open fewer at once`
      return new OverloadedError(message, { peer, protocol: XSTREAM_PROTOCOL, limit: maxWaiting })
    })
    try {
      const [main, error] = await substreams(connection, await spokenBy(connection), signal)
      spoken.set(connection, [main.protocol])
      const id = (ids.get(connection) ?? 0n) + 1n
      ids.set(connection, id)
      const deadlineMs = dueAt === Infinity ? undefined : dueAt - performance.now()
      const greeting = isGreeted(main) ? encodeXStreamGreeting({ id, trace, deadlineMs }) : undefined
      const stream = watch(await openXStream({ id, peer, connection: connection.id, main, error, greeting, signal }))
      void stream.closed.then(release)
      if (signal.aborted) stream.abort(new Error('nobody waits for it any more'))
      return stream
    } catch (error) {
      release()
      throw error
    }
  }
  /** What is proposed, the preferred first. Who is not known yet is offered both, which costs those one trip who speak only one. */
  const spokenBy = async (connection: Connection): Promise<readonly string[]> => {
    const known = spoken.get(connection)
    if (known !== undefined) return known
    const { protocols } = await node.peerStore.get(connection.remotePeer).catch(() => ({ protocols: [] as string[] }))
    const isPlain = protocols.includes(XSTREAM_PROTOCOL) && !protocols.includes(GREETED_PROTOCOL)
    return isPlain ? [XSTREAM_PROTOCOL] : [GREETED_PROTOCOL, XSTREAM_PROTOCOL]
  }
  return (peer, limited, deadlineMs) =>
    defer(() => {
      const trace = wireTraceOf(node)?.outgoing()
      const dueAt = performance.now() + deadlineMs
      return connectTo(node, peer, limited ? 'any' : 'unlimited').pipe(
        mergeMap((connection) => fromAbortable((signal) => open(connection, signal, trace, dueAt))),
      )
    }).pipe(catchError((cause: unknown) => throwError(() => streamError(cause, XSTREAM_PROTOCOL, peer))))
}

/** Whether a substream begins with a greeting. */
function isGreeted({ protocol }: Stream): boolean {
  return protocol === GREETED_PROTOCOL
}

/** Both substreams of an xstream, or none. */
async function substreams(
  connection: Connection,
  protocols: readonly string[],
  signal: AbortSignal,
): Promise<readonly [main: Stream, error: Stream]> {
  const options = { signal, runOnLimitedConnection: true, maxOutboundStreams: SUBSTREAMS }
  const both = await Promise.allSettled([
    connection.newStream([...protocols], options),
    connection.newStream([...protocols], options),
  ])
  const [main, error] = both
  const isBoth = main.status === 'fulfilled' && error.status === 'fulfilled'
  if (isBoth && main.value.protocol === error.value.protocol) return [main.value, error.value]
  const reason: unknown =
    main.status === 'rejected'
      ? main.reason
      : error.status === 'rejected'
        ? error.reason
        : new StreamError('xstream: the peer speaks two protocols at once', { protocol: XSTREAM_PROTOCOL })
  for (const one of both) if (one.status === 'fulfilled') one.value.abort(reason as Error)
  throw reason
}

/**
 * Takes what peers open. The wire asks once for each substream, before it is known to which xstream it belongs; so of the
 * substreams of a connection two in a row share one offer, and its answer.
 */
function accepting(
  node: Libp2p,
  { maxFromPeer, decideMs }: XStreamPortsOptions,
  watch: (stream: XStream) => XStream,
): Pick<XStreamPorts, 'offer$' | 'withdrawn$' | 'answer' | 'accepted$' | 'failed$'> {
  const gate = gateOf(node)
  const offer$ = new Subject<XStreamOffer>()
  const withdrawn$ = new Subject<string>()
  const accepted$ = new Subject<XStream>()
  const failed$ = new Subject<FailedOffer>()
  const offers = new Map<string, Pending>()
  const halves = new Map<string, Pending>()
  const fromPeer = new Map<string, number>()
  let named = 0

  const count = (peer: string, more: 1 | -1) => {
    const now = (fromPeer.get(peer) ?? 0) + more
    if (now === 0) fromPeer.delete(peer)
    else fromPeer.set(peer, now)
  }
  const offerOf = (stream: Stream, connection: Connection, greeting: XStreamGreeting = {}): Pending => {
    const { id } = connection
    const pair = greeting.id === undefined ? id : `${id} ${greeting.id}`
    const half = halves.get(pair)
    halves.delete(pair)
    if (half !== undefined) return half
    if (stream.status !== 'open')
      throw new StreamError('xstream: it went before it was decided', { protocol: stream.protocol })
    const owner = gate.owners.get(id)
    const offer: XStreamOffer = {
      offer: `${id}:${++named}`,
      connection: id,
      peer: connection.remotePeer.toString(),
      address: connection.remoteAddr.toString(),
      ...(owner === undefined ? {} : { owner }),
      ...(greeting.deadlineMs === undefined ? {} : { deadlineMs: greeting.deadlineMs }),
      ...(greeting.trace === undefined ? {} : { trace: greeting.trace }),
    }
    const { peer, address } = offer
    const span = wireTraceOf(node)?.start('xstream.inbound', {
      kind: 'server',
      parent: greeting.trace,
      notes: () => ({
        'rxswarm.behaviour': 'xstream',
        'rxswarm.peer.id': peer,
        ...addressNotes(address, stream.protocol),
      }),
    })
    span?.event('offered')
    const pending: Pending = { offer, verdict: Promise.withResolvers(), span, isOpen: false }
    halves.set(pair, pending)
    stream.addEventListener('close', () => {
      if (halves.get(pair) === pending) halves.delete(pair)
      if (offers.delete(offer.offer)) withdrawn$.next(offer.offer)
      if (!pending.isOpen) span?.end(new StreamError('xstream: it went before it was open', { peer }))
    })
    if ((fromPeer.get(peer) ?? 0) >= maxFromPeer) {
      pending.verdict.resolve({ accepted: false, reason: `more than ${maxFromPeer} streams at once` })
      return pending
    }
    offers.set(offer.offer, pending)
    offer$.next(offer)
    return pending
  }
  /** Which answer a handshake waits for: the acceptor hands back what it was told of the substream. */
  const verdicts = new WeakMap<HalfOrigin, (greeting: Uint8Array | undefined) => Promise<XStreamVerdict>>()
  const acceptor = new XStreamAcceptor({
    decide: (origin, _signal, greeting) => verdicts.get(origin)!(greeting),
    decideMs,
  })
  const receive = async (stream: Stream, connection: Connection): Promise<void> => {
    const peer = connection.remotePeer.toString()
    const told = { peer, connection: connection.id }
    const origin: HalfOrigin = { ...told, isGreeted: isGreeted(stream) }
    let pending: Pending | undefined
    try {
      if (!isGreeted(stream)) pending = offerOf(stream, connection)
      verdicts.set(origin, async (greeting) => {
        try {
          pending ??= offerOf(stream, connection, decodeXStreamGreeting(greeting!))
          return await pending.verdict.promise
        } catch (error) {
          failed$.next({ ...told, error: asSwarmError(error) })
          return { accepted: false, reason: MALFORMED }
        }
      })
      const xstream = await acceptor.accept(stream, origin)
      if (xstream === undefined) return
      count(peer, 1)
      void watch(xstream).closed.then((error) => {
        count(peer, -1)
        pending?.span?.end(error)
      })
      const span = pending?.span
      if (pending !== undefined) pending.isOpen = true
      span?.event('accepted', { 'rxswarm.xstream.id': String(xstream.id) })
      if (span === undefined) accepted$.next(xstream)
      else span.run(() => accepted$.next(xstream))
    } catch (error) {
      stream.abort(error as Error) // without effect on one that is over
      pending?.span?.end(error)
      if ((error as SwarmError).name !== 'AccessDeniedError') failed$.next({ ...told, error: asSwarmError(error) })
    }
  }
  gate.alias(GREETED_PROTOCOL, XSTREAM_PROTOCOL)
  for (const protocol of [GREETED_PROTOCOL, XSTREAM_PROTOCOL]) {
    void node.handle(protocol, (stream, connection) => void receive(stream, connection), {
      maxInboundStreams: SUBSTREAMS,
      maxOutboundStreams: SUBSTREAMS,
      runOnLimitedConnection: true,
    })
    gate.refuseWith(protocol, refusal)
  }
  return {
    offer$,
    withdrawn$,
    accepted$,
    failed$,
    answer: (name, reason) =>
      defer(() => {
        const pending = offers.get(name)
        offers.delete(name)
        pending?.span?.event('decided', { 'rxswarm.accepted': reason === undefined })
        pending?.verdict.resolve(reason === undefined ? { accepted: true } : { accepted: false, reason })
        return EMPTY
      }),
  }
}

/** Says no in the words of the protocol, and waits until the peer has let go. */
async function refusal(stream: Stream): Promise<void> {
  const { writer, reader } = halfOf(stream, { what: 'xstream' })
  await writer.write(encodeVerdict({ accepted: false, reason: NOT_AUTHENTICATED }))
  await writer.end()
  while ((await reader.readChunk().catch(() => undefined)) !== undefined);
}
