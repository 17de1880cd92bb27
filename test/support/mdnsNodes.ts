// Nodes on a network of their own, in a process of their own: says what they found as lines of JSON.
import { mdns as libp2pMdns } from '@libp2p/mdns'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import multicastDns, { type MulticastDNS } from 'multicast-dns'
import { connections, createSwarm, discovery, identify, ofType, type MdnsOptions } from 'rxswarm'
import { filter, firstValueFrom, timeout, toArray, takeUntil, timer, type Observable } from 'rxjs'
import { createLibp2p } from 'libp2p'
import { tcp } from '@libp2p/tcp'
import { pause } from './wait.ts'

const WITHIN_MS = 8_000
const soon = <T>(source$: Observable<T>): Promise<T> => firstValueFrom(source$.pipe(timeout(WITHIN_MS)))

async function node(mdns: MdnsOptions = {}) {
  return createSwarm({
    use: [connections(), identify(), discovery({ mdns, dial: false })],
    transports: ['tcp'],
    listen: ['/ip4/127.0.0.1/tcp/0'],
  })
}

const somebody = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
const SERVICE = '_p2p._udp.local'
const announceOn = (socket: MulticastDNS, name: string, addresses: readonly string[]) =>
  socket.respond({
    answers: [{ name: SERVICE, type: 'PTR', ttl: 120, data: `${name}.${SERVICE}` }],
    additionals: [
      { name: `${name}.${SERVICE}`, type: 'TXT', ttl: 120, data: addresses.map((one) => `dnsaddr=${one}`) },
    ],
  })

const say = (said: object) => console.log(JSON.stringify(said))
const foundBy = (swarm: Awaited<ReturnType<typeof node>>, peer: string) =>
  soon(
    swarm.event$.pipe(
      ofType('peer:found'),
      filter((found) => found.peer === peer),
    ),
  )

/** Two of ours find each other, are forgotten at a farewell and found again, and not while mDNS is off. */
async function eachOther() {
  const since = performance.now()
  const first = await node()
  const second = await node()
  const [one, other] = await Promise.all([foundBy(first, second.self), foundBy(second, first.self)])
  const tookMs = performance.now() - since
  say({ one: one.by, other: other.by, addresses: one.addresses.length, tookMs })

  const gone = soon(first.event$.pipe(ofType('peer:forgotten')))
  await firstValueFrom(second.execute(discovery.switch({ source: 'mdns', on: false })))
  say({ forgotten: (await gone).peer === second.self, reason: (await gone).reason })

  const foundWhileOff = firstValueFrom(first.event$.pipe(ofType('peer:found'), takeUntil(timer(1_500)), toArray()))
  say({ whileOff: (await foundWhileOff).length })

  const again = foundBy(first, second.self)
  await firstValueFrom(second.execute(discovery.switch({ source: 'mdns', on: true })))
  say({ again: (await again).peer === second.self })
  await Promise.all([first.stop(), second.stop()])
}

/** One that is not heard of any more is forgotten after its time, and found again when it is heard. */
async function silent() {
  const ours = await node({ ttlMs: 1_500, interfaces: ['lo'] })
  const socket = multicastDns({ interface: '127.0.0.1', bind: '0.0.0.0' })
  const peer = await somebody()
  const announce = () => announceOn(socket, 'silent', [`/ip4/10.1.2.3/tcp/1/p2p/${peer}`])
  await pause(300)
  const found = foundBy(ours, peer)
  const forgotten = soon(ours.event$.pipe(ofType('peer:forgotten')))
  announce()
  const { at } = await found
  const { reason, at: forgottenAt } = await forgotten
  const again = foundBy(ours, peer)
  announce()
  say({ reason, afterMs: forgottenAt - at, again: (await again).peer === peer })
  socket.destroy()
  await ours.stop()
}

