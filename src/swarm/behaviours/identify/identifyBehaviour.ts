import { type Observable } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import { perform } from '../../perform.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import type { Command } from '../../vocabulary/command.ts'
import { checkPeer } from '../checkPeer.ts'

/** Who a peer says it is. */
export interface Identity {
  /** Peer id. */
  readonly peer: string
  /** Name and version of its program. */
  readonly agentVersion?: string
  /** Name and version of its network. */
  readonly protocolVersion?: string
  /** Multiaddrs it listens on. */
  readonly addresses: readonly string[]
  /** Our own address, as the peer sees it. */
  readonly observedAddress?: string
  /** Protocol ids that it answers. */
  readonly protocols: readonly string[]
}

/** What identify may call. */
export interface IdentifyPorts {
  /** Asks a peer who it is; dials when there is no connection. One value. */
  identify(peer: string): Observable<Identity>
}

/** Ask a peer who it is. */
export type IdentifyOnce = Command<'identify/once', { readonly peer: string }, Identity>

/** What identify can say, besides libp2p's `peer:identify`, which follows every new connection. */
export interface IdentifyEvent {
  /** The only one. */
  readonly type: 'identify:identified'
  /** Who the peer says it is. */
  readonly identity: Identity
  /** Id of the command that asked. */
  readonly cause?: string
}

/**
 * Asks peers who they are.
 *
 * ```marble
 * command$  -i-------
 * identify  ---p|
 * said      ----sd---
 * ```
 *
 * @shape  libp2p asks by itself on every new connection and says `peer:identify`; this is for asking again.
 * @errors Every failure is `command:failed`.
 * @source libp2p identify 1.0.0.
 */
export const identifyBehaviour: Behaviour<IdentifyOnce, IdentifyEvent, IdentifyPorts> = ({
  command$,
  cancel$,
  ports,
  self,
}) =>
  command$.pipe(
    ofType('identify/once'),
    perform(
      cancel$,
      ({ peer }) => (checkPeer(peer, self), ports.identify(peer)),
      (identity): IdentifyEvent => ({ type: 'identify:identified', identity }),
    ),
  )
