import type { Step } from '../../../operators/stateMachine.ts'
import { ChainError } from '../../../errors/errors.ts'
import { contextOf } from '../../vocabulary/command.ts'
import type { Outcome } from '../../vocabulary/event.ts'
import type { ChainsEvent } from './chainsVocabulary.ts'
import type { ChainPath } from './chainWords.ts'
import type { Held, Opening, OpenerDecisions, OpenerEffect, OpenerInput, OpenerState } from './openerState.ts'
import { failedPath, keyOfPath, measuredPath, rankPaths } from './pathQuality.ts'
import { without } from '../without.ts'

type OpenerStep = Step<OpenerState, OpenerEffect, ChainsEvent | Outcome>

/** Paths that are tried for one chain. */
const MOST_TRIES = 8

/** Between two rounds in which a lost session tries its paths. @unit milliseconds */
const AGAIN_MS = 250
const MOST_AGAIN_MS = 4_000

/** State before anything happened. */
export const initialOpener: OpenerState = { quality: new Map(), openings: new Map(), held: new Map() }

/** The name of an effect's work: of a command or a session there is one at a time. */
export function nameOfOpening(effect: OpenerEffect): string | undefined {
  return effect.do === 'end' ? undefined : effect.work
}

/**
 * Decides over which path a chain runs: when it is opened, and when its path is lost.
 *
 * @shape  Pure but for `random`. A chain that is lost tries its other paths first and the lost one last, round after round,
 *         until `resumeMs` are over.
 */
export function openerStep(
  decisions: OpenerDecisions,
  state: OpenerState,
  input: OpenerInput,
  nowMs: number,
): OpenerStep {
  switch (input.type) {
    case 'command':
      return commanded(decisions, state, input, nowMs)
    case 'cancelled':
      return { state: { ...state, openings: without(state.openings, input.id) }, stop: [input.id] }
    case 'routed':
      return routed(decisions, state, input, nowMs)
    case 'opened':
      return opened(state, input)
    case 'failed':
      return failed(decisions, state, input, nowMs)
    case 'broken':
      return broken(decisions, state, input, nowMs)
    case 'again':
      return again(decisions, state, input.session, nowMs)
    case 'resumed':
      return resumed(state, input, nowMs)
    case 'measured':
      return measured(state, input, nowMs)
    case 'accepted':
      return { state: withHeld(state, input.info.session, { info: input.info, candidates: [] }) }
    case 'closed':
      return closed(state, input)
  }
}

/** How many chains run over each path. */
function loadsOf({ held }: OpenerState): ReadonlyMap<string, number> {
  const loads = new Map<string, number>()
  for (const { info } of held.values()) loads.set(keyOfPath(info.path), (loads.get(keyOfPath(info.path)) ?? 0) + 1)
  return loads
}

function ranked(
  { random }: OpenerDecisions,
  state: OpenerState,
  paths: readonly ChainPath[],
  nowMs: number,
): readonly ChainPath[] {
  return rankPaths(state.quality, paths, loadsOf(state), nowMs, random).slice(0, MOST_TRIES)
}

function commanded(
  decisions: OpenerDecisions,
  state: OpenerState,
  { command, error }: Extract<OpenerInput, { type: 'command' }>,
  nowMs: number,
): OpenerStep {
  const { id: cause, type } = command
  if (error !== undefined) return { state, say: [{ type: 'command:failed', cause, command: type, error }] }
  if (command.type === 'chains/list') {
    const chains = [...state.held.values()].map(({ info }) => info)
    const done: Outcome = { type: 'command:completed', cause, command: type }
    return { state, say: [{ type: 'chain:listed', chains, cause }, done] }
  }
  const { to, via, hops } = command
  const dueAtMs = nowMs + (command.meta?.deadlineMs ?? Infinity)
  const opening: Opening = { command, left: [], candidates: [], dueAtMs }
  if (via === undefined) {
    const route: OpenerEffect = { do: 'route', work: cause, to, ...(hops === undefined ? {} : { hops }) }
    return { state: withOpening(state, cause, opening), run: [route] }
  }
  return openNext(
    decisions,
    state,
    cause,
    startOf(
      decisions,
      state,
      opening,
      via.map((path) => [...path, to]),
      nowMs,
    ),
    nowMs,
  )
}

