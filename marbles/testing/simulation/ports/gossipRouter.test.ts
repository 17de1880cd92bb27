import { describe, expect, it } from 'vitest'
import { NEVER, of } from 'rxjs'
import { decodeGossip, encodeGossip, type GossipKind } from '../../../../src/testing/simulation/ports/gossipFrame.ts'
import type { GossipPeer } from '../../../../src/testing/simulation/ports/gossipMeshes.ts'
import { GossipRouter } from '../../../../src/testing/simulation/ports/gossipRouter.ts'
import type { Judgement } from '../../../../src/testing/simulation/ports/judge.ts'

const accept: Judgement = { verdict: 'accept' }
const data = Uint8Array.of(1)

/** A router with peers that have joined `t`, and what was sent to each. */
function routed(count: number, judgement = of(accept)) {
  let now = 0
  const delivered: string[] = []
  const refused: unknown[] = []
  const router = new GossipRouter({
    self: 'self',
    now: () => now,
    random: () => 0,
    judge: () => judgement,
    deliver: ({ id }) => void delivered.push(id),
    refuse: (one) => void refused.push(one),
    changed: () => undefined,
    tell: () => undefined,
  })
  const sent: string[] = []
  const peers = Array.from({ length: count }, (_, at): GossipPeer => {
    const peer = {
      name: `p${at}`,
      topics: new Set<string>(),
      send: (bytes: Uint8Array) => {
        const { kind, texts } = decodeGossip(bytes, 1) ?? { kind: 'none', texts: [] }
        return sent.push(`p${at} ${kind} ${texts.join(' ')}`) > 0
      },
    }
    router.meshes.peers.set(peer.name, peer)
    return peer
  })
  const hear = (at: number, kind: GossipKind, ...texts: string[]) =>
    router.hear(peers[at]!, encodeGossip(kind, texts, kind === 'message' ? data : undefined), 1)
  peers.forEach((_, at) => hear(at, 'topics', 's', 't'))
  return { router, peers, hear, delivered, refused, sent: () => sent.splice(0), wait: (ms: number) => void (now += ms) }
}

describe('GossipRouter', () => {
  it('takes six into the mesh when it joins, and lets go of them when it leaves', () => {
    const { router, sent } = routed(8)
    router.meshes.join('t')
    expect(sent().filter((line) => line.includes('graft'))).toHaveLength(6)
    router.meshes.leave('t')
    const said = sent()
    expect(said.filter((line) => line.includes('prune'))).toHaveLength(6)
    expect(said.filter((line) => line.includes('unsubscribe'))).toHaveLength(8)
  })
  it('passes a message on to its mesh once, and neither back nor to its author', () => {
    const { router, hear, sent, delivered } = routed(4)
    router.meshes.join('t')
    sent()
    hear(0, 'message', 'p1/1', 't')
    hear(2, 'message', 'p1/1', 't')
    expect(sent().toSorted()).toEqual(['p2 message p1/1 t', 'p3 message p1/1 t'])
    expect(delivered).toEqual(['p1/1'])
  })
  it('neither delivers nor passes on what is refused, its own, or of a topic that it has not joined', () => {
    const { router, hear, sent, delivered, refused } = routed(4, of<Judgement>({ verdict: 'reject' }))
    router.meshes.join('t')
    sent()
    hear(0, 'message', 'p1/1', 't')
    hear(0, 'message', 'self/1', 't')
    hear(0, 'message', 'p1/2', 'other')
    hear(0, 'message', 'nameless', 't')
    expect([sent(), delivered, refused]).toEqual([[], [], [{ topic: 't', peer: 'p0', verdict: 'reject' }]])
  })
  it('offers what is recent to those outside of the mesh, who ask for what they miss', () => {
    const { router, hear, sent } = routed(7)
    router.meshes.join('t')
    sent()
    router.publish('self/1', 't', data)
    sent()
    router.heartbeat()
    const [offer, ...others] = sent()
    expect([offer, others]).toEqual([expect.stringMatching(/p\d have t self\/1/), []])
    const outsider = Number(offer![1])
    hear(outsider, 'want', 'self/1', 'unknown')
    hear(outsider, 'want', 'self/1')
    expect(sent()).toEqual([`p${outsider} message self/1 t`])
    hear(0, 'have', 't', 'self/1', 'p9/1')
    hear(1, 'have', 't', 'p9/1')
    expect(sent()).toEqual(['p0 want p9/1'])
  })
  it('offers a message for three seconds, keeps it for five, and then has nothing to do', () => {
    const { router, hear, sent, wait } = routed(7)
    router.meshes.join('t')
    router.publish('self/1', 't', data)
    sent()
    const offers = [0, 1_000, 1_000, 999, 1, 1_000].map((ms) => (wait(ms), router.heartbeat(), sent().length))
    expect([offers, router.hasWork]).toEqual([[1, 1, 1, 1, 0, 0], false])
    hear(0, 'want', 'self/1')
    wait(1_000)
    hear(1, 'want', 'self/1')
    expect(sent()).toEqual(['p0 message self/1 t'])
  })
  it('has nothing to do for a message that everybody gets by the mesh', () => {
    const { router, hear } = routed(6)
    router.meshes.join('t')
    router.publish('self/1', 't', data)
    hear(0, 'message', 'p0/1', 't')
    expect(router.hasWork).toBe(false)
  })
  it('fills a thin mesh at the heartbeat, and leaves alone for a minute who has let go', () => {
    const { router, hear, sent, wait } = routed(6)
    router.meshes.join('t')
    sent()
    for (const at of [0, 1, 2]) hear(at, 'prune', 't')
    expect(router.hasWork).toBe(true)
    router.heartbeat()
    expect(sent()).toEqual([])
    wait(60_000)
    router.heartbeat()
    expect(sent()).toEqual(['p0 graft t', 'p2 graft t', 'p1 graft t'])
  })
  it('refuses a graft into a mesh of twelve, and into one of a topic that it has not joined', () => {
    const { router, peers, hear, sent } = routed(20)
    router.meshes.join('t')
    const grafted = sent().filter((line) => line.includes('graft'))
    const others = peers.map((_, at) => at).filter((at) => !grafted.includes(`p${at} graft t`))
    for (const at of others.slice(0, 7)) hear(at, 'graft', 't')
    hear(0, 'graft', 'other')
    expect(sent()).toEqual([`p${others[6]} prune t`, 'p0 prune other'])
  })
  it('lets 1 024 messages wait for their validators, and refuses further ones', () => {
    const { router, hear, refused } = routed(1, NEVER)
    router.meshes.join('t')
    for (let at = 0; at < 1_025; at++) hear(0, 'message', `p1/${at}`, 't')
    expect(refused).toMatchObject([{ verdict: 'ignore', error: { name: 'OverloadedError' } }])
  })
  it('forgets a message after two minutes', () => {
    const { router, hear, delivered, wait } = routed(1)
    router.meshes.join('t')
    for (const waitMs of [0, 119_999, 1]) {
      wait(waitMs)
      hear(0, 'message', 'p1/1', 't')
    }
    expect(delivered).toEqual(['p1/1', 'p1/1'])
  })
})
