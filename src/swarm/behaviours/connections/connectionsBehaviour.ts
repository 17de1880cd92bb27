import { map, merge, type Observable } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import type { EjectionCap } from '../../../policies/keyed.ts'
import type { PolicySpec } from '../../../policies/policySpec.ts'
import { guard, type PolicyOption } from '../../guard.ts'
import { perform } from '../../perform.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import type { Command } from '../../vocabulary/command.ts'
import { InvalidCommandError } from '../../../errors/errors.ts'
import type { ConnectionInfo } from '../../vocabulary/event.ts'
import { checkPeer } from '../checkPeer.ts'

/** A stream on a connection. */
export interface StreamInfo {
  /** Unique on its connection. */
  readonly id: string
  /** Empty while it is negotiated. */
  readonly protocol: string
  /** Who opened it. */
  readonly direction: 'inbound' | 'outbound'
  /** libp2p's word for its state: `open`, `closing`, `closed`, `aborted`, `reset`. */
  readonly status: string
}

/** A connection and what runs on it now. */
export interface ConnectionSnapshot extends ConnectionInfo {
  /** `/noise`, `/tls/1.0.0`, or `native` on QUIC. */
  readonly encryption: string
  /** `/yamux/1.0.0`, or `quic`. */
  readonly multiplexer: string
  /** In the order in which they were opened. */
  readonly streams: readonly StreamInfo[]
}

/** What connections may call. */
export interface ConnectionsPorts {
  /**
   * A connection that is usable: the open one to that peer, or a new one. One value. Fails in time to say what was tried.
   *
   * @param dueInMs when the command is due. @unit milliseconds
   */
  dial(to: string | readonly string[], dueInMs: number): Observable<ConnectionInfo>
  /** Closes every connection to a peer. One value: how many. */
  hangUp(peer: string): Observable<number>
  /** Listens on one more address. One value: the addresses that came of it. */
  listen(address: string): Observable<readonly string[]>
  /** Stops listening on an address. One value. */
  unlisten(address: string): Observable<void>
  /** Open connections with their streams. One value. */
  list(): Observable<readonly ConnectionSnapshot[]>
}

/** Connect to a peer id, or to whoever answers at the addresses. */
export type Dial = Command<'connections/dial', { readonly to: string | readonly string[] }, ConnectionInfo>
/** Close every connection to a peer. */
export type HangUp = Command<'connections/hang-up', { readonly peer: string }, number>
/** Listen on one more address. */
export type Listen = Command<'connections/listen', { readonly address: string }, readonly string[]>
/** Stop listening on an address. */
export type Unlisten = Command<'connections/unlisten', { readonly address: string }, string>
/** Report open connections with their streams. */
export type List = Command<'connections/list', object, readonly ConnectionSnapshot[]>

/** What can be asked of connections. */
export type ConnectionsCommand = Dial | HangUp | Listen | Unlisten | List

/** What connections can say, besides libp2p's `connection:open` and `connection:close`. */
export type ConnectionsEvent =
  | { readonly type: 'connections:dialed'; readonly connection: ConnectionInfo; readonly cause?: string }
  | { readonly type: 'connections:hung-up'; readonly peer: string; readonly closed: number; readonly cause?: string }
  | {
      readonly type: 'connections:listening'
      readonly address: string
      readonly addresses: readonly string[]
      readonly cause?: string
    }
  | { readonly type: 'connections:unlistened'; readonly address: string; readonly cause?: string }
  | {
      readonly type: 'connections:listed'
      readonly connections: readonly ConnectionSnapshot[]
      readonly cause?: string
    }

/** What guards a behaviour's dials. */
export interface ConnectionsDecisions {
  readonly policy: PolicyOption
  readonly ejection?: EjectionCap
}

/**
 * What guards dials unless it is told otherwise, for each peer: two retries, of all dials together a fifth of the calls and
 * one a second; after 5 failures in a row none is made for 5 s, longer each time, at most a minute.
 */
