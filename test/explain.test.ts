import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { access, connections, createSwarm, explain, identify, ping, type AccessOptions } from 'rxswarm'
import { describe, expect, it } from 'vitest'
import { runExample } from './support/runExample.ts'
import { connect, first, listenAddress, wires } from './support/swarms.ts'
import { failure, until } from './support/wait.ts'

/** Two failures in a row, and a peer is left alone. */
const POLICY = {
  breaker: {
    breaker: { type: 'consecutive', threshold: 2 },
    halfOpenAfterMs: { baseMs: 30_000, maxMs: 30_000, forgiveAfterMs: 10_000 },
  },
} as const

type Transport = (typeof wires)[number]

const start = (transport: Transport, options: Partial<AccessOptions> = {}, more: { maxConnections?: number } = {}) =>
  createSwarm({
    use: [
      connections({ policy: POLICY, ejection: { share: 0.5, known: () => 10 } }),
      identify(),
      ping(),
      access({ policy: { rules: [], default: 'allow' }, report: 'denied', ...options }),
      explain(),
    ],
    transports: [transport],
    listen: [listenAddress(transport)],
    ...more,
  })
type Node = Awaited<ReturnType<typeof start>>

const why = (node: Node, peer: string) => first(node.execute(explain.peer({ peer })))
const dial = (from: Node, to: string | readonly string[]) =>
  first(from.execute(connections.dial({ to }, { deadlineMs: 3_000 })))

/** An address at which nobody is, of a peer that nobody is. */
async function nobody(transport: Transport) {
  const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const place = transport === 'tcp' ? `tcp/${port}` : `udp/${port}/quic-v1`
  return { peer, address: `/ip4/127.0.0.1/${place}/p2p/${peer}` }
}

