import { dcutr } from '@libp2p/dcutr'
import type { Connection, Topology } from '@libp2p/interface'
import { retire } from './retire.ts'

type Components = Parameters<ReturnType<typeof dcutr>>[0]
type Registrar = Components['registrar']

/**
 * libp2p's DCUtR, which lets a relayed connection end only when nothing runs on it any more. Libp2p closes it as soon as the
 * direct one is there, with all that is under way.
 *
 * @source DCUtR of libp2p; its dial is TCP's. QUIC would need datagrams from the port that listens, and the add-on dials
 *         from another one.
 */
export function holePunching(): (components: Components) => unknown {
  return (components) => {
    const { registrar } = components
    const handle: Registrar['handle'] = (protocol, handler, options) =>
      registrar.handle(protocol, (stream, connection) => handler(stream, lasting(connection)), options)
    const register: Registrar['register'] = (protocol, topology: Topology, options) => {
      const { onConnect } = topology
      const own =
        onConnect === undefined
          ? {}
          : {
              onConnect: (...[peer, connection]: Parameters<typeof onConnect>) =>
                onConnect.call(topology, peer, lasting(connection)),
            }
      return registrar.register(protocol, { ...topology, ...own }, options)
    }
    const wrapped = new Proxy(registrar, {
      get: (target, name) => {
        if (name === 'handle') return handle
        if (name === 'register') return register
        return bound(target, name)
      },
    })
    return dcutr()(Object.create(components, { registrar: { value: wrapped } }) as Components)
  }
}

/** The same connection, which is closed by and by. */
function lasting(connection: Connection): Connection {
  return new Proxy(connection, {
    get: (target, name) => (name === 'close' ? async () => retire(target) : bound(target, name)),
  })
}

function bound<T extends object>(target: T, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name)
  return typeof member === 'function' ? (member.bind(target) as unknown) : member
}
