import { ROOT_CONTEXT, trace, type Attributes, type Context, type TextMapPropagator } from '@opentelemetry/api'
import type { Observable, Subscription } from 'rxjs'
import type { AnyCommand } from '../../swarm/vocabulary/command.ts'
import type { Fact, Outcome, Stamped } from '../../swarm/vocabulary/event.ts'
import type { Probe, Probed } from '../../swarm/vocabulary/probe.ts'
import { activeContext, runBriefly, runWith } from './activeContext.ts'
import { quickChance, SAMPLED_ROOT, UNSAMPLED_ROOT } from './headSampling.ts'
import { Journey, type Part } from './journey.ts'
import { isPolicyEvent, policyNotes } from './policyNotes.ts'
import { portSpans } from './portSpans.ts'
import type { SpanOutcome } from './spanEnd.ts'
import { spannedWork } from './spannedWork.ts'
import type { TracerSource } from './tracerSource.ts'
import { contextIn } from './traceContextOf.ts'

/** Commands that are followed at once; further ones are not, and counted. */
export const MOST_COMMANDS = 65_536

/** A command that is followed: recorded, or not and then only its context goes along. */
interface Followed {
  readonly context: Context
  readonly journey: Journey | undefined
  readonly behaviour: string
  /** The parent of its attempts: its way through the behaviour. */
  work: Context
}

const outcomes: Readonly<Record<Outcome['type'], SpanOutcome>> = {
  'command:completed': 'completed',
  'command:failed': 'failed',
  'command:cancelled': 'cancelled',
}

/**
 * Makes the spans of a swarm's commands: the command, its way through its behaviour, every attempt and every call of a port.
 *
 * @shape  Memory: one entry for each command in flight, of at most 65 536; all are let go of when they settle, and the swarm
 *         settles every one. Without a tracer nothing is allocated.
 * @errors None of its own.
 */
export class CommandSpans implements Probe {
  /** Commands that were not followed, since too many were. */
  untraced = 0
  protected readonly source: TracerSource
  protected readonly propagator: TextMapPropagator | undefined
  protected chance = quickChance(0.5)
  readonly #event$: Probed['event$']
  readonly #followed = new Map<string, Followed>()
  #recorded = 0
  #listening: Subscription | undefined
  /** Whether what has no parent and is not followed is so because it is not sampled. */
  #isThinned = false
  #isHanding = false

  constructor(event$: Probed['event$'], source: TracerSource, propagator: TextMapPropagator | undefined) {
    this.#event$ = event$
    this.source = source
    this.propagator = propagator
  }

  /** How many commands are followed now. */
  get size(): number {
    return this.#followed.size
  }

  random(random: () => number): () => number {
    this.chance = quickChance(random())
    return random
  }

  taken(command: AnyCommand, behaviour: string): boolean {
    const tracer = this.source.now()
    this.#isThinned = tracer !== undefined && this.source.ratio < 1
    if (tracer === undefined) return false
    const carried = command.meta?.trace
    let parent = (carried && contextIn(carried, this.propagator)) ?? activeContext()
    if (this.#isThinned && parent === ROOT_CONTEXT) {
      if (this.chance() >= this.source.ratio) return true // what it does is not to be sampled either
      parent = SAMPLED_ROOT
    }
    if (this.#followed.size >= MOST_COMMANDS) {
      this.untraced++
      return false
    }
    const span = tracer.startSpan(command.type, undefined, parent)
    if (!span.isRecording()) {
      const context = trace.setSpan(parent, span)
      this.#followed.set(command.id, { context, journey: undefined, behaviour, work: context })
      return true
    }
    span.setAttributes(attributesOf(command, behaviour))
    const journey = new Journey(tracer, span, parent)
    const { context } = journey
    this.#followed.set(command.id, { context, journey, behaviour, work: context })
    if (this.#recorded++ === 0) this.#listening = this.#event$.subscribe((event) => this.#hear(event))
    return true
  }

  handed(command: AnyCommand, hand: () => void): void {
    const followed = this.#followed.size === 0 ? undefined : this.#followed.get(command.id)
    if (followed === undefined && !this.#isThinned) return hand()
    const outer = this.#isHanding
    this.#isHanding = true
    try {
      if (followed === undefined) return runBriefly(UNSAMPLED_ROOT, hand)
      const part = followed.journey?.begin(followed.behaviour, followed.context)
      if (part !== undefined) followed.work = part.context
      runWith(followed.work, hand)
    } finally {
      this.#isHanding = outer
    }
  }

  attempt<T>(command: AnyCommand, work$: Observable<T>): Observable<T> {
    if (this.#followed.size === 0 && (this.#isHanding || !this.#isThinned)) return work$
    const followed = this.#followed.get(command.id)
    const journey = followed?.journey
    if (followed !== undefined && journey !== undefined) {
      return spannedWork(work$, () => {
        const part = journey.begin(`${command.type} attempt`, followed.work)
        part?.span.setAttribute('rxswarm.attempt', ++journey.attempts)
        return part
      })
    }
    if (this.#isHanding) return work$ // its context is active already
    const context = followed?.work ?? (this.#isThinned ? UNSAMPLED_ROOT : undefined)
    return context === undefined ? work$ : spannedWork(work$, () => unrecorded(context))
  }

  settled(command: AnyCommand, outcome: Stamped<Outcome>): void {
    if (this.#followed.size === 0) return
    const followed = this.#followed.get(command.id)
    if (followed === undefined) return
    this.#followed.delete(command.id)
    if (followed.journey === undefined) return
    if (--this.#recorded === 0) this.#listening?.unsubscribe()
    followed.journey.end(outcomes[outcome.type], outcome.type === 'command:failed' ? outcome.error : undefined)
  }

  ports(behaviour: string, ports: unknown): unknown {
    return portSpans(behaviour, ports, () => this.#recorded > 0)
  }

  /** Policies tell by events what they do with a command. Nobody listens while no command is recorded. */
  #hear(event: Stamped<Fact>): void {
    if (event.cause === undefined || !isPolicyEvent(event)) return
    this.#followed.get(event.cause)?.journey?.span.addEvent(event.type, policyNotes(event))
  }
}

/** A part without a span of its own. */
function unrecorded(context: Context): Part {
  return { context, span: trace.getSpan(context)!, end: () => undefined }
}

function attributesOf(command: AnyCommand, behaviour: string): Attributes {
  const { id, meta } = command
  const { peer, to, topic } = command as { readonly peer?: unknown; readonly to?: unknown; readonly topic?: unknown }
  const remote = typeof peer === 'string' ? peer : typeof to === 'string' ? to : undefined
  return {
    'rxswarm.command.id': id,
    'rxswarm.behaviour': behaviour,
    'rxswarm.lane': meta?.priority ?? 'normal',
    ...(meta?.principal === undefined ? {} : { 'rxswarm.principal': meta.principal }),
    ...(remote === undefined ? {} : { 'rxswarm.peer.id': remote }),
    ...(typeof topic === 'string' ? { 'messaging.destination.name': topic } : {}),
  }
}
