import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import { defer, filter, from, fromEvent, map, mergeMap, Observable, of, type Subscriber } from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { traceGossip } from '../../libp2p/gossipTrace.ts'
import { parsePeer } from '../../libp2p/parse.ts'
import { wireTraceOf } from '../../libp2p/wireTrace.ts'
import { PubsubError, RefusedMessageError, SwarmError } from '../../../errors/errors.ts'
import type { GossipMessage, GossipsubPorts, PublishedMessage } from './gossipsubBehaviour.ts'
import { plain, verdictOf, type GossipsubService, type MessageValidator } from './gossipsubService.ts'

/** What may wait in a peer's stream before a publish has to wait too. @unit bytes */
const ROOM_BYTES = 256 * 1024

/** A peer that reads nothing for this long is not waited for until it does. @unit milliseconds */
const STALLED_MS = 1_000

/** Topics of one peer that are told of; its further ones count for gossip, and are not told of. */
const MOST_TOPICS = 256

/** Signing and sending never leave the event loop to others by themselves; after this long they do. @unit milliseconds */
const TURN_MS = 100

/** A peer that has joined can be heard before it can be written to; a publish waits this long for it. @unit milliseconds */
const READY_MS = 500
const LOOK_AGAIN_MS = 10

/** Two connections to a peer, of which the one with gossip's stream closes: time for gossip to notice. @unit milliseconds */
const REVIVE_AFTER_MS = 100

