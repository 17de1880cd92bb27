import type { Connection, Libp2p, PrivateKey, Stream } from '@libp2p/interface'
import {
  catchError,
  defer,
  EMPTY,
  finalize,
  first,
  from,
  ignoreElements,
  map,
  mergeMap,
  Observable,
  of,
  share,
  Subject,
  throwError,
  timeout,
  type ObservableInput,
} from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { sendTo } from '../../../streams/sendTo.ts'
import {
  AccessDeniedError,
  AuthenticationError,
  OverloadedError,
  StreamError,
  TimeoutError,
} from '../../../errors/errors.ts'
import { resetLater } from '../../libp2p/closeAnswered.ts'
import { connectionInfo } from '../../libp2p/connectionInfo.ts'
import { gateOf } from '../../libp2p/createHost.ts'
import type { Verdict } from '../../libp2p/gate.ts'
import { createPor, isSigned, namesOf } from '../../libp2p/ownerKeys.ts'
import { readAll } from '../../libp2p/readAll.ts'
import { streamError } from '../../libp2p/streamError.ts'
import { asSwarmError } from '../../perform.ts'
import type { Standing } from './conversation.ts'
import type { Por } from './por.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  MOST_REQUEST_BYTES,
  MOST_RESPONSE_BYTES,
  POR_PROTOCOL,
  type PorRequest,
} from './porMessages.ts'
import type { Arrival, XauthPorts } from './xauthBehaviour.ts'
import type { InboundRequest } from './xauthState.ts'
import type { DeniedStream } from './xauthVocabulary.ts'

/** What a proof of ours is to say. */
export interface Claim {
  /** This node. */
  readonly peer: string
  /** @unit seconds since the Unix epoch */
  readonly issuedAtS: number
  /** @unit seconds since the Unix epoch */
  readonly expiresAtS: number
}

/** Where our proofs come from: the owner's key, a proof that was made elsewhere, or somebody who makes them. */
export type ProofSource =
  { readonly owner: PrivateKey } | { readonly proof: Por } | { readonly issue: (claim: Claim) => ObservableInput<Por> }

/** What {@link xauthPorts} is made with. */
export interface XauthPortsOptions {
  readonly source: ProofSource
  /** Protocols that run on every connection. */
  readonly open: ReadonlySet<string>
  readonly start: 'on-connect' | 'manual'
  /** Of a proof that is made. @unit seconds */
  readonly lifetimeS: number
  /** A proof that ends within this time is made anew. @unit seconds */
  readonly renewBeforeS: number
  /** For reading a request, and for asking. @unit milliseconds */
  readonly timeoutMs: number
}

/** A clock elsewhere may be behind ours: a proof is issued this long ago. @unit seconds */
const BACKDATE_S = 60

/** Requests that are being read, of all remotes. A further one pushes out the oldest, which has had its time. */
const MOST_READING = 256

/** Streams of the protocol on one connection, in each direction. */
const STREAMS = 4

/** xauth over a libp2p node: its protocol, its keys, its gate. */
export function xauthPorts(node: Libp2p, options: XauthPortsOptions): XauthPorts {
  const gate = gateOf(node)
  const { connections } = gate
  const standings = new WeakMap<Connection, Standing>()
  const denied$ = new Subject<DeniedStream>()
  const usual: Standing = options.start === 'on-connect' ? 'pending' : 'stranger'

  gate.guard({
    rank: 0, // who it is comes before what it may
    verdict: ({ connection, protocol }): Verdict => {
      if (options.open.has(protocol)) return 'pass'
      const standing = standings.get(connection) ?? usual
      if (standing === 'authenticated') return 'pass'
      return standing === 'pending' ? 'wait' : refused(connection, protocol, standing)
    },
    settled: ({ connection, protocol, direction }, refusal) => {
      if (refusal === undefined || options.open.has(protocol) || standings.get(connection) === 'authenticated') return
      const { id, remotePeer, remoteAddr } = connection
      const [peer, address] = [remotePeer.toString(), remoteAddr.toString()]
      denied$.next({ connection: id, peer, address, protocol, direction, reason: refusal.message })
    },
  })
  return {
    ...answering(node, options.timeoutMs),
    denied$,
    connections: () => defer(() => of([...connections.values()].map(connectionInfo))),
    prove: proving(node.peerId.toString(), options),
    ask: (id, request) =>
      defer(() => {
        const connection = connections.get(id)
        if (connection !== undefined) return ask(connection, request, options.timeoutMs)
        throw new StreamError(`${POR_PROTOCOL}: the connection is closed`, { protocol: POR_PROTOCOL })
      }),
    isSigned: (proof) => defer(() => isSigned(proof)),
    stand: (id, standing, owner) =>
      defer(() => {
        const connection = connections.get(id)
        if (connection === undefined) return EMPTY
        if (owner === undefined) gate.owners.delete(id)
        else gate.owners.set(id, owner)
        standings.set(connection, standing)
        gate.review(connection)
        return EMPTY
      }),
    hangUp: (id) => defer(() => from(closed(connections.get(id)))).pipe(ignoreElements()),
  }
}

/** Closes a connection; by force when the remote does not let its streams end. */
async function closed(connection: Connection | undefined): Promise<void> {
  try {
    await connection?.close()
  } catch (error) {
    connection?.abort(error as Error)
  }
}

