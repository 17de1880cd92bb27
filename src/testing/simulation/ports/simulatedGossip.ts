import {
  concat,
  defer,
  EMPTY,
  filter,
  ignoreElements,
  isObservable,
  merge,
  mergeMap,
  Observable,
  of,
  Subscription,
  take,
  tap,
  timer,
  type Subscriber,
} from 'rxjs'
import { PubsubError } from '../../../errors/errors.ts'
import { Relay } from '../../../operators/relay.ts'
import type {
  GossipMessage,
  GossipsubDecisions,
  GossipsubPorts,
  PublishedMessage,
  RefusedMessage,
} from '../../../swarm/behaviours/gossipsub/gossipsubBehaviour.ts'
import type { MessageValidator } from '../../../swarm/behaviours/gossipsub/gossipsubService.ts'
import type { AnyModule } from '../../../swarm/vocabulary/behaviour.ts'
import type { SimulatedNode } from '../simulatedNode.ts'
import type { GossipLink } from './gossipLink.ts'
import { GossipLinks } from './gossipLinks.ts'
import { GossipRouter } from './gossipRouter.ts'
import { ACCEPTED, judge } from './judge.ts'
import { lifetimeOf } from './lifetimeOf.ts'

/** @source gossipsub's heartbeat_interval. @unit milliseconds */
const HEARTBEAT_MS = 1_000

/** A peer that reads nothing for this long is not waited for until it does. @unit milliseconds */
const STALLED_MS = 1_000

/** A peer that has joined can be heard before it can be written to; a publish waits this long for it. @unit milliseconds */
const READY_MS = 500

/** Topics of one peer that are told of; its further ones count for gossip, and are not told of. */
const MOST_TOLD = 256

type Options = GossipsubDecisions & { readonly validators: Readonly<Record<string, MessageValidator>> }

/**
 * Gossipsub of a simulated node.
 *
 * @shape  A model: libp2p's meshes, gossip and caches over frames of its own. A heartbeat is only scheduled while a mesh is
 *         thin or a message is kept.
 */
export function simulatedGossip(node: SimulatedNode, module: AnyModule): GossipsubPorts {
  const { validators } = module.options as Options
  const { scheduler, random, name: self } = node
  const validatorOf = new Map(Object.entries(validators))
  const life = lifetimeOf(node)
  const joined = new Map<string, Subscriber<GossipMessage>>()
  const membership$ = new Relay<{ readonly peer: string; readonly topic: string; readonly joined: boolean }>()
  const refused$ = new Relay<RefusedMessage>()
  const told = new Map<string, Set<string>>()
  let sequence = 0

  const tell = (peer: string, topic: string, isJoin: boolean) => {
    const known = told.get(peer) ?? new Set()
    told.set(peer, known)
    if (isJoin ? known.size >= MOST_TOLD || known.has(topic) : !known.delete(topic)) return
    if (isJoin) known.add(topic)
    membership$.next({ peer, topic, joined: isJoin })
  }
  const verdict = (message: GossipMessage) => {
    const validator = validatorOf.get(message.topic)
    return validator === undefined ? ACCEPTED : judge(validator, message, scheduler)
  }
  const router = new GossipRouter({
    self,
    random,
    now: () => scheduler.now(),
    judge: verdict,
    deliver: (message) => {
      joined.get(message.topic)?.next(message)
      if (heartbeat === undefined && meshes.hasOutside(message.topic)) beat()
    },
    changed: () => beat(),
    refuse: (refused) => refused$.next(refused),
    tell,
  })

  const { meshes } = router
  let heartbeat: Subscription | undefined
  const beat = () => {
    if (heartbeat !== undefined || life.closed || !router.hasWork) return
    heartbeat = scheduler.schedule(() => {
      heartbeat = undefined
      router.heartbeat()
      beat()
    }, HEARTBEAT_MS)
  }
  life.add(() => {
    heartbeat?.unsubscribe()
    router.close()
  })

  const links = new GossipLinks(node, router, life, {
    changed: beat,
    gone: (peer) => void told.delete(peer),
  })

  /** Completes when no peer of a topic is in a state, or after a time, when those that are have been marked. */
  const without = (
    topic: string,
    is: (link: GossipLink) => boolean,
    withinMs: number,
    mark: (link: GossipLink) => void,
  ): Observable<never> => {
    const such = () => links.of(topic).filter(is)
    const late = () => such().forEach(mark)
    return defer(() =>
      such().length === 0
        ? EMPTY
        : merge(links.change$, timer(withinMs, scheduler).pipe(tap(late))).pipe(
            filter(() => such().length === 0),
            take(1),
            ignoreElements(),
          ),
    )
  }
  const ready = (topic: string) =>
    without(
      topic,
      ({ outbound, isExcused }) => outbound === undefined && !isExcused,
      READY_MS,
      (link) => (link.isExcused = true),
    )
  const room = (topic: string) =>
    without(
      topic,
      ({ isFull, isStalled }) => isFull && !isStalled,
      STALLED_MS,
      (link) => (link.isStalled = true),
    )
  const send = (topic: string, data: Uint8Array): PublishedMessage => {
    if (meshes.members(topic).length === 0) {
      throw new PubsubError(`${topic}: no peer has joined it yet; wait for gossipsub:peer-joined`, { topic })
    }
    // from the clock, so that a node that starts anew does not begin where it has been before
    sequence = Math.max(sequence + 1, Math.floor(scheduler.now() * 1_000))
    const peers = router.publish(`${self}/${sequence.toString(36)}`, topic, data)
    beat()
    if (peers.length > 0) return { topic, peers }
    throw new PubsubError(`${topic}: no peer that has joined could be written to`, { topic })
  }

  return {
    membership$,
    refused$,
    peers: (topic) => defer(() => of(meshes.members(topic).map(({ name }) => name))),
    join: (topic) =>
      new Observable((out) => {
        joined.set(topic, out)
        meshes.join(topic)
        beat()
        return () => {
          joined.delete(topic)
          meshes.leave(topic)
        }
      }),
    publish: (topic, data) =>
      defer(() => {
        const judgement = verdict({ topic, data, from: self, id: '' })
        return isObservable(judgement) ? judgement : of(judgement)
      }).pipe(
        mergeMap(({ verdict: said, error }) => {
          if (said !== 'accept') {
            throw new PubsubError(`${topic}: its own validator says ${said}`, { topic, cause: error })
          }
          const sent$ = defer(() => {
            const published = send(topic, data)
            return concat(room(topic), of(published))
          })
          return concat(ready(topic), room(topic), sent$)
        }),
      ),
  }
}
