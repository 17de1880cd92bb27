import { BehaviorSubject, interval, map, Observable, Subject, Subscription, type Subscriber } from 'rxjs'
import { guarded } from '../operators/guarded.ts'
import { inOrder } from '../operators/inOrder.ts'
import { Relay } from '../operators/relay.ts'
import { inspect } from './inspect.ts'
import { checkFact, isOutcome, stamp } from './facts.ts'
import { CommandLanes, type CommandLane, type Flow } from './commandLanes.ts'
import { Ledger, type Entry } from './ledger.ts'
import { mishaps } from './mishaps.ts'
import { joinProbes, type Probes } from './probes.ts'
import { runChain } from './runChain.ts'
import { reducer } from './state.ts'
import { supervise } from './supervise.ts'
import type { Host, WiredSwarm, WireOptions } from './wiring.ts'
import type { AnyCommandSpec, AnyModule } from './vocabulary/behaviour.ts'
import type { AnyCommand } from './vocabulary/command.ts'
import { LONGEST_TIMER_MS } from '../errors/optionKinds.ts'
import { ConfigError, SwarmError } from '../errors/errors.ts'
import type { CoreEvent, Fact, NodeEvent, Outcome, Stamped, Undrained } from './vocabulary/event.ts'
import type { Probe } from './vocabulary/probe.ts'

/** How often the lanes are reported. @unit milliseconds */
const REPORT_MS = 1_000

/** A behaviour's side of the switchboard. */
interface Route {
  readonly module: AnyModule
  readonly command$: Relay<AnyCommand>
  readonly cancel$: Relay<string>
  /** Of commands that name neither a principal nor a peer. */
  readonly flow: Flow
  status: 'down' | 'up' | 'ended'
  /** Starts the behaviour; again, if it has ended. */
  run(isAgain: boolean): void
}

/**
 * Ties modules to a host: the whole pipeline, without a socket in sight.
 *
 *     command$ ─▶ take in ─▶ command chain ─▶ route ─▶ behaviours ─▶ say ─▶ event chain ─▶ event$, state$
 *                 bound,      (the user's)              │     ▲       │      (the user's)
 *                 deadline                            ports   └ event$┴──▶ answers and outcomes reach `execute`
 *
 * Whatever is said goes through one queue, so every listener hears one order, also when it answers an event with a
 * command.
 */
