import type { Connection, PeerId } from '@libp2p/interface'

/**
 * A connection manager that names the latest direct connection to a peer first. libp2p's relay takes the first it is
 * given, which after a restart of the other side can be one that is dead and has not been missed yet.
 */
export function newestFirst<Manager extends { getConnections(peer?: PeerId): Connection[] }>(
  manager: Manager,
): Manager {
  const getConnections = (peer?: PeerId) => {
    const open = manager.getConnections(peer).filter(({ status }) => status === 'open')
    return open.toSorted((one, other) => rank(other) - rank(one))
  }
  return new Proxy(manager, {
    get: (target, name) => {
      if (name === 'getConnections') return getConnections
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}

/** Relayed connections last. @unit milliseconds */
function rank({ direct, timeline }: Connection): number {
  return direct ? timeline.open : 0
}
