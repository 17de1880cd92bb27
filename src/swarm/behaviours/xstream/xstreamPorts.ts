import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { catchError, defer, EMPTY, mergeMap, Subject, throwError } from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { OverloadedError, type SwarmError } from '../../../errors/errors.ts'
import type { HalfOrigin } from '../../../streams/xstream/acceptHalf.ts'
import { XStreamAcceptor } from '../../../streams/xstream/acceptor.ts'
import { halfOf } from '../../../streams/xstream/half.ts'
import { openXStream } from '../../../streams/xstream/opener.ts'
import type { XStream } from '../../../streams/xstream/XStream.ts'
import { encodeVerdict, XSTREAM_PROTOCOL, type XStreamVerdict } from '../../../streams/xstream/xstreamWire.ts'
import { connectTo } from '../../libp2p/connectTo.ts'
import { gateOf } from '../../libp2p/createHost.ts'
import { streamError } from '../../libp2p/streamError.ts'
import { asSwarmError } from '../../perform.ts'
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

/** An offer that waits, and the substream that is still to come for it. */
interface Pending {
  readonly offer: XStreamOffer
  readonly verdict: PromiseWithResolvers<XStreamVerdict>
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
  const open = async (connection: Connection, signal: AbortSignal): Promise<XStream> => {
    const peer = connection.remotePeer.toString()
    const own = slots.get(connection) ?? new Slots(maxOpen, maxWaiting)
    slots.set(connection, own)
    const release = await own.take(signal, () => {
      const message = `xstream: ${maxWaiting} wait already to be opened to ${peer}; open fewer at once`
      return new OverloadedError(message, { peer, protocol: XSTREAM_PROTOCOL, limit: maxWaiting })
    })
    try {
      const [main, error] = await substreams(connection, signal)
      const id = (ids.get(connection) ?? 0n) + 1n
      ids.set(connection, id)
      const stream = watch(await openXStream({ id, peer, connection: connection.id, main, error, signal }))
      void stream.closed.then(release)
      if (signal.aborted) stream.abort(new Error('nobody waits for it any more'))
      return stream
    } catch (error) {
      release()
      throw error
    }
  }
  return (peer, limited) =>
    connectTo(node, peer, limited ? 'any' : 'unlimited').pipe(
      mergeMap((connection) => fromAbortable((signal) => open(connection, signal))),
      catchError((cause: unknown) => throwError(() => streamError(cause, XSTREAM_PROTOCOL, peer))),
    )
}

/** Both substreams of an xstream, or none. */
async function substreams(
  connection: Connection,
  signal: AbortSignal,
): Promise<readonly [main: Stream, error: Stream]> {
  const options = { signal, runOnLimitedConnection: true, maxOutboundStreams: SUBSTREAMS }
  const both = await Promise.allSettled([
    connection.newStream(XSTREAM_PROTOCOL, options),
    connection.newStream(XSTREAM_PROTOCOL, options),
  ])
  const [main, error] = both
  if (main.status === 'fulfilled' && error.status === 'fulfilled') return [main.value, error.value]
  const reason: unknown = main.status === 'rejected' ? main.reason : error.status === 'rejected' ? error.reason : ''
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
  const offerOf = (stream: Stream, connection: Connection): Pending => {
    const { id } = connection
    const half = halves.get(id)
    halves.delete(id)
    if (half !== undefined) return half
    const owner = gate.owners.get(id)
    const offer: XStreamOffer = {
      offer: `${id}:${++named}`,
      connection: id,
      peer: connection.remotePeer.toString(),
      address: connection.remoteAddr.toString(),
      ...(owner === undefined ? {} : { owner }),
    }
    const pending: Pending = { offer, verdict: Promise.withResolvers() }
    halves.set(id, pending)
    stream.addEventListener('close', () => {
      if (halves.get(id) === pending) halves.delete(id)
      if (offers.delete(offer.offer)) withdrawn$.next(offer.offer)
    })
    if ((fromPeer.get(offer.peer) ?? 0) >= maxFromPeer) {
      pending.verdict.resolve({ accepted: false, reason: `more than ${maxFromPeer} streams at once` })
      return pending
    }
    offers.set(offer.offer, pending)
    offer$.next(offer)
    return pending
  }
  /** Which answer a handshake waits for: the acceptor hands back what it was told of the substream. */
  const verdicts = new WeakMap<HalfOrigin, Promise<XStreamVerdict>>()
  const acceptor = new XStreamAcceptor({ decide: (origin) => verdicts.get(origin)!, decideMs })
  const receive = async (stream: Stream, connection: Connection): Promise<void> => {
    const peer = connection.remotePeer.toString()
    const origin = { peer, connection: connection.id }
    try {
      verdicts.set(origin, offerOf(stream, connection).verdict.promise)
      const xstream = await acceptor.accept(stream, origin)
      if (xstream === undefined) return
      count(peer, 1)
      void watch(xstream).closed.then(() => count(peer, -1))
      accepted$.next(xstream)
    } catch (error) {
      stream.abort(error as Error) // without effect on one that is over
      if ((error as SwarmError).name !== 'AccessDeniedError') failed$.next({ ...origin, error: asSwarmError(error) })
    }
  }
  void node.handle(XSTREAM_PROTOCOL, (stream, connection) => void receive(stream, connection), {
    maxInboundStreams: SUBSTREAMS,
    maxOutboundStreams: SUBSTREAMS,
    runOnLimitedConnection: true,
  })
  gate.refuseWith(XSTREAM_PROTOCOL, async (stream) => {
    const { writer, reader } = halfOf(stream, { what: 'xstream' })
    await writer.write(encodeVerdict({ accepted: false, reason: NOT_AUTHENTICATED }))
    await writer.end()
    while ((await reader.readChunk().catch(() => undefined)) !== undefined);
  })
  return {
    offer$,
    withdrawn$,
    accepted$,
    failed$,
    answer: (name, reason) =>
      defer(() => {
        const pending = offers.get(name)
        offers.delete(name)
        pending?.verdict.resolve(reason === undefined ? { accepted: true } : { accepted: false, reason })
        return EMPTY
      }),
  }
}