function refused({ remotePeer }: Connection, protocol: string, standing: Standing): AccessDeniedError {
  const peer = remotePeer.toString()
  const why = standing === 'stranger' ? 'has not authenticated' : 'is not authenticated, and was refused'
  return new AccessDeniedError(`${protocol}: ${peer} ${why}`, { peer, protocol })
}

function late(what: string, timeoutMs: number): Observable<never> {
  return throwError(
    () =>
      new TimeoutError(`${POR_PROTOCOL}: ${what} within ${timeoutMs} ms`, {
        protocol: POR_PROTOCOL,
        deadlineMs: timeoutMs,
      }),
  )
}

/** Reads what remotes ask, and answers it. */
function answering(node: Libp2p, timeoutMs: number): Pick<XauthPorts, 'arrival$' | 'respond'> {
  const arrival$ = new Subject<Arrival>()
  const reading = new Set<Stream>()
  const read = new Map<string, Stream>()
  let requests = 0
  const receive = (stream: Stream, connection: Connection): void => {
    const request = `${connection.id}:${++requests}`
    const [oldest] = reading
    if (oldest !== undefined && reading.size >= MOST_READING) {
      const message = `${POR_PROTOCOL}: ${MOST_READING} requests are being read; the oldest is given up`
      oldest.abort(new OverloadedError(message, { protocol: POR_PROTOCOL, limit: MOST_READING }))
    }
    reading.add(stream)
    read.set(request, stream)
    stream.addEventListener('close', () => {
      reading.delete(stream)
      read.delete(request)
    })
    readAll(stream, MOST_REQUEST_BYTES)
      .pipe(
        timeout({ first: timeoutMs, with: () => late('no request', timeoutMs) }),
        map((bytes): Arrival => ({ type: 'requested', request: inbound(request, connection, bytes) })),
        catchError((error: unknown) =>
          of<Arrival>({ type: 'malformed', request, connection: connection.id, error: asSwarmError(error) }),
        ),
      )
      .subscribe((arrival) => {
        reading.delete(stream)
        arrival$.next(arrival)
      })
  }
  void node.handle(POR_PROTOCOL, receive, { maxInboundStreams: STREAMS, runOnLimitedConnection: true })
  return {
    arrival$,
    respond: (request, response) =>
      defer(() => {
        const stream = read.get(request)
        read.delete(request)
        if (stream === undefined) return EMPTY
        resetLater(stream)
        return sendTo(stream, [encodeResponse(response)])
      }).pipe(ignoreElements()),
  }
}

function inbound(request: string, connection: Connection, bytes: Uint8Array): InboundRequest {
  const { por, metadata } = decodeRequest(bytes)
  const { owner, peer: subject } = namesOf(por)
  return { request, connection: connection.id, por, owner, subject, metadata }
}

/** Shows a proof, and reads the answer. */
function ask(connection: Connection, request: PorRequest, timeoutMs: number) {
  const open = (signal: AbortSignal) =>
    connection.newStream(POR_PROTOCOL, { signal, runOnLimitedConnection: true, maxOutboundStreams: STREAMS })
  return fromAbortable(open).pipe(
    mergeMap(
      (stream) =>
        new Observable<Uint8Array>((out) => {
          out.add(() => stream.abort(new Error('the request is over'))) // a stream that has ended stays as it is
          out.add(sendTo(stream, [encodeRequest(request)]).subscribe({ error: (error) => out.error(error) }))
          out.add(readAll(stream, MOST_RESPONSE_BYTES).subscribe(out))
        }),
    ),
    map(decodeResponse),
    timeout({ first: timeoutMs, with: () => late('no answer', timeoutMs) }),
    catchError((cause: unknown) =>
      throwError(() => streamError(cause, POR_PROTOCOL, connection.remotePeer.toString())),
    ),
  )
}

/** Our proofs: the latest one, until a fresh one is due. */
function proving(self: string, { source, lifetimeS, renewBeforeS }: XauthPortsOptions): XauthPorts['prove'] {
  let latest: Por | undefined
  /** What is being made, and for whom: connections that open together show one proof. */
  let making: { readonly afterS: number; readonly proof$: Observable<Por> } | undefined
  const make = (claim: Claim): Observable<Por> => {
    if ('owner' in source) return from(createPor({ owner: source.owner, ...claim }))
    return 'proof' in source ? of(source.proof) : from(source.issue(claim))
  }
  return (nowS, afterS = -1) =>
    defer(() => {
      const isFresh = latest !== undefined && latest.expiresAtS - renewBeforeS > nowS && latest.issuedAtS > afterS
      if (latest !== undefined && isFresh) return of(latest)
      if (making !== undefined && making.afterS >= afterS) return making.proof$
      const now = Math.floor(nowS)
      const issuedAtS = Math.max(now - BACKDATE_S, afterS + 1)
      const made$ = make({ peer: self, issuedAtS, expiresAtS: Math.max(now, issuedAtS) + lifetimeS })
      const proof$ = made$.pipe(
        first(),
        finalize(() => {
          if (making?.proof$ === proof$) making = undefined
        }),
        share(),
      )
      making = { afterS, proof$ }
      return proof$
    }).pipe(
      map((proof) => {
        const { owner, peer } = namesOf(proof)
        if (peer !== self) throw new AuthenticationError(`our own proof is about another peer: ${peer}`, { peer })
        latest = proof
        return { proof, owner }
      }),
    )
}
