import {
  access,
  connections,
  createSwarm,
  gossipsub,
  identify,
  kad,
  ping,
  type AccessEvent,
  type AccessOptions,
  type AccessPolicy,
  type SwarmError,
} from 'rxswarm'
import { firstValueFrom, Subject } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'
import { bytes, first, group, listenAddress, nth, wires } from './support/swarms.ts'
import { until } from './support/wait.ts'

const records = { app: { validate: () => true }, secret: { validate: () => true } }
const all = { rules: [], default: 'allow' } as const satisfies AccessPolicy

const start = (transport: (typeof wires)[number], options: Partial<AccessOptions> = {}) =>
  createSwarm({
    use: [connections(), identify(), ping(), kad({ records }), gossipsub(), access({ policy: all, ...options })],
    transports: [transport],
    listen: [listenAddress(transport)],
  })

type Node = Awaited<ReturnType<typeof start>>

const pair = async (transport: (typeof wires)[number], options: Partial<AccessOptions> = {}) =>
  group([await start(transport, options), await start(transport)])

const dial = (from: Node, to: Node) => first(from.execute(connections.dial({ to: to.addresses })))
const failure = (work: Promise<unknown>): Promise<SwarmError> =>
  work.then(
    () => expect.fail('it did not fail'),
    (error: SwarmError) => error,
  )
const heard = (node: Node) => {
  const events: AccessEvent[] = []
  node.event$.subscribe((event) => void (event.type.startsWith('access:') && events.push(event as AccessEvent)))
  return events
}
const met = (node: Node, other: Node) => until(node.state$, ({ identify: known }) => known.has(other.self))

