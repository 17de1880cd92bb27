import type { SwarmError } from '../../errors/errors.ts'
import type { Stamped } from '../../swarm/vocabulary/event.ts'
import type { PeerStatus } from './healthVocabulary.ts'

/** Events by which something is learned of a peer. */
export type PeerFact =
  | { readonly type: 'peer:connect' | 'peer:disconnect'; readonly peer: string }
  | { readonly type: 'ping:measured'; readonly peer: string; readonly rttMs: number }
  | { readonly type: 'ping:missed'; readonly peer: string; readonly error: SwarmError }
  | { readonly type: 'command:failed'; readonly error: SwarmError }
  | { readonly type: 'connections:hung-up'; readonly peer: string }
  | { readonly type: 'keep-alive:retrying'; readonly peer: string; readonly attempt: number }
  | { readonly type: 'keep-alive:connected' | 'keep-alive:given-up'; readonly peer: string }
  | { readonly type: 'keep-alive:forgotten' | 'keep-alive:paused'; readonly peer: string }

/** What is remembered of a peer that is not, or was not quite, healthy. */
export interface PeerRecord {
  readonly status: Exclude<PeerStatus, 'gone'>
  readonly reason: string
  readonly isConnected: boolean
  /** Whether keepAlive dials it. */
  readonly isKept: boolean
  readonly rttMs?: number
  /** Pings in a row that were not answered. */
  readonly missed: number
  /** Calls in a row that failed. */
  readonly failures: number
  /** @unit milliseconds of the scheduler */
  readonly failedAtMs: number
}

/** All of them, by peer id, the oldest first. */
export type PeerRecords = ReadonlyMap<string, PeerRecord>

/** Something else is thought of a peer. */
export interface PeerChange {
  readonly peer: string
  readonly was: PeerStatus
  readonly is: PeerStatus
  readonly reason: string
  readonly rttMs?: number
}

/** Peers that are remembered; the oldest gives way. */
export const MOST_PEERS = 1_024

/** In a row: so many make a peer degraded, and so many unhealthy. */
const PINGS = { degraded: 2, unhealthy: 3 }
const CALLS = { degraded: 2, unhealthy: 5 }

/** A peer that failed is taken for well again when it has not for so long. @unit milliseconds */
const CALM_MS = 60_000

/** Failures of a peer that is unhealthy anyway are noted so often. @unit milliseconds */
const NEWS_MS = 1_000

/** A degraded peer is quick again below this share of the bound. */
const QUICK = 0.8

/** Failures that are the peer's, or of the way to it; a refusal is an answer. */
const FAILURES = new Set(['DialError', 'StreamError', 'TimeoutError', 'DeadlineError', 'UnexpectedEndError'])

/** Whom an event is about. */
export function peerIn(event: PeerFact): string | undefined {
  return event.type === 'command:failed' ? event.error.peer : event.peer
}

/**
 * What is remembered of peers, once something more is learned.
 *
 * @param slowRttMs   See `HealthOptions`.
 * @param isConnected Whether the event's peer is connected: of others, only those that are kept, or were being healed, matter.
 * @param isHealing   Whether something is being done about the peer.
 */
export function peersLearned(
  records: PeerRecords,
  event: Stamped<PeerFact>,
  slowRttMs: number,
  isConnected: boolean,
  isHealing: boolean,
): { readonly records: PeerRecords; readonly changes: readonly PeerChange[] } {
  const peer = peerIn(event)
  if (peer === undefined) return { records, changes: [] }
  const before = records.get(peer)
  const noted = noteOf(before, event, isConnected, isHealing)
  if (noted === before) return { records, changes: [] }
  const record = noted === undefined ? undefined : judged(noted, slowRttMs)
  return changed(records, peer, record, noted === undefined)
}

/** Peers that have been well for long enough are well. */
export function peersCalmed(
  records: PeerRecords,
  slowRttMs: number,
  nowMs: number,
): { readonly records: PeerRecords; readonly changes: readonly PeerChange[] } {
  let now = records
  const changes: PeerChange[] = []
  for (const [peer, record] of records) {
    const isCalm = record.isConnected && record.missed + record.failures > 0 && nowMs - record.failedAtMs >= CALM_MS
    if (!isCalm) continue
    const step = changed(now, peer, judged({ ...record, missed: 0, failures: 0 }, slowRttMs), false)
    now = step.records
    changes.push(...step.changes)
  }
  return { records: now, changes }
}

/** Nothing more is done for a peer that is not there, nor is it watched. */
export function peerGivenUp(
  records: PeerRecords,
  peer: string,
): { readonly records: PeerRecords; readonly changes: readonly PeerChange[] } {
  const record = records.get(peer)
  return record === undefined || record.isConnected || record.isKept
    ? { records, changes: [] }
    : changed(records, peer, undefined, true)
}

