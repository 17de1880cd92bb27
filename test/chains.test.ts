import {
  chains,
  connections,
  createSwarm,
  identify,
  ping,
  xauth,
  xstream,
  type ChainError,
  type ChainsEvent,
  type ChainsOptions,
  type Stamped,
  type Swarm,
  type TransportName,
  type XStream,
} from 'rxswarm'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { askHop } from '../src/swarm/libp2p/chains/askHop.ts'
import { FramePath } from '../src/swarm/libp2p/chains/framePath.ts'
import { signOpen } from '../src/swarm/libp2p/chains/openSignature.ts'
import { HOP_PROTOCOL, UNBOUNDED, type ChainOpen } from '../src/swarm/behaviours/chains/chainWords.ts'
import { carryByHand, type Tap } from './support/handCarrier.ts'
import { runExample } from './support/runExample.ts'
import { connect, first, group, listenAddress, nth, wires, type Group } from './support/swarms.ts'
import { failure, pause, processErrors, until } from './support/wait.ts'

const start = (transport: TransportName, options: ChainsOptions = {}) =>
  createSwarm({
    use: [connections(), identify(), ping(), xstream(), chains(options)],
    transports: [transport],
    listen: [listenAddress(transport)],
    deadlineMs: 20_000,
  })
type Node = Awaited<ReturnType<typeof start>>

/** A node that carries as a test tells it to. */
async function startTapped(transport: TransportName, tap: Tap, lateMs = 0) {
  const node = await createSwarm({
    use: [connections(), identify()],
    transports: [transport],
    listen: [listenAddress(transport)],
  })
  carryByHand(node.node, tap, lateMs)
  return node
}

type Any = Pick<Swarm<readonly []>, 'self' | 'addresses'> & AsyncDisposable

/** Connects each to the one after it. */
async function inRow(...nodes: readonly Any[]) {
  for (let i = 1; i < nodes.length; i++) await connect(nth(nodes, i - 1), nth(nodes, i))
}

/** Nodes in a row, each connected to the next; those between the ends carry. */
async function row(transport: TransportName, count: number, options: ChainsOptions = {}): Promise<Group<Node>> {
  const optionsOf = (i: number) => (i > 0 && i < count - 1 ? { carry: true, ...options } : options)
  const nodes = group(await Promise.all(Array.from({ length: count }, (_, i) => start(transport, optionsOf(i)))))
  await inRow(...nodes)
  return nodes
}

const ids = (...nodes: readonly { readonly self: string }[]) => nodes.map(({ self }) => self)

const heard = (node: { readonly event$: Node['event$'] }) => {
  const events: Stamped<ChainsEvent>[] = []
  node.event$.subscribe((event) => void (event.type.startsWith('chain:') && events.push(event as Stamped<ChainsEvent>)))
  return events
}
const typesOf = (events: readonly ChainsEvent[]) => events.map(({ type }) => type)
const ofTypeIn = <Type extends ChainsEvent['type']>(events: readonly ChainsEvent[], type: Type) =>
  events.filter((event): event is Extract<ChainsEvent, { type: Type }> => event.type === type)
const chainFailure = async (work: Promise<unknown>) => (await failure(work)) as ChainError
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Writes so much, and gives the hash of what the other end has read. */
async function transfer(
  from: Node,
  to: Node,
  data: Uint8Array,
  onChunk: (readBytes: number) => void = () => undefined,
  everyMs = 0,
) {
  const taken = first(to.execute(xstream.accept()))
  taken.catch(() => undefined) // it may be stopped before any comes
  const stream = await first(from.execute(xstream.open({ peer: to.self })))
  const reading = readAll(await taken, onChunk)
  reading.catch(() => undefined) // who writes fails first
  for (let at = 0; at < data.byteLength; at += 64 << 10) {
    await stream.write(data.subarray(at, at + (64 << 10)))
    if (everyMs > 0) await pause(everyMs)
  }
  await stream.end()
  return reading
}

async function readAll(stream: XStream, onChunk: (readBytes: number) => void) {
  const hash = createHash('sha256')
  let read = 0
  for await (const chunk of stream.source) {
    hash.update(chunk)
    onChunk((read += chunk.byteLength))
  }
  await stream.end()
  return hash.digest('hex')
}

