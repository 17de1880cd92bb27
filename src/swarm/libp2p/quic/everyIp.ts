import { networkInterfaces } from 'node:os'
import type { Listener } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'

/** The part of the native listener that its type leaves out. */
interface Listening {
  readonly state?: { readonly listenAddr?: Multiaddr }
}

const EVERYWHERE = /^\/(?<family>ip4|ip6)\/(?:0\.0\.0\.0|::)(?<rest>\/udp\/.*)$/

/**
 * A listener on every interface that has an address for each IP of now. The native one asks the system once, when it is
 * loaded, so that on another network it would go on to announce the old one.
 */
export function everyIp(listener: Listener): Listener {
  const own = listener.getAddrs.bind(listener)
  listener.getAddrs = () => {
    const at = (listener as Listening).state?.listenAddr?.toString() ?? ''
    const { family, rest } = EVERYWHERE.exec(at)?.groups ?? {}
    if (family === undefined || rest === undefined) return own()
    const wanted = family === 'ip4' ? 'IPv4' : 'IPv6'
    const ips = Object.values(networkInterfaces()).flatMap((all = []) => all.filter((one) => one.family === wanted))
    return ips.map(({ address }) => multiaddr(`/${family}/${address}${rest}`))
  }
  return listener
}
