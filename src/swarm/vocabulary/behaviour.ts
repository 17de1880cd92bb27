import type { Libp2p } from '@libp2p/interface'
import type { Libp2pOptions } from 'libp2p'
import type { Observable, SchedulerLike } from 'rxjs'
import type { PolicyEvent } from '../../policies/policyEvent.ts'
import type { AnyCommand, ResultOf } from './command.ts'
import type { ConfigProblem, SwarmError } from '../../errors/errors.ts'
import type { CoreEvent, Fact, Outcome, Stamped } from './event.ts'
import type { Page, Probe, Probed } from './probe.ts'

/** What a behaviour is connected to: everything it hears, may do, and its only clock and chance. */
export interface Wires<C extends AnyCommand, Ports> {
  /** The commands of this behaviour, each once. */
  readonly command$: Observable<C>
  /** Ids of commands that nobody waits for any more; their work is to stop. `perform` does that. */
  readonly cancel$: Observable<string>
  /** Everything that happens in the swarm, in one order for all. */
  readonly event$: Observable<Stamped<CoreEvent> | Stamped<Fact>>
  /** The only way to act. */
  readonly ports: Ports
  /** Own peer id, as text. */
  readonly self: string
  /** The only clock. */
  readonly scheduler: SchedulerLike
  /** The only chance. @unit 0 (inclusive) to 1 (exclusive) */
  readonly random: () => number
  /** Deadline of a command that names none. @unit milliseconds */
  readonly deadlineMs: number
}

/**
 * A function from wires to events: no class, no `subscribe`, no timer, no libp2p import.
 *
 * @shape  Says nothing before it hears something, ends when its wires end. Each command that arrives is followed by one
 *         {@link Outcome}; `perform` keeps that.
 * @errors Expected failures are events. An error is a crash: the supervisor restarts the behaviour with backoff, and
 *         the commands that were in its hands fail with `BehaviourCrashedError`.
 */
export type Behaviour<C extends AnyCommand, E extends Fact, Ports> = (
  wires: Wires<C, Ports>,
) => Observable<E | Outcome | PolicyEvent>

/** How commands of one type are answered. */
export interface CommandSpec<C extends AnyCommand, E extends Fact> {
  /** Lasts until its subscriber leaves; has no deadline unless one is set, and a bound of its own. Default: false. */
  readonly openEnded?: boolean
  /** Which events, caused by the command, `execute` emits, and what of them. */
  readonly answers: { readonly [Type in E['type']]?: (event: Stamped<Extract<E, { type: Type }>>) => ResultOf<C> }
}

/** Every command type of a behaviour, with its answers. It is the routing table as well. */
export type CommandTable<C extends AnyCommand, E extends Fact> = {
  readonly [Type in C['type']]: CommandSpec<Extract<C, { type: Type }>, E>
}

/** A part of `state$`: what it starts as, and which events change it. Reducers are pure. */
export interface Slice<S, E extends Fact> {
  /** The state before anything happened. */
  readonly initial: S
  /** New state after an event; the same object when nothing changed. */
  readonly on: { readonly [Type in E['type']]?: (state: S, event: Stamped<Extract<E, { type: Type }>>) => S }
}

/** libp2p service factories, by name; each declares the components that it needs. */
export type Services = Readonly<Record<string, (components: never) => unknown>>

/** libp2p transport factories; each declares the components that it needs. */
export type Transports = readonly ((components: never) => unknown)[]

/**
 * What `createSwarm({ use: [kad(), gossipsub(), …] })` takes: a behaviour, and what ties it to a node.
 *
 * @source design, section 2.
 */
export interface BehaviourModule<
  Name extends string,
  C extends AnyCommand,
  E extends Fact,
  Ports = unknown,
  State = unknown,