export function wireSwarm(host: Host, modules: readonly AnyModule[], options: WireOptions): WiredSwarm {
  const { deadlineMs } = options
  const scheduler = modules.reduce((clock, module) => module.clock?.(clock) ?? clock, options.scheduler)
  const command$ = new Subject<AnyCommand>()
  const heard$ = new Relay<Stamped<Fact>>()
  const published$ = new Relay<Stamped<Fact>>()
  const behaving = new Subscription()
  /** Outcomes that the swarm itself says, and the entry each is meant for; none for a command that was refused. */
  const bound = new Map<Fact, Entry<Route> | undefined>()
  const admitters = modules.filter(({ admit }) => admit !== undefined)
  const routes = new Map<string, { readonly route: Route; readonly spec: AnyCommandSpec }>()
  const ledger = new Ledger<Route>(options.limits, deadlineMs, scheduler, expire)
  const lanes = new CommandLanes<Entry<Route>>(options.limits.running, options.limits.intake, scheduler)
  const say = inOrder<CoreEvent | Fact>(tell)
  const { initial, reduce } = reducer(modules, say)
  const state$ = new BehaviorSubject(initial)
  /** What each module watches the pipeline with. */
  const probeOf = new Map<AnyModule, Probe>()
  const idle$ = new Subject<void>()
  const commandChain = runChain(options.commandChain, deliver, commandChainCrashed)
  const eventChain = runChain(options.eventChain, publish, eventChainCrashed)
  const abandoned: Entry<Route>[] = []
  let probes: Probes | undefined
  let running = true
  let reporting = false
  let answering: Entry<Route> | undefined
  let lastWord: CoreEvent | undefined

  // ---- in: every command is refused, or entered in the ledger and sent through the chain -----------------------------

  function takeIn(sent: AnyCommand, observer?: Subscriber<unknown>): Entry<Route> | undefined {
    probes?.sent?.(sent, observer !== undefined)
    const known = routes.get((sent as AnyCommand | null)?.type ?? '')
    const openEnded = known?.spec.openEnded ?? false
    const refusal =
      inspect(sent) ?? whyRefused(sent, known?.route) ?? ledger.refusal(sent, openEnded) ?? whyNotAdmitted(sent)
    if (refusal !== undefined || known === undefined) {
      refuse(sent, refusal!, observer)
      return undefined
    }
    const command = { ...sent } // who changes it afterwards changes nothing here
    const flow = openEnded ? known.route.flow : lanes.flowOf(command, known.route.flow)
    const full = ledger.fullness(command, openEnded)
    if (full !== undefined && (openEnded || !makeRoom(flow))) {
      if (!openEnded) lanes.refuse(command)
      refuse(command, full, observer)
      return undefined
    }
    const entry = ledger.enter(command, known.route, flow, openEnded, observer)
    if (probes?.taken !== undefined) entry.isFollowed = probes.taken(command, known.route.module.name)
    commandChain.next(command)
    return entry
  }

  /** Whoever floods the swarm gives up the newest of what waits. */
  function makeRoom(flow: Flow): boolean {
    const entry = lanes.makeRoom(flow)
    if (entry === undefined) return false
    end(entry, mishaps.gaveUpPlace(entry.command, options.limits.intake))
    return true
  }

  function whyRefused(command: AnyCommand, route: Route | undefined): SwarmError | undefined {
    if (running && route !== undefined && route.status !== 'ended') return undefined
    if (!running) return mishaps.stopping(command)
    return route === undefined ? mishaps.unknown(command) : mishaps.answererEnded(command, route.module.name)
  }

  function whyNotAdmitted(command: AnyCommand): SwarmError | undefined {
    if (admitters.length === 0) return undefined
    probes?.admitting?.(command)
    const refusal = askAdmitters(command)
    probes?.admitted?.(command, refusal)
    return refusal
  }

  function askAdmitters(command: AnyCommand): SwarmError | undefined {
    const nowMs = scheduler.now()
    for (const module of admitters) {
      try {
        const refusal = module.admit!(command, nowMs)
        if (refusal !== undefined) return refusal
      } catch (cause) {
        return mishaps.admissionThrew(command, module.name, cause) // who can't decide lets nobody in
      }
    }
    return undefined
  }

  function refuse(command: AnyCommand | null, error: SwarmError, observer: Subscriber<unknown> | undefined): void {
    const id: unknown = command?.id
    const type: unknown = command?.type
    const isNameable = typeof id === 'string' && ledger.get(id) === undefined // else the outcome would be another's
    const cause = isNameable ? { cause: id } : {}
    const fact: Outcome = { type: 'command:failed', ...cause, command: typeof type === 'string' ? type : '', error }
    bound.set(fact, undefined)
    say(fact)
    observer?.error(error)
  }

  function deliver(command: AnyCommand): void {
    runWaiting() // a listener may send it at an outcome, before the place that this has freed is given away
    const entry = ledger.get(command.id)
    if (entry === undefined || entry.delivered || entry.ready !== undefined) return // it settled, or was sent twice
    if (entry.openEnded || lanes.admit(entry)) run(entry, command)
    else entry.ready = command
  }

  function run(entry: Entry<Route>, command: AnyCommand): void {
    if (entry.route.status !== 'up') return void (entry.ready = command) // it waits in the ledger for the restart
    entry.delivered = true
    if (!entry.isFollowed) entry.route.command$.next(command)
    else probes!.handed(command, () => entry.route.command$.next(command))
  }

  /** What has waited has less time left: its policies plan with that. */
  function runLate(entry: Entry<Route>, command: AnyCommand): void {
    if (entry.dueAt === Infinity) return run(entry, command)
    const deadlineMs = Math.max(0, entry.dueAt - scheduler.now())
    run(entry, { ...command, meta: { ...command.meta, deadlineMs } })
  }

  /** Places have become free. */
  function runWaiting(): void {
    for (let entry = lanes.next(); entry !== undefined; entry = lanes.next()) runLate(entry, entry.ready!)
  }

  // ---- out: everything that is said, in one order --------------------------------------------------------------------

  function tell(fact: Fact): void {
    const settles = isOutcome(fact)
    const isBound = settles && bound.size > 0 && bound.has(fact)
    const entry = isBound ? bound.get(fact) : fact.cause === undefined ? undefined : ledger.get(fact.cause)
    const isTold = isBound
      ? entry !== undefined && ledger.get(entry.command.id) !== entry
      : settles && entry === undefined
    if (isBound) bound.delete(fact)
    if (isTold) return // each command has one outcome
    if (settles && entry !== undefined) {
      ledger.leave(entry)
      lanes.leave(entry)
    }
    const event = stamp(fact, scheduler.now())
    if (settles && entry !== undefined)
      probes?.settled?.(entry.command, event as Stamped<Outcome>, entry.dueAt - entry.deadlineMs)
    if (heard$.observed) heard$.next(event)
    reporting = fact.type === 'subscriber:failed'
    probes?.telling?.(event)
    eventChain.next(event)
    if (entry?.observer !== undefined) answer(entry, entry.observer, event)
    if (fact.causes !== undefined) {
      for (const id of fact.causes) {
        const sharer = ledger.get(id)
        if (sharer?.observer !== undefined) answer(sharer, sharer.observer, event)
      }
    }
    probes?.told?.(event)
    reporting = false
    if (settles) runWaiting()
    if (settles && ledger.size === 0) idle$.next()
    if (fact === lastWord) complete()
  }

  /** Says an outcome that is meant for this entry alone, though its id may have a new owner by the time it is told. */
  function settle(entry: Entry<Route>, outcome: Outcome): void {
    entry.delivered = true // else it could start before its outcome is told
    lanes.leave(entry)
    bound.set(outcome, entry)
    say(outcome)
  }

  function answer(entry: Entry<Route>, observer: Subscriber<unknown>, event: Stamped<Fact>): void {
    if (isOutcome(event)) {
      if (event.type === 'command:failed') observer.error(event.error)
      else observer.complete()
      return
    }
    const project = routes.get(entry.command.type)?.spec.answers[event.type]
    if (project === undefined) return
    const outer = answering
    answering = entry
    try {
      observer.next(project(event as never))
    } catch (cause) {
      end(entry, mishaps.answeringThrew(entry.command, event.type, cause))
    } finally {
      answering = outer
    }
  }

  function publish(event: Stamped<Fact>): void {
    const state = reduce(state$.value, event)
    if (state !== state$.value) state$.next(state)
    published$.next(event)
  }

  function fail(entry: Entry<Route>, error: SwarmError): void {
    const { id: cause, type: command } = entry.command
    settle(entry, { type: 'command:failed', cause, command, error })
  }

  /** Stops the work of a command, then says why. */
  function end(entry: Entry<Route>, error: SwarmError): void {
    entry.route.cancel$.next(entry.command.id)
    fail(entry, error)
  }

  // ---- what goes wrong -----------------------------------------------------------------------------------------------

  function expire(entry: Entry<Route>): void {
    end(entry, mishaps.late(entry))
  }

  /** Whoever leaves at an answer may have had all there is: the outcome, if it follows at once, is not a cancellation. */
  function abandon(entry: Entry<Route>): void {
    if (answering !== entry) return cancel(entry)
    probes?.leaves?.(entry.command)
    if (abandoned.push(entry) === 1) scheduler.schedule(() => abandoned.splice(0).forEach(cancel))
  }

  function cancel(entry: Entry<Route>): void {
    const { id: cause, type: command } = entry.command
    if (ledger.get(cause) !== entry) return
    probes?.left?.(entry.command)
    entry.route.cancel$.next(cause)
    settle(entry, { type: 'command:cancelled', cause, command })
  }

  function behaviourCrashed(route: Route, cause: unknown, restartInMs: number): void {
    const behaviour = route.module.name
    route.status = 'down'
    const error = mishaps.crashed(behaviour, cause)
    say({ type: 'behaviour:crashed', behaviour, error, restartInMs })
    failAll((entry) => entry.route === route && entry.delivered, error)
  }

  function behaviourUp(route: Route, again: boolean): void {
    route.status = 'up'
    if (again) say({ type: 'behaviour:restarted', behaviour: route.module.name })
    for (const entry of [...ledger.entries()]) {
      if (entry.route !== route || entry.delivered || entry.ticket !== undefined) continue
      if (entry.ready !== undefined) runLate(entry, entry.ready)
    }
  }

  function behaviourEnded(route: Route): void {
    const behaviour = route.module.name
    route.status = 'ended'
    if (!running) return
    say({ type: 'behaviour:ended', behaviour })
    failAll((entry) => entry.route === route, mishaps.ended(behaviour))
  }

  function failAll(which: (entry: Entry<Route>) => boolean, error: SwarmError): void {
    for (const entry of [...ledger.entries()]) if (which(entry)) fail(entry, error)
  }

  /** The command at which it broke fails; those that it held go through the new one. */
  function commandChainCrashed(cause: unknown, command: AnyCommand | undefined): void {
    const held = [...ledger.entries()].filter(({ delivered, ready }) => !delivered && ready === undefined)
    say({ type: 'chain:crashed', chain: 'commands', error: mishaps.commandChainBroke(cause, command) })
    for (const entry of held) {
      if (command === undefined || entry.command.id === command.id)
        end(entry, mishaps.commandChainBroke(cause, entry.command))
    }
    if (command === undefined) return
    for (const entry of held)
      if (ledger.get(entry.command.id) === entry && !entry.delivered) commandChain.next(entry.command)
  }

  function eventChainCrashed(cause: unknown, event: Stamped<Fact> | undefined): void {
    const crash = {
      type: 'chain:crashed',
      chain: 'events',
      error: mishaps.eventChainBroke(cause, event?.type),
    } as const
    if (event === undefined || event.type === 'chain:crashed') publish({ ...crash, at: scheduler.now() })
    else say(crash)
  }

  function subscriberFailed(cause: unknown, value?: unknown): void {
    if (reporting || (value as Fact | undefined)?.type === 'subscriber:failed') return // at the report of a failure
    say({ type: 'subscriber:failed', error: mishaps.subscriberThrew(cause) })
  }

  // ---- the wires -------------------------------------------------------------------------------------------------------

  command$.subscribe({ next: (command) => takeIn(command), error: () => undefined })
  const switchboard = modules.map((module) => {
    const flow = lanes.behaviour(module.name)
    const route: Route = {
      module,
      command$: new Relay(),
      cancel$: new Relay(),
      flow,
      status: 'down',
      run: () => undefined,
    }
    for (const [type, spec] of Object.entries(module.commands)) routes.set(type, { route, spec })
    return route
  })

  function start(): void {
    probes = joinProbes(modules.flatMap(probesOf), subscriberFailed)
    const random = probes?.random(options.random) ?? options.random
    behaving.add(host.event$.subscribe({ next: hear, error: () => undefined }))
    for (const route of switchboard) {
      const { module, command$, cancel$ } = route
      const ports = portsOf(module)
      const event$ = probes?.heard(module.name, heard$) ?? heard$
      const wires = { command$, cancel$, event$, ports, self: host.self, scheduler, random, deadlineMs }
      route.run = (isAgain) => {
        const behaviour$ = supervise(() => module.behaviour(wires as never).pipe(map(checkFact)), {
          scheduler,
          random,
          onUp: (again) => behaviourUp(route, isAgain || again),
          onCrash: (error, restartInMs) => behaviourCrashed(route, error, restartInMs),
        })
        behaving.add(behaviour$.subscribe({ next: say, complete: () => behaviourEnded(route) }))
      }
      route.run(false)
    }
  }

  function restart(behaviour: string): boolean {
    const route = switchboard.find(({ module }) => module.name === behaviour)
    if (!running || route?.status !== 'ended') return false
    route.run(true)
    return true
  }

  function hear(event: NodeEvent): void {
    probes?.host?.(event)
    say(event)
  }

  function probesOf(module: AnyModule): readonly Probe[] {
    if (module.probe === undefined) return []
    const event$ = guarded(heard$, { threw: subscriberFailed, unheard: subscriberFailed })
    const probe = module.probe({
      self: host.self,
      scheduler,
      deadlineMs,
      limits: options.limits,
      modules,
      event$,
      probeOf: (other) => probeOf.get(other),
      state: () => state$.value,
      commandOf: (id) => ledger.get(id)?.command,
      inFlight: () => [...ledger.entries()].map(({ command }) => command),
      lanes: () => lanes.report(),
      execute,
      restart,
    })
    probeOf.set(module, probe)
    return [probe]
  }

  function portsOf(module: AnyModule): unknown {
    try {
      const ports = host.portsOf(module, probeOf.get(module))
      return probes === undefined ? ports : probes.ports(module.name, ports)
    } catch (cause) {
      const path = `use[${modules.indexOf(module)}]`
      throw new ConfigError([{ path, message: `ports of ${module.name} threw: ${String(cause)}` }], { cause })
    }
  }

  let executions = 0
  function execute(command: AnyCommand): Observable<unknown> {
    const execution$ = new Observable<unknown>((observer) => {
      const isTaken = inspect(command) === undefined && ledger.get(command.id) !== undefined
      const entry = takeIn(isTaken ? { ...command, id: `${command.id}.${++executions}` } : command, observer)
      return () => void (entry !== undefined && ledger.get(entry.command.id) === entry && abandon(entry))
    })
    return guarded(execution$, {
      threw: subscriberFailed,
      unheard: (error) => void (error instanceof SwarmError || subscriberFailed(error)),
    })
  }

  function drain(drainMs: number): Observable<readonly Undrained[]> {
    return new Observable((out) => {
      running = false
      probes?.stops?.(drainMs)
      say({ type: 'swarm:stopping', drainMs })
      const finish = () => {
        waiting.unsubscribe()
        const left = [...ledger.entries()]
        for (const entry of left.toReversed()) endEarly(entry) // who waits for another's end must not start at it
        out.next(left.filter(({ openEnded }) => !openEnded).map(({ command: { id, type } }) => ({ id, type })))
        out.complete()
      }
      const waiting = new Subscription()
      out.add(waiting)
      if (ledger.size === 0 || drainMs <= 0) return finish()
      waiting.add(idle$.subscribe(finish))
      if (drainMs < Infinity) waiting.add(scheduler.schedule(finish, Math.min(drainMs, LONGEST_TIMER_MS)))
    })
  }

  function endEarly(entry: Entry<Route>): void {
    const { command, openEnded } = entry
    const { id: cause, type } = command
    if (!openEnded) return end(entry, mishaps.stopped(command))
    entry.route.cancel$.next(cause)
    settle(entry, { type: 'command:completed', cause, command: type })
  }

  function close(undrained: readonly Undrained[]): void {
    probes?.stops?.()
    running = false
    for (const { command$, cancel$ } of switchboard) {
      command$.complete()
      cancel$.complete()
    }
    behaving.unsubscribe()
    ledger.close()
    lastWord = { type: 'swarm:stopped', undrained }
    say(lastWord) // waits its turn, when a listener stops the swarm
  }

  function complete(): void {
    heard$.complete()
    commandChain.complete()
    eventChain.complete()
    published$.complete()
    state$.complete()
  }

  const lanes$ = new Observable<readonly CommandLane[]>((out) => {
    const report = () => out.next(lanes.report())
    out.add(published$.subscribe({ complete: () => out.complete() }))
    report()
    if (!out.closed) out.add(interval(REPORT_MS, scheduler).subscribe(report))
  })

  return {
    command$,
    lanes$: guarded(lanes$, { threw: subscriberFailed, unheard: subscriberFailed }),
    event$: guarded(published$, { threw: subscriberFailed, unheard: subscriberFailed }),
    state$: guarded(state$, { threw: subscriberFailed, unheard: subscriberFailed }),
    state: () => state$.value,
    execute,
    start,
    drain,
    close,
  }
}
