import type {
  ComponentLogger,
  ConnectionGater,
  Libp2p,
  Libp2pEvents,
  PeerInfo,
  PrivateKey,
  TypedEventTarget,
  Upgrader,
} from '@libp2p/interface'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Datastore } from 'interface-datastore'
import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import type { AnyModule } from '../vocabulary/behaviour.ts'
import type { Host } from '../wiring.ts'
import { hangGate, type Gate, type GateComponents } from './gate.ts'
import { dialling as startDialling, type Dialling } from './dialling.ts'
import { nodeEvents } from './nodeEvents.ts'
import { quickKey } from './quickKey.ts'
import { defaultListen, transportOptions, type TransportName } from './transports.ts'

/** What a libp2p node is made of. */
export interface HostOptions {
  /** Keys of the node; a fresh Ed25519 pair by default, and so a fresh peer id. */
  readonly identity?: PrivateKey | undefined
  /** In order of preference. */
  readonly transports: readonly TransportName[]
  /** Multiaddrs to listen on. */
  readonly listen?: readonly string[] | undefined
  /** Connections kept open at once; libp2p prunes above that. */
  readonly maxConnections: number
  /** Where the node keeps what must outlive it; in memory by default. */
  readonly datastore?: Datastore | undefined
  /** Last say over libp2p's own options. */
  readonly libp2p?: ((options: Libp2pOptions) => Libp2pOptions) | undefined
}

/** A host that can be switched on and off. */
export interface Libp2pHost extends Host {
  /** The node itself. */
  readonly node: Libp2p
  /** Listens and starts the services. */
  start(): Promise<void>
  /** Closes streams and connections and stops the services. */
  stop(): Promise<void>
}

/** Longer than any sensible deadline: who dials bounds it, and the transports bound the dials that libp2p makes itself. */
const DIAL_TIMEOUT_MS = 60_000

/** New connections from one host. libp2p's default of 5 refuses a crowd behind one NAT. @unit per second */
const INBOUND_PER_HOST = 256

/** The service that keeps the node's internals at hand, as any libp2p service is given them. */
const INTERNALS = 'rxswarm:internals'

/** The internals that the adapters use. */
export interface Internals {
  readonly transportManager: {
    dialTransportForMultiaddr(address: unknown): object | undefined
    listen(addresses: unknown[]): Promise<void>
    getListeners(): { getAddrs(): { toString(): string }[]; close(): Promise<void> }[]
    getTransports(): object[]
  }
  readonly randomWalk: { walk(options: { readonly signal: AbortSignal }): AsyncIterable<PeerInfo> }
  readonly addressManager: AddressManager
  readonly connectionGater: ConnectionGater
  readonly privateKey: PrivateKey
  readonly datastore: Datastore
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly upgrader: Upgrader
  readonly logger: ComponentLogger
}

/** libp2p's book of own addresses, with its parts that are not in its interface. */
export interface AddressManager {
  /** Announced instead of all others, if there are any. */
  readonly announce: Set<string>
  /** Announced besides the others. */
  readonly appendAnnounce: Set<string>
  announceFilter(addresses: Multiaddr[]): Multiaddr[]
  confirmObservedAddr(address: Multiaddr, options?: { readonly type?: 'observed' }): void
  removeObservedAddr(address: Multiaddr): void
  getAddressesWithMetadata(): readonly {
    readonly multiaddr: Multiaddr
    readonly verified: boolean
    readonly type: 'transport' | 'announce' | 'observed' | 'ip-mapping' | 'dns-mapping'
  }[]
  /** Tells the peer store, and by it connected peers, what is announced now: a second later. */
  _updatePeerStoreAddresses: (() => void) & { stop?(): void }
}

