import { BehaviorSubject, Observable, Subject, Subscription } from 'rxjs'
import { StoppedError } from '../../errors/errors.ts'
import { guarded } from '../../operators/guarded.ts'
import { Relay } from '../../operators/relay.ts'
import type { CoreState } from '../../swarm/state.ts'
import type { Probe } from '../../swarm/vocabulary/probe.ts'
import type { AnyModule } from '../../swarm/vocabulary/behaviour.ts'
import { contextOf, type AnyCommand } from '../../swarm/vocabulary/command.ts'
import type { Fact, Stamped } from '../../swarm/vocabulary/event.ts'
import type { WiredSwarm, WireOptions } from '../../swarm/wiring.ts'
import { wireSwarm } from '../../swarm/wireSwarm.ts'
import type { Machine, Medium } from './medium.ts'
import type { Seeded } from './seeded.ts'
import type { NodeOptions, SimulatedPorts } from './simulateOptions.ts'
import { skewed, type SkewedClock } from './skewed.ts'
import { VirtualNode } from './virtualNode.ts'

/** How long commands in flight may take when a node stops. @unit milliseconds */
const DRAIN_MS = 2_000

/** What a machine runs, and who hears of it. */
export interface MachineOptions {
  /** See {@link NodeOptions}. */
  readonly node: NodeOptions
  /** The modules, anew for each start. */
  readonly use: (name: string) => readonly AnyModule[]
  /** Simulated ports by the name of a module. */
  readonly ports: Readonly<Record<string, SimulatedPorts>>
  /** How the wires behave. */
  readonly wiring: Omit<WireOptions, 'scheduler' | 'random'>
  /** The network's chance. */
  readonly random: Seeded
  /** Hears every event, first of all. */
  readonly heard: (node: string, event: Stamped<Fact>) => void
  /** Hears what a subscriber threw. */
  readonly threw: (error: unknown) => void
  /** Hears that the node has gone up or down. */
  readonly switched: () => void
  /** Runs user code in virtual time. */
  readonly within: <T>(body: () => T) => T
}

/**
 * A computer: it starts, stops and crashes a node, and keeps its user's subscriptions over all that.
 *
 * @shape  Each start has modules, wires, clock and chance of its own; nothing that an earlier one scheduled runs.
 */
export class VirtualMachine implements Machine {
  readonly name: string
  readonly command$ = new Subject<AnyCommand>()
  readonly event$: Observable<Stamped<Fact>>
  readonly state$: Observable<CoreState>
  node: VirtualNode | undefined
  isSilent = false
  isBehindNat: boolean
  readonly #medium: Medium
  readonly #options: MachineOptions
  readonly #event$ = new Relay<Stamped<Fact>>()
  readonly #state$: BehaviorSubject<CoreState>
  #wired: WiredSwarm
  #clock: SkewedClock
  #feeds = Subscription.EMPTY
  #offsetMs: number
  #starts = 0
  #commands = 0

  constructor(medium: Medium, name: string, options: MachineOptions) {
    const { node, threw } = options
    this.#medium = medium
    this.#options = options
    this.name = name
    this.isBehindNat = node.nat ?? false
    this.#offsetMs = node.clockSkewMs ?? 0
    ;[this.node, this.#wired, this.#clock] = this.#build()
    this.#state$ = new BehaviorSubject(this.#wired.state())
    this.event$ = guarded(this.#event$, { threw, unheard: threw })
    this.state$ = guarded(this.#state$, { threw, unheard: threw })
    this.command$.subscribe({ next: (command) => this.#take(command), error: () => undefined })
  }

  /** Starts the node for the first time. */
  start(): void {
    if (this.node !== undefined) this.#run(this.node)
  }

  state(): CoreState {
    return this.#wired.state()
  }

  execute(command: AnyCommand): Observable<unknown> {
    const { threw, within } = this.#options
    const execution$ = new Observable<unknown>((out) =>
      within(() => this.#wired.execute(this.#named(command)).subscribe(out)),
    )
    return guarded(execution$, { threw })
  }

  crash(): void {
    if (this.node === undefined) return
    this.isSilent = true
    this.#feeds.unsubscribe()
    const { node } = this
    node.silence()
    this.#end()
    node.vanish()
    this.#state$.next(this.#wired.state())
    this.#options.switched()
  }

  restart(): void {
    this.crash()
    this.isSilent = false
    ;[this.node, this.#wired, this.#clock] = this.#build()
    this.#run(this.node)
    this.#options.switched()
  }

  stop(drainMs = DRAIN_MS): void {
    const [wired, node, clock] = [this.#wired, this.node, this.#clock]
    if (node === undefined || wired.state().phase !== 'running') return
    wired.drain(drainMs).subscribe((undrained) => {
      if (this.node !== node) return
      node.stop()
      wired.close(undrained)
      clock.stop()
      this.node = undefined
      this.#options.switched()
    })
  }

  /** Sets its clock. */
  skew(offsetMs: number): void {
    this.#offsetMs = this.#clock.offsetMs = offsetMs
  }

  /** Ends it for good. */
  dispose(): void {
    this.crash()
    this.#event$.complete()
    this.#state$.complete()
    this.command$.complete()
  }

  /** Another start of the node, not yet running. */
  #build(): [VirtualNode, WiredSwarm, SkewedClock] {
    const { name } = this
    const { use, ports, wiring, random } = this.#options
    const clock = skewed(this.#medium.time, this.#offsetMs, this.#options.node.driftPpm)
    const chance = random.fork(`node ${name}, start ${++this.#starts}`)
    const node = new VirtualNode(this.#medium, name, clock, chance)
    const host = {
      self: name,
      event$: node.event$,
      portsOf: (module: AnyModule, probe?: Probe) => ports[module.name]!(node, module, probe),
    }
    return [node, wireSwarm(host, use(name), { ...wiring, scheduler: clock, random: chance }), clock]
  }

  #run(node: VirtualNode): void {
    const { heard } = this.#options
    this.#feeds = new Subscription()
    this.#feeds.add(
      this.#wired.event$.subscribe((event) => {
        heard(this.name, event)
        this.#event$.next(event)
      }),
    )
    this.#feeds.add(this.#wired.state$.subscribe((state) => this.#state$.next(state)))
    this.#wired.start()
    node.start(this.#options.node.listen === false ? [] : [`/sim/${this.name}/1`])
  }

  /** Ends the pipeline of a node that is off the network; who waits for a command hears of it. */
  #end(): void {
    this.node = undefined
    this.#wired.drain(0).subscribe((undrained) => this.#wired.close(undrained))
    this.#clock.stop()
  }

  #take(command: AnyCommand): void {
    const named = this.#named(command)
    if (this.node !== undefined) return this.#options.within(() => this.#wired.command$.next(named))
    const error = new StoppedError(`${named.type}: ${this.name} is down; restart it first`, contextOf(named))
    const event = { type: 'command:failed', at: this.#clock.now(), cause: named.id, command: named.type, error }
    this.#options.heard(this.name, event)
    this.#event$.next(event)
  }

  /** Ids of commands count up within the process; here they count up within the node. */
  #named(command: AnyCommand): AnyCommand {
    return typeof command === 'object' ? { ...command, id: `${this.name}-${++this.#commands}` } : command
  }
}
