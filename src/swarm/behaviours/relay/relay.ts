import type { Multiaddr } from '@multiformats/multiaddr'
import { z } from 'zod'
import { count, some, someWaitMs } from '../../../errors/optionKinds.ts'
import { problemsIn } from '../../../errors/problemsIn.ts'
import { circuitTransport } from '../../libp2p/relay/circuitTransport.ts'
import { holePunching as punching } from '../../libp2p/relay/holePunching.ts'
import { RELAY_SERVER, relayServer } from '../../libp2p/relay/relayServer.ts'
import type { BehaviourModule } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { PeerRef } from '../checkPeer.ts'
import { relayBehaviour } from './relayBehaviour.ts'
import type { RelayDecisions } from './relayMachineState.ts'
import { relayPorts } from './relayPorts.ts'
import { relayIn, relaysIn } from './relayRef.ts'
import { relayState, type RelayState } from './relayState.ts'
import type {
  ListRelays,
  RelayCommand,
  RelayEvent,
  RelayPorts,
  RelayServerLimits,
  Release,
  Reserve,
  Rotate,
} from './relayVocabulary.ts'

/** What a relay gives to others. */
export interface RelayServerOptions {
  /** Reservations at once. Default: 128. */
  readonly reservations?: number
  /** How long a reservation holds unless it is renewed. Default: 3 600 000, an hour. @unit milliseconds */
  readonly reservationMs?: number
  /** Reservations of peers with the same IP. Default: 32. */
  readonly reservationsPerIp?: number
  /** Relayed connections at once. Default: 1 024. */
  readonly circuits?: number
  /** Relayed connections that one peer has opened. Default: 16. */
  readonly circuitsPerPeer?: number
  /** Whether relayed connections are limited at all. Default: true. */
  readonly limited?: boolean
  /** How long a relayed connection may last. Default: 120 000, two minutes. @unit milliseconds */
  readonly circuitMs?: number
  /** What may go through a relayed connection, both ways together. Default: 131 072. @unit bytes */
  readonly circuitBytes?: number
  /** What one peer may ask for, reservations and connections together. Default: 120. @unit requests a minute */
  readonly requestsPerMinute?: number
}

/** Options of {@link relay}. */
export interface RelayOptions {
  /** Whether this node is a relay for others, and what it gives them. Default: false. */
  readonly server?: boolean | RelayServerOptions
  /**
   * Reservations that are kept, as long as there are relays for them. 0: this node only dials. Default: 2; 0 for a relay,
   * which others reach anyway.
   */
  readonly reservations?: number
  /** Addresses of relays that are trusted, each with its peer id: they come first, and are never given up. Default: none. */
  readonly relays?: readonly (string | Multiaddr)[]
  /** Whether relays that the node meets are used too. Default: true. */
  readonly discover?: boolean
  /** How often it is looked whether a clearly better relay is there. Default: 600 000. @unit milliseconds */
  readonly rotateAfterMs?: number
  /** Whether peers behind NATs try to connect directly at the same moment (DCUtR). Default: true. */
  readonly holePunching?: boolean
}

/** One relay may go at any time. */
const USUAL_RESERVATIONS = 2

const serverSchema = z.strictObject({
  reservations: some.default(128),
  reservationMs: someWaitMs.min(1_000, 'must be at least 1 000: the wire has seconds').default(3_600_000),
  reservationsPerIp: some.default(32),
  circuits: some.default(1_024),
  circuitsPerPeer: some.default(16),
  limited: z.boolean('must be true or false').default(true),
  circuitMs: someWaitMs.min(1_000, 'must be at least 1 000: the wire has seconds').default(120_000),
  circuitBytes: some.default(131_072),
  requestsPerMinute: some.default(120),
})

const relayAddress = z
  .custom<string | Multiaddr>((value) => relayIn(String(value)) !== undefined, {
    error: 'must be an address of a relay that ends with its peer id: /ip4/…/p2p/…',
  })
  .transform(String)

