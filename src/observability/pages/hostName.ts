import { ipBits } from '../../security/access/ipBits.ts'

/** `name`, `name:port`, `1.2.3.4:port`, `[::1]:port`; no user, no path. */
const HOST = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<name>[a-z0-9_.-]+))(?::\d{1,5})?$/i

/** No name of a host is longer. @source RFC 1035 */
const LONGEST_HOST = 253 + ':65535'.length

/** The bits of 127.0.0.0/8, and of ::1, as `ipBits` gives them. */
const LOOPBACK_4 = '401111111'
const LOOPBACK_6 = `6${'0'.repeat(127)}1`

/** The name in a Host header, in lower case, without port, brackets and the dot at its end; undefined for what is none. */
export function hostName(header: string): string | undefined {
  if (header.length > LONGEST_HOST) return undefined
  const { v6, name } = HOST.exec(header)?.groups ?? {}
  const found = (v6 ?? name)?.toLowerCase().replace(/\.$/, '')
  return found === '' || (v6 !== undefined && ipBits(v6) === undefined) ? undefined : found
}

/** Whether it is the IP of a loopback, in whatever form. */
export function isLoopbackIp(ip: string | undefined): boolean {
  const bits = ip === undefined ? undefined : ipBits(ip)
  return bits !== undefined && (bits.startsWith(LOOPBACK_4) || bits === LOOPBACK_6)
}

/** Whether a name in a Host header can only mean this machine: no other DNS answers for it. @source RFC 6761, 6.3 */
export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || isLoopbackIp(name)
}