/** One of ours and one of libp2p's own. */
async function foreign() {
  const ours = await node()
  const theirs = await createLibp2p({
    transports: [tcp()],
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    peerDiscovery: [libp2pMdns({ interval: 500 })],
    start: false,
  })
  const theyFound = new Promise<string>((resolve) =>
    theirs.addEventListener('peer:discovery', ({ detail }) => resolve(detail.id.toString())),
  )
  const weFound = foundBy(ours, theirs.peerId.toString())
  await theirs.start()
  say({ weFound: (await weFound).by, theyFound: (await theyFound) === ours.self })
  await Promise.all([ours.stop(), theirs.stop()])
}

/** Somebody announces hundreds of peers, and one that lies about others. */
async function flood() {
  const ours = await node({ maxPeers: 16, maxNewPerSecond: 8, maxWordsPerSecond: 64 })
  const found: string[] = []
  const dropped: unknown[] = []
  const kinds: string[] = []
  ours.event$.pipe(ofType('peer:found')).subscribe(({ peer }) => found.push(peer))
  ours.event$.pipe(ofType('discovery:dropped')).subscribe(({ addresses }) => dropped.push(...addresses))
  ours.event$.pipe(ofType('discovery:flooded')).subscribe(({ bound }) => kinds.push(bound))
  const peers = await Promise.all(Array.from({ length: 40 }, somebody))
  const socket = multicastDns({ interface: '127.0.0.1', bind: '0.0.0.0' })
  const announce = (name: string, addresses: readonly string[]) => announceOn(socket, name, addresses)
  await pause(300)
  const [liar = '', ...others] = peers
  const [own = ''] = ours.addresses
  announce('liar', [
    `/ip4/10.1.2.3/tcp/1/p2p/${liar}`,
    `/ip4/10.1.2.4/tcp/1/p2p/${others[0]}`,
    own.replace(ours.self, liar),
    own,
    '/ip4/nonsense',
  ])
  await pause(1_200)
  for (let round = 0; round < 3; round++) {
    for (const [index, peer] of others.entries()) announce(`n${index}`, [`/ip4/10.1.2.3/tcp/${index + 1}/p2p/${peer}`])
  }
  await pause(2_500)
  const known = await firstValueFrom(ours.execute(discovery.list()))
  say({
    liar: known.find(({ peer }) => peer === liar)?.addresses,
    dropped,
    found: found.length,
    known: known.length,
    kinds: [...new Set(kinds)].toSorted(),
  })
  socket.destroy()
  await ours.stop()
}

/** Somebody asks again and again: of one that only listens, then of one that says where it is. */
async function asked() {
  const META = '_services._dns-sd._udp.local'
  const answers = async (announce: boolean) => {
    const ours = await node({ announce, interfaces: ['lo'] })
    const socket = multicastDns({ interface: '127.0.0.1', bind: '0.0.0.0' })
    await pause(300)
    const heard: string[] = []
    socket.on('response', (packet) => heard.push(...(packet.answers ?? []).map(({ name }) => name)))
    const since = performance.now()
    for (let round = 0; round < 20; round++) {
      socket.query([{ name: META, type: 'PTR' }])
      socket.query([{ name: SERVICE, type: 'PTR' }])
      await pause(10)
    }
    await pause(300)
    const count = (name: string) => heard.filter((of) => of === name).length
    const counts = { kinds: count(META), nodes: count(SERVICE), tookMs: performance.now() - since }
    socket.destroy()
    await ours.stop()
    return counts
  }
  say(await answers(false))
  say(await answers(true))
}

/** An interface that there is not. */
async function nowhere() {
  const ours = await node({ interfaces: ['wlan7'] })
  const again = soon(ours.event$.pipe(ofType('discovery:failed')))
  await firstValueFrom(ours.execute(discovery.switch({ source: 'mdns', on: false })))
  await firstValueFrom(ours.execute(discovery.switch({ source: 'mdns', on: true })))
  const { as, error } = await again
  say({ as, message: error.message })
  await ours.stop()
}

const scenes = { eachOther, silent, foreign, flood, asked, nowhere }
await scenes[process.argv[2] as keyof typeof scenes]()
