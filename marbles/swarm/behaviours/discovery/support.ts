import type { DiscoveryCommand, DiscoveryPorts } from 'rxswarm'
import { fakeWires } from 'rxswarm/testing'
import { EMPTY, map, NEVER, of } from 'rxjs'
import type {
  DiscoverySettings,
  DiscoveryWires,
} from '../../../../src/swarm/behaviours/discovery/discoveryBehaviour.ts'

/** An address is `host` or `host/p2p/peer`; `lo` is the loopback, `?` is malformed. */
export function read(address: string) {
  if (address.includes('?')) return undefined
  const [bare = '', ...through] = address.split('/p2p/')
  return { bare, peer: through.at(-1), through, isLoopback: bare.startsWith('lo') }
}

/** Settings without chance, each source off unless it is named. */
export function settingsOf(given: Partial<DiscoverySettings> = {}): DiscoverySettings {
  return {
    on: { bootstrap: false, mdns: false, dht: false, rendezvous: false },
    bootstrap: {
      list: [],
      minConnected: 1,
      atOnce: 2,
      backoff: { type: 'exponential', initialDelayMs: 4, maxDelayMs: 16, jitter: 'none' },
      ttlMs: 60_000,
    },
    mdns: {
      announce: true,
      service: '_p2p._udp.local',
      port: 5_353,
      intervalMs: 10_000,
      ttlMs: 60_000,
      maxPeers: 4,
      maxNewPerSecond: 3,
      maxWordsPerSecond: 8,
    },
    dht: { enough: 2, soonMs: 10, intervalMs: 100, ttlMs: 60_000 },
    maxKnown: 3,
    dial: false,
    ...given,
  }
}

/** Ports of a node that runs, is alone, and on which nothing happens. */
export function portsOf(given: Partial<DiscoveryPorts> = {}): DiscoveryPorts {
  return {
    started$: of(undefined),
    dhtReady$: of(undefined),
    connected$: EMPTY,
    hasDht: true,
    own: () => ['own'],
    read,
    dial: () => NEVER,
    store: () => EMPTY,
    walk: () => EMPTY,
    mdns: () => NEVER,
    switched: (_, usual) => of(usual),
    switch: () => of(undefined),
    ...given,
  }
}

/** Wires for discovery, silent but for what is given. */
export function wiresOf(given: Partial<DiscoveryWires> = {}): DiscoveryWires {
  return fakeWires<DiscoveryCommand, DiscoveryPorts>({ command$: NEVER, ports: portsOf(), ...given })
}

/** An event in a few words: what, who or by what, and a detail. */
export const brief = map((fact: object) => {
  const said = fact as Readonly<Record<string, string | undefined>> & {
    readonly addresses: unknown
    readonly error: unknown
  }
  const { type, peer, addresses, by, as, reason, bound, refused, error, retryInMs, source, on, command } = said
  const places = Array.isArray(addresses) && type !== 'discovery:failed' ? placesIn(addresses) : undefined
  const words = [type, peer, places, by && `by ${String(by)}`, as && `as ${String(as)}`, reason, bound, refused, source]
  const failure = (error as Error | undefined)?.name
  return [...words, on, failure, retryInMs, command]
    .filter((word) => word !== undefined)
    .map(String)
    .join(' ')
})

function placesIn(addresses: readonly unknown[]): string {
  return addresses.map((one) => (typeof one === 'string' ? one : Object.values(one as object).join(':'))).join(',')
}