describe.each(wires)('access over %s', (transport) => {
  it('denies whom a rule denies, in either direction, and says by which rule', async () => {
    await using swarms = await pair(transport)
    const [hub, guest] = [nth(swarms, 0), nth(swarms, 1)]
    const events = heard(hub)
    const policy: AccessPolicy = { rules: [{ id: 'no-guest', effect: 'deny', peer: guest.self }], default: 'allow' }
    await first(hub.execute(access.set({ policy })))
    expect((await failure(dial(hub, guest))).name).toBe('AccessDeniedError')
    expect(['AccessDeniedError', 'DialError']).toContain((await failure(dial(guest, hub))).name)
    const denied = events.filter(({ type }) => type === 'access:denied')
    expect(denied).toContainEqual(
      expect.objectContaining({ action: 'dial', peer: guest.self, id: 'no-guest', ip: '127.0.0.1' }),
    )
    expect(denied).toContainEqual(expect.objectContaining({ action: 'accept', peer: guest.self, id: 'no-guest' }))
  })

  it('swaps the policy live: what stays allowed stays, what does not is cut off', async () => {
    await using swarms = group([await start(transport), await start(transport), await start(transport)])
    const [hub, friend, foe] = [nth(swarms, 0), nth(swarms, 1), nth(swarms, 2)]
    const inbound: string[] = []
    await hub.node.handle('/own/1.0.0', (stream) => void inbound.push(stream.id))
    await dial(friend, hub)
    await dial(foe, hub)
    await met(hub, friend)
    const kept = await friend.node.dialProtocol(hub.node.peerId, '/own/1.0.0')
    const lost = await foe.node.dialProtocol(hub.node.peerId, '/own/1.0.0')
    kept.send(new Uint8Array([1]))
    lost.send(new Uint8Array([1]))
    const cut = new Promise((resolve) => lost.addEventListener('close', resolve))
    const policy: AccessPolicy = { rules: [{ effect: 'deny', peer: foe.self, protocol: '/own/*' }], default: 'allow' }
    expect((await first(hub.execute(access.set({ policy })))).closed).toEqual([])
    await cut
    expect(kept.status).toBe('open')
    await expect(first(foe.execute(ping.once({ peer: hub.self })))).resolves.toBeGreaterThan(0)
    const closing: AccessPolicy = { rules: [{ effect: 'deny', peer: foe.self }], default: 'allow' }
    expect((await first(hub.execute(access.set({ policy: closing })))).closed).toHaveLength(1)
    await until(foe.state$, ({ peers }) => !peers.has(hub.self))
    expect(kept.status).toBe('open')
  })

  it('decides over topics and records, ours and theirs', async () => {
    await using swarms = await pair(transport)
    const [hub, guest] = [nth(swarms, 0), nth(swarms, 1)]
    const events = heard(hub)
    const policy: AccessPolicy = {
      rules: [
        { effect: 'deny', action: ['publish', 'subscribe'], topic: 'secret' },
        { effect: 'deny', action: 'publish', topic: 'news', peer: guest.self },
        { effect: 'deny', action: 'dht-write', topic: 'secret' },
      ],
      default: 'allow',
    }
    await first(hub.execute(access.set({ policy })))
    await dial(hub, guest)
    await met(guest, hub)
    const publish = (topic: string) => hub.execute(gossipsub.publish({ topic, data: bytes('x') }))
    expect((await failure(first(publish('secret')))).name).toBe('AccessDeniedError')
    expect((await failure(first(hub.execute(gossipsub.subscribe({ topic: 'secret' }))))).name).toBe('AccessDeniedError')
    const put = (node: Node, key: string) => first(node.execute(kad.put({ key, value: bytes('v') })))
    expect((await failure(put(hub, '/secret/a'))).name).toBe('AccessDeniedError')
    await put(guest, '/app/a')
    expect((await failure(put(guest, '/secret/a'))).name).toBe('DhtError')
    const got: string[] = []
    hub
      .execute(gossipsub.subscribe({ topic: 'news' }))
      .subscribe(({ data }) => got.push(new TextDecoder().decode(data)))
    guest.execute(gossipsub.subscribe({ topic: 'secret' })).subscribe()
    await until(guest.state$, ({ gossipsub: { peers } }) => peers.get('news')?.has(hub.self) === true)
    await first(guest.execute(gossipsub.publish({ topic: 'news', data: bytes('from the guest') })))
    const denied = () =>
      events.flatMap((event) =>
        event.type === 'access:denied' ? [`${event.action} ${event.direction} ${event.topic}`] : [],
      )
    await vi.waitFor(() =>
      expect(new Set(denied())).toEqual(
        new Set([
          'publish outbound secret',
          'subscribe outbound secret',
          'dht-write outbound secret',
          'dht-write inbound secret',
          'publish inbound news',
          'subscribe inbound secret',
        ]),
      ),
    )
    expect(got).toEqual([])
  })

  it('runs a candidate beside the policy, and switches it on later', async () => {
    await using swarms = await pair(transport)
    const [hub, guest] = [nth(swarms, 0), nth(swarms, 1)]
    const events = heard(hub)
    const candidate: AccessPolicy = { rules: [{ effect: 'deny', protocol: '/ipfs/ping/*' }], default: 'allow' }
    await firstValueFrom(hub.execute(access.shadow({ policy: candidate })), { defaultValue: undefined })
    await dial(guest, hub)
    await first(guest.execute(ping.once({ peer: hub.self })))
    const report = await first(hub.execute(access.report()))
    expect(report.wouldDeny).toBeGreaterThan(0)
    expect(report.wouldAllow).toBe(0)
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'access:would-differ',
        request: expect.objectContaining({ protocol: '/ipfs/ping/1.0.0' }) as never,
      }),
    )
    await first(hub.execute(access.set({ policy: candidate })))
    expect((await failure(first(guest.execute(ping.once({ peer: hub.self }, { policy: false }))))).name).toBe(
      'StreamError',
    )
  })

  it('keeps peers to a rate, and tells when they may come again', async () => {
    await using swarms = await pair(transport, {
      limits: [
        { id: 'pings', per: 'peer', perSecond: 0.01, burst: 3, match: { protocol: '/ipfs/ping/*' } },
        { id: 'lists', per: 'command', perSecond: 0.01, burst: 2, match: { command: 'connections/list' } },
      ],
    })
    const [hub, guest] = [nth(swarms, 0), nth(swarms, 1)]
    const events = heard(hub)
    await dial(guest, hub)
    const pingOnce = () => first(guest.execute(ping.once({ peer: hub.self }, { policy: false })))
    let error: SwarmError | undefined
    for (let turn = 0; turn < 8 && error === undefined; turn++) {
      error = await pingOnce().then(
        () => undefined,
        (cause: SwarmError) => cause,
      )
    }
    expect(error?.name).toBe('StreamError')
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'access:limited', limit: 'pings', key: guest.self, peer: guest.self }),
    )
    await first(hub.execute(connections.list()))
    await first(hub.execute(connections.list()))
    expect((await failure(first(hub.execute(connections.list())))).name).toBe('RateLimitedError')
    await firstValueFrom(hub.execute(access.limit({ limits: [] })), { defaultValue: undefined })
    await first(hub.execute(connections.list()))
    await pingOnce()
  })

  it('refuses whoever answers at a pinned address and is somebody else', async () => {
    await using swarms = group([await start(transport), await start(transport), await start(transport)])
    const [hub, right, wrong] = [nth(swarms, 0), nth(swarms, 1), nth(swarms, 2)]
    const events = heard(hub)
    const bare = (node: Node) => node.addresses[0]!.replace(/\/p2p\/.*/, '')
    const pins = [
      { address: bare(right), peers: [right.self] },
      { address: bare(wrong), peers: [right.self] },
    ]
    await firstValueFrom(hub.execute(access.pin({ pins })), { defaultValue: undefined })
    await first(hub.execute(connections.dial({ to: bare(right) })))
    const error = await failure(first(hub.execute(connections.dial({ to: bare(wrong) }))))
    expect(error.name).toBe('AuthenticationError')
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'access:pin-mismatch',
        peer: wrong.self,
        expected: [right.self],
        address: bare(wrong),
      }),
    )
    expect(hub.node.getPeers().map(String)).toEqual([right.self])
  })

  it('checks the pin of the name that was dialled', async () => {
    await using swarms = group([await start(transport), await start(transport), await start(transport)])
    const [hub, right, wrong] = [nth(swarms, 0), nth(swarms, 1), nth(swarms, 2)]
    const named = (node: Node) =>
      node.addresses[0]!.replace('/ip4/127.0.0.1/', '/dns4/localhost/').replace(/\/p2p\/.*/, '')
    const pins = [right, wrong].map((node) => ({ address: named(node), peers: [right.self] }))
    await firstValueFrom(hub.execute(access.pin({ pins })), { defaultValue: undefined })
    await first(hub.execute(connections.dial({ to: named(right) })))
    const error = await failure(first(hub.execute(connections.dial({ to: named(wrong) }))))
    expect(error).toMatchObject({ name: 'AuthenticationError', address: named(wrong) })
    expect(hub.node.getPeers().map(String)).toEqual([right.self])
  })

  it('decides who may ask it to relay', async () => {
    await using swarms = await pair(transport, {
      policy: { rules: [{ id: 'no-relay', effect: 'deny', action: 'relay' }], default: 'allow' },
    })
    const [hub, guest] = [nth(swarms, 0), nth(swarms, 1)]
    const events = heard(hub)
    const hop = '/libp2p/circuit/relay/0.2.0/hop'
    const ran: string[] = []
    await hub.node.handle([hop, '/own/1.0.0'], ({ protocol }) => void ran.push(protocol))
    await dial(guest, hub)
    const relaying = await guest.node.dialProtocol(hub.node.peerId, hop).catch(() => undefined) // refused, or reset at once
    if (relaying?.status === 'open') relaying.send(new Uint8Array([1]))
    const other = await guest.node.dialProtocol(hub.node.peerId, '/own/1.0.0')
    other.send(new Uint8Array([1]))
    await vi.waitFor(() => expect(ran).toEqual(['/own/1.0.0']))
    await vi.waitFor(() =>
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'access:denied', action: 'relay', id: 'no-relay', peer: guest.self }),
      ),
    )
    await vi.waitFor(() => expect(relaying?.status ?? 'reset').not.toBe('open'))
    expect(ran).toEqual(['/own/1.0.0'])
  })

  it('blocks peers and subnets, at once and before a handshake', async () => {
    await using swarms = await pair(transport)
    const [hub, guest] = [nth(swarms, 0), nth(swarms, 1)]
    await dial(guest, hub)
    await met(hub, guest)
    expect(await first(hub.execute(access.block({ add: ['127.0.0.0/8'] })))).toEqual(['127.0.0.0/8'])
    await until(guest.state$, ({ peers }) => !peers.has(hub.self))
    expect((await failure(dial(guest, hub))).retryable).toBe(true)
    expect((await failure(dial(hub, guest))).name).toMatch(/AccessDenied|Dial/)
    await first(hub.execute(access.block({ add: [guest.self], remove: ['127.0.0.0/8'] })))
    expect((await failure(dial(hub, guest))).name).toBe('AccessDeniedError')
    await first(hub.execute(access.block({ remove: [guest.self] })))
    await dial(hub, guest)
  })
})

