import { NEVER } from 'rxjs'
import { problemsIn } from '../../errors/problemsIn.ts'
import type { BehaviourModule } from '../../swarm/vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../swarm/vocabulary/command.ts'
import type { Probe, Probed } from '../../swarm/vocabulary/probe.ts'
import { healthBehaviour, type HealthPorts } from './healthBehaviour.ts'
import { healthSchema, type HealthOptions } from './healthOptions.ts'
import { healthPages } from './healthPages.ts'
import { delay$ } from './healthPorts.ts'
import { healthState } from './healthState.ts'
import type { HealthCommand, HealthEvent, HealthState, ReportHealth, WatchHealth } from './healthVocabulary.ts'
import { builtOf, lookAt } from './look.ts'

/** What the pages of health are made of. */
interface HealthProbe extends Probe {
  readonly probed: Probed
}

/** Ports that look at the swarm itself, whatever it runs on: of a host there is only the event loop, if it has one. */
function portsOf(probed: Probed, of: unknown): HealthPorts {
  return {
    delay$: NEVER,
    built: builtOf(probed),
    look: () => lookAt(probed),
    isConnected: (peer) => probed.state().peers.has(peer),
    execute: (asked) => probed.execute(asked),
    restart: (behaviour) => probed.restart(behaviour),
    ...Object(of),
  } as HealthPorts
}

function module(
  options: HealthOptions = {},
): BehaviourModule<'health', HealthCommand, HealthEvent, HealthPorts, HealthState> {
  const { value, problems } = problemsIn('health', healthSchema, options)
  return {
    name: 'health',
    problems,
    commands: {
      'health/report': { answers: { 'health:reported': ({ report }) => report } },
      'health/watch': { openEnded: true, answers: { 'health:reported': ({ report }) => report } },
    },
    state: healthState,
    options: value,
    probe: (probed): HealthProbe => ({
      probed,
      ports: (behaviour, of) => (behaviour === 'health' ? portsOf(probed, of) : of),
    }),
    pages: (probe) => healthPages((probe as HealthProbe).probed),
    ports: () => ({ delay$ }) as HealthPorts, // the probe adds the others
    behaviour: healthBehaviour(value),
  }
}

/**
 * Says whether a node has started, can be sent something, and is not beyond help; how each behaviour and peer is; and heals
 * what can be healed: `health({ checks })` for `use`, its commands, and the pages `/livez`, `/readyz` and `/startupz`.
 */
export const health = Object.assign(module, {
  /** Reports once. @shape `execute` emits one report. */
  report: (meta?: CommandMeta): ReportHealth => command('health/report', {}, meta),
  /** Reports now and whenever anything changes. @shape Open-ended. `execute` emits the report as it is, and each one that differs. */
  watch: (meta?: CommandMeta): WatchHealth => command('health/watch', {}, meta),
})