describe.each(wires)('explain over %s', (transport) => {
  it('a connection: by whom, and how', async () => {
    await using a = await start(transport)
    await using b = await start(transport)
    await connect(a, b)
    await until(a.state$, (state) => state.identify.has(b.self))
    const { connected, summary, facts } = await why(a, b.self)
    expect(connected).toBe(true)
    expect(summary).toMatch(
      new RegExp(
        `^Connected to ${b.self} directly over ${transport}; this node dialled it; it speaks \\d+ protocols\\.$`,
      ),
    )
    expect(facts.map(({ kind }) => kind)).toContain('connected')
    await until(b.state$, (state) => state.identify.has(a.self))
    expect((await why(b, a.self)).summary).toContain('it dialled this node')
  })

  it('a dead port, and then the circuit that opens', async () => {
    await using a = await start(transport)
    const { peer, address } = await nobody(transport)
    await failure(dial(a, address))
    const one = await why(a, peer)
    expect(one.connected).toBe(false)
    expect(one.facts[0]).toMatchObject({
      kind: transport === 'tcp' ? 'dial-failed' : (expect.stringMatching(/dial-failed|too-slow/) as string),
    })
    if (transport === 'tcp') expect(one.summary).toContain('ECONNREFUSED')
    expect(one.alternatives.map(({ kind }) => kind)).toEqual(['find'])
    if (transport !== 'tcp') return // a deadline is no failure of the peer, so it opens no circuit
    await failure(dial(a, address))
    await failure(dial(a, address))
    const two = await why(a, peer)
    expect(two.facts[0]?.kind).toBe('breaker-open')
    expect(two.summary).toMatch(
      /connections\/dial: no call is made for 30000 ms after repeated failures; the last failure: /,
    )
    expect(two.alternatives[0]).toMatchObject({ kind: 'wait' })
    expect(two.alternatives[0]!.inMs).toBeGreaterThan(10_000)
    const isolated = await first(a.execute(explain.self()))
    expect(isolated.summary).toMatch(/^Connected to nobody: 1 peer that it wanted could not be had; /)
  })

  it('a rule that denies it, on both sides', async () => {
    await using a = await start(transport)
    await using b = await start(transport)
    const policy = { rules: [{ id: 'no-b', effect: 'deny', peer: b.self }], default: 'allow' } as const
    await first(a.execute(access.set({ policy })))
    await failure(dial(a, b.addresses))
    const out = await why(a, b.self)
    expect(out.summary).toBe(`Not connected to ${b.self}: dial: rules[0] (no-b) denies it.`)
    expect(out.facts[0]).toMatchObject({ kind: 'access-denied', rule: 0, event: 'access:denied' })
    expect(out.alternatives[0]).toMatchObject({ kind: 'rule', rule: 0 })
    await failure(dial(b, a.addresses))
    expect((await why(a, b.self)).facts.map(({ text }) => text)).toContain('accept: rules[0] (no-b) denies it')
    const refused = await why(b, a.self) // it is not told why
    expect(['dial-failed', 'closed', 'too-slow']).toContain(refused.facts[0]?.kind)
    expect(refused.connected).toBe(false)
  })

  it('a block of its subnet', async () => {
    await using a = await start(transport, { blocked: ['127.0.0.0/8'] })
    await using b = await start(transport)
    await failure(dial(a, b.addresses))
    expect((await why(a, b.self)).facts[0]).toMatchObject({ kind: 'access-denied', rule: -1 })
  })

  it('a peer that hung up, and one that this node hung up on', async () => {
    await using a = await start(transport)
    await using b = await start(transport)
    await connect(a, b)
    await until(b.state$, (state) => state.identify.has(a.self))
    await first(b.execute(connections.hangUp({ peer: a.self })))
    await until(a.state$, ({ peers }) => peers.size === 0)
    const theirs = await why(a, b.self)
    expect(theirs.summary).toContain('the connection closed: the peer or the network ended it')
    expect(theirs.alternatives[0]).toMatchObject({ kind: 'dial' })
    const ours = await why(b, a.self)
    expect(ours.summary).toBe(`Not connected to ${a.self}: this node hung up.`)
    expect(ours.facts.map(({ kind }) => kind)).not.toContain('closed')
  })

  it('nobody that was ever heard of', async () => {
    await using a = await start(transport)
    const { peer } = await nobody(transport)
    expect((await why(a, peer)).summary).toMatch(/nothing is known of it/)
    await failure(dial(a, peer))
    expect((await why(a, peer)).facts[0]?.kind).toBe('no-address')
  })
})

it('the limit of connections', async () => {
  await using a = await start('tcp', {}, { maxConnections: 1 })
  await using b = await start('tcp')
  await using c = await start('tcp')
  const pruned = until(a.event$, ({ type }) => type === 'connection:prune')
  await connect(a, b)
  await dial(a, c.addresses).catch(() => undefined)
  await pruned
  await until(a.state$, ({ peers }) => peers.size === 1)
  const gone = [b.self, c.self].find((peer) => a.node.getPeers().every((open) => open.toString() !== peer))!
  const { summary, alternatives } = await why(a, gone)
  expect(summary).toContain('this node closed the connection, because it had more than maxConnections')
  expect(alternatives[0]?.kind).toBe('limit')
})

it('examples/finding/explain: says why, in one sentence, and what to do', async () => {
  expect(await runExample('finding/explain.ts')).toEqual({
    code: 0,
    stdout: [
      'Not connected to ann: nothing is known of it, neither an address nor an attempt.',
      '  → find an address: kad.findPeer, rendezvous.discover, or whoever runs it tells its multiaddr',
      'Connected to ann directly over tcp; this node dialled it; it speaks 2 protocols.',
      'Not connected to ann: the connection closed: the peer or the network ended it.',
      '  → dial PORT, which has not failed yet',
      'Not connected to bob: dial: rules[0] (not-bob) denies it.',
      '  → change rules[0] with access.set, or put a rule before it',
      'Not connected to eve: PORT/p2p/eve: connection error PORT: connect ECONNREFUSED PORT.',
      '  → every address that is known has failed: find others: kad.findPeer, rendezvous.discover, or whoever runs it tells its multiaddr',
      '',
    ].join('\n'),
    stderr: '',
  })
})