describe('access', () => {
  it('takes its rules from streams, and lets nobody in before the first', async () => {
    const policy$ = new Subject<AccessPolicy>()
    await using hub = await start('tcp', { policy: policy$ })
    const events = heard(hub)
    await using guest = await start('tcp')
    expect((await failure(dial(guest, hub))).name).toMatch(/DialError|AccessDenied/)
    policy$.next(all)
    await dial(guest, hub)
    policy$.next({ rules: [{ effect: 'perhaps' }], default: 'allow' } as never)
    await vi.waitFor(() => expect(events.map(({ type }) => type)).toContain('access:refused'))
    await first(guest.execute(ping.once({ peer: hub.self })))
  })

  it('names every problem of its options by path', async () => {
    const wrong = access({
      policy: { rules: [{ effect: 'allow', address: 'nowhere' }], default: 'maybe' } as never,
      pins: [{ address: '/ip4/1.2.3.4', peers: [] }],
      limits: [{ per: 'moon', perSecond: -1 }] as never,
    })
    const error = await failure(createSwarm({ use: [wrong], listen: [] }))
    expect(error.name).toBe('ConfigError')
    expect(error.message).toContain('access.policy.rules[0].address')
    expect(error.message).toContain('access.policy.default')
    expect(error.message).toContain('access.limits[0].per')
    expect(error.message).toContain('access.pins[0]')
  })

  it('explains what it would decide, and counts nothing', async () => {
    await using hub = await start('tcp', {
      policy: { rules: [{ id: 'kad', effect: 'deny', protocol: '/ipfs/kad/*' }], default: 'allow' },
      shadow: all,
    })
    const request = { action: 'open', direction: 'inbound', protocol: '/ipfs/kad/1.0.0' } as const
    const { decision, shadow } = await first(hub.execute(access.explain({ request })))
    expect(decision).toMatchObject({ effect: 'deny', id: 'kad' })
    expect(shadow).toMatchObject({ effect: 'allow' })
    expect((await first(hub.state$)).access.denied).toBe(0)
  })

  it('refuses rules that are none by a command, and keeps those before', async () => {
    await using hub = await start('tcp')
    const error = await failure(first(hub.execute(access.set({ policy: { rules: 7 } as never }))))
    expect(error).toMatchObject({ name: 'InvalidCommandError', field: 'policy.rules' })
  })
})
