import { networkInterfaces } from 'node:os'

/** The system is asked again after so long. @unit milliseconds */
const FRESH_MS = 1_000

let known: { readonly ips: readonly string[]; readonly atMs: number } | undefined

/** The IPs of this host with the length of their prefix, in the order of their text: `192.168.1.5/24`. */
export function ownIps(freshMs = FRESH_MS): readonly string[] {
  const nowMs = performance.now()
  if (known === undefined || nowMs - known.atMs >= freshMs) known = { ips: readIps(), atMs: nowMs }
  return known.ips
}

function readIps(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((one = []) => one.map(({ cidr, address }) => cidr ?? address))
  return [...new Set(all)].toSorted()
}