const schema = z.strictObject({
  server: z.union([z.boolean(), serverSchema], 'must be true, false or the limits of a relay').default(false),
  reservations: count.max(16, 'must be at most 16').optional(),
  relays: z.array(relayAddress, 'must be a list of addresses').max(64, 'must be at most 64').default([]),
  discover: z.boolean('must be true or false').default(true),
  rotateAfterMs: someWaitMs.default(600_000),
  holePunching: z.boolean('must be true or false').default(true),
})

function module(
  options: RelayOptions = {},
): BehaviourModule<'relay', RelayCommand, RelayEvent, RelayPorts, RelayState> {
  const { value, problems } = problemsIn('relay', schema, options)
  const { server, relays, holePunching } = value
  const limits: RelayServerLimits | undefined =
    server === true ? serverSchema.parse({}) : server === false || problems.length > 0 ? undefined : server
  const decisions: RelayDecisions = {
    ...value,
    reservations: value.reservations ?? (limits === undefined ? USUAL_RESERVATIONS : 0),
    relays: problems.length > 0 ? [] : relaysIn(relays),
  }
  return {
    name: 'relay',
    problems,
    needs: ['identify'],
    commands: {
      'relay/reserve': {
        openEnded: true,
        answers: { 'relay:reserved': reservationIn, 'relay:refreshed': reservationIn },
      },
      'relay/release': { answers: { 'relay:released': ({ relay: released }) => released } },
      'relay/list': { answers: { 'relay:listed': ({ reservations, candidates }) => ({ reservations, candidates }) } },
      'relay/rotate': { answers: { 'relay:rotated': ({ from, to }) => ({ from, to }) } },
    },
    transports: [circuitTransport()],
    services: {
      ...(limits === undefined ? {} : { [RELAY_SERVER]: relayServer(limits) }),
      ...(holePunching ? { dcutr: punching() } : {}),
    },
    state: relayState,
    options: decisions,
    ports: relayPorts,
    behaviour: relayBehaviour(decisions),
  }
}

const reservationIn = ({ relay: of, addresses, expiresAt, limit, rttMs }: Extract<RelayEvent, { limit: unknown }>) => ({
  relay: of,
  addresses,
  expiresAt,
  limit,
  rttMs,
})

/**
 * Stays reachable through relays, and is one: `relay({ relays, reservations, server })` for `use`, and its commands. In use,
 * this node dials addresses behind relays (`…/p2p-circuit/p2p/…`) and announces its own.
 */
export const relay = Object.assign(module, {
  /**
   * Keeps a reservation at this relay, besides those that are kept anyway.
   *
   * @param relay Its peer id, or an address that ends with it.
   * @shape  Open-ended. `execute` emits the reservation when it is made and each time it is renewed; one that is lost is
   *         made again (`relay:lost`, `relay:failed`, `relay:refused`). The last to leave gives it up.
   * @errors `InvalidCommandError` for what names no relay.
   */
  reserve: ({ relay: of }: { readonly relay: PeerRef }, meta?: CommandMeta): Reserve =>
    command('relay/reserve', { relay: String(of) }, meta),
  /**
   * Gives up the reservation at a relay, and stays away from it until `reserve` names it again.
   *
   * @shape  `execute` emits its peer id. Commands that kept it complete. @errors `UnknownPeerError`
   */
  release: ({ relay: of }: { readonly relay: PeerRef }, meta?: CommandMeta): Release =>
    command('relay/release', { relay: String(of) }, meta),
  /** Reports reservations, and the relays that could take their place. @shape `execute` emits one report. */
  list: (meta?: CommandMeta): ListRelays => command('relay/list', {}, meta),
  /**
   * Moves a reservation to the best other relay: the new one is made before the old one is given up.
   *
   * @param relay The one to leave. Default: the worst. One that is trusted makes room for another that is.
   * @shape  `execute` emits both. @errors `RelayError` when no other relay grants one
   */
  rotate: ({ relay: of }: { readonly relay?: PeerRef } = {}, meta?: CommandMeta): Rotate =>
    command('relay/rotate', of === undefined ? {} : { relay: String(of) }, meta),
})
