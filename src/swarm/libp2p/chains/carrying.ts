import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { defer, EMPTY, from, ignoreElements, Subject } from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { ChainError, OverloadedError } from '../../../errors/errors.ts'
import type { ChainRole } from '../../behaviours/chains/admission.ts'
import type { ChainArrival } from '../../behaviours/chains/carrierState.ts'
import type { CarryEnd, ChainsPorts } from '../../behaviours/chains/chainsBehaviour.ts'
import { END_PROTOCOL, HOP_PROTOCOL, type ChainBudget, type ChainOpen } from '../../behaviours/chains/chainWords.ts'
import { asSwarmError } from '../../perform.ts'
import type { Carried } from '../carriedTrace.ts'
import { closeAnswered, LINGER_MS } from '../closeAnswered.ts'
import { connectTo } from '../connectTo.ts'
import { wireTraceOf } from '../wireTrace.ts'
import { askHop, channelOf, HOP_STREAMS, hopError, type MessageChannel } from './askHop.ts'
import {
  decodeChainRequest,
  decodeOpen,
  encodeChainAnswer,
  MOST_NEIGHBOURS,
  type ChainAnswer,
  type SignedChainOpen,
} from './chainWire.ts'
import { directTo, isDirect } from './directTo.ts'
import { pipeHop } from './hopPipe.ts'
import { isSignedByOpener } from './openSignature.ts'
import { firstOf } from './firstOf.ts'

/** A request that has been read, and waits for its answer. */
export interface Waiting {
  readonly stream: Stream
  readonly channel: MessageChannel
  readonly from: string
  readonly asked:
    | {
        readonly type: 'open'
        readonly open: ChainOpen
        readonly signed: SignedChainOpen
        readonly carried?: Carried | undefined
        /** When it was read. @unit milliseconds of `performance.now` */
        readonly at: number
      }
    | { readonly type: 'ask'; readonly target?: string }
}

/** What {@link carrying} is made with. */
export interface CarryingOptions {
  /** Which protocols are spoken. */
  readonly roles: readonly ChainRole[]
  /** Whether a neighbour that is not connected is dialled. */
  readonly dial: boolean
}

/** What a node does for its neighbours, and what it has read from them. */
export interface Carrying extends Pick<ChainsPorts, 'arrival$' | 'verify' | 'refuse' | 'tell' | 'carry'> {
  /** Hands over a request that is to be accepted. */
  taken(request: string): Waiting | undefined
}

const PROTOCOLS: Readonly<Record<ChainRole, string>> = { hop: HOP_PROTOCOL, end: END_PROTOCOL }

/** Requests that are being read, of all neighbours. A further one pushes out the oldest, which has had its time. */
const MOST_READING = 256

/** For reading a request. @unit milliseconds */
const READ_MS = 10_000

/** However long an opener says that it waits. @unit milliseconds */
const MOST_DEADLINE_MS = 30_000

/** Peers that are looked at to tell who carries. */
const MOST_LOOKED_AT = 256

