import { asyncScheduler, NEVER, Observable, throwError } from 'rxjs'
import { LIMITS } from '../swarm/ledger.ts'
import { wireSwarm } from '../swarm/wireSwarm.ts'
import type { WiredSwarm, WireOptions } from '../swarm/wiring.ts'
import type { AnyModule, Wires } from '../swarm/vocabulary/behaviour.ts'
import type { AnyCommand } from '../swarm/vocabulary/command.ts'
import type { NodeEvent } from '../swarm/vocabulary/event.ts'

/** The peer id of {@link fakeWires} and {@link fakeSwarm}. */
export const FAKE_SELF = 'self'

/**
 * Wires for a behaviour under test: what is not given stays silent.
 *
 * @param given `command$` and `ports` at least; the marbles of a test.
 * @shape  The scheduler is `asyncScheduler`, which is virtual inside `marbles`; `random` always says 0.5.
 */
export function fakeWires<C extends AnyCommand, Ports>(
  given: Pick<Wires<C, Ports>, 'command$' | 'ports'> & Partial<Wires<C, Ports>>,
): Wires<C, Ports> {
  return {
    cancel$: NEVER,
    event$: NEVER,
    self: FAKE_SELF,
    scheduler: asyncScheduler,
    random: () => 0.5,
    deadlineMs: 5_000,
    ...given,
  }
}

/** Ports of which every call gives the same stream, and which never speak by themselves. */
export function fakePorts<Ports extends object>(answer: () => Observable<unknown>): Ports {
  return new Proxy(Object.create(null) as Ports, {
    get: (_, name) => (String(name).endsWith('$') ? NEVER : answer),
  })
}

/** Ports of which every call fails. */
export function failingPorts<Ports extends object>(error: unknown = new Error('the port failed')): Ports {
  return fakePorts(() => throwError(() => error))
}

/** What {@link fakeSwarm} can be given besides modules. */
export interface FakeSwarmOptions extends Partial<WireOptions> {
  /** Ports by module name; a module without an entry gets none. */
  readonly ports?: Readonly<Record<string, unknown>>
  /** What the node says. */
  readonly event$?: Observable<NodeEvent>
}

/**
 * The whole pipeline of a swarm over fake ports: intake, chains, routing, supervision, deadlines, state; started.
 *
 * @shape  Its clock is `asyncScheduler`, which is virtual inside `marbles`.
 */
export function fakeSwarm(modules: readonly AnyModule[], options: FakeSwarmOptions = {}): WiredSwarm {
  const { ports = {}, event$ = NEVER, ...wiring } = options
  const host = { self: FAKE_SELF, event$, portsOf: ({ name }: AnyModule) => ports[name] }
  const swarm = wireSwarm(host, modules, {
    limits: LIMITS,
    deadlineMs: 5_000,
    scheduler: asyncScheduler,
    random: () => 0.5,
    ...wiring,
  })
  swarm.start()
  return swarm
}