const NEW: PeerRecord = {
  status: 'healthy',
  reason: '',
  isConnected: true,
  isKept: false,
  missed: 0,
  failures: 0,
  failedAtMs: -Infinity,
}

function noteOf(
  before: PeerRecord | undefined,
  event: Stamped<PeerFact>,
  isConnected: boolean,
  isHealing: boolean,
): PeerRecord | undefined {
  const { at } = event
  const record = before ?? NEW
  switch (event.type) {
    case 'ping:measured':
      return isConnected ? { ...record, isConnected, rttMs: event.rttMs, missed: 0, failures: 0 } : before
    case 'ping:missed': {
      if (
        !isConnected ||
        event.error.name === 'UnsupportedProtocolError' ||
        isKnown(record, PINGS, record.missed, at)
      ) {
        return before
      }
      return { ...record, missed: record.missed + 1, failedAtMs: at }
    }
    case 'command:failed': {
      const isWatched = isConnected || before !== undefined
      const isNews = FAILURES.has(event.error.name) && !isKnown(record, CALLS, record.failures, at)
      if (!isWatched || !isNews) return before
      return { ...record, isConnected, failures: record.failures + 1, failedAtMs: at }
    }
    case 'peer:connect':
    case 'keep-alive:connected':
      return before && { ...before, isConnected: true, missed: 0, failures: 0 }
    case 'peer:disconnect':
      return before?.status === 'unhealthy' || before?.isKept === true ? { ...before, isConnected: false } : undefined
    case 'connections:hung-up':
      return isHealing ? before : undefined
    case 'keep-alive:retrying':
      return { ...record, isConnected: false, isKept: true, failures: event.attempt, failedAtMs: at }
    case 'keep-alive:given-up':
    case 'keep-alive:forgotten':
    case 'keep-alive:paused':
      return isConnected && before !== undefined ? { ...before, isKept: false } : undefined
  }
}

/** Whether one more failure says nothing new: a flood of them costs a comparison each. */
function isKnown(
  { failedAtMs }: PeerRecord,
  { unhealthy }: { readonly unhealthy: number },
  row: number,
  at: number,
): boolean {
  return row >= unhealthy && at - failedAtMs < NEWS_MS
}

function judged(record: PeerRecord, slowRttMs: number): PeerRecord | undefined {
  const { isConnected, isKept, missed, failures, rttMs, status } = record
  const slowMs = status === 'healthy' ? slowRttMs : slowRttMs * QUICK
  const as = (is: PeerRecord['status'], reason: string): PeerRecord => ({ ...record, status: is, reason })
  if (!isConnected) return as('unhealthy', isKept ? 'not connected; keepAlive dials it' : 'not connected any more')
  if (missed >= PINGS.unhealthy) return as('unhealthy', `does not answer: ${missed} pings in a row were missed`)
  if (failures >= CALLS.unhealthy) return as('unhealthy', `${failures} calls in a row failed`)
  if (missed >= PINGS.degraded) return as('degraded', `${missed} pings in a row were missed`)
  if (failures >= CALLS.degraded) return as('degraded', `${failures} calls in a row failed`)
  if (rttMs !== undefined && rttMs > slowMs) return as('degraded', `slow: ${Math.round(rttMs)} ms there and back`)
  return missed + failures === 0 ? undefined : as('healthy', '')
}

/** Keeps, or forgets, what is known of a peer, and says what has changed by it. */
function changed(
  records: PeerRecords,
  peer: string,
  record: PeerRecord | undefined,
  isGone: boolean,
): { readonly records: PeerRecords; readonly changes: readonly PeerChange[] } {
  const before = records.get(peer)
  if (before === undefined && record === undefined) return { records, changes: [] }
  const now = new Map(records)
  const changes: PeerChange[] = []
  if (record === undefined) now.delete(peer)
  else now.set(peer, record)
  const was = before?.status ?? 'healthy'
  const is = record?.status ?? (isGone && was !== 'healthy' ? 'gone' : 'healthy')
  if (is !== was) {
    const rttMs = record?.rttMs
    const reason = record?.reason || (is === 'gone' ? 'not watched any more' : 'well again')
    changes.push({ peer, was, is, reason, ...(rttMs === undefined ? {} : { rttMs }) })
  }
  if (now.size > MOST_PEERS) {
    const [oldest, { status }] = now.entries().next().value!
    now.delete(oldest)
    const reason = `more than ${MOST_PEERS} peers are not healthy`
    if (status !== 'healthy') changes.push({ peer: oldest, was: status, is: 'gone', reason })
  }
  return { records: now, changes }
}