function startOf(
  decisions: OpenerDecisions,
  state: OpenerState,
  opening: Opening,
  candidates: readonly ChainPath[],
  nowMs: number,
): Opening {
  return { ...opening, candidates, left: ranked(decisions, state, candidates, nowMs) }
}

function routed(
  decisions: OpenerDecisions,
  state: OpenerState,
  { work, routes }: Extract<OpenerInput, { type: 'routed' }>,
  nowMs: number,
): OpenerStep {
  const opening = state.openings.get(work)
  if (opening !== undefined) {
    return openNext(decisions, state, work, startOf(decisions, state, opening, routes, nowMs), nowMs)
  }
  const held = state.held.get(work)
  if (held?.repair === undefined) return { state }
  const lost = keyOfPath(held.info.path)
  const order = ranked(decisions, state, routes, nowMs)
  const left = [
    ...order.filter((path) => keyOfPath(path) !== lost),
    ...order.filter((path) => keyOfPath(path) === lost),
  ]
  return repairNext(decisions, state, { ...held, candidates: routes, repair: { ...held.repair, left } }, nowMs)
}

/** The next path of a chain that is being opened, or its end. */
function openNext(
  decisions: OpenerDecisions,
  state: OpenerState,
  work: string,
  opening: Opening,
  nowMs: number,
): OpenerStep {
  const [path, ...left] = opening.left
  const { command } = opening
  if (path === undefined) {
    const { type } = command
    const none = `chain: no path to ${command.to} is known; name one by via, or connect to peers that carry`
    const error = opening.failure ?? new ChainError(none, 'UNREACHABLE', { ...contextOf(command), peer: command.to })
    return {
      state: { ...state, openings: without(state.openings, work) },
      say: [{ type: 'command:failed', cause: work, command: type, error }],
    }
  }
  const { bytes = Infinity, ms = Infinity } = command.budget ?? {}
  const withinMs = Math.max(1, Math.ceil(Math.min(decisions.pathMs, opening.dueAtMs - nowMs))) // the carriers need not wait longer
  return {
    state: withOpening(state, work, { ...opening, left }),
    run: [{ do: 'open', work, path, total: { bytes, ms }, withinMs }],
  }
}

function opened(
  state: OpenerState,
  { work, info, connection, granted }: Extract<OpenerInput, { type: 'opened' }>,
): OpenerStep {
  const opening = state.openings.get(work)
  if (opening === undefined) {
    return {
      state,
      run: [{ do: 'end', work: info.session, error: new ChainError('chain: nobody waits for it', 'DENIED') }],
    }
  }
  const { via, hops, type } = opening.command
  const search = via === undefined ? { search: hops === undefined ? {} : { hops } } : {}
  const held: Held = { info, candidates: opening.candidates, ...search }
  return {
    state: withHeld({ ...state, openings: without(state.openings, work) }, info.session, held),
    say: [
      { type: 'chain:opened', ...info, info: connection, granted, cause: work },
      { type: 'command:completed', cause: work, command: type },
    ],
  }
}

function failed(
  decisions: OpenerDecisions,
  given: OpenerState,
  { work, path, error }: Extract<OpenerInput, { type: 'failed' }>,
  nowMs: number,
): OpenerStep {
  const state = path === undefined ? given : { ...given, quality: failedPath(given.quality, path, nowMs) }
  const opening = state.openings.get(work)
  const held = state.held.get(work)
  const peer = opening?.command.to ?? held?.info.peer
  if (peer === undefined) return { state: given }
  const say: readonly ChainsEvent[] = path === undefined ? [] : [{ type: 'chain:path-failed', peer, path, error }]
  const step =
    opening === undefined
      ? repairNext(decisions, state, held!, nowMs)
      : openNext(decisions, state, work, { ...opening, failure: error }, nowMs)
  return { ...step, say: [...say, ...(step.say ?? [])] }
}