/** Reads what neighbours ask of a carrier, or of the end of a chain, and does it. */
export function carrying(node: Libp2p, { roles, dial }: CarryingOptions): Carrying {
  const arrival$ = new Subject<ChainArrival>()
  const reading = new Set<Stream>()
  const waiting = new Map<string, Waiting>()
  let requests = 0

  const receive = async (role: ChainRole, stream: Stream, connection: Connection): Promise<void> => {
    const request = `${connection.id}:${++requests}`
    const known = { request, from: connection.remotePeer.toString(), address: connection.remoteAddr.toString() }
    const [oldest] = reading
    if (oldest !== undefined && reading.size >= MOST_READING) {
      oldest.abort(new OverloadedError(`chain: ${MOST_READING} requests are being read`, { limit: MOST_READING }))
    }
    reading.add(stream)
    stream.addEventListener('close', () => {
      reading.delete(stream)
      waiting.delete(request)
    })
    const channel = channelOf(stream)
    const keep = (asked: Waiting['asked']) => waiting.set(request, { stream, channel, from: known.from, asked })
    try {
      if (!isDirect(connection)) throw new ChainError('chain: over a relay or a chain none is carried', 'DENIED')
      const read = await channel.read({ signal: AbortSignal.timeout(READ_MS) })
      reading.delete(stream)
      const asked = decodeChainRequest(read.subarray())
      if (asked.type === 'open') {
        const open = decodeOpen(asked.signed.open)
        keep({ ...asked, open, at: performance.now() })
        arrival$.next({ type: 'asked', ...known, role, open })
      } else if (role === 'hop') {
        keep(asked)
        arrival$.next({ type: 'inquired', ...known })
      } else throw new ChainError('chain: who carries is not asked here', 'MALFORMED')
    } catch (error) {
      reading.delete(stream)
      if (stream.status !== 'open') return // it went, or was pushed out, before it had asked anything
      keep({ type: 'ask' })
      arrival$.next({ type: 'malformed', ...known, error: asSwarmError(error) })
    }
  }
  for (const role of roles) {
    void node.handle(PROTOCOLS[role], (stream, connection) => void receive(role, stream, connection), {
      maxInboundStreams: HOP_STREAMS,
      maxOutboundStreams: HOP_STREAMS,
    })
  }

  const taken = (request: string): Waiting | undefined => {
    const one = waiting.get(request)
    waiting.delete(request)
    return one
  }
  const answer = async ({ stream, channel }: Waiting, said: ChainAnswer): Promise<void> => {
    try {
      await channel.write(encodeChainAnswer(said), { signal: AbortSignal.timeout(LINGER_MS) })
    } finally {
      await closeAnswered(stream)
    }
  }
  const refusing = (
    one: Waiting,
    hop: number,
    refusal: Extract<CarryEnd, { type: 'refused' }>['refusal'],
  ): CarryEnd => {
    answer(one, { type: 'refused', hop, ...refusal }).catch(() => undefined) // who is gone needs none
    return { type: 'refused', refusal }
  }

  const carry = async (one: Waiting, at: number, granted: ChainBudget, signal: AbortSignal): Promise<CarryEnd> => {
    const asked = one.asked as Extract<Waiting['asked'], { type: 'open' }>
    const { open, signed, carried: told } = asked
    const span = followOpen(node, one, 'chain.hop', at)
    const refused = (hop: number, refusal: Extract<CarryEnd, { type: 'refused' }>['refusal']): CarryEnd => {
      span?.end(new ChainError(`chain: ${refusal.text}`, refusal.status, { at: open.path[hop] ?? '' }))
      return refusing(one, hop, refusal)
    }
    const next = open.path[at + 1]!
    const carriers = open.path.length - 1
    const isLast = at + 1 === carriers
    // who is farther waits less, so that it is the last one before the silence who tells of it
    const share = (Math.min(open.deadlineMs, MOST_DEADLINE_MS) * (carriers - at)) / (carriers + 1)
    const waitMs = Math.ceil(Math.min(share, leftOf(asked)))
    const late = AbortSignal.any([signal, AbortSignal.timeout(waitMs)])
    const goneSignal = new AbortController()
    one.stream.addEventListener('close', () => goneSignal.abort(new Error('it is gone')))
    const limit = AbortSignal.any([late, goneSignal.signal])
    try {
      const connection = directTo(node, next) ?? (dial ? await firstOf(connectTo(node, next), limit) : undefined)
      if (connection === undefined || !isDirect(connection)) {
        return refused(at, { status: 'UNREACHABLE', text: `${next} is no neighbour` })
      }
      const left = leftOf(asked)
      const carried = { trace: span?.carried ?? told?.trace, ...(left < Infinity && { deadlineMs: left }) }
      const {
        stream,
        channel,
        answer: said,
      } = await askHop(connection, PROTOCOLS[isLast ? 'end' : 'hop'], { type: 'open', signed, carried }, limit)
      if (said.type !== 'opened') {
        stream.abort(new Error('it refuses'))
        const isHonest = said.type === 'refused' && said.hop > at && said.hop < open.path.length
        if (isHonest) return refused(said.hop, { status: said.status, text: said.text })
        return refused(at + 1, { status: 'MALFORMED', text: `${next} answers something else` })
      }
      const grant = { bytes: Math.min(granted.bytes, said.granted.bytes), ms: Math.min(granted.ms, said.granted.ms) }
      await one.channel.write(encodeChainAnswer({ type: 'opened', granted: grant }), { signal: limit })
      span?.end()
      return { type: 'carried', ...(await pipeHop(one.channel.unwrap(), channel.unwrap(), grant, signal)) }
    } catch (cause) {
      const { status, message, at: whose } = hopError(cause, next, late)
      const refusal = { status: status as Extract<CarryEnd, { type: 'refused' }>['refusal']['status'], text: message }
      return refused(whose === next ? at + 1 : at, refusal)
    }
  }

  const neighbours = async ({ from: asker, asked }: Waiting): Promise<ChainAnswer> => {
    const { target } = asked as Extract<Waiting['asked'], { type: 'ask' }>
    const carriers = (await carryingNeighbours(node)).filter((peer) => peer !== asker)
    const hasTarget = target !== undefined && target !== asker && directTo(node, target) !== undefined
    return { type: 'neighbours', carriers: carriers.slice(0, MOST_NEIGHBOURS), hasTarget }
  }
  return {
    arrival$,
    taken,
    verify: (request) =>
      defer(() => {
        const asked = waiting.get(request)?.asked
        return asked?.type === 'open' ? from(isSignedByOpener(asked.open, asked.signed)) : [false]
      }),
    refuse: (request, at, refusal) =>
      defer(() => {
        const one = taken(request)
        return one === undefined ? EMPTY : from(answer(one, { type: 'refused', hop: at, ...refusal }))
      }).pipe(ignoreElements()),
    tell: (request) =>
      defer(() => {
        const one = taken(request)
        return one === undefined ? EMPTY : from(neighbours(one).then((told) => answer(one, told)))
      }).pipe(ignoreElements()),
    carry: (request, at, granted) =>
      defer(() => {
        const one = taken(request)
        if (one === undefined) throw new ChainError('chain: who asked is gone', 'UNREACHABLE')
        return fromAbortable((signal) => carry(one, at, granted, signal))
      }),
  }
}

