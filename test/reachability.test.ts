import type { Libp2p, Stream } from '@libp2p/interface'
import type { UPnPNATClient } from '@libp2p/upnp-nat'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { connections, createSwarm, identify, ofType, reachability, relay, type ReachabilityOptions } from 'rxswarm'
import { concat, firstValueFrom, NEVER, of, takeUntil, timer, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { internalsOf } from '../src/swarm/libp2p/createHost.ts'
import { startBareNode } from './support/bareNode.ts'
import { connect, first, listenAddress, wires } from './support/swarms.ts'
import { until } from './support/wait.ts'

const AUTONAT = '/libp2p/autonat/1.0.0'
const OUTSIDE = '/ip4/8.8.8.8/tcp/4001'

/** Answers of AutoNAT v1, by hand: type DIAL_RESPONSE, and a status. */
const ANSWERS = {
  ok: [0x08, 0x01, 0x1a, 0x02, 0x08, 0x00],
  'no way through': [0x08, 0x01, 0x1a, 0x02, 0x08, 0x64],
  refused: [0x08, 0x01, 0x1a, 0x02, 0x08, 0x65],
  'a question': [0x08, 0x00],
  garbage: [0xff, 0xff, 0xff, 0xff, 0xff],
  nothing: [],
}

/** The loopback stands for the internet: one network, which is enough here. */
const start = (transport: (typeof wires)[number], options: ReachabilityOptions = {}) =>
  createSwarm({
    use: [connections(), identify(), reachability({ agree: 1, alsoPublic: ['127.0.0.0/8'], ...options })],
    transports: [transport],
    listen: [listenAddress(transport)],
  })

/** An address that peers claim to see, and that AutoNAT is to try. */
function observed(node: Libp2p): void {
  const manager = internalsOf(node).addressManager as unknown as { addObservedAddr(address: unknown): void }
  manager.addObservedAddr(multiaddr(OUTSIDE))
}

/** A peer that speaks AutoNAT by hand, and remembers what it was asked. */
async function startVerifier(transport: (typeof wires)[number], answer: readonly number[]) {
  const node = await startBareNode(transport, { withIdentify: true })
  const asked: Uint8Array[] = []
  await node.handle(AUTONAT, async (stream: Stream) => {
    const messages = lpStream(stream, { maxDataLength: 8_192 })
    asked.push((await messages.read()).subarray())
    if (answer.length > 0) await messages.write(new Uint8Array(answer))
    await stream.close()
  })
  return Object.assign(node, { asked })
}

describe.each(wires)('reachability over %s', (transport) => {
  it('is public once somebody has come in, at the address that it was reached at', async () => {
    await using a = await start(transport)
    await using b = await start(transport)
    expect((await first(a.execute(reachability.report()))).status).toBe('unknown')
    await connect(b, a)
    const { reachability: report } = await until(
      a.state$,
      ({ reachability: { addresses } }) => addresses[0]?.status === 'public',
    )
    expect(report.status).toBe('public')
    const [own] = a.addresses
    expect(report.addresses).toEqual([
      {
        address: own!.replace(/\/p2p\/.*/, ''),
        status: 'public',
        reasons: [{ kind: 'reached', text: '1 network reached it' }],
      },
    ])
    expect(await first(a.execute(reachability.report()))).toEqual(report)
    expect((await first(b.state$)).reachability.status).not.toBe('public') // nobody came in there
  })

  it('asks a peer by AutoNAT, and hears what it found', async () => {
    await using a = await start(transport, { autonat: true })
    await using verifier = await startVerifier(transport, ANSWERS.ok)
    observed(a.node)
    const verified = until(a.event$.pipe(ofType('reachability:verified')), () => true)
    await connect(a, { addresses: verifier.getMultiaddrs().map(String) })
    expect(await verified).toMatchObject({
      peer: verifier.peerId.toString(),
      address: OUTSIDE,
      isReached: true,
      from: expect.stringMatching(/^\/ip4\/127\.0\.0\.1\//) as string,
    })
    expect(verifier.asked).toHaveLength(1)
    const { reachability: report } = await until(a.state$, ({ reachability: { status } }) => status === 'public')
    expect(report.addresses[0]).toMatchObject({ address: OUTSIDE, status: 'public' })
  })

  it('hears that a peer did not get through', async () => {
    await using a = await start(transport, { autonat: true })
    await using verifier = await startVerifier(transport, ANSWERS['no way through'])
    observed(a.node)
    await connect(a, { addresses: verifier.getMultiaddrs().map(String) })
    const { reachability: report } = await until(a.state$, ({ reachability: { status } }) => status === 'private')
    expect(report.reasons[0]).toEqual({
      kind: 'not-reached',
      text: `${OUTSIDE}: 1 network tried it and did not get through`,
    })
  })

  it.each(['refused', 'a question', 'garbage', 'nothing'] as const)('an answer that is %s is no word', async (what) => {
    await using a = await start(transport, { autonat: { timeoutMs: 1_000 } })
    await using verifier = await startVerifier(transport, ANSWERS[what])
    observed(a.node)
    const heard = firstValueFrom(
      a.event$.pipe(ofType('reachability:verified', 'behaviour:crashed'), takeUntil(timer(1_500)), toArray()),
    )
    await connect(a, { addresses: verifier.getMultiaddrs().map(String) })
    expect(await heard).toEqual([])
    expect(verifier.asked).toHaveLength(1)
  })

  it('answers those that ask: it dials nobody at an address that is private, or not theirs', async () => {
    await using a = await start(transport, { autonat: true })
    await using b = await startBareNode(transport, { withIdentify: true })
    const connection = await b.dial(multiaddr(a.addresses[0]))
    const ask = async (message: Uint8Array) => {
      const messages = lpStream(await connection.newStream(AUTONAT), { maxDataLength: 8_192 })
      await messages.write(message)
      return [...(await messages.read()).subarray()]
    }
    const status = (answer: readonly number[]) => {
      expect(answer.slice(0, 3)).toEqual([0x08, 0x01, 0x1a]) // DIAL_RESPONSE, and its body
      expect(answer[4]).toBe(0x08)
      return answer[5]! | 0
    }
    const id = b.peerId.toMultihash().bytes
    const address = multiaddr('/ip4/127.0.0.1/tcp/4001').bytes
    const peer = [0x0a, id.length, ...id, 0x12, address.length, ...address]
    const dial = [0x0a, peer.length, ...peer]
    expect(status(await ask(new Uint8Array([0x08, 0x00, 0x12, dial.length, ...dial])))).toBe(0x65) // E_DIAL_REFUSED
    expect(status(await ask(new Uint8Array([0x08, 0x00])))).toBe(0xc8) // E_BAD_REQUEST, 200 as a varint
  })

  it('is relayed while a relay holds a place for it', async () => {
    const relay = '/ip4/9.9.9.9/tcp/1/p2p/r/p2p-circuit'
    const held = { type: 'relay:reserved', relay: 'r', addresses: [relay], expiresAt: Date.now() + 60_000 } as const
    const relays = {
      name: 'relays' as const,
      commands: {},
      ports: () => undefined,
      behaviour: () => concat(of(held), NEVER),
    }
    await using a = await createSwarm({
      use: [connections(), identify(), reachability(), relays],
      transports: [transport],
      listen: [listenAddress(transport)],
    })
    const { reachability: report } = await until(a.state$, ({ reachability: { status } }) => status === 'relayed')
    expect(report.addresses[0]).toMatchObject({ address: relay, status: 'relayed' })
  })
})

it('counts a place at a real relay once, by the address that others dial', async () => {
  const listen = [listenAddress('quic')]
  await using hub = await createSwarm({ use: [connections(), identify(), relay({ server: true })], listen })
  await using a = await createSwarm({
    use: [connections(), identify(), relay({ relays: hub.addresses, reservations: 1 }), reachability()],
    listen: [],
  })
  const { relay: held } = await until(a.state$, ({ relay: { reservations } }) => reservations.size > 0)
  const { reachability: report } = await until(a.state$, ({ reachability: { status } }) => status === 'relayed')
  await until(a.state$, () => a.addresses.length > 0) // libp2p lists it too
  expect([...held.reservations.keys()]).toEqual([hub.self])
  expect(report.addresses.map(({ address }) => address)).toEqual(held.reservations.get(hub.self)?.addresses)
  const own = await firstValueFrom(a.execute(reachability.report()))
  expect(own.addresses.map(({ address }) => address)).toEqual(a.addresses)
})

describe('reachability behind a gateway', () => {
  type Gateway = Awaited<ReturnType<UPnPNATClient['getGateway']>>

  /** A gateway of this process: nothing is asked of the network. */
  function fakeClient(given: Partial<Gateway>, count = 1): UPnPNATClient {
    const gateway: Gateway = {
      id: 'fake',
      host: '192.168.1.1',
      port: 1,
      family: 'IPv4',
      stop: async () => undefined,
      map: async (internalPort, internalHost) => {
        const protocol = 'TCP'
        return { externalHost: '8.8.8.8', externalPort: 4_001, internalHost, internalPort, protocol }
      },
      mapAll: async function* () {},
      unmap: async () => undefined,
      externalIp: async () => '8.8.8.8',
      ...given,
    }
    return {
      findGateways: async function* () {
        for (let index = 0; index < count; index++) yield gateway
      },
      getGateway: async () => gateway,
    }
  }

  const behind = (client: UPnPNATClient) =>
    createSwarm({
      use: [connections(), identify(), reachability({ autonat: true, upnp: { client } })],
      transports: ['tcp'],
      listen: ['/ip4/0.0.0.0/tcp/0'],
    })

  it('says what is forwarded, and that nobody has tried it yet', async () => {
    await using a = await behind(fakeClient({}))
    const { reachability: report } = await until(a.state$, ({ reachability: { addresses } }) =>
      addresses.some(({ address }) => address === OUTSIDE),
    )
    expect(report.status).toBe('unknown')
    expect(report.addresses.find(({ address }) => address === OUTSIDE)).toEqual({
      address: OUTSIDE,
      status: 'unknown',
      reasons: [
        { kind: 'no-evidence', text: 'nobody has tried it' },
        { kind: 'mapped', text: 'a gateway forwards to it' },
      ],
    })
  })

  it.each([
    ['that refuses', { map: () => Promise.reject(new Error('no more ports')) }, 1, /was not forwarded: no more ports/],
    [
      'that is behind another',
      { externalIp: () => Promise.resolve('10.1.2.3') },
      1,
      /its own address 10.1.2.3 is not public/,
    ],
    [
      'that does not tell its address',
      { externalIp: () => Promise.reject(new Error('501')) },
      1,
      /tell its address: 501/,
    ],
    ['that is not there', {}, 0, /no gateway answered/],
  ] as const)('a gateway %s is a fact, once', async (_, given, count, text) => {
    await using a = await behind(fakeClient(given, count))
    // most fail while the node starts, before anybody else listens
    const { reachability: report } = await until(a.state$, ({ reachability: { reasons } }) =>
      reasons.some(({ kind }) => kind === 'gateway-failed'),
    )
    expect(report.status).toBe('unknown')
    expect(report.reasons.at(-1)?.text).toMatch(text)
    const again = a.event$.pipe(ofType('reachability:gateway-failed'), takeUntil(timer(300)), toArray())
    expect(await firstValueFrom(again)).toEqual([])
  })
})
