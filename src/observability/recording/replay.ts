import { NEVER } from 'rxjs'
import type { MonoTypeOperatorFunction } from 'rxjs'
import { ConfigError } from '../../errors/errors.ts'
import type { AnyModule } from '../../swarm/vocabulary/behaviour.ts'
import type { AnyCommand } from '../../swarm/vocabulary/command.ts'
import type { Fact, Stamped } from '../../swarm/vocabulary/event.ts'
import { virtualDate } from '../../testing/simulation/virtualDate.ts'
import { compareEvents, type ReplayDifference } from './compareEvents.ts'
import { digestOf } from './digestOf.ts'
import type { Recording } from './readRecording.ts'
import { recording as recordingModule } from './recording.ts'
import { Replayer } from './replayer.ts'

/** What a recording is replayed with. */
export interface ReplayOptions {
  /** The behaviours: those of the recording, with the same options, or with others to see what would be different. */
  readonly use: readonly AnyModule[]
  /** The operators that the swarm had between intake and behaviours. */
  readonly commandChain?: MonoTypeOperatorFunction<AnyCommand>
  /** The operators that the swarm had before `event$`. */
  readonly eventChain?: MonoTypeOperatorFunction<Stamped<Fact>>
  /** How many differences are told one by one. Default: 100. */
  readonly maxDifferences?: number
  /** Once the replay goes its own way: how much earlier or later the same event may be. Default: 100. @unit milliseconds */
  readonly toleranceMs?: number
}

/** Where a replay left the recording: until there, everything was the same, to the last port call and timer. */
export interface Divergence {
  /** Line of the recording. */
  readonly line: number
  /** @unit milliseconds since the beginning of the recording */
  readonly atMs: number
  /** What the recording has there; nothing when it has no more. */
  readonly expected: string | undefined
  /** What the replay did; nothing when it did not do what was expected. */
  readonly got: string | undefined
}

/** What a replay came to. */
export interface ReplayReport {
  /** Whether the same events were said, at the same times, in the same order. */
  readonly same: boolean
  /** The first differences. */
  readonly differences: readonly ReplayDifference[]
  /** How many there are in all. */
  readonly differenceCount: number
  /** Where it went its own way, if it did. */
  readonly diverged: Divergence | undefined
  /** What was said. */
  readonly events: readonly Stamped<Fact>[]
  /** The same as text, as lines of a recording without their checks: equal for equal replays. */
  readonly eventLines: readonly string[]
  /** Calls of ports that the recording has no answer to. */
  readonly unanswered: number
  /** What can't be reproduced, and what was given otherwise than recorded. */
  readonly notes: readonly string[]
  /** How long it took by its own clock. @unit milliseconds */
  readonly durationVirtualMs: number
}

const MOST_DIFFERENCES = 100
const TOLERANCE_MS = 100

/**
 * Feeds a recording to behaviours, in virtual time and without a network, and compares what they say with what was said.
 *
 * @param recording From {@link readRecording}.
 * @param options   See {@link ReplayOptions}.
 * @shape  As long as everything is as recorded, every input comes where it came then, and every timer goes off when it did: the
 *         same behaviours do the same, to the byte. From the first difference on, timers go off when they are due, commands
 *         and the node's events come at their times, and a call of a port is answered as the next recorded call with the same
 *         arguments was. Runs at once; twice gives the same.
 * @errors `ConfigError` for modules whose options are wrong. A call that the recording has no answer to fails with
 *         `NotRecordedError`, for the behaviour to deal with.
 */
export function replay(recording: Recording, options: ReplayOptions): ReplayReport {
  const { maxDifferences = MOST_DIFFERENCES, toleranceMs = TOLERANCE_MS } = options
  const { modules, notes, isOther } = modulesFor(recording, options.use)
  const replayer = new Replayer(recording, modules, options)
  virtualDate(
    () => replayer.clock.now(),
    () => replayer.run(isOther),
  )
  const { diverged, events, eventLines, unanswered } = replayer
  const all = diverged === undefined ? [] : compareEvents(recording, eventLines, toleranceMs)
  const missed = replayer.unfed > 0 ? [`${replayer.unfed} inputs belong to calls that were not made here`] : []
  return {
    same: all.length === 0,
    differences: all.slice(0, maxDifferences),
    differenceCount: all.length,
    diverged,
    events,
    eventLines,
    unanswered,
    notes: [...notes, ...missed],
    durationVirtualMs: replayer.clock.now() - recording.header.startedAt,
  }
}

/** The modules in the order of the recording, without what watches, and what is to be said about them. */
function modulesFor({ header, cut }: Recording, use: readonly AnyModule[]) {
  const problems = use.flatMap(({ problems: own = [] }) => own)
  if (problems.length > 0) throw new ConfigError(problems)
  const given = new Map(use.map((module) => [module.name, module]))
  if (!given.has('recording') && header.modules.some(({ name }) => name === 'recording')) {
    given.set('recording', recordingModule())
  }
  const known = header.modules.flatMap(({ name }) => given.get(name) ?? [])
  const added = use.filter(({ name }) => !header.modules.some((one) => one.name === name))
  const missing = header.modules.filter(({ name }) => !given.has(name))
  const changed = header.modules.filter(
    ({ name, options }) => name !== 'recording' && given.has(name) && digestOf(given.get(name)!.options) !== options,
  )
  const notes = [
    ...(cut === undefined ? [] : [cut]),
    ...(header.from === 'start' ? [] : ['it began while the swarm ran: what was under way then is missing']),
    ...(header.redacted ? ['bytes were left out: zeros stand for them'] : []),
    ...missing.map(({ name }) => `${name} was in use, and is missing here`),
    ...added.map(({ name }) => `${name} was not in use`),
    ...changed.map(({ name }) => `${name} has other options`),
  ]
  const isOther = header.from !== 'start' || missing.length > 0 || added.length > 0
  return { modules: [...known, ...added].map(bare), notes, isOther }
}

/** A module without what watches or touches a network. What it says of commands is heard, and the recording decides. */
function bare({ name, commands, state, admit, behaviour }: AnyModule): AnyModule {
  return {
    name,
    commands,
    ...(state === undefined ? {} : { state }),
    ...(admit === undefined ? {} : { admit }),
    behaviour,
    ports: () => NEVER,
  }
}