export const DIAL_POLICY = {
  retry: {
    retries: 2,
    backoff: { type: 'exponential', initialDelayMs: 100, maxDelayMs: 1_000, jitter: 'half' },
    budget: { share: 0.2, minPerSecond: 1 },
  },
  breaker: {
    breaker: { type: 'consecutive', threshold: 5 },
    halfOpenAfterMs: { baseMs: 5_000, maxMs: 60_000, forgiveAfterMs: 10_000 },
  },
} as const satisfies PolicySpec

/** A dial says that much before its deadline what it has tried, or half-way to a near one: afterwards nobody would hear it. @unit milliseconds */
const SAY_WITHIN_MS = 25

/**
 * Opens and closes connections and listeners, and reports them.
 *
 * ```marble
 * command$  -d-------
 * dial      ---c|
 * said      ----sd---
 * ```
 *
 * @shape  A dial is over when its connection is usable. Commands run side by side, bounded by the swarm's intake.
 * @errors Every failure is `command:failed`.
 * @source libp2p connections.
 */
export const connectionsBehaviour =
  ({ policy, ejection }: ConnectionsDecisions): Behaviour<ConnectionsCommand, ConnectionsEvent, ConnectionsPorts> =>
  ({ command$, cancel$, ports, self, ...wires }) => {
    const { scheduler, deadlineMs } = wires
    const due = (command: Dial) => ({ ...command, dueAt: scheduler.now() + (command.meta?.deadlineMs ?? deadlineMs) })
    return merge(
      command$.pipe(
        ofType('connections/dial'),
        map(due), // a retry has what is left
        perform(
          cancel$,
          ({ to, dueAt }) => {
            checkTarget(to, self)
            const leftMs = Math.max(0, dueAt - scheduler.now())
            return ports.dial(to, Math.max(leftMs - SAY_WITHIN_MS, leftMs / 2))
          },
          (connection): ConnectionsEvent => ({ type: 'connections:dialed', connection }),
          guard(wires, policy, ({ to }) => targetOf(to), ejection),
        ),
      ),
      command$.pipe(
        ofType('connections/hang-up'),
        perform(
          cancel$,
          ({ peer }) => (checkPeer(peer, self), ports.hangUp(peer)),
          (closed, { peer }): ConnectionsEvent => ({ type: 'connections:hung-up', peer, closed }),
        ),
      ),
      command$.pipe(
        ofType('connections/listen'),
        perform(
          cancel$,
          ({ address }) => ports.listen(address),
          (addresses, { address }): ConnectionsEvent => ({ type: 'connections:listening', address, addresses }),
        ),
      ),
      command$.pipe(
        ofType('connections/unlisten'),
        perform(
          cancel$,
          ({ address }) => ports.unlisten(address).pipe(map(() => address)),
          (address): ConnectionsEvent => ({ type: 'connections:unlistened', address }),
        ),
      ),
      command$.pipe(
        ofType('connections/list'),
        perform(
          cancel$,
          () => ports.list(),
          (connections): ConnectionsEvent => ({ type: 'connections:listed', connections }),
        ),
      ),
    )
  }

/** Whom a dial is about: the peer that its addresses name, else the address. */
function targetOf(to: Dial['to']): string {
  const first = String(Array.isArray(to) ? to[0] : to)
  return first.slice(first.lastIndexOf('/p2p/') + 1).replace(/^p2p\//, '')
}

function checkTarget(to: unknown, self: string): void {
  const targets: readonly unknown[] = Array.isArray(to) ? to : [to]
  const isText = targets.length > 0 && targets.every((target) => typeof target === 'string' && target !== '')
  if (!isText) {
    const message = `to: must be a peer id or multiaddrs as text, not ${JSON.stringify(to)}`
    throw new InvalidCommandError(message, { field: 'to' })
  }
  if (!targets.some((target) => target === self || String(target).endsWith(`/p2p/${self}`))) return
  throw new InvalidCommandError(`to: ${String(to)} is this node itself`, { field: 'to', peer: self })
}
