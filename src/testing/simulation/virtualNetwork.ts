import { EmptyError, type Observable } from 'rxjs'
import { ConfigError, TimeoutError } from '../../errors/errors.ts'
import { problemsIn } from '../../errors/problemsIn.ts'
import type { Fact, Stamped } from '../../swarm/vocabulary/event.ts'
import { builtInPorts } from './builtInPorts.ts'
import { canonical } from './canonical.ts'
import type { CheckedSimulation } from './checkSimulation.ts'
import type { Fault } from './fault.ts'
import { faultProblems } from './faultProblems.ts'
import type { Link } from './link.ts'
import { Links } from './links.ts'
import type { Medium } from './medium.ts'
import { faultSchema } from './schemas.ts'
import { seeded, type Seeded } from './seeded.ts'
import type { SimulatedNetwork, SimulatedSwarm } from './simulatedNetwork.ts'
import { swarmOf } from './swarmOf.ts'
import { virtualDate } from './virtualDate.ts'
import { VirtualMachine } from './virtualMachine.ts'
import { VirtualTime } from './virtualTime.ts'

/** How long `until` waits. @unit milliseconds */
const UNTIL_MS = 60_000

/** So deep may a chain of promises be that runs between two moments. */
const TICKS = 16

/** The network itself: time, links, machines, faults and the log. */
export class VirtualNetwork implements SimulatedNetwork, Medium {
  readonly time = new VirtualTime()
  readonly transport: 'quic' | 'tcp'
  readonly dialTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly names: readonly string[]
  readonly log: string[] = []
  readonly #options: CheckedSimulation
  readonly #random: Seeded
  readonly #machines = new Map<string, VirtualMachine>()
  readonly #swarms = new Map<string, SimulatedSwarm<readonly unknown[]>>()
  readonly #links: Links
  readonly #thrown: unknown[] = []
  #connections = 0
  #isInside = false

  constructor(options: CheckedSimulation) {
    this.#options = options
    this.#random = seeded(options.seed)
    const { link, links } = options
    this.#links = new Links({ time: this.time, random: this.#random, link, links, changed: () => this.#review() })
    this.transport = options.transport
    this.dialTimeoutMs = options.dialTimeoutMs
    this.idleTimeoutMs = options.idleTimeoutMs
    this.names = [...options.nodes.keys()]
    for (const { atMs, fault } of options.faults) this.time.schedule(() => this.#apply(fault), atMs)
    this.#within(() => {
      for (const name of this.names) this.#add(name)
      for (const machine of this.#machines.values()) machine.start()
    })
  }

  node(name: string): SimulatedSwarm<readonly unknown[]> {
    const swarm = this.#swarms.get(name)
    if (swarm !== undefined) return swarm
    throw new ConfigError([{ path: 'name', message: `there is no node ${name}; there are ${this.names.join(', ')}` }])
  }

  get now(): number {
    return this.time.now()
  }

  get scheduler(): VirtualTime {
    return this.time
  }

  advance(ms: number): void {
    const untilMs = this.now + checkedMs(ms)
    this.#within(() => this.time.advanceTo(untilMs))
    this.#rethrow()
  }

  async settle(ms: number): Promise<void> {
    const untilMs = this.now + checkedMs(ms)
    await promises()
    while (this.time.nextAt <= untilMs) {
      const { nextAt } = this.time
      this.#within(() => this.time.advanceTo(nextAt))
      this.#rethrow()
      await promises()
    }
    this.#within(() => this.time.advanceTo(untilMs))
    this.#rethrow()
  }

