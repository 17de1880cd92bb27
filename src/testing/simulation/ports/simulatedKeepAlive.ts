import { catchError, defer, EMPTY, forkJoin, map, NEVER, of, timeout, timer, type Observable } from 'rxjs'
import type { KeepAlivePorts } from '../../../swarm/behaviours/keepAlive/keepAliveBehaviour.ts'
import type { SimulatedConnection, SimulatedNode } from '../simulatedNode.ts'

/** Nobody answers it: a refusal crosses the network and back. */
const PROBE_PROTOCOL = '/rxswarm/usable/1.0.0'

/** How long a connection may take to show that it carries something. @unit milliseconds */
const PROBE_MS = 2_000

/** KeepAlive of a simulated node, whose network never changes and which remembers nobody over a restart. */
export function simulatedKeepAlive(node: SimulatedNode): KeepAlivePorts {
  const { scheduler } = node
  const to = (peer: string) => node.connections.filter((connection) => connection.peer === peer)
  const isAlive = (connection: SimulatedConnection): Observable<boolean> =>
    connection.open(PROBE_PROTOCOL).pipe(
      map((stream) => {
        stream.reset()
        return true
      }),
      catchError((error: { readonly name?: string }) => of(error.name === 'UnsupportedProtocolError')),
      timeout({ first: PROBE_MS, with: () => of(false), scheduler }),
    )
  const cut = (connections: readonly SimulatedConnection[]) => {
    for (const connection of connections) connection.close()
  }
  return {
    keep: (peer, addresses) => defer(() => (node.learn(peer, addresses), of(peer))),
    release: (peer) => of(peer),
    dial: (peer, addresses) => defer(() => (node.learn(peer, addresses), node.dial(peer))),
    probe: (peer) =>
      defer(() => (to(peer).length === 0 ? of([true]) : forkJoin(to(peer).map(isAlive)))).pipe(
        map((alive) => alive.includes(true)),
      ),
    cut: (peer) => defer(() => (cut(to(peer)), EMPTY)),
    sweep: () =>
      defer(() => {
        const open = node.connections
        return open.length === 0
          ? of([])
          : forkJoin(open.map((one) => isAlive(one).pipe(map((alive) => ({ one, alive })))))
      }).pipe(
        map((probed) => {
          const dead = probed.filter(({ alive }) => !alive)
          cut(dead.map(({ one }) => one))
          return { probed: probed.length, closed: dead.length }
        }),
      ),
    save: () => EMPTY,
    known$: timer(0, scheduler).pipe(map(() => ({ peers: node.connections.map(({ peer }) => peer), lately: [] }))),
    network$: NEVER,
  }
}
