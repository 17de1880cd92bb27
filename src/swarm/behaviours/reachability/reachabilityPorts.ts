import type { Libp2p } from '@libp2p/interface'
import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr'
import { NEVER, Observable } from 'rxjs'
import { internalsOf } from '../../libp2p/createHost.ts'
import { peerOf } from '../../libp2p/parse.ts'
import type { AutonatService } from './autonatService.ts'
import type { GatewayService } from './gatewayService.ts'
import type { ReachabilityPorts } from './reachabilityBehaviour.ts'
import type { HeldAddress } from './reachabilityOf.ts'

/** After any of these, own addresses may be others. */
const CHANGES = ['start', 'transport:listening', 'transport:close', 'self:peer:update'] as const

const FROM = {
  transport: 'listener',
  announce: 'told',
  observed: 'observed',
  'ip-mapping': 'gateway',
  'dns-mapping': 'told',
} as const satisfies Record<string, HeldAddress['from']>

/** The part of libp2p's address manager that is read. */
interface AddressBook {
  getAddressesWithMetadata(): readonly { readonly multiaddr: Multiaddr; readonly type: keyof typeof FROM }[]
}

/** What a libp2p node knows of its own addresses. */
export function reachabilityPorts(node: Libp2p): ReachabilityPorts {
  const { autonat, upnp } = node.services as { readonly autonat?: AutonatService; readonly upnp?: GatewayService }
  return { own$: ownAddresses(node), verdict$: autonat?.verdict$ ?? NEVER, gateway$: upnp?.gateway$ ?? NEVER }
}

function ownAddresses(node: Libp2p): Observable<readonly HeldAddress[]> {
  const manager = internalsOf(node).addressManager as AddressBook
  const self = node.peerId.toString()
  const read = () =>
    manager.getAddressesWithMetadata().map(({ multiaddr, type }): HeldAddress => {
      const isPlain = peerOf(multiaddr) !== self
      const address = (isPlain ? multiaddr : multiaddr.decapsulateCode(CODE_P2P)).toString()
      return { address: address.endsWith('/p2p-circuit') ? `${address}/p2p/${self}` : address, from: FROM[type] }
    })
  return new Observable((out) => {
    const tell = () => {
      if (node.status === 'started') out.next(read())
    }
    for (const change of CHANGES) node.addEventListener(change, tell)
    tell()
    return () => CHANGES.forEach((change) => node.removeEventListener(change, tell))
  })
}