/** Neighbours that say, by identify, that they carry. */
export async function carryingNeighbours(node: Libp2p): Promise<readonly string[]> {
  const peers = node.getPeers().slice(0, MOST_LOOKED_AT)
  const known = await Promise.all(
    peers.map(async (peer) => {
      const { protocols } = await node.peerStore.get(peer).catch(() => ({ protocols: [] as string[] }))
      return protocols.includes(HOP_PROTOCOL) && directTo(node, peer.toString()) !== undefined ? peer.toString() : ''
    }),
  )
  return known.filter((peer) => peer !== '')
}

/** Follows what is done for a request, as a part of the trace that it names. */
export function followOpen(node: Libp2p, { asked, from, stream }: Waiting, name: string, at: number) {
  if (asked.type !== 'open') return undefined
  const { open, carried } = asked
  return wireTraceOf(node)?.start(name, {
    kind: 'server',
    parent: carried?.trace,
    notes: () => ({
      'rxswarm.behaviour': 'chains',
      'rxswarm.peer.id': from,
      'rxswarm.chain.id': open.chain,
      'rxswarm.chain.hop': at,
      'rxswarm.chain.carriers': open.path.length - 1,
      'network.protocol.name': stream.protocol,
    }),
  })
}

/** How long who asked still waits, by its own word. @unit milliseconds */
export function leftOf({ carried, at }: Extract<Waiting['asked'], { type: 'open' }>): number {
  return carried?.deadlineMs === undefined ? Infinity : Math.max(0, carried.deadlineMs - (performance.now() - at))
}
