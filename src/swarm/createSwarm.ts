import type { Libp2p } from '@libp2p/interface'
import { firstValueFrom, type Observable, type Subject } from 'rxjs'
import type { CommandLane } from './commandLanes.ts'
import type { WithDashboard } from '../observability/dashboard/withDashboard.ts'
import { checkOptions } from './checkOptions.ts'
import { createHost } from './libp2p/createHost.ts'
import type { CoreState } from './state.ts'
import type { SwarmOptions } from './swarmOptions.ts'
import type { AnyModule, CommandOf, EventOf, StateOf } from './vocabulary/behaviour.ts'
import type { ResultOf } from './vocabulary/command.ts'
import { ConfigError } from '../errors/errors.ts'
import type { Undrained } from './vocabulary/event.ts'
import { wireSwarm } from './wireSwarm.ts'

/** What a stop came to. */
export interface StopReport {
  /** Commands that had not settled at the deadline; each failed with `StoppedError`. */
  readonly undrained: readonly Undrained[]
}

/** A libp2p node as one pipeline. */
export interface Swarm<Modules extends readonly unknown[]> extends AsyncDisposable {
  /** Own peer id, as text. */
  readonly self: string
  /** Own multiaddrs now, with the peer id: what others dial. */
  readonly addresses: readonly string[]
  /** Commands in. Takes a burst without blocking; what does not fit fails with `OverloadedError`. */
  readonly command$: Subject<CommandOf<Modules>>
  /** Everything that happens. Hot: a late subscriber gets what follows. Never errors; completes when stopped. */
  readonly event$: Observable<EventOf<Modules>>
  /** A pure reduction of `event$`. Replays the latest; completes when stopped. */
  readonly state$: Observable<CoreState & StateOf<Modules>>
  /**
   * What runs and waits in the lanes `control`, `normal` and `bulk`, and for how long: at once, and every second. Completes
   * when stopped.
   */
  readonly lanes$: Observable<readonly CommandLane[]>
  /**
   * Sends a command when subscribed and emits what answers it.
   *
   * @shape  Cold: each subscription sends the command anew. Unsubscribing cancels it. Settles within its deadline; an
   *         open-ended command lasts until its subscriber leaves or the swarm stops.
   * @errors A `SwarmError`, which `event$` tells as `command:failed` too.
   */
  execute<C extends CommandOf<Modules>>(command: C): Observable<ResultOf<C>>
  /**
   * Stops in phases: refuse new commands, wait for those in flight, end what is left, close streams and connections,
   * complete the streams. Stopping twice is stopping once.
   *
   * @param options `drainMs` is how long commands in flight may take. Default: 2 000.
   */
  stop(options?: { readonly drainMs?: number }): Promise<StopReport>
  /** The libp2p node, for what rxswarm has no word for yet. */
  readonly node: Libp2p
}

/** How long commands in flight may take when a swarm stops. @unit milliseconds */
const DRAIN_MS = 2_000

/**
 * Starts a libp2p node as one pipeline: commands in through a Subject, events out of hot Observables, and the
 * behaviours of `use` between them.
 *
 * @shape  Resolves when the node listens.
 * @errors `ConfigError` with every problem of the options; nothing is left open then.
 */
export async function createSwarm<
  const Modules extends readonly AnyModule[],
  const Shown extends SwarmOptions<Modules>['dashboard'] = undefined,
>(
  options: SwarmOptions<Modules> & { readonly dashboard?: Shown | undefined },
): Promise<Swarm<WithDashboard<Modules, Shown>>> {
  const { use, identity, transports, listen, maxConnections, datastore, libp2p, ...wiring } = checkOptions(
    options,
    await shown(options),
  )
  const made = { identity, transports, listen, maxConnections, datastore, libp2p }

  const host = await createHost(made, use).catch(cannotBe('libp2p'))
  const wired = wireSwarm(host, use, wiring)
  try {
    wired.start()
    await host.start()
  } catch (cause) {
    wired.close([])
    await host.stop()
    if (cause instanceof ConfigError) throw cause
    return cannotBe('listen')(cause)
  }

  let stopped: Promise<StopReport> | undefined
  const stop = async (drainMs: number): Promise<StopReport> => {
    const undrained = await firstValueFrom(wired.drain(drainMs))
    try {
      await host.stop()
    } finally {
      wired.close(undrained)
    }
    return { undrained }
  }
  const swarm = {
    self: host.self,
    node: host.node,
    command$: wired.command$,
    event$: wired.event$,
    state$: wired.state$,
    lanes$: wired.lanes$,
    execute: wired.execute,
    get addresses() {
      return wired.state().addresses
    },
    stop: async ({ drainMs = DRAIN_MS } = {}) => {
      if (!(drainMs >= 0)) {
        throw new ConfigError([{ path: 'drainMs', message: `must be a number from 0, not ${String(drainMs)}` }])
      }
      return (stopped ??= stop(drainMs))
    },
    [Symbol.asyncDispose]: async () => void (await (stopped ??= stop(DRAIN_MS))),
  }
  return swarm as unknown as Swarm<WithDashboard<Modules, Shown>> // the wires carry any module's commands; their types are those of `use`
}

/** The modules that the option `dashboard` adds; they are loaded only when they are wanted. */
async function shown(options: Pick<SwarmOptions<readonly AnyModule[]>, 'use' | 'dashboard'>) {
  const { use, dashboard } = Object(options) as Partial<typeof options>
  if (!Array.isArray(use) || (dashboard !== true && typeof dashboard !== 'object') || dashboard === null) return []
  const { dashboardModules } = await import('../observability/dashboard/withDashboard.ts')
  return dashboardModules(dashboard, use)
}

/** A node that can't be made or started, as a problem of the options. */
function cannotBe(path: string) {
  return (cause: unknown): never => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError([{ path, message: `the node could not be started: ${reason}` }], { cause })
  }
}