/** Builds a libp2p node, not yet started, with the services of the modules. */
export async function createHost(options: HostOptions, modules: readonly AnyModule[]): Promise<Libp2pHost> {
  const { identity, transports, maxConnections, datastore, libp2p = (own: Libp2pOptions) => own } = options
  const listen = options.listen ?? transports.flatMap((name) => defaultListen[name])
  const dialling = startDialling()
  const carried = transportOptions(transports, dialling.note)
  const own: Libp2pOptions = {
    ...carried,
    transports: [...carried.transports!, ...modules.flatMap(({ transports: added = [] }) => added)] as NonNullable<
      Libp2pOptions['transports']
    >,
    ...(datastore === undefined ? {} : { datastore }),
    privateKey: quickKey(identity ?? (await generateKeyPair('Ed25519'))),
    start: false,
    addresses: { listen: [...listen] },
    connectionManager: {
      addressSorter: (one, other) =>
        dialling.compare(one.multiaddr.toString(), other.multiaddr.toString()) as -1 | 0 | 1,
      addressDialTimeout: DIAL_TIMEOUT_MS,
      inboundUpgradeTimeout: DIAL_TIMEOUT_MS,
      maxConnections,
      inboundConnectionThreshold: INBOUND_PER_HOST,
      maxIncomingPendingConnections: INBOUND_PER_HOST,
    },
    // libp2p refuses private addresses by default; a swarm on a LAN or a loopback has no others
    connectionGater: { denyDialMultiaddr: () => false },
    services: {
      // first, so that the gate has every connection in hand before a service hears of it
      [INTERNALS]: (components: Internals & GateComponents) => ({
        components,
        gate: hangGate(components),
        dialling,
      }),
      ...Object.assign({}, ...modules.map(({ services }) => services)),
    },
  }
  const shaped = modules.reduce((options, module) => module.libp2p?.(options) ?? options, own)
  const node: Libp2p = await createLibp2p(libp2p(shaped))
  return {
    self: node.peerId.toString(),
    node,
    event$: nodeEvents(node),
    portsOf: (module, probe) => module.ports(node, probe),
    start: async () => node.start(),
    stop: async () => {
      const hasStarted = node.status !== 'stopped'
      await node.stop()
      if (!hasStarted) await letGo(node)
      forgetUpdates(node)
    },
  }
}

/** The internals of a node that `createHost` built. */
export function internalsOf(node: Libp2p): Internals {
  return (node.services[INTERNALS] as { readonly components: Internals }).components
}

/** The gate of a node that `createHost` built: every stream of every protocol goes through it. */
export function gateOf(node: Libp2p): Gate {
  return (node.services[INTERNALS] as { readonly gate: Gate }).gate
}

/** What a node that `createHost` built remembers of its dials. */
export function diallingOf(node: Libp2p): Dialling {
  return (node.services[INTERNALS] as { readonly dialling: Dialling }).dialling
}

/**
 * Tells the peer store, and by it connected peers, what is announced now, at once: libp2p does a second later. When the
 * store has heard it already, or has not yet heard what was announced before, libp2p says nothing, and so it is said here.
 */
export function tellOwnAddresses(node: Libp2p): void {
  const { events } = internalsOf(node)
  const tell = async () => {
    let isTold = false
    const hear = () => void (isTold = true)
    events.addEventListener('self:peer:update', hear)
    try {
      const multiaddrs = node.getMultiaddrs().map((address) => address.decapsulateCode(CODE_P2P))
      const peer = await node.peerStore.patch(node.peerId, { multiaddrs })
      if (!isTold) events.safeDispatchEvent('self:peer:update', { detail: { peer } })
    } finally {
      events.removeEventListener('self:peer:update', hear)
    }
  }
  tell().catch(() => undefined) // the store is closed: there is nobody to tell
}

/** A node that could not start does not stop its services either; what they have open is let go of. */
async function letGo(node: Libp2p): Promise<void> {
  const services = Object.values(node.services) as readonly { afterStop?(): Promise<void> | void }[]
  for (const service of services) await service.afterStop?.()
}

/**
 * Stopping re-arms two timers of 1 s, which tell the address book and the peers of a node that is gone what its addresses
 * are, and keep the process alive for it.
 */
function forgetUpdates(node: Libp2p): void {
  type Debounced = { stop?(): void } | undefined
  const { addressManager } = internalsOf(node)
  const { identifyPush } = node.services
  addressManager._updatePeerStoreAddresses.stop?.()
  ;(identifyPush as { _push?: Debounced } | undefined)?._push?.stop?.()
}