  until<T>(source$: Observable<T>, withinMs = UNTIL_MS): T {
    const untilMs = this.now + checkedMs(withinMs)
    let got: { readonly value: T } | { readonly error: unknown } | undefined
    const subscription = this.#within(() =>
      source$.subscribe({
        next: (value) => (got ??= { value }),
        error: (error: unknown) => (got ??= { error }),
        complete: () => (got ??= { error: new EmptyError() }),
      }),
    )
    this.#within(() => {
      while (got === undefined && this.time.step(untilMs));
      if (got === undefined) this.time.advanceTo(untilMs)
      subscription.unsubscribe()
    })
    this.#rethrow()
    if (got === undefined) throw new TimeoutError(`until: no value within ${withinMs} ms`, { deadlineMs: withinMs })
    if ('error' in got) throw got.error
    return got.value
  }

  inject(fault: Fault): void {
    const { value, problems } = problemsIn('fault', faultSchema, fault)
    const all = problems.length > 0 ? problems : faultProblems('fault', value, new Set(this.names))
    if (all.length > 0) throw new ConfigError(all)
    this.#within(() => this.#apply(fault))
  }

  dispose(): void {
    this.#within(() => {
      for (const machine of this.#machines.values()) machine.dispose()
    })
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  // ---- what nodes need of it ---------------------------------------------------------------------------------------

  machine(name: string): VirtualMachine | undefined {
    return this.#machines.get(name)
  }

  nextConnection(): string {
    return `c${++this.#connections}`
  }

  link(from: string, to: string): Link {
    return this.#links.from(from, to)
  }

  // ---- faults ------------------------------------------------------------------------------------------------------

  #apply(fault: Fault): void {
    switch (fault.type) {
      case 'partition':
        return this.#links.partition(fault.groups)
      case 'heal':
        return this.#links.partition([])
      case 'block':
        return this.#links.block(fault.from, fault.to)
      case 'unblock':
        return this.#links.unblock(fault.from, fault.to)
      case 'link': {
        const { type: _type, from, to, ...options } = fault
        return this.link(from, to).change(options)
      }
      case 'crash':
        return this.#machines.get(fault.node)?.crash()
      case 'restart':
        return this.#machines.get(fault.node)?.restart()
      case 'skew':
        return this.#machines.get(fault.node)?.skew(fault.offsetMs)
      case 'nat': {
        const machine = this.#machines.get(fault.node)
        if (machine !== undefined) machine.isBehindNat = fault.on
      }
    }
  }

  /** Each end of a connection looks whether it still hears anything. */
  #review(): void {
    for (const { node } of this.#machines.values()) for (const end of node?.connections ?? []) end.review()
  }

  // ---- nodes -------------------------------------------------------------------------------------------------------

  #add(name: string): void {
    const { use, ports, nodes, limits, deadlineMs, commandChain, eventChain, log } = this.#options
    const machine: VirtualMachine = new VirtualMachine(this, name, {
      node: nodes.get(name) ?? {},
      use,
      ports: { ...builtInPorts, ...ports },
      wiring: { limits, deadlineMs, commandChain, eventChain },
      random: this.#random,
      heard: log ? (node, event) => void this.log.push(line(node, event)) : () => undefined,
      threw: (error) => void this.#thrown.push(error),
      switched: () => this.#review(),
      within: (body) => this.#within(body),
    })
    this.#machines.set(name, machine)
    this.#swarms.set(
      name,
      swarmOf(machine, (body) => this.#within(body)),
    )
  }

  #within<T>(body: () => T): T {
    if (this.#isInside) return body()
    this.#isInside = true
    try {
      return virtualDate(() => this.time.now(), body)
    } finally {
      this.#isInside = false
    }
  }

  /** What a subscriber threw is not lost: in a test it is an assertion that failed. */
  #rethrow(): void {
    if (this.#thrown.length === 0) return
    const [first] = this.#thrown.splice(0)
    throw first
  }
}

function line(node: string, { at, type, ...rest }: Stamped<Fact>): string {
  return JSON.stringify({ at, node, type, ...(canonical(rest) as object) })
}

function checkedMs(ms: number): number {
  if (typeof ms === 'number' && ms >= 0 && ms < Infinity) return ms
  throw new ConfigError([{ path: 'ms', message: `must be a number of milliseconds from 0, not ${String(ms)}` }])
}

async function promises(): Promise<void> {
  for (let tick = 0; tick < TICKS; tick++) await Promise.resolve()
}
