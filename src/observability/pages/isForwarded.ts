/** Headers by which proxies say for whom they ask; besides all that begin with `x-forwarded`. */
const NAMES = new Set([
  'cf-connecting-ip',
  'fastly-client-ip',
  'forwarded',
  'forwarded-for',
  'true-client-ip',
  'via',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'x-real-ip',
])

/**
 * Whether headers say that somebody else asks through whoever is at the other end of a socket.
 *
 * @param headers By lower-case name; of what they say nothing is believed, only that they are there.
 * @shape  A proxy that adds none of them can't be told from a program on this machine.
 * @source RFC 7239, and what common proxies send.
 */
export function isForwarded(headers: Readonly<Record<string, unknown>>): boolean {
  for (const name in headers) {
    if (headers[name] !== undefined && (NAMES.has(name) || name.startsWith('x-forwarded'))) return true
  }
  return false
}
