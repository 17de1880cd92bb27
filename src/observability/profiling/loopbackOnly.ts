import { BlockList } from 'node:net'
import { isForwarded } from '../pages/isForwarded.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6')

/** Names of this machine for itself; a page of another site that has had its name pointed here is not one. */
const OWN_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/** What of a request decides. */
export interface Caller {
  /** Address of the other end of the socket. */
  readonly remoteAddress: string | undefined
  /** Headers, by lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/**
 * Whether a caller is on this machine, and speaks for itself: not for somebody behind a proxy, nor for a page of another site.
 *
 * @source ours; `Host` is checked against DNS rebinding, `Sec-Fetch-Site` and `Origin` against other sites.
 */
export function isOnLoopback({ remoteAddress, headers }: Caller): boolean {
  if (remoteAddress === undefined) return false
  if (!loopback.check(remoteAddress, remoteAddress.includes(':') ? 'ipv6' : 'ipv4')) return false
  const { host, origin } = headers
  if (typeof host !== 'string' || !OWN_NAME.test(host)) return false
  if (isForwarded(headers)) return false
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  return origin === undefined || origin === `http://${host}`
}