/** Gossipsub over libp2p's service. */
export function gossipsubPorts(node: Libp2p, validators: Readonly<Record<string, MessageValidator>>): GossipsubPorts {
  const service = node.services['gossipsub'] as GossipsubService
  const joined = new Map<string, Subscriber<GossipMessage>>()
  let turnSince = 0
  const nextTurn = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    turnSince = performance.now()
  }

  const traces = traceGossip(service, () => wireTraceOf(node))

  service.addEventListener('gossipsub:message', ({ detail: { msg, msgId, propagationSource } }) => {
    const topic = joined.get(msg.topic)
    if (topic === undefined) return
    const link = traces.traceOf(msg.data)
    const span = link && wireTraceOf(node)?.start('gossipsub.delivery', { kind: 'consumer', link, notes })
    if (span === undefined) return topic.next(plain(msg, msgId))
    span.run(() => topic.next(plain(msg, msgId)))
    span.end()

    function notes() {
      return {
        'rxswarm.behaviour': 'gossipsub',
        'rxswarm.peer.id': propagationSource.toString(),
        'messaging.system': 'gossipsub',
        'messaging.operation.type': 'process',
        'messaging.destination.name': msg.topic,
        'messaging.message.id': msgId,
        'messaging.message.body.size': msg.data.byteLength,
      }
    }
  })
  node.addEventListener('connection:close', ({ detail: { remotePeer } }) => {
    const timer = setTimeout(() => void revive(remotePeer), REVIVE_AFTER_MS)
    timer.unref()
  })

  const excused = new Set<string>()
  const stalled = new WeakSet<Stream>()
  const topics = new Map<string, Set<string>>()

  node.addEventListener('peer:disconnect', ({ detail }) => {
    excused.delete(detail.toString())
    topics.delete(detail.toString())
  })

  /** Gossip never opens its stream to a peer again when it is lost, and publishes to it into the void. */
  const revive = async (peer: PeerId) => {
    const id = peer.toString()
    const connected = node.getConnections(peer).some(({ status }) => status === 'open')
    if (!service.isStarted() || !connected || service.streamsOutbound.has(id)) return
    await service.connect(id).catch(() => undefined) // it is gone after all: peer:disconnect tells
  }
  const subscribers = (topic: string): Iterable<string> => service.topics.get(topic) ?? []
  const isUnready = (peer: string) => !service.streamsOutbound.has(peer) && !excused.has(peer)
  const unready = (topic: string) => [...subscribers(topic)].filter(isUnready)
  const isFull = (peer: string) => {
    const stream = service.streamsOutbound.get(peer)?.rawStream
    return (
      stream !== undefined &&
      stream.writableNeedsDrain &&
      stream.writeBufferLength >= ROOM_BYTES &&
      stream.writeStatus === 'writable' &&
      !stalled.has(stream)
    )
  }

  const publish = async (topic: string, data: Uint8Array, signal: AbortSignal): Promise<PublishedMessage> => {
    const trace = wireTraceOf(node)?.outgoing()
    const validator = Object.hasOwn(validators, topic) ? validators[topic] : undefined
    const own: GossipMessage = { topic, data, from: node.peerId.toString(), id: '' }
    const { verdict, error } =
      validator === undefined ? { verdict: 'accept' as const } : await verdictOf(validator, own)
    if (verdict !== 'accept') {
      throw new RefusedMessageError(`${topic}: its own validator says ${verdict}`, { topic, cause: error })
    }
    for (let waitedMs = 0; some(subscribers(topic), isUnready) && waitedMs < READY_MS; waitedMs += LOOK_AGAIN_MS) {
      if (waitedMs === REVIVE_AFTER_MS) await Promise.all(unready(topic).map((peer) => revive(parsePeer(peer))))
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
      signal.throwIfAborted()
    }
    for (const peer of unready(topic)) excused.add(peer) // it takes no stream: nobody waits for it again
    if (some(subscribers(topic), isFull)) await room(topic, signal)
    const { recipients } = await send(topic, traces.mark(data, trace))
    if (recipients.length === 0)
      throw new PubsubError(`${topic}: no peer that has joined could be written to`, { topic })
    if (performance.now() - turnSince > TURN_MS) await nextTurn()
    if (some(subscribers(topic), isFull)) await room(topic, signal)
    return { topic, peers: recipients.map(String) }
  }
  const send = async (topic: string, data: Uint8Array) => {
    try {
      return await service.publish(topic, data)
    } catch (cause) {
      if (cause instanceof SwarmError) throw cause
      const nobody = cause instanceof Error && cause.message.includes('NoPeersSubscribedToTopic')
      const why = nobody ? 'no peer has joined it yet; wait for gossipsub:peer-joined' : String(cause)
      throw new PubsubError(`${topic}: ${why}`, { topic, cause })
    }
  }
  const room = async (topic: string, signal: AbortSignal) => {
    for (;;) {
      const full = [...subscribers(topic)].filter(isFull)
      if (full.length === 0) return
      const streams = full.flatMap((peer) => service.streamsOutbound.get(peer)?.rawStream ?? [])
      await Promise.all(
        streams.map((stream) => drained(stream, signal, STALLED_MS).then((inTime) => inTime || stall(stream))),
      )
      signal.throwIfAborted()
    }
  }
  const stall = (stream: Stream) => {
    stalled.add(stream)
    stream.addEventListener('drain', () => stalled.delete(stream), { once: true })
  }
  const isTold = (peer: string, topic: string, joined: boolean) => {
    const known = topics.get(peer) ?? new Set()
    topics.set(peer, known)
    if (!joined) return known.delete(topic)
    if (known.size >= MOST_TOPICS || known.has(topic)) return false
    known.add(topic)
    return true
  }

  return {
    publish: (topic, data) => fromAbortable((signal) => publish(topic, data, signal)),
    join: (topic) =>
      new Observable((out) => {
        service.subscribe(topic)
        joined.set(topic, out)
        return () => {
          joined.delete(topic)
          if (service.isStarted()) service.unsubscribe(topic)
        }
      }),
    peers: (topic) => defer(() => of(service.getSubscribers(topic).map(String))),
    membership$: fromEvent(service as unknown as EventTarget, 'subscription-change').pipe(
      map(
        (event) =>
          (event as CustomEvent<{ peerId: PeerId; subscriptions: { topic: string; subscribe: boolean }[] }>).detail,
      ),
      mergeMap(({ peerId, subscriptions }) =>
        from(
          subscriptions
            .map(({ topic, subscribe }) => ({ peer: peerId.toString(), topic, joined: subscribe }))
            .filter(({ peer, topic, joined: isJoin }) => isTold(peer, topic, isJoin)),
        ),
      ),
    ),
    refused$: service.refused$.pipe(filter(() => service.isStarted())),
  }
}

/** Whether one of many is such; a publish asks it a few times, so it makes no list. */
function some<T>(all: Iterable<T>, isSuch: (one: T) => boolean): boolean {
  for (const one of all) if (isSuch(one)) return true
  return false
}

/** Whether a stream has drained, closed, or nobody waits any more, within a time. */
function drained(stream: Stream, signal: AbortSignal, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (inTime: boolean) => () => {
      clearTimeout(timer)
      stream.removeEventListener('drain', done)
      stream.removeEventListener('close', done)
      signal.removeEventListener('abort', done)
      resolve(inTime)
    }
    const done = end(true)
    const timer = setTimeout(end(false), withinMs)
    stream.addEventListener('drain', done)
    stream.addEventListener('close', done)
    signal.addEventListener('abort', done)
  })
}
