import { defer, map, of, throwError } from 'rxjs'
import { InvalidCommandError, UnknownPeerError } from '../../../errors/errors.ts'
import type {
  ConnectionsPorts,
  ConnectionSnapshot,
} from '../../../swarm/behaviours/connections/connectionsBehaviour.ts'
import type { SimulatedConnection, SimulatedNode } from '../simulatedNode.ts'

/** Connections of a simulated node. */
export function simulatedConnections(node: SimulatedNode): ConnectionsPorts {
  return {
    dial: (to) => defer(() => node.dial(targetOf(to, node.addresses))).pipe(map(({ info }) => info)),
    hangUp: (peer) =>
      defer(() => {
        const open = node.connections.filter((connection) => connection.peer === peer)
        if (open.length === 0) throw new UnknownPeerError(`hang up: ${peer} is not connected`, { peer })
        for (const connection of open) connection.close()
        return of(open.length)
      }),
    listen: (address) => defer(() => of([...node.listen(address)])),
    unlisten: (address) =>
      defer(() => {
        const own = node.addresses.find((listened) => isWithin(listened, address))
        if (node.unlisten(own ?? address)) return of(undefined)
        const message = `address: ${address} is not listened on`
        return throwError(() => new InvalidCommandError(message, { field: 'address', address }))
      }),
    list: () => defer(() => of(node.connections.map(snapshot))),
  }
}

/** A peer, or addresses. @errors `InvalidCommandError` for what is neither, or is this node itself */
function targetOf(to: string | readonly string[], own: readonly string[]): string | readonly string[] {
  const targets = typeof to === 'string' ? [to] : to
  const [only] = targets
  if (targets.length === 1 && only !== undefined && !only.startsWith('/')) return only
  const wrong = targets.find((target) => !target.startsWith('/'))
  if (wrong !== undefined) {
    throw new InvalidCommandError(`to: "${wrong}" is not a multiaddr`, { field: 'to', address: wrong })
  }
  if (!targets.every((target) => own.some((listened) => isWithin(listened, target)))) return targets
  throw new InvalidCommandError(`to: ${String(to)} is this node itself`, { field: 'to' })
}

/** With or without the peer id they are the same. */
function isWithin(own: string, address: string): boolean {
  return own === address || own.startsWith(`${address}/p2p/`)
}

function snapshot({ info, streams }: SimulatedConnection): ConnectionSnapshot {
  return {
    ...info,
    encryption: 'native',
    multiplexer: 'quic',
    streams: streams.map(({ id, protocol, direction, status }) => ({ id, protocol, direction, status })),
  }
}
