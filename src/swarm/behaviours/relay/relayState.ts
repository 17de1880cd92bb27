import type { Slice } from '../../vocabulary/behaviour.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { RelayEvent, Reservation } from './relayVocabulary.ts'

/** What a node has at relays, and what it is as a relay. */
export interface RelayState {
  /** By peer id of the relay. */
  readonly reservations: ReadonlyMap<string, Reservation>
  /** Addresses of the relays that are known, by peer id. Bound: see `MOST_RELAYS`. */
  readonly candidates: ReadonlyMap<string, readonly string[]>
  /** As a relay for others. */
  readonly server: {
    /** Reservations that it has granted, and that hold. */
    readonly reservations: number
    /** Circuits that it carries. */
    readonly circuits: number
    /** Requests that it has refused since the start. */
    readonly denied: number
  }
}

const without = <T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> =>
  map.has(key) ? new Map([...map].filter(([one]) => one !== key)) : map

const gone = (state: RelayState, { relay }: { readonly relay: string }): RelayState => {
  const reservations = without(state.reservations, relay)
  return reservations === state.reservations ? state : { ...state, reservations }
}

const got = (state: RelayState, { relay, addresses, expiresAt, limit, rttMs }: Reservation): RelayState => ({
  ...state,
  reservations: new Map(state.reservations).set(relay, { relay, addresses, expiresAt, limit, rttMs }),
})

const served = (state: RelayState, more: Partial<RelayState['server']>): RelayState => ({
  ...state,
  server: {
    reservations: Math.max(0, state.server.reservations + (more.reservations ?? 0)),
    circuits: Math.max(0, state.server.circuits + (more.circuits ?? 0)),
    denied: state.server.denied + (more.denied ?? 0),
  },
})

/** The part of `state$` that relay adds. */
export const relayState: Slice<RelayState, RelayEvent | CoreEvent> = {
  initial: { reservations: new Map(), candidates: new Map(), server: { reservations: 0, circuits: 0, denied: 0 } },
  on: {
    'relay:found': (state, { relay, addresses }) => ({
      ...state,
      candidates: new Map(state.candidates).set(relay, addresses),
    }),
    'relay:forgotten': (state, { relay }) => ({ ...state, candidates: without(state.candidates, relay) }),
    'relay:reserved': got,
    'relay:refreshed': got,
    'relay:lost': gone,
    'relay:released': gone,
    'behaviour:crashed': (state, { behaviour }) =>
      behaviour === 'relay' ? { ...state, reservations: new Map(), candidates: new Map() } : state,
    'relay:accepted': (state) => served(state, { reservations: 1 }),
    'relay:ended': (state) => served(state, { reservations: -1 }),
    'relay:denied': (state) => served(state, { denied: 1 }),
    'relay:circuit-opened': (state) => served(state, { circuits: 1 }),
    'relay:circuit-closed': (state) => served(state, { circuits: -1 }),
  },
}
