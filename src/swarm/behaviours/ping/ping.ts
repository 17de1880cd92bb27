import { ping as pingService } from '@libp2p/ping'
import { z } from 'zod'
import { problemsIn } from '../../../errors/problemsIn.ts'
import { policyOption, type PolicyOption } from '../../guard.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { PeerRef } from '../checkPeer.ts'
import {
  PING_POLICY,
  pingBehaviour,
  type PingCommand,
  type PingEvent,
  type PingOnce,
  type PingPorts,
  type PingWatch,
} from './pingBehaviour.ts'
import { PINGS_AT_ONCE, pingPorts } from './pingPorts.ts'

/** Latest round-trip time of each connected peer, by peer id. @unit milliseconds */
export type PingState = ReadonlyMap<string, number>

const state: Slice<PingState, PingEvent | CoreEvent> = {
  initial: new Map(),
  on: {
    'ping:measured': (rtts, { peer, rttMs }) => new Map(rtts).set(peer, rttMs),
    'peer:disconnect': (rtts, { peer }) => (rtts.has(peer) ? new Map([...rtts].filter(([of]) => of !== peer)) : rtts),
  },
}

/** Options of {@link ping}. */
export interface PingOptions {
  /** What guards `ping.once`: a stack of policies as plain data, or `false` for none. Default: see `PING_POLICY`. */
  readonly policy?: PolicyOption
}

const schema = z.strictObject({ policy: policyOption(PING_POLICY) })

function module(options: PingOptions = {}): BehaviourModule<'ping', PingCommand, PingEvent, PingPorts, PingState> {
  const { value, problems } = problemsIn('ping', schema, options)
  return {
    name: 'ping',
    problems,
    commands: {
      'ping/once': { answers: { 'ping:measured': ({ rttMs }) => rttMs } },
      'ping/watch': { openEnded: true, answers: { 'ping:measured': ({ rttMs }) => rttMs } },
    },
    services: { ping: pingService({ maxInboundStreams: PINGS_AT_ONCE, maxOutboundStreams: PINGS_AT_ONCE }) },
    state,
    ports: pingPorts,
    behaviour: pingBehaviour(value),
  }
}

/** Measures round-trip times: `ping({ policy })` for `use`, and its commands. */
export const ping = Object.assign(module, {
  /**
   * One round trip; dials when there is no connection.
   *
   * @shape `execute` emits the round-trip time once. @unit milliseconds
   */
  once: ({ peer }: { readonly peer: PeerRef }, meta?: CommandMeta): PingOnce =>
    command('ping/once', { peer: String(peer) }, meta),
  /**
   * Round trips until the subscriber leaves.
   *
   * @param intervalMs From one ping to the next. Default: 1 000. @unit milliseconds
   * @shape Open-ended. `execute` emits each round-trip time; a ping that fails is the event `ping:missed`. @unit milliseconds
   */
  watch: (
    { peer, intervalMs = 1_000 }: { readonly peer: PeerRef; readonly intervalMs?: number },
    meta?: CommandMeta,
  ): PingWatch => command('ping/watch', { peer: String(peer), intervalMs }, meta),
})
