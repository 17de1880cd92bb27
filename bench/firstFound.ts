import { identify as libp2pIdentify } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { mdns as libp2pMdns } from '@libp2p/mdns'
import { noise } from '@libp2p/noise'
import { ping as libp2pPing } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { filter, firstValueFrom, timeout } from 'rxjs'
import { connections, createSwarm, discovery, identify, kad, ping, rendezvous, type DiscoveryOptions } from 'rxswarm'
import type { Measure } from './interleave.ts'

/** Two who find the same peer in the same way. */
export interface FirstFound {
  readonly ours: Measure
  readonly bare: Measure
  stop(): Promise<unknown>
}

const WITHIN_MS = 20_000
const LISTEN = '/ip4/127.0.0.1/tcp/0'
const PROTOCOL = '/rxswarm/kad/1.0.0'

const swarm = (options: DiscoveryOptions) =>
  createSwarm({
    use: [connections(), identify(), ping(), kad({ protocol: PROTOCOL }), discovery({ dial: false, ...options })],
    transports: ['tcp'],
    listen: [LISTEN],
  })

/** A node of libp2p alone, not yet started. */
const bareNode = (added: Libp2pOptions = {}) =>
  createLibp2p({
    addresses: { listen: [LISTEN] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    start: false,
    ...added,
    services: { identify: libp2pIdentify(), ping: libp2pPing(), ...added.services },
  })

type Bare = Awaited<ReturnType<typeof bareNode>>

/** How long a swarm takes from nothing until a source has found somebody. */
async function ours(options: DiscoveryOptions, source: 'bootstrap' | 'dht' | 'mdns'): Promise<number> {
  const start = performance.now()
  const node = await swarm(options)
  const found$ = node.state$.pipe(filter(({ discovery: { sources } }) => sources[source].found > 0))
  await firstValueFrom(found$.pipe(timeout(WITHIN_MS)))
  const tookMs = performance.now() - start
  await node.stop()
  return tookMs
}

/** How long a bare node takes from nothing until it tells of something. */
async function bare(added: Libp2pOptions, event: 'peer:discovery' | 'peer:identify', of: string, dial?: string) {
  const start = performance.now()
  const node: Bare = await bareNode(added)
  const heard = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${event}: not within ${WITHIN_MS} ms`)), WITHIN_MS)
    node.addEventListener(event, ({ detail }) => {
      if (String('id' in detail ? detail.id : detail.peerId) !== of) return
      clearTimeout(late)
      resolve()
    })
  })
  await node.start()
  if (dial !== undefined) await node.dial(multiaddr(dial))
  await heard
  const tookMs = performance.now() - start
  await node.stop()
  return tookMs
}

/** By one known address. */
export async function firstByBootstrap(): Promise<FirstFound> {
  const target = await swarm({})
  const [address = ''] = target.addresses
  return {
    ours: () => ours({ bootstrap: [address] }, 'bootstrap'),
    bare: () => bare({}, 'peer:identify', target.self, address),
    stop: () => target.stop(),
  }
}

/** By the DHT, from one known address: who is behind it. */
export async function firstByDht(): Promise<FirstFound> {
  const seed = await swarm({})
  const other = await swarm({ bootstrap: seed.addresses })
  const [address = ''] = seed.addresses
  await firstValueFrom(seed.state$.pipe(filter(({ identify: known }) => known.has(other.self))))
  const dht = kadDHT({ protocol: PROTOCOL, clientMode: true, peerInfoMapper: passthroughMapper })
  return {
    ours: () => ours({ bootstrap: [address], dht: true }, 'dht'),
    bare: () => bare({ services: { dht: dht as never } }, 'peer:discovery', other.self, address),
    stop: () => Promise.all([seed.stop(), other.stop()]),
  }
}

/** On the local network: to be called on one that nobody else is on. */
export async function firstByMdns(): Promise<FirstFound> {
  const target = await swarm({ mdns: true })
  return {
    ours: () => ours({ mdns: true }, 'mdns'),
    bare: () => bare({ peerDiscovery: [libp2pMdns()] as never }, 'peer:discovery', target.self),
    stop: () => target.stop(),
  }
}

/** At a meeting point, which libp2p does not have: it dials the one who would be found. */
export async function firstByRendezvous(): Promise<FirstFound> {
  const meet = (options: Parameters<typeof rendezvous>[0]) =>
    createSwarm({
      use: [connections(), identify(), rendezvous(options), discovery({ dial: false })],
      transports: ['tcp'],
      listen: [LISTEN],
    })
  const point = await meet({ point: true })
  const points = [point.addresses[0]!]
  const target = await meet({ points })
  await firstValueFrom(target.execute(rendezvous.registerOnce({ namespace: 'here' })))
  const first = async () => {
    const start = performance.now()
    const node = await meet({ points })
    const watching = node.execute(rendezvous.watch({ namespace: 'here' })).subscribe()
    const found$ = node.state$.pipe(filter(({ discovery: { sources } }) => sources.rendezvous.found > 0))
    await firstValueFrom(found$.pipe(timeout(WITHIN_MS)))
    const tookMs = performance.now() - start
    watching.unsubscribe()
    await node.stop()
    return tookMs
  }
  return {
    ours: first,
    bare: () => bare({}, 'peer:identify', target.self, target.addresses[0]),
    stop: () => Promise.all([point.stop(), target.stop()]),
  }
}
