import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { access, connections, createSwarm, identify, relay } from 'rxswarm'
import { firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { fullTcp } from './support/fullTcp.ts'
import { silentTcp, silentUdp, type Silent } from './support/silent.ts'
import { first, listenAddress } from './support/swarms.ts'
import { eventually, failure, pause, timed, until } from './support/wait.ts'

const both = () =>
  createSwarm({
    use: [connections(), identify()],
    transports: ['quic', 'tcp'],
    listen: [listenAddress('quic'), listenAddress('tcp')],
  })

const part = ({ addresses }: { readonly addresses: readonly string[] }, of: string) => {
  const address = addresses.find((own) => own.includes(of))
  if (address === undefined) throw new Error(`no address with ${of}: ${addresses.join(', ')}`)
  return address
}

/** An address of the world from which nothing ever comes. @source RFC 5737 */
const nowhere = (rest: string): (() => Promise<Silent>) => {
  const address = `/ip4/192.0.2.1/${rest}`
  return async () => ({ address, [Symbol.asyncDispose]: async () => undefined })
}

const holes: readonly (readonly [string, () => Promise<Silent>])[] = [
  ['a UDP port that never answers', silentUdp],
  ['a TCP port that accepts and says nothing', silentTcp],
  ['a TCP port with a full backlog', fullTcp],
  ['192.0.2.1 over QUIC', nowhere('udp/4001/quic-v1')],
  ['192.0.2.1 over TCP', nowhere('tcp/4001')],
]

describe('a dial beside a black hole', () => {
  it.each(holes)('%s: connects within 500 ms, and leaves nothing open', { retry: 2 }, async (_name, open) => {
    await using hole = await open()
    await using hub = await both()
    for (const live of ['/quic-v1', '/tcp/']) {
      await using a = await both()
      const to = [`${hole.address}/p2p/${hub.self}`, part(hub, live)]
      const { value, tookMs } = await timed(() => first(a.execute(connections.dial({ to }))))
      expect(value).toMatchObject({ peer: hub.self, direct: true })
      expect(tookMs).toBeLessThan(500)
      await eventually(() => a.node.getDialQueue().length === 0)
      expect(a.node.getConnections()).toHaveLength(1)
    }
  })

  it('libp2p, which dials by itself for the DHT, tries what worked before it, too', { retry: 2 }, async () => {
    await using hole = await silentTcp()
    await using hub = await both()
    await using a = await both()
    const live = part(hub, '/tcp/')
    await first(a.execute(connections.dial({ to: live })))
    await first(a.execute(connections.hangUp({ peer: hub.self })))
    await until(a.state$, ({ peers }) => peers.size === 0)
    const multiaddrs = [`${hole.address}/p2p/${hub.self}`, live].map((text) => multiaddr(text))
    await a.node.peerStore.patch(hub.node.peerId, { multiaddrs })
    const { tookMs } = await timed(() => a.node.dial(hub.node.peerId))
    expect(tookMs).toBeLessThan(900) // libp2p tries one after the other, and gives each a second
  })

  it('goes straight to what worked the next time', { retry: 2 }, async () => {
    await using hole = await silentUdp()
    await using hub = await both()
    await using a = await both()
    const to = [`${hole.address}/p2p/${hub.self}`, part(hub, '/tcp/')]
    await first(a.execute(connections.dial({ to })))
    await first(a.execute(connections.hangUp({ peer: hub.self })))
    await until(a.state$, ({ peers }) => peers.size === 0)
    const { tookMs } = await timed(() => first(a.execute(connections.dial({ to }))))
    expect(tookMs).toBeLessThan(90) // before the 100 ms that the hole would cost
  })
})

describe('what a dial has tried is in its error', () => {
  it('each address, when, and why it failed', async () => {
    await using hub = await both()
    await using a = await both()
    const [live, gone] = [part(hub, '/tcp/'), '/ip4/127.0.0.1/tcp/9']
    const other = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
    const to = [live.replace(hub.self, other), `${gone}/p2p/${other}`]
    const error = await failure(first(a.execute(connections.dial({ to }, { policy: false }))))
    const { attempts, name, message } = error as unknown as {
      name: string
      message: string
      attempts: { address: string; afterMs: number; error: Error }[]
    }
    expect(name).toBe('DialError') // one address has another peer, the other may come back
    const why = Object.fromEntries(attempts.map(({ address, error: { name: of } }) => [address, of]))
    expect(why).toEqual({ [to[0]!]: 'AuthenticationError', [to[1]!]: 'DialError' })
    for (const { afterMs } of attempts) expect(afterMs).toBeLessThan(1_000)
    expect(message).toContain(`${to[1]} after`)
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ attempts: [{ error: {} }, { error: {} }] })
  })

  it('also of one address behind a relay that is gone: it is about the peer, not about the relay', async () => {
    await using a = await createSwarm({ use: [connections(), identify(), relay()], transports: ['tcp'] })
    const [peer, relayed] = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
    const [target, at] = [peer, relayed].map((key) => peerIdFromPrivateKey(key).toString())
    const to = `/ip4/127.0.0.1/tcp/9/p2p/${at}/p2p-circuit/p2p/${target}`
    const error = await failure(first(a.execute(connections.dial({ to }, { policy: false }))))
    expect(error).toMatchObject({ name: 'DialError', peer: target, attempts: [{ address: to }] })
    expect(error.message).toContain(`dial ${target}: `)
    expect(error.message).toContain('ECONNREFUSED')
  })

  it('also when the deadline comes first', async () => {
    await using hole = await silentUdp()
    await using mute = await silentTcp()
    await using hub = await both()
    await using a = await both()
    const to = [hole, mute].map(({ address }) => `${address}/p2p/${hub.self}`)
    const { value: error, tookMs } = await timed(() =>
      failure(first(a.execute(connections.dial({ to }, { deadlineMs: 700 })))),
    )
    expect(error).toMatchObject({ name: 'DeadlineError', peer: hub.self })
    const { attempts } = error as unknown as { attempts: { address: string; error: Error }[] }
    expect(attempts.map(({ address }) => address).toSorted()).toEqual(to.toSorted())
    for (const { error: why } of attempts) expect(why.message).toMatch(/no answer within \d+ ms/)
    expect(tookMs).toBeLessThan(2_000)
    await eventually(() => a.node.getDialQueue().length === 0)
  })

  it.each([
    ['/ip4/0.0.0.0/tcp/4001', 'unspecified IP'],
    ['/ip4/224.0.0.1/tcp/4001', 'multicast IP'],
    ['/ip4/127.0.0.1/tcp/0', 'port 0'],
  ])('%s among others is left out', async (address) => {
    await using hub = await both()
    await using a = await both()
    const to = [`${address}/p2p/${hub.self}`, part(hub, '/tcp/')]
    expect(await first(a.execute(connections.dial({ to })))).toMatchObject({ peer: hub.self, transport: 'tcp' })
  })

  it('what is left out is told when the rest fails', async () => {
    await using a = await both()
    const other = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
    const to = ['/ip4/0.0.0.0/tcp/4001', '/ip4/127.0.0.1/tcp/9'].map((address) => `${address}/p2p/${other}`)
    const error = await failure(first(a.execute(connections.dial({ to }, { policy: false }))))
    expect(error.message).toContain(`not tried: ${to[0]}: unspecified IP`)
  })

  it('only such addresses: the error says of each why it is not dialled', async () => {
    await using a = await both()
    const to = ['/ip4/0.0.0.0/tcp/4001', '/ip4/127.0.0.1/tcp/0']
    const error = await failure(first(a.execute(connections.dial({ to }, { policy: false }))))
    expect(error.name).toBe('DialError')
    expect(error.message).toContain('/ip4/0.0.0.0/tcp/4001: unspecified IP')
    expect(error.message).toContain('/ip4/127.0.0.1/tcp/0: port 0')
  })

  it('never dials itself', async () => {
    await using a = await both()
    const anonymous = a.addresses.map((address) => address.replace(/\/p2p\/.*/, ''))
    const error = await failure(first(a.execute(connections.dial({ to: anonymous }))))
    expect(error).toMatchObject({ name: 'InvalidCommandError', field: 'to' })
  })
})

describe('pins', () => {
  it('a pinned address that another peer holds is passed over for the next', async () => {
    await using hub = await both()
    await using a = await createSwarm({
      use: [connections(), identify(), access({ policy: { default: 'allow', rules: [] } })],
      transports: ['quic', 'tcp'],
      listen: [listenAddress('tcp')],
    })
    const other = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
    const pinned = part(hub, '/quic-v1').replace(/\/p2p\/.*/, '')
    const pins = [{ address: pinned, peers: [other] }]
    await firstValueFrom(a.execute(access.pin({ pins })), { defaultValue: undefined })
    const connection = await first(a.execute(connections.dial({ to: hub.addresses })))
    expect(connection).toMatchObject({ peer: hub.self, transport: 'tcp' })
    await pause(50)
    expect(a.node.getConnections()).toHaveLength(1)
  })
})
