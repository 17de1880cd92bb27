import type { Libp2p } from '@libp2p/interface'
import { isLoopback } from '@libp2p/utils'
import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr'
import { defer, distinct, filter, from, fromEvent, map, merge, mergeMap, of } from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { dialTo } from '../../libp2p/connectTo.ts'
import { parseAddress, parsePeer, peerOf } from '../../libp2p/parse.ts'
import { started } from '../../libp2p/started.ts'
import type { KadService } from '../kad/kadService.ts'
import type { DiscoveryPorts } from './discoveryBehaviour.ts'
import type { DiscoverySource } from './discoveryVocabulary.ts'
import { mdnsPorts } from './mdnsPorts.ts'
import type { ReadAddress } from './vetAddresses.ts'

/** Discovery over a libp2p node. */
export function discoveryPorts(node: Libp2p): DiscoveryPorts {
  const dht = node.services['kad'] as KadService | undefined
  const table = (dht as unknown as { readonly routingTable: EventTarget & { readonly size: number } } | undefined)
    ?.routingTable
  const switches = new Map<DiscoverySource, boolean>()
  const withPeer = (address: string, peer: string): Multiaddr =>
    parseAddress(address.endsWith(`/p2p/${peer}`) ? address : `${address}/p2p/${peer}`)
  return {
    started$: started(node),
    dhtReady$: defer(() =>
      table === undefined
        ? of<undefined>()
        : merge(of(undefined), fromEvent(table, 'peer:add')).pipe(filter(() => table.size > 0)),
    ),
    connected$: defer(() => from(new Set(node.getPeers().map(String)))),
    hasDht: dht !== undefined,
    own: () => node.getMultiaddrs().map(String),
    read,
    dial: (peer, addresses) =>
      defer(() =>
        dialTo(
          node,
          addresses.map((address) => withPeer(address, peer)),
        ),
      ),
    store: (peer, addresses) =>
      fromAbortable(async (signal) => {
        const multiaddrs = addresses.map((address) => parseAddress(address))
        await node.peerStore.merge(parsePeer(peer), { multiaddrs }, { signal })
      }),
    walk: (key) =>
      defer(() => fromAbortable((signal) => dht!.getClosestPeers(new TextEncoder().encode(key), { signal }))).pipe(
        // those who are closer, as soon as somebody names them: the query itself waits for everybody who is gone
        mergeMap((event) =>
          event.name === 'PEER_RESPONSE' ? event.closer : event.name === 'FINAL_PEER' ? [event.peer] : [],
        ),
        distinct(({ id }) => id.toString()),
        map(({ id, multiaddrs }) => ({ peer: id.toString(), addresses: multiaddrs.map(String) })),
      ),
    mdns: mdnsPorts(node),
    switched: (source, usual) => defer(() => of(switches.get(source) ?? usual)),
    switch: (source, on) => defer(() => of(void switches.set(source, on))),
  }
}

/** Addresses that stand for any of a host lead nowhere from another. */
const UNSPECIFIED = /^\/(ip4\/0\.0\.0\.0|ip6\/(::|0(:0){7}))\//

function read(text: string): ReadAddress | undefined {
  try {
    const address = parseAddress(text)
    const peer = peerOf(address)
    const bare = (peer === undefined ? address : address.decapsulate(`/p2p/${peer}`)).toString()
    const through = address.getComponents().flatMap(({ code, value }) => (code === CODE_P2P ? [value ?? ''] : []))
    if (bare === '/' || bare === '' || UNSPECIFIED.test(bare)) return undefined
    return { bare, peer, through, isLoopback: isLoopback(address) }
  } catch {
    return undefined
  }
}
