import { makeSpace, type LabSpace } from './labSpace.ts'
import { startLabNode, type LabNode } from './labNode.ts'
import { usualListen, type LabNodeOptions } from './labWire.ts'

/**
 * Addresses of the internet of the lab. Nothing here leaves the machine; libp2p treats documentation and private ranges
 * as unreachable, so they are of a real range.
 */
const INTERNET = '11.0'

/** Routes everything else: private addresses are told to be unreachable, the rest is gone without a word. */
const GATEWAY = `${INTERNET}.0.1`

/** How a router maps those behind it: always from the same port, or from another one for each destination. */
export type Nat = 'cone' | 'symmetric'

/** A machine of the lab: a namespace with one interface, `eth0`. */
export interface LabHost {
  /** Of its interface. */
  readonly ip: string
  /** The namespace. */
  readonly space: LabSpace
  /** Starts a swarm on it; on the internet it announces the address of the machine. Of several, the caller chooses the ports. */
  node(options?: LabNodeOptions): Promise<LabNode>
  /** Where a swarm on this machine is to be dialled, at the usual port. */
  address(of: Pick<LabNode, 'self'>, transport: 'quic' | 'tcp'): string
  /** Pulls the cable at the far end, or puts it in again. */
  unplug(): Promise<void>
  plug(): Promise<void>
  /** Loses this share of the packets each way, without a word. 100: all of them; 0: none. @unit percent */
  lose(percent: number): Promise<void>
  /** Gives the interface another address. */
  readdress(ip: string): Promise<void>
}

/** A router with a network behind it. */
export interface LabRouter {
  /** The address that the internet sees. */
  readonly ip: string
  /** Its side towards the internet. */
  readonly uplink: LabHost
  /** Adds a machine behind it. */
  host(): Promise<LabHost>
  /** Switches it off and on: it has forgotten every mapping. `ip`: and its provider gave it another address. */
  restart(given?: { readonly ip?: string }): Promise<void>
}

/** A network of the lab's own, which is torn down at the end of the block that uses it. */
export interface Lab extends AsyncDisposable {
  /** Adds a machine to the internet. */
  host(): Promise<LabHost>
  /** Adds a router to the internet. Nothing gets in that was not asked for, and nobody is told so. */
  router(nat?: Nat): Promise<LabRouter>
  /** An address from which nothing ever comes back. */
  readonly blackHole: string
}

/** A bridge in a namespace, to which machines are attached. */
interface Segment {
  readonly space: LabSpace
  readonly bridge: string
  readonly prefix: number
  readonly gateway: string
  readonly isPublic: boolean
}

/** Makes an internet with nobody on it. */
export async function startLab(): Promise<Lab> {
  await using parts = new AsyncDisposableStack()
  const internet = await segment(parts, await space(parts), 'internet', GATEWAY, 16)
  for (const lost of ['unreachable 192.168.0.0/16', 'blackhole default']) {
    await internet.space.run('ip', 'route', 'add', ...lost.split(' '))
  }
  await forwarding(internet.space)
  await internet.space.set('net/ipv4/icmp_ratelimit', 0)
  const lab = parts.move()
  const [hosts, routers] = [counter(9), counter(0)]
  return {
    blackHole: '11.99.0.1',
    host: () => addHost(lab, internet, `${INTERNET}.0.${hosts()}`),
    router: (nat = 'cone') => {
      const index = routers()
      return addRouter(lab, internet, `${INTERNET}.1.${index}`, `192.168.${index}`, nat)
    },
    [Symbol.asyncDispose]: () => lab.disposeAsync(),
  }
}

const counter = (from: number) => {
  let count = from
  return () => ++count
}

async function space(parts: AsyncDisposableStack): Promise<LabSpace> {
  return parts.use(await makeSpace())
}

