import type { AnyModule, AnySlice, Slice } from './vocabulary/behaviour.ts'
import { asSwarmError } from './perform.ts'
import type { ConnectionInfo, CoreEvent, Fact, Stamped } from './vocabulary/event.ts'

/** A peer as the swarm sees it now: there is at least one connection to it. */
export interface PeerState {
  /** Peer id, as text. */
  readonly peer: string
  /** Open connections, by libp2p's id. */
  readonly connections: ReadonlyMap<string, ConnectionInfo>
}

/** What every swarm knows of itself, whatever its behaviours. */
export interface CoreState {
  /** `stopping` while commands drain. */
  readonly phase: 'running' | 'stopping' | 'stopped'
  /** Own multiaddrs, with the peer id, as announced to others. */
  readonly addresses: readonly string[]
  /** Connected peers, by peer id. */
  readonly peers: ReadonlyMap<string, PeerState>
  /** Behaviours that crashed and wait for their restart, or ended. All others run. */
  readonly troubled: ReadonlyMap<string, 'restarting' | 'ended'>
}

type CoreSlices = { readonly [Part in keyof CoreState]: Slice<CoreState[Part], CoreEvent> }

/** The reducers of {@link CoreState}. */
export const coreSlices: CoreSlices = {
  phase: {
    initial: 'running',
    on: { 'swarm:stopping': () => 'stopping', 'swarm:stopped': () => 'stopped' },
  },
  addresses: {
    initial: [],
    on: {
      start: (_, { announced }) => announced,
      'self:peer:update': (_, { announced }) => announced,
      'transport:listening': (_, { announced }) => announced,
      'transport:close': (_, { announced }) => announced,
      'swarm:stopped': () => [],
    },
  },
  peers: {
    initial: new Map(),
    on: {
      'connection:open': (peers, { connection }) =>
        withConnections(peers, connection.peer, (connections) => connections.set(connection.id, connection)),
      'connection:close': (peers, { connection }) =>
        withConnections(peers, connection.peer, (connections) => connections.delete(connection.id)),
    },
  },
  troubled: {
    initial: new Map(),
    on: {
      'behaviour:crashed': (troubled, { behaviour }) => new Map(troubled).set(behaviour, 'restarting'),
      'behaviour:ended': (troubled, { behaviour }) => new Map(troubled).set(behaviour, 'ended'),
      'behaviour:restarted': (troubled, { behaviour }) => {
        const left = new Map(troubled)
        left.delete(behaviour)
        return left
      },
    },
  },
}

function withConnections(
  peers: CoreState['peers'],
  peer: string,
  change: (connections: Map<string, ConnectionInfo>) => void,
): CoreState['peers'] {
  const connections = new Map(peers.get(peer)?.connections)
  change(connections)
  const changed = new Map(peers)
  if (connections.size === 0) changed.delete(peer)
  else changed.set(peer, { peer, connections })
  return changed
}

/** State before anything happened, and the function from state and event to state. */
export interface Reducer {
  /** Every slice's initial state, by name. */
  readonly initial: CoreState
  /** The same object when no slice changed. */
  reduce(state: CoreState, event: Stamped<Fact>): CoreState
}

/**
 * Joins the slices of the core and of every module into one pure reduction.
 *
 * @param modules Their slices stand under their names.
 * @param say     Hears of a reducer that threw; its slice stays as it was.
 * @shape  An event that no slice names costs one look-up.
 */
export function reducer(modules: readonly AnyModule[], say: (event: CoreEvent) => void): Reducer {
  const slices: readonly (readonly [name: string, AnySlice])[] = [
    ...Object.entries(coreSlices),
    ...modules.flatMap(({ name, state }) => (state === undefined ? [] : [[name, state] as const])),
  ]
  const listeners = new Map<string, [slice: string, on: (state: never, event: never) => unknown][]>()
  for (const [slice, { on }] of slices) {
    for (const [type, reduce] of Object.entries(on)) {
      if (reduce !== undefined) listeners.set(type, [...(listeners.get(type) ?? []), [slice, reduce]])
    }
  }
  return {
    initial: Object.fromEntries(slices.map(([slice, { initial }]) => [slice, initial])) as unknown as CoreState,
    reduce(state, event) {
      const listening = listeners.get(event.type)
      if (listening === undefined) return state
      let next: Record<string, unknown> | undefined
      for (const [slice, on] of listening) {
        const before = (state as unknown as Record<string, unknown>)[slice]
        try {
          const after = on(before as never, event as never)
          if (after !== before) (next ??= { ...state })[slice] = after
        } catch (error) {
          if (event.type !== 'reducer:failed')
            say({ type: 'reducer:failed', slice, event: event.type, error: asSwarmError(error) })
        }
      }
      return next === undefined ? state : (next as unknown as CoreState)
    },
  }
}