> {
  /** Names the behaviour in events, errors and `state$`. */
  readonly name: Name
  /** Every command type, with its answers. */
  readonly commands: CommandTable<C, E>
  /** What is wrong with the options it was made with; `createSwarm` reports all at once. */
  readonly problems?: readonly ConfigProblem[]
  /** Names of behaviours that must be in use beside it. */
  readonly needs?: readonly string[]
  /** libp2p service factories it adds to the node. */
  readonly services?: Services
  /** libp2p transport factories it adds to the node, behind those of the swarm's own `transports`. */
  readonly transports?: Transports
  /** Its part of `state$`, under its name. */
  readonly state?: Slice<State, E | CoreEvent>
  /** What it was made with, defaults filled in: for hosts other than libp2p, whose ports can't see the factory's. */
  readonly options?: unknown
  /** Asked about every command of the swarm before it is taken in: a reason refuses it. Default: none is refused. */
  admit?(command: AnyCommand, nowMs: number): SwarmError | undefined
  /** What it changes in libp2p's own options, such as the metrics or the logger of the node. */
  libp2p?(options: Libp2pOptions): Libp2pOptions
  /** The clock of the whole pipeline: returns what it is given instead. */
  clock?(scheduler: SchedulerLike): SchedulerLike
  /** What it watches the pipeline of a swarm with, made once for each. */
  probe?(probed: Probed): Probe
  /** What it has to show over HTTP, of the swarm that the probe watches. */
  pages?(probe: Probe): readonly Page[]
  /** The adapter: the only code here that touches libp2p. @param probe What {@link BehaviourModule.probe} returned. */
  ports(node: Libp2p, probe?: Probe): Ports
  /** See {@link Behaviour}. */
  behaviour(wires: Wires<C, Ports>): Observable<E | Outcome | PolicyEvent>
}

/** Any module, whatever its commands and events: what the wiring knows of it. */
export interface AnyModule {
  /** See {@link BehaviourModule.name}. */
  readonly name: string
  /** See {@link BehaviourModule.commands}. */
  readonly commands: Readonly<Record<string, AnyCommandSpec>>
  /** See {@link BehaviourModule.problems}. */
  readonly problems?: readonly ConfigProblem[]
  /** See {@link BehaviourModule.needs}. */
  readonly needs?: readonly string[]
  /** See {@link BehaviourModule.services}. */
  readonly services?: Services
  /** See {@link BehaviourModule.transports}. */
  readonly transports?: Transports
  /** See {@link BehaviourModule.state}. */
  readonly state?: AnySlice
  /** See {@link BehaviourModule.options}. */
  readonly options?: unknown
  /** See {@link BehaviourModule.admit}. */
  admit?(command: AnyCommand, nowMs: number): SwarmError | undefined
  /** See {@link BehaviourModule.libp2p}. */
  libp2p?(options: Libp2pOptions): Libp2pOptions
  /** See {@link BehaviourModule.clock}. */
  clock?(scheduler: SchedulerLike): SchedulerLike
  /** See {@link BehaviourModule.probe}. */
  probe?(probed: Probed): Probe
  /** See {@link BehaviourModule.pages}. */
  pages?(probe: Probe): readonly Page[]
  /** See {@link BehaviourModule.ports}. */
  ports(node: Libp2p, probe?: Probe): unknown
  /** See {@link BehaviourModule.behaviour}. */
  behaviour(wires: never): Observable<Fact>
}

/** {@link CommandSpec} of any command. */
export interface AnyCommandSpec {
  /** See {@link CommandSpec.openEnded}. */
  readonly openEnded?: boolean
  /** See {@link CommandSpec.answers}. */
  readonly answers: Readonly<Record<string, ((event: never) => unknown) | undefined>>
}

/** {@link Slice} of any state. */
export interface AnySlice {
  /** See {@link Slice.initial}. */
  readonly initial: unknown
  /** See {@link Slice.on}. */
  readonly on: Readonly<Record<string, ((state: never, event: never) => unknown) | undefined>>
}

/** The commands that a list of modules answers. */
export type CommandOf<Modules extends readonly unknown[]> = Modules[number] extends infer Module
  ? Module extends { behaviour(wires: Wires<infer C, infer _Ports>): unknown }
    ? C
    : never
  : never

/** The events that a swarm of these modules emits. */
export type EventOf<Modules extends readonly unknown[]> =
  | Stamped<CoreEvent>
  | (Modules[number] extends infer Module
      ? Module extends { behaviour(wires: never): Observable<infer E extends Fact> }
        ? Stamped<Exclude<E, Outcome | PolicyEvent>>
        : never
      : never)

/** The parts of `state$` that modules add, by module name. */
export type StateOf<Modules extends readonly unknown[]> = {
  readonly [Module in Modules[number] as unknown extends PartOf<Module> ? never : NameOf<Module>]: PartOf<Module>
}

type NameOf<Module> = Module extends { readonly name: infer Name extends string } ? Name : never
type PartOf<Module> = Module extends { readonly state?: { readonly initial: infer State } } ? State : unknown