async function segment(
  parts: AsyncDisposableStack,
  within: LabSpace,
  bridge: string,
  gateway: string,
  prefix: number,
): Promise<Segment> {
  await within.run('ip', 'link', 'add', 'name', bridge, 'type', 'bridge')
  await within.run('ip', 'address', 'add', `${gateway}/${prefix}`, 'dev', bridge)
  await within.run('ip', 'link', 'set', bridge, 'up')
  return { space: within, bridge, gateway, prefix, isPublic: gateway === GATEWAY }
}

const forwarding = (within: LabSpace) => within.set('net/ipv4/ip_forward', 1)

let ports = 0

async function addHost(parts: AsyncDisposableStack, at: Segment, ip: string): Promise<LabHost> {
  const own = await space(parts)
  const port = `port${++ports}`
  const far = ['name', port, 'netns', String(at.space.pid)]
  const near = ['name', 'eth0', 'netns', String(own.pid)]
  await own.run('ip', 'link', 'add', ...far, 'type', 'veth', 'peer', ...near)
  await at.space.run('ip', 'link', 'set', port, 'master', at.bridge, 'up')
  await own.run('ip', 'link', 'set', 'eth0', 'up')
  const address = async (given: string) => {
    await own.run('ip', 'address', 'add', `${given}/${at.prefix}`, 'dev', 'eth0')
    await own.run('ip', 'route', 'replace', 'default', 'via', at.gateway)
  }
  await address(ip)
  let now = ip
  return {
    get ip() {
      return now
    },
    space: own,
    node: async (options) => {
      const announce = at.isPublic ? usualListen(now, options?.transports) : []
      return parts.use(await startLabNode(own.enter, { announce, ...options }))
    },
    address: ({ self }, transport) => `${usualListen(now, [transport])[0]}/p2p/${self}`,
    unplug: async () => void (await at.space.run('ip', 'link', 'set', port, 'down')),
    plug: async () => void (await at.space.run('ip', 'link', 'set', port, 'up')),
    lose: async (percent) => {
      await own.nft(losing('eth0', percent))
      await at.space.nft(losing(port, percent))
    },
    readdress: async (given) => {
      await own.run('ip', 'address', 'flush', 'dev', 'eth0')
      await address(given)
      now = given
    },
  }
}

/** What comes in at an interface gets lost: the far end of a cable, so that who sends it is not told. ARP is left alone. */
function losing(device: string, percent: number): string {
  const table = `table netdev lossy-${device}`
  const share = percent >= 100 ? '' : `numgen random mod 100 < ${percent}`
  const rule = percent <= 0 ? '' : `ip protocol != 0 ${share} drop`
  const chain = `chain in {\ntype filter hook ingress device ${device} priority 0\n${rule}\n}`
  return `${table}\ndelete ${table}\n${table} {\n${chain}\n}\n`
}

async function addRouter(
  parts: AsyncDisposableStack,
  internet: Segment,
  ip: string,
  lan: string,
  nat: Nat,
): Promise<LabRouter> {
  const uplink = await addHost(parts, internet, ip)
  const inside = await segment(parts, uplink.space, 'lan', `${lan}.1`, 24)
  await uplink.space.nft(masquerading(nat))
  await forwarding(uplink.space)
  const hosts = counter(1)
  return {
    get ip() {
      return uplink.ip
    },
    uplink,
    host: () => addHost(parts, inside, `${lan}.${hosts()}`),
    restart: async ({ ip: given = uplink.ip } = {}) => {
      // the kernel forgets the mappings of an interface that goes down
      await uplink.space.run('ip', 'link', 'set', 'eth0', 'down')
      await uplink.space.run('ip', 'link', 'set', 'eth0', 'up')
      await uplink.readdress(given)
    },
  }
}

/** Linux keeps the port if it is free: the same for every destination. A random one is chosen anew for each. */
function masquerading(nat: Nat): string {
  return `
table ip home {
  chain out {
    type nat hook postrouting priority srcnat
    oifname eth0 masquerade ${nat === 'cone' ? '' : 'fully-random'}
  }
  chain through {
    type filter hook forward priority 0
    iifname eth0 ct state != { established, related } drop
  }
  chain in {
    type filter hook input priority 0
    iifname eth0 ct state != { established, related } drop
  }
}
`
}
