import type { GossipSub } from '@libp2p/gossipsub'
import type { TraceContext } from '../vocabulary/command.ts'
import { encodeTraces, tracesIn, type IndexedTrace } from './gossipTraceWire.ts'
import { isSampled } from './soundTrace.ts'
import type { WireTrace } from './wireTrace.ts'

interface RpcMessage {
  readonly data?: Uint8Array
}

interface Rpc {
  readonly messages?: readonly RpcMessage[]
}

/** Parts of the service that its public type leaves out. */
interface RpcInternals {
  readonly streamsOutbound: ReadonlyMap<string, { push?(data: Uint8Array): void }>
  sendRpc(peer: string, rpc: Rpc): boolean
  decodeRpc(bytes: Uint8Array): Rpc
}

/** Which messages are part of which trace. */
export interface GossipTrace {
  /** Has a message carry a trace, if that is recorded. Returns what is to be published. */
  mark(data: Uint8Array, trace: TraceContext | undefined): Uint8Array
  /** The trace that a message has carried. */
  traceOf(data: Uint8Array): TraceContext | undefined
}

/**
 * Has gossip carry traces beside its messages: behind the RPC, where who does not know the field passes over it.
 *
 * @shape  What is not recorded is not carried. A node that traces passes on what it has heard; one that does not costs nothing,
 *         and passes on messages without. Memory: as long as gossip keeps the message.
 * @errors None: what is malformed is no trace.
 */
export function traceGossip(gossip: GossipSub, trace: () => WireTrace | undefined): GossipTrace {
  const service = gossip as unknown as RpcInternals
  /** By the bytes of the message, which gossip hands through as they are. */
  const traces = new WeakMap<Uint8Array, TraceContext>()
  const isOn = () => trace()?.isOn === true

  const decode = service.decodeRpc.bind(service)
  service.decodeRpc = (bytes) => {
    const rpc = decode(bytes)
    if (!isOn() || rpc.messages === undefined || rpc.messages.length === 0) return rpc
    for (const { message, trace: heard } of tracesIn(bytes)) {
      const data = rpc.messages[message]?.data
      if (data !== undefined) traces.set(data, heard)
    }
    return rpc
  }

  const tracesOf = ({ messages = [] }: Rpc): readonly IndexedTrace[] =>
    messages.flatMap(({ data }, message) => {
      const carried = data === undefined ? undefined : traces.get(data)
      return carried === undefined ? [] : [{ message, trace: carried }]
    })

  const send = service.sendRpc.bind(service)
  service.sendRpc = (peer, rpc) => {
    if (rpc.messages === undefined || rpc.messages.length === 0 || !isOn()) return send(peer, rpc)
    const carried = tracesOf(rpc)
    const stream = service.streamsOutbound.get(peer)
    if (carried.length === 0 || stream === undefined) return send(peer, rpc)
    const extension = encodeTraces(carried)
    const push = stream.push!.bind(stream)
    stream.push = (data) => push(Buffer.concat([data, extension]))
    try {
      return send(peer, rpc)
    } finally {
      delete stream.push // the class has its own
    }
  }

  return {
    mark: (data, carried) => {
      if (carried === undefined || !isSampled(carried)) return data
      const own = data.subarray() // of its own, so that the same bytes may be published for somebody else
      traces.set(own, carried)
      return own
    },
    traceOf: (data) => traces.get(data),
  }
}