function broken(
  decisions: OpenerDecisions,
  given: OpenerState,
  { session, error }: Extract<OpenerInput, { type: 'broken' }>,
  nowMs: number,
): OpenerStep {
  const held = given.held.get(session)
  if (held === undefined || held.info.direction === 'inbound') return { state: given }
  const isAhead = error === undefined
  if (held.repair !== undefined) {
    if (isAhead || !held.repair.isAhead) return { state: given }
    const repair = { ...held.repair, isAhead: false, sinceMs: nowMs } // it broke before another one stood
    return { state: withHeld(given, session, { ...held, repair }) }
  }
  // one that is used up was a good one
  const isSpent = isAhead || (error instanceof ChainError && error.status === 'BUDGET')
  const { path, peer } = held.info
  const state = isSpent ? given : { ...given, quality: failedPath(given.quality, path, nowMs) }
  const step = round(decisions, state, { ...held, repair: { left: [], sinceMs: nowMs, round: 0, isAhead } }, nowMs)
  return isAhead ? step : { ...step, say: [{ type: 'chain:path-failed', peer, path, error }] }
}

/** Tries the paths of a lost session, one after the other; those that are found anew, if they were found. */
function round(decisions: OpenerDecisions, state: OpenerState, held: Held, nowMs: number): OpenerStep {
  const { session, peer } = held.info
  if (held.search !== undefined && held.repair!.round > 0) {
    return {
      state: withHeld(state, session, held),
      run: [{ do: 'route', work: session, to: peer, ...held.search }],
    }
  }
  return routed(
    decisions,
    withHeld(state, session, held),
    { type: 'routed', work: session, routes: held.candidates },
    nowMs,
  )
}

function again(decisions: OpenerDecisions, state: OpenerState, session: string, nowMs: number): OpenerStep {
  const held = state.held.get(session)
  return held?.repair === undefined ? { state } : round(decisions, state, held, nowMs)
}

function repairNext(decisions: OpenerDecisions, state: OpenerState, held: Held, nowMs: number): OpenerStep {
  const { repair, info } = held
  const { session } = info
  if (repair === undefined) return { state }
  const [path, ...left] = repair.left
  const next = (change: Partial<NonNullable<Held['repair']>>) =>
    withHeld(state, session, { ...held, repair: { ...repair, ...change } })
  if (path !== undefined) {
    return { state: next({ left }), run: [{ do: 'resume', work: session, path, withinMs: decisions.pathMs }] }
  }
  if (!repair.isAhead && nowMs - repair.sinceMs >= decisions.resumeMs) {
    const message = `chain: no other path to ${info.peer} within ${decisions.resumeMs} ms`
    return {
      state: next({}),
      run: [{ do: 'end', work: session, error: new ChainError(message, 'TIMEOUT', { peer: info.peer }) }],
    }
  }
  const waitMs = Math.min(MOST_AGAIN_MS, AGAIN_MS * 2 ** repair.round)
  return { state: next({ round: repair.round + 1 }), run: [{ do: 'wait', work: session, waitMs }] }
}

function resumed(
  state: OpenerState,
  { session, path }: Extract<OpenerInput, { type: 'resumed' }>,
  nowMs: number,
): OpenerStep {
  const held = state.held.get(session)
  if (held === undefined) return { state }
  const { repair, info, ...rest } = held
  const downMs = repair === undefined || repair.isAhead ? 0 : nowMs - repair.sinceMs
  return {
    state: withHeld(state, session, { ...rest, info: { ...info, path } }),
    say: [{ type: 'chain:failed-over', session, peer: info.peer, from: info.path, path, downMs }],
  }
}

function measured(
  given: OpenerState,
  { type: _type, peer, path, ...sample }: Extract<OpenerInput, { type: 'measured' }>,
  nowMs: number,
): OpenerStep {
  const state = { ...given, quality: measuredPath(given.quality, path, sample, nowMs) }
  const { rttMs, loss, bytesPerSecond } = state.quality.get(keyOfPath(path))!
  return { state, say: [{ type: 'chain:measured', peer, path, rttMs, loss, bytesPerSecond }] }
}

function closed(state: OpenerState, { session, bytes, error }: Extract<OpenerInput, { type: 'closed' }>): OpenerStep {
  const held = state.held.get(session)
  if (held === undefined) return { state }
  return {
    state: { ...state, held: without(state.held, session) },
    say: [{ type: 'chain:closed', ...held.info, bytes, ...(error === undefined ? {} : { error }) }],
    stop: [session],
  }
}

function withOpening(state: OpenerState, id: string, opening: Opening): OpenerState {
  return { ...state, openings: new Map(state.openings).set(id, opening) }
}

function withHeld(state: OpenerState, session: string, held: Held): OpenerState {
  return { ...state, held: new Map(state.held).set(session, held) }
}