/** Two paths between two ends: by three carriers, and by two. */
async function twoPaths(transport: TransportName, options: ChainsOptions = {}) {
  const nodes = group(
    await Promise.all(
      [false, true, true, true, true, true, false].map((carry) => start(transport, { carry, ...options })),
    ),
  )
  const [alice, a, b, c, d, e, bob] = nodes as unknown as readonly [Node, Node, Node, Node, Node, Node, Node]
  await inRow(alice, a, b, c, bob)
  await inRow(alice, d, e, bob)
  return { nodes, alice, bob, long: [a, b, c] as const, short: [d, e] as const }
}

describe.each(wires)('chains over %s', (transport) => {
  it('opens a connection through three carriers, and everything runs over it', async () => {
    await using nodes = await row(transport, 5)
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 4)]
    const [mine, theirs, carriers] = [heard(alice), heard(bob), nodes.slice(1, 4).map(heard)]
    const via = [ids(...nodes.slice(1, 4))]
    const connection = await first(alice.execute(chains.open({ to: bob.self, via })))
    expect(connection).toMatchObject({ peer: bob.self, transport: 'chain', direct: false, limited: false })
    expect(await first(alice.execute(ping.once({ peer: bob.self })))).toBeGreaterThan(0)
    const data = randomBytes(3 << 20)
    expect(await transfer(alice, bob, data)).toBe(sha(data))
    const back = randomBytes(1 << 20)
    expect(await transfer(bob, alice, back)).toBe(sha(back))

    const [listed] = await first(alice.execute(chains.list()))
    expect(listed).toMatchObject({ peer: bob.self, direction: 'outbound', path: [...via[0]!, bob.self] })
    await vi.waitFor(() => expect(typesOf(theirs)).toContain('chain:accepted'))
    expect(ofTypeIn(theirs, 'chain:accepted')[0]).toMatchObject({ peer: alice.self, direction: 'inbound' })

    await first(alice.execute(connections.hangUp({ peer: bob.self })))
    await vi.waitFor(() => {
      for (const events of carriers) expect(typesOf(events)).toEqual(['chain:carried'])
      expect(typesOf(mine)).toContain('chain:closed')
      expect(typesOf(theirs)).toContain('chain:closed')
    })
    const [carried] = ofTypeIn(carriers[1]!, 'chain:carried')
    expect(carried).toMatchObject({ peer: alice.self, from: via[0]![0], to: via[0]![2], reason: 'closed' })
    expect(carried!.bytes).toBeGreaterThan(4 << 20)
    expect(ofTypeIn(mine, 'chain:closed')[0]!.error).toBeUndefined()
  })

  it('hides from carriers what goes through, and from none who asks', async () => {
    const seen: Uint8Array[] = []
    const tapped = await startTapped(transport, (bytes) => (seen.push(bytes), bytes))
    await using nodes = group<Any>([await start(transport), tapped, await start(transport)])
    const [alice, bob] = [nodes[0] as Node, nodes[2] as Node]
    await inRow(...nodes)
    await first(alice.execute(chains.open({ to: bob.self, via: [ids(tapped)] })))
    const marker = 'a marker that nobody but the ends may read '
    const data = Buffer.from(marker.repeat(20_000))
    expect(await transfer(alice, bob, data)).toBe(sha(data))
    const all = Buffer.concat(seen)
    expect(all.byteLength).toBeGreaterThan(data.byteLength)
    expect(all.includes(marker.slice(0, 12))).toBe(false)
    for (const protocol of ['/xstream/', '/yamux/', '/multistream/', '/ipfs/id/'])
      expect(all.includes(protocol)).toBe(false)
  })

  it('goes on over another path when a carrier is gone in the middle, and loses nothing', async () => {
    using errors = processErrors()
    const { nodes, alice, bob, long, short } = await twoPaths(transport)
    await using _nodes = nodes
    const mine = heard(alice)
    await first(alice.execute(chains.open({ to: bob.self, via: [ids(...long), ids(...short)] })))
    const [{ path: used } = { path: [] }] = await first(alice.execute(chains.list()))
    const victim = [...long, ...short].find(({ self }) => self === used[1])!
    const data = randomBytes(32 << 20)
    let killed: Promise<unknown> | undefined
    const hash = await transfer(alice, bob, data, (read) => {
      if (read > 8 << 20) killed ??= victim.stop({ drainMs: 0 })
    })
    expect(hash).toBe(sha(data))
    await killed
    const [over] = ofTypeIn(mine, 'chain:failed-over')
    expect(over).toMatchObject({ peer: bob.self, from: used })
    expect(over!.path).not.toEqual(used)
    expect(typesOf(mine)).not.toContain('chain:closed')
    expect(errors.seen).toEqual([])
  })

  it('goes on over another path when a carrier falls silent', async () => {
    let isSilent = false
    const tapped = await startTapped(transport, (bytes) => (isSilent ? undefined : bytes))
    const quick: ChainsOptions = { probeMs: 200, silentMs: 1_000 }
    await using nodes = group<Any>([
      await start(transport, quick),
      tapped,
      await start(transport, { carry: true }),
      await start(transport, quick),
    ])
    const [alice, carrier, bob] = [nodes[0] as Node, nodes[2] as Node, nodes[3] as Node]
    await inRow(alice, tapped, bob)
    const mine = heard(alice)
    await first(alice.execute(chains.open({ to: bob.self, via: [ids(tapped), ids(carrier)] })))
    expect(ofTypeIn(mine, 'chain:opened')[0]!.path[0]).toBe(tapped.self) // the other one is not connected yet
    await inRow(alice, carrier, bob)
    const data = randomBytes(8 << 20)
    const hash = await transfer(alice, bob, data, (read) => {
      if (read > 2 << 20) isSilent = true
    })
    expect(hash).toBe(sha(data))
    const failed = ofTypeIn(mine, 'chain:path-failed').at(-1)
    expect(failed).toMatchObject({ path: [tapped.self, bob.self], error: { name: 'ChainError', status: 'TIMEOUT' } })
    const [over] = ofTypeIn(mine, 'chain:failed-over')
    expect(over).toMatchObject({ path: [carrier.self, bob.self] })
    expect(over!.downMs).toBeLessThan(5_000)
  })

  it('notices a carrier that changes bits, and goes on over another path', async () => {
    let carried = 0
    const tapped = await startTapped(transport, (bytes, towards) => {
      if (towards === 'acceptor') carried += bytes.byteLength
      if (carried > 1 << 20) bytes[bytes.byteLength >> 1]! ^= 1
      return bytes
    })
    await using nodes = group<Any>([
      await start(transport),
      tapped,
      await start(transport, { carry: true }),
      await start(transport),
    ])
    const [alice, carrier, bob] = [nodes[0] as Node, nodes[2] as Node, nodes[3] as Node]
    await inRow(alice, tapped, bob)
    const mine = heard(alice)
    await first(alice.execute(chains.open({ to: bob.self, via: [ids(tapped), ids(carrier)] })))
    expect(ofTypeIn(mine, 'chain:opened')[0]!.path[0]).toBe(tapped.self) // the other one is not connected yet
    await inRow(alice, carrier, bob)
    const data = randomBytes(4 << 20)
    expect(await transfer(alice, bob, data)).toBe(sha(data))
    expect(typesOf(mine)).toContain('chain:path-failed')
    expect(ofTypeIn(mine, 'chain:failed-over')[0]).toMatchObject({ path: [carrier.self, bob.self] })
  })

  it('opens another path before what the carriers granted is used up, and goes on when it is', async () => {
    await using nodes = await row(transport, 4, { carry: { budget: { bytes: 3 << 20 } }, silentMs: 10_000 })
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 3)]
    const [mine, carrier] = [heard(alice), heard(nth(nodes, 1))]
    const via = [ids(...nodes.slice(1, 3))]
    await first(alice.execute(chains.open({ to: bob.self, via })))
    expect(ofTypeIn(mine, 'chain:opened')[0]!.granted).toEqual({ bytes: 3 << 20, ms: 3_600_000 })
    const data = randomBytes(12 << 20)
    expect(await transfer(alice, bob, data)).toBe(sha(data))
    expect(ofTypeIn(mine, 'chain:failed-over').length).toBeGreaterThan(2)
    for (const { bytes } of ofTypeIn(carrier, 'chain:carried')) expect(bytes).toBeLessThan((3 << 20) + (300 << 10))
  })

  it('loses nothing when the opener goes on reading over the old path while it opens a slower one', async () => {
    const slow = await startTapped(transport, (bytes) => bytes, 50)
    await using nodes = group<Any>([
      await start(transport, { least: { ms: 1 } }),
      await start(transport, { carry: { budget: { ms: 2_000 } } }),
      slow,
      await start(transport),
    ])
    const [alice, quick, bob] = [nodes[0] as Node, nodes[1] as Node, nodes[3] as Node]
    await inRow(alice, quick, bob)
    const mine = heard(alice)
    await first(alice.execute(chains.open({ to: bob.self, via: [ids(quick), ids(slow)] })))
    expect(ofTypeIn(mine, 'chain:opened')[0]!.path[0]).toBe(quick.self) // the other one is not connected yet
    await inRow(alice, slow, bob)
    const data = randomBytes(24 << 20)
    expect(await transfer(bob, alice, data, undefined, 5)).toBe(sha(data)) // for more than two seconds
    expect(ofTypeIn(mine, 'chain:failed-over')[0]).toMatchObject({ path: [slow.self, bob.self] })
    expect(typesOf(mine)).not.toContain('chain:closed')
  })

  it('looks for another path when the new one breaks as soon as the other end has welcomed it', async () => {
    await using nodes = await row(transport, 3)
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 2)]
    const mine = heard(alice)
    const paths: FramePath[] = []
    const next = FramePath.prototype.next
    using _spy = vi.spyOn(FramePath.prototype, 'next').mockImplementation(async function (this: FramePath, signal) {
      const answer = await next.call(this, signal)
      if (answer.type === 'welcome' && paths.push(this) === 2) this.drop(new Error('cut'))
      return answer
    })
    await first(alice.execute(chains.open({ to: bob.self, via: [ids(nth(nodes, 1))] })))
    nth(paths, 0).drop(new Error('cut'))
    await vi.waitFor(() => expect(paths.length).toBe(3), 5_000)
    expect(await first(alice.execute(ping.once({ peer: bob.self })))).toBeGreaterThan(0)
    const told = typesOf(mine).filter((type) => type !== 'chain:measured')
    expect(told).toEqual(['chain:opened', 'chain:path-failed', 'chain:path-failed', 'chain:failed-over'])
  })

  it('ends a chain whose own budget is used up, and marks its connection as limited', async () => {
    await using nodes = await row(transport, 3)
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 2)]
    const mine = heard(alice)
    const via = [ids(nth(nodes, 1))]
    const connection = await first(alice.execute(chains.open({ to: bob.self, via, budget: { bytes: 1 << 20 } })))
    expect(connection.limited).toBe(true)
    const open = alice.node.getConnections().find(({ id }) => id === connection.id)!
    await expect(open.newStream('/app/1.0.0')).rejects.toThrow(/limited/i)
    const stream = await open.newStream('/xstream/', { runOnLimitedConnection: true })
    const chunk = randomBytes(64 << 10)
    stream.addEventListener('close', () => undefined)
    await vi.waitFor(
      () => {
        if (stream.status === 'open' && !stream.writableNeedsDrain) stream.send(chunk)
        expect(typesOf(mine)).toContain('chain:closed')
      },
      { timeout: 10_000, interval: 1 },
    )
    expect(ofTypeIn(mine, 'chain:closed')[0]!.error).toMatchObject({ name: 'ChainError', status: 'BUDGET' })
  })

  it('says which hop refuses, and why', async () => {
    await using nodes = group([
      await start(transport),
      await start(transport, { carry: true }),
      await start(transport, { carry: { budget: { bytes: 1_000 } } }),
      await start(transport, { carry: { allow: () => false } }),
      await start(transport, { accept: false }),
    ])
    const [alice, good, poor, picky, bob] = nodes as unknown as readonly [Node, Node, Node, Node, Node]
    await inRow(alice, good, poor, bob)
    await inRow(good, picky)
    await inRow(good, bob)
    const open = (to: { readonly self: string }, ...path: readonly { readonly self: string }[]) =>
      chainFailure(first(alice.execute(chains.open({ to: to.self, via: [ids(...path)] }))))
    expect(await open(bob, good, poor)).toMatchObject({ status: 'BUDGET', at: poor.self })
    expect(await open(bob, good, picky)).toMatchObject({ status: 'DENIED', at: picky.self })
    expect(await open(picky, good, alice)).toMatchObject({ name: 'InvalidCommandError' })
    expect(await open(bob, good)).toMatchObject({ status: 'NOT_CARRYING', at: bob.self })
    expect(await open(picky, good, bob)).toMatchObject({ status: 'NOT_CARRYING', at: bob.self })
    expect(await open(picky, good, poor)).toMatchObject({ status: 'BUDGET', at: poor.self })
    const stranger = '12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo'
    expect(await open(bob, good, { self: stranger })).toMatchObject({ status: 'UNREACHABLE', at: good.self })
    expect(await open({ self: stranger }, good)).toMatchObject({ status: 'UNREACHABLE', at: good.self })
  })

  it('gives up on a carrier that never answers, and names it', async () => {
    const mute = await createSwarm({
      use: [connections(), identify()],
      transports: [transport],
      listen: [listenAddress(transport)],
    })
    await using nodes = group<Any>([
      await start(transport, { pathMs: 1_500 }),
      await start(transport, { carry: true }),
      mute,
    ])
    const [alice, good] = [nodes[0] as Node, nodes[1] as Node]
    await mute.node.handle(HOP_PROTOCOL, () => undefined)
    await inRow(...nodes)
    const bob = '12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo'
    const error = await chainFailure(first(alice.execute(chains.open({ to: bob, via: [ids(good, mute)] }))))
    expect(error).toMatchObject({ status: 'TIMEOUT', at: mute.self })
  })

  it('refuses what is forged, stale, sent again or not its own', async () => {
    await using nodes = await row(transport, 3)
    const [alice, carrier, bob] = nodes as unknown as readonly [Node, Node, Node]
    const events = heard(carrier)
    const connection = alice.node.getConnections()[0]!
    const key = await generateKeyPair('Ed25519')
    const own = (alice.node as unknown as { components: { privateKey: typeof key } }).components.privateKey
    let named = 0
    const openOf = (change: Partial<ChainOpen> = {}): ChainOpen => ({
      chain: (++named).toString(16).padStart(32, '0'),
      opener: alice.self,
      path: ids(carrier, bob),
      issuedAtMs: Date.now(),
      deadlineMs: 5_000,
      wanted: UNBOUNDED,
      least: { bytes: 0, ms: 0 },
      ...change,
    })
    const ask = async (open: ChainOpen, by = own) => {
      const signed = await signOpen(by, open)
      const { answer, stream } = await askHop(
        connection,
        HOP_PROTOCOL,
        { type: 'open', signed },
        AbortSignal.timeout(5_000),
      )
      stream.abort(new Error('enough'))
      return answer.type === 'refused' ? answer.status : answer.type
    }
    expect(await ask(openOf())).toBe('opened')
    expect(await ask(openOf(), key)).toBe('DENIED') // signed by another
    expect(await ask(openOf({ opener: bob.self, path: ids(carrier, alice) }))).toBe('DENIED') // not from the neighbour
    expect(await ask(openOf({ issuedAtMs: Date.now() - 120_000 }))).toBe('DENIED')
    expect(await ask({ ...openOf(), chain: '1'.padStart(32, '0') })).toBe('CYCLE') // came by before
    expect(await ask(openOf({ path: ids(carrier, bob, carrier) }))).toBe('CYCLE')
    expect(await ask(openOf({ path: ids(carrier, alice) }))).toBe('CYCLE')
    expect(await ask(openOf({ path: ids(bob, carrier) }))).toBe('MALFORMED')
    expect(await ask(openOf({ path: ids(carrier) }))).toBe('MALFORMED')
    const keys = await Promise.all(Array.from({ length: 9 }, () => generateKeyPair('Ed25519')))
    const strangers = keys.map((one) => peerIdFromPrivateKey(one).toString())
    expect(await ask(openOf({ path: [...ids(carrier), ...strangers] }))).toBe('TOO_MANY_HOPS')
    await vi.waitFor(() => expect(ofTypeIn(events, 'chain:refused').length).toBeGreaterThan(6))
    for (const event of ofTypeIn(events, 'chain:refused')) {
      expect(event).toMatchObject({ peer: alice.self, address: expect.stringContaining('127.0.0.1') })
    }
  })

  it('takes a flood of requests for what it is', async () => {
    await using nodes = await row(transport, 3, { limits: { perSecond: 2, perOpener: 4 } })
    const [alice, carrier, bob] = nodes as unknown as readonly [Node, Node, Node]
    const events = heard(carrier)
    const via = [ids(carrier)]
    const results = await Promise.all(
      Array.from({ length: 60 }, () =>
        first(alice.execute(chains.open({ to: bob.self, via }))).then(
          () => 'opened',
          (error: ChainError) => error.status,
        ),
      ),
    )
    const count = (status: string) => results.filter((result) => result === status).length
    expect(count('opened')).toBeLessThanOrEqual(8)
    expect(count('opened') + count('OVERLOADED')).toBe(60)
    expect(ofTypeIn(events, 'chain:refused').length).toBeGreaterThan(40)
  })

  it('lets go of a chain whose opener vanishes', async () => {
    await using nodes = await row(transport, 4, { resumeMs: 1_500 })
    const [alice, carrier, , bob] = nodes as unknown as readonly [Node, Node, Node, Node]
    const [carriers, theirs] = [heard(carrier), heard(bob)]
    await first(alice.execute(chains.open({ to: bob.self, via: [ids(...nodes.slice(1, 3))] })))
    await vi.waitFor(() => expect(typesOf(theirs)).toContain('chain:accepted'))
    for (const connection of alice.node.getConnections()) connection.abort(new Error('gone'))
    await alice.stop({ drainMs: 0 })
    await vi.waitFor(() => expect(typesOf(carriers)).toContain('chain:carried'), { timeout: 20_000 })
    await vi.waitFor(() => expect(typesOf(theirs)).toContain('chain:closed'), { timeout: 20_000 })
    await until(bob.state$, ({ chains: { open } }) => open.size === 0)
    expect(bob.node.getConnections().some(({ remotePeer }) => remotePeer.toString() === alice.self)).toBe(false)
  })

  it('finds a path by what neighbours that carry tell', async () => {
    await using nodes = await row(transport, 4)
    const [alice, one, two, bob] = nodes as unknown as readonly [Node, Node, Node, Node]
    await until(alice.state$, ({ identify: known }) => known.has(one.self))
    await until(one.state$, ({ identify: known }) => known.has(two.self) && known.has(alice.self))
    const mine = heard(alice)
    await first(alice.execute(chains.open({ to: two.self })))
    await first(alice.execute(chains.open({ to: bob.self, hops: 2 })))
    expect(ofTypeIn(mine, 'chain:opened').map(({ path }) => path)).toEqual([ids(one, two), ids(one, two, bob)])
    expect(await chainFailure(first(alice.execute(chains.open({ to: bob.self, hops: 5 }))))).toMatchObject({
      status: 'UNREACHABLE',
    })
  })

  it('dials the next one of a path only where the carrier agreed to', async () => {
    await using nodes = group([
      await start(transport),
      await start(transport, { carry: true }),
      await start(transport, { carry: { dial: true } }),
      await start(transport),
    ])
    const [alice, plain, dialling, bob] = nodes as unknown as readonly [Node, Node, Node, Node]
    for (const carrier of [plain, dialling]) {
      await inRow(alice, carrier, bob)
      await until(carrier.state$, ({ identify: known }) => known.has(bob.self))
      await first(carrier.execute(connections.hangUp({ peer: bob.self })))
    }
    const open = (carrier: Node) => first(alice.execute(chains.open({ to: bob.self, via: [ids(carrier)] })))
    expect(await chainFailure(open(plain))).toMatchObject({ status: 'UNREACHABLE', at: plain.self })
    expect(await open(dialling)).toMatchObject({ peer: bob.self, transport: 'chain' })
  })

  it('runs no hop over another chain, whoever wants it', async () => {
    await using nodes = await row(transport, 4, { carry: true })
    const [alice, one, two, bob] = nodes as unknown as readonly [Node, Node, Node, Node]
    const { id } = await first(alice.execute(chains.open({ to: two.self, via: [ids(one)] })))
    const error = await chainFailure(first(alice.execute(chains.open({ to: bob.self, via: [ids(two)] }))))
    expect(error).toMatchObject({ status: 'UNREACHABLE', at: two.self })
    const over = alice.node.getConnections().find((connection) => connection.id === id)!
    const signal = AbortSignal.timeout(5_000)
    const { answer, stream } = await askHop(over, HOP_PROTOCOL, { type: 'ask' }, signal)
    stream.abort(new Error('enough'))
    expect(answer).toMatchObject({ type: 'refused', status: 'MALFORMED' })
  })

  it('says that it does not know what is no request', async () => {
    await using nodes = await row(transport, 3)
    const [alice, carrier] = nodes as unknown as readonly [Node, Node]
    const events = heard(carrier)
    const connection = alice.node.getConnections()[0]!
    const send = async (bytes: Uint8Array) => {
      const stream = await connection.newStream(HOP_PROTOCOL)
      stream.send(bytes)
      return stream
    }
    const bad = [Uint8Array.of(3, 1, 2, 3), Uint8Array.of(0), Uint8Array.of(255, 255, 255, 127), randomBytes(50)]
    const streams = await Promise.all(bad.map(send))
    await vi.waitFor(() => expect(ofTypeIn(events, 'chain:refused').length).toBeGreaterThanOrEqual(3))
    for (const { status } of ofTypeIn(events, 'chain:refused')) expect(status).toBe('MALFORMED')
    for (const stream of streams) stream.abort(new Error('enough'))
    expect(await first(alice.execute(chains.open({ to: nth(nodes, 2).self, via: [ids(carrier)] })))).toBeDefined()
  })

  it('measures the path that it runs over', async () => {
    await using nodes = await row(transport, 3, { probeMs: 50, silentMs: 4_000 })
    const [alice, carrier, bob] = nodes as unknown as readonly [Node, Node, Node]
    await first(alice.execute(chains.open({ to: bob.self, via: [ids(carrier)] })))
    const { chains: known } = await until(alice.state$, ({ chains: { paths } }) => paths.size > 0)
    const [quality] = known.paths.values()
    expect(quality).toMatchObject({ path: ids(carrier, bob), loss: 0 })
    expect(quality!.rttMs).toBeGreaterThan(0)
  })

  it('authenticates from end to end, as over any connection', async () => {
    const owner = await generateKeyPair('Ed25519')
    const make = (options: ChainsOptions) =>
      createSwarm({
        use: [
          connections(),
          identify(),
          ping(),
          xstream(),
          chains(options),
          xauth({ owner, trust: [owner.publicKey] }),
        ],
        transports: [transport],
        listen: [listenAddress(transport)],
        deadlineMs: 20_000,
      })
    await using nodes = group([await make({}), await make({ carry: true }), await make({})])
    await inRow(...nodes)
    const [alice, carrier, bob] = nodes as unknown as readonly [Node, Node, Node]
    await first(alice.execute(chains.open({ to: bob.self, via: [ids(carrier)] })))
    const data = randomBytes(100_000)
    expect(await transfer(alice, bob, data)).toBe(sha(data))
  })

  it('stops in the middle of everything, and leaves nothing behind', async () => {
    using errors = processErrors()
    const nodes = await row(transport, 4)
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 3)]
    await first(alice.execute(chains.open({ to: bob.self, via: [ids(...nodes.slice(1, 3))] })))
    const moving = transfer(alice, bob, randomBytes(32 << 20)).catch((error: Error) => error)
    await pause(100)
    await Promise.all(nodes.map((node) => node.stop({ drainMs: 0 })))
    await Promise.race([moving, pause(2_000)])
    expect(errors.seen).toEqual([])
  })
})

describe('examples/finding/chain', () => {
  it('loses a carrier in the middle, and nothing else', async () => {
    const { code, stdout, stderr } = await runExample('finding/chain.ts')
    expect(stderr).toBe('')
    const [long, short] = ['alice > one > two > bob', 'alice > three > bob']
    const story = (first: string, then: string) =>
      `open ${first}: a connection by chain\nlost ${first}\nnow  ${then}\n16 MiB arrived, byte for byte\n`
    expect([story(long, short), story(short, long)]).toContain(stdout)
    expect(code).toBe(0)
  })
})
