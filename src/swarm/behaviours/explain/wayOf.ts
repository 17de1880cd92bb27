import type { ConnectionInfo } from '../../vocabulary/event.ts'

/** By which way a connection goes, in words. */
export function wayOf({ direct, transport }: ConnectionInfo): string {
  if (direct) return `directly over ${transport}`
  return transport === 'chain' ? 'through a chain' : 'through a relay'
}
