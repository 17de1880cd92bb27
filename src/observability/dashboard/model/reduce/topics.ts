import { placed, without } from '../listOfFew.ts'
import type { TopicView, View } from '../dashboardView.ts'
import { textOf } from '../plainFields.ts'
import { VIEW_BOUNDS } from '../viewBounds.ts'
import { withPart, type Reduce, type Reducers } from './reducers.ts'
import { withPeer } from './withPeer.ts'

function withTopic(view: View, topic: string, change: (before: TopicView) => TopicView): View {
  const make = (before: TopicView = { topic, joined: false, peers: [] }) => change(before)
  const topics = placed(view.topics, {
    is: (one) => one.topic === topic,
    make,
    most: VIEW_BOUNDS.topics,
    isMinor: ({ joined }) => !joined,
  })
  const isOver = ({ joined, peers }: TopicView) => !joined && peers.length === 0
  return withPart(
    view,
    'topics',
    without(topics, (one) => one.topic === topic && isOver(one)),
  )
}

const joined =
  (isJoined: boolean): Reduce =>
  (view, event) =>
    withTopic(view, textOf(event, 'topic'), (one) => (one.joined === isJoined ? one : { ...one, joined: isJoined }))

const peerJoined: Reduce = (view, event) => {
  const [topic, peer] = [textOf(event, 'topic'), textOf(event, 'peer')]
  const listed = withTopic(view, topic, (one) => {
    const peers = placed(one.peers, { is: (known) => known === peer, make: () => peer, most: VIEW_BOUNDS.members })
    return peers === one.peers ? one : { ...one, peers }
  })
  return withPeer(listed, peer, ({ topics }) => ({
    topics: placed(topics, { is: (known) => known === topic, make: () => topic, most: VIEW_BOUNDS.peerTopics }),
  }))
}

const peerLeft: Reduce = (view, event) => {
  const [topic, peer] = [textOf(event, 'topic'), textOf(event, 'peer')]
  if (!view.topics.some((one) => one.topic === topic)) return view
  const listed = withTopic(view, topic, (one) => leftBy(one, peer))
  return withPeer(listed, peer, ({ topics }) => ({ topics: without(topics, (known) => known === topic) }))
}

const disconnected: Reduce = (view, event) => {
  const peer = textOf(event, 'peer')
  const topics = view.topics.some(({ peers }) => peers.includes(peer))
    ? view.topics.map((one) => leftBy(one, peer)).filter(({ joined: isJoined, peers }) => isJoined || peers.length > 0)
    : view.topics
  return withPeer(withPart(view, 'topics', topics), peer, ({ topics: own }) => ({ topics: without(own, () => true) }))
}

function leftBy(topic: TopicView, peer: string): TopicView {
  const peers = without(topic.peers, (known) => known === peer)
  return peers === topic.peers ? topic : { ...topic, peers }
}

/** Who listens to what. */
export const topicReducers: Reducers = {
  'gossipsub:joined': joined(true),
  'gossipsub:left': joined(false),
  'gossipsub:peer-joined': peerJoined,
  'gossipsub:peer-left': peerLeft,
  'peer:disconnect': disconnected,
}
