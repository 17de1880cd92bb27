import { getMetrics } from '@libp2p/gossipsub/metrics'
import { describe, expect, it } from 'vitest'
import { gossipName } from '../../../src/observability/metrics/gossipRegister.ts'
import { Libp2pMetrics } from '../../../src/observability/metrics/libp2pMetrics.ts'
import type { MetricFamily } from '../../../src/observability/metrics/metricFamily.ts'

/** Everything that gossipsub registers, and how to look at it. */
function registered() {
  const clock = { nowMs: 0 }
  const metrics = new Libp2pMetrics(() => clock.nowMs)
  const families = new Map<string, MetricFamily>()
  const overflowed: string[] = []
  metrics.each(
    (family) => void families.set(family.fullName, family),
    (metric) => overflowed.push(metric),
  )
  const gossip = getMetrics(metrics.gossipsub, new Map(), {
    gossipPromiseExpireSec: 3,
    behaviourPenaltyThreshold: 6,
    maxMeshMessageDeliveriesWindowSec: 1,
  })
  const series = (name: string) =>
    Object.fromEntries(
      families.get(`libp2p_gossipsub_${name}`)!.cells.map(({ labels, value }) => [labels.join(), value]),
    )
  return { gossip, metrics, families, series, overflowed, clock }
}

describe('gossipRegister', () => {
  const { families } = registered()
  it('takes all that gossipsub registers, each by a name of its own', () => {
    const asked: string[] = []
    const note = ({ name }: { name: string }) => (asked.push(name), {})
    getMetrics({ gauge: note, histogram: note, avgMinMax: note } as never, new Map(), {
      gossipPromiseExpireSec: 3,
      behaviourPenaltyThreshold: 6,
      maxMeshMessageDeliveriesWindowSec: 1,
    })
    expect(asked.length).toBeGreaterThan(80)
    expect(families.size).toBe(asked.length + 2 * 3) // what is an average, a minimum and a maximum is three
  })
  it.each([...families])('%s is named as Prometheus wants it', (name, { type, spec }) => {
    expect(name).toMatch(/^libp2p_gossipsub_[a-z_]+$/)
    expect(name.endsWith('_total')).toBe(type === 'counter')
    expect(name).not.toMatch(/_count(_|$)/)
    for (const label of spec.labels) expect(label).toMatch(/^[a-z_]+$/)
    expect(spec.help).toMatch(/\.$/)
    if (/delay|duration|seconds/.test(name) && type === 'histogram') expect(name).toMatch(/_seconds$/)
  })
  it.each([
    ['gossipsub_rpc_recv_count_total', 'libp2p_gossipsub_rpc_recv_total'],
    ['gossisub_duplicate_msg_late_delivery_total', 'libp2p_gossipsub_duplicate_msg_late_delivery_total'],
    ['gossip_iwant_promise_untracked', 'libp2p_gossipsub_iwant_promise_untracked_total'],
    ['gossipsub_topic_peer_count', 'libp2p_gossipsub_topic_peers'],
  ])('%s is %s', (given, name) => {
    expect(gossipName(given)).toBe(name)
  })
  it('counts, sets and measures, with labels and without', () => {
    const { gossip, series, families: own, clock } = registered()
    gossip.rpcRecvBytes.inc(40)
    gossip.rpcRecvBytes.inc(2)
    gossip.rpcRecvNotAccepted.inc()
    gossip.peersPerProtocol.inc({ protocol: 'a' }, 1)
    gossip.peersPerProtocol.inc({ protocol: 'b' }, 1)
    gossip.peersPerProtocol.inc({ protocol: 'a' }, -1)
    gossip.acceptedMessagesTotal.inc({ topic: 'news' })
    gossip.topicSubscriptionStatus.set({ topicStr: 'news' }, 1)
    gossip.mcacheSize.set(7)
    const stop = gossip.heartbeatDuration.startTimer()
    clock.nowMs += 250
    stop()
    gossip.msgPublishTime.observe({ topic: 'news' }, 0.5)
    expect(series('rpc_recv_bytes_total')).toEqual({ '': 42 })
    expect(series('rpc_rcv_not_accepted_total')).toEqual({ '': 1 })
    expect(series('peers_per_protocol')).toEqual({ a: 0, b: 1 })
    expect(series('accepted_messages_total')).toEqual({ news: 1 })
    expect(series('topic_subscription_status')).toEqual({ news: 1 })
    expect(series('mcache_size')).toEqual({ '': 7 })
    expect(series('heartbeat_duration_seconds')).toEqual({ '': 0.25 })
    expect(own.get('libp2p_gossipsub_heartbeat_duration_seconds')!.cells[0]!.counts).toEqual([0, 0, 1, 0])
    expect(series('msg_publish_seconds')).toEqual({ news: 0.5 })
  })
  it('tells average, least and most apart, and nothing of none', () => {
    const { gossip, series } = registered()
    gossip.score.set([1, 2, 6])
    gossip.scoreWeights.set({ p: 'p5' }, [-4])
    gossip.scorePerMesh.set({ topic: 'news' }, [])
    expect([series('score_avg'), series('score_min'), series('score_max')]).toEqual([{ '': 3 }, { '': 1 }, { '': 6 }])
    expect(series('score_weights_min')).toEqual({ 'none,p5': -4 })
    expect(series('score_per_mesh_avg')).toEqual({ news: NaN })
  })
  it('reads anew what is set for every topic there is, so that none stays that is no more', async () => {
    const { gossip, metrics, series } = registered()
    const peers = new Map([
      ['old', 3],
      ['news', 2],
    ])
    gossip.mcacheSize.addCollect(() => {
      for (const [topicStr, count] of peers) gossip.topicPeersCount.set({ topicStr }, count)
    })
    const failed: string[] = []
    await metrics.read((metric) => failed.push(metric))
    peers.delete('old')
    expect(series('topic_peers')).toEqual({ old: 3, news: 2 })
    await metrics.read((metric) => failed.push(metric))
    expect(series('topic_peers')).toEqual({ news: 2 })
    expect(failed).toEqual([])
  })
  it('stays bounded when peers invent topics: they are counted together, and never set together', () => {
    const { gossip, series, overflowed } = registered()
    for (let index = 0; index < 10_000; index++) {
      gossip.msgReceivedPreValidation.inc({ topic: `t${index}` })
      gossip.topicPeersCount.set({ topicStr: `t${index}` }, 5)
    }
    expect(Object.keys(series('msg_received_prevalidation_total'))).toHaveLength(65)
    expect(series('msg_received_prevalidation_total')['other']).toBe(10_000 - 64)
    expect(Object.keys(series('topic_peers'))).toHaveLength(65)
    expect(series('topic_peers')['other']).toBe(0)
    expect(overflowed).toHaveLength(2 * (10_000 - 64))
    expect(new Set(overflowed)).toEqual(
      new Set(['libp2p_gossipsub_msg_received_prevalidation_total', 'libp2p_gossipsub_topic_peers']),
    )
  })
})
