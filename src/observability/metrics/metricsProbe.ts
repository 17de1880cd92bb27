import { Registry } from 'prom-client'
import type { AnyCommand } from '../../swarm/vocabulary/command.ts'
import type { Fact, Outcome, Stamped } from '../../swarm/vocabulary/event.ts'
import type { Probe, Probed } from '../../swarm/vocabulary/probe.ts'
import { metricsOf, type MetricsWanted } from './catalogue/metricCatalogue.ts'
import { Circuits } from './circuits.ts'
import { CommandCells } from './commandCells.ts'
import { EventTap } from './eventTap.ts'
import { exposition } from './exposition.ts'
import { readLanes } from './laneReadings.ts'
import { makeMeters, type Meters, type MetersOptions } from './meters.ts'
import type { MetricFamily } from './metricFamily.ts'
import type { MetricsFormat } from './metricsFormat.ts'
import { countedPorts } from './portCells.ts'
import { register, retire } from './registering.ts'
import { stateReadings } from './stateReadings.ts'
import { within } from './within.ts'

/** What {@link MetricsProbe} is made with. */
export interface MetricsProbeOptions extends MetersOptions, MetricsWanted {
  /** Where the metrics are put. Default: a registry of the swarm's own. */
  readonly registry?: Registry | undefined
}

/** Types of commands whose behaviour nobody in use is. */
const NOBODY = 'none'

/** Counts what happens in one swarm, and writes it down when it is asked for. */
export class MetricsProbe implements Probe {
  readonly meters: Meters
  readonly registry: Registry
  readonly #probed: Probed
  readonly #options: MetricsProbeOptions
  readonly #circuits = new Circuits()
  readonly #commands: CommandCells
  readonly #tap: EventTap
  readonly #behaviours = new Map<string, string>()
  readonly #readings = new Map<string, () => void | Promise<void>>()
  readonly #ends: (() => void)[] = []
  readonly #families: MetricFamily[] = []

  constructor(probed: Probed, options: MetricsProbeOptions) {
    this.#probed = probed
    this.#options = options
    this.meters = makeMeters(options)
    this.registry = options.registry ?? new Registry()
    for (const { name, commands } of probed.modules) {
      for (const type of Object.keys(commands)) this.#behaviours.set(type, name)
    }
    const behaviourOf = (type: string) => this.#behaviours.get(type) ?? NOBODY
    this.#commands = new CommandCells(this.meters, behaviourOf)
    this.#tap = new EventTap({
      meters: this.meters,
      commands: this.#commands,
      circuits: this.#circuits,
      behaviourOf: (cause) => (cause === undefined ? NOBODY : behaviourOf(probed.commandOf(cause)?.type ?? '')),
      failed: (event) => this.failed(event),
      stopped: () => this.#stopped(),
    })
    const modules = probed.modules.map(({ name }) => name)
    this.add(metricsOf(modules, options).map((name) => this.meters[name]))
  }

  telling(event: Stamped<Fact>): void {
    this.#tap.hear(event)
  }

  settled(command: AnyCommand, outcome: Stamped<Outcome>, takenAt: number): void {
    this.#tap.settled = outcome
    this.#commands.settled(command, outcome, outcome.at - takenAt)
  }

  ports(behaviour: string, ports: unknown): unknown {
    if (!this.#options.ports) return ports
    const { scheduler } = this.#probed
    const clock = { now: () => scheduler.now(), lately: () => this.#tap.lastAt }
    return countedPorts(behaviour, ports, this.meters, clock)
  }

  /** Puts further metrics beside those of the swarm. @errors `ConfigError` when the registry holds them already */
  add(families: readonly MetricFamily[]): void {
    register(this.registry, families)
    this.#families.push(...families)
  }

  /** Reads something whenever the metrics are read. */
  read(about: string, reading: () => void | Promise<void>): void {
    this.#readings.set(about, reading)
  }

  /** Does something when the swarm has stopped. */
  atEnd(end: () => void): void {
    this.#ends.push(end)
  }

  /** Something could not be read, or counted. */
  failed(what: string): void {
    this.meters.rxswarm_metrics_failures_total.at(what).value++
  }

  /** What something comes to that is read for a page. @errors rejects when it takes too long */
  async within<T>(work: Promise<T>): Promise<T> {
    return within(work, this.#probed.scheduler)
  }

  /** How many peers have series of their own. */
  get peerLabels(): number {
    return this.#options.peerLabels
  }

  /** Lets others have a turn while a long page is written; whoever ties the probe to a node gives a better one. */
  turn: () => Promise<void> = async () => undefined

  /** Everything as text. Any number at once. */
  async write(format: MetricsFormat): Promise<string> {
    this.meters.rxswarm_metrics_scrapes_total.at(format).value++
    await Promise.all([...this.#readings].map(([about, reading]) => this.#attempt(about, reading)))
    this.#readState()
    return exposition(this.registry, format, {
      turn: () => this.turn(),
      failed: (metric) => this.failed(metric),
      within: async (work) => this.within(work),
    })
  }

  /** Last of all, and at once, so that it is read at the same moment as what is counted. */
  #readState(): void {
    const { meters } = this
    const state = this.#probed.state()
    for (const [about, reading] of Object.entries(stateReadings)) {
      this.#attemptNow(about, () => reading(meters, state))
    }
    this.#attemptNow('in flight', () => {
      meters.rxswarm_commands_in_flight.reset()
      for (const { type } of this.#probed.inFlight()) meters.rxswarm_commands_in_flight.at(type).value++
    })
    this.#attemptNow('lanes', () => readLanes(meters, this.#probed.lanes()))
    this.#attemptNow('behaviours', () => {
      const { troubled } = state
      const restarting = [...troubled.values()].filter((how) => how === 'restarting').length
      const { modules } = this.#probed
      meters.rxswarm_behaviours.at('restarting').value = restarting
      meters.rxswarm_behaviours.at('ended').value = troubled.size - restarting
      meters.rxswarm_behaviours.at('running').value = modules.length - troubled.size
    })
    this.#attemptNow('peers', () => {
      if (this.peerLabels === 0) return
      meters.rxswarm_peer_connections.clear()
      for (const { peer, connections } of state.peers.values()) {
        meters.rxswarm_peer_connections.at(peer).value += connections.size
      }
    })
    this.#attemptNow('circuits', () => {
      meters.rxswarm_circuits.reset()
      this.#circuits.forEach(this.#probed.scheduler.now(), (state, behaviour) => {
        meters.rxswarm_circuits.at(state, behaviour).value++
      })
    })
  }

  async #attempt(about: string, reading: () => void | Promise<void>): Promise<void> {
    try {
      await reading()
    } catch {
      this.failed(about)
    }
  }

  #attemptNow(about: string, reading: () => void): void {
    try {
      reading()
    } catch {
      this.failed(about)
    }
  }

  #stopped(): void {
    retire(this.#families)
    for (const end of this.#ends.splice(0)) end()
  }
}
