import type { ExplainedFact, ExplainedKind } from './explainVocabulary.ts'

/**
 * How much a kind of fact explains: a fact stands as high as one that is so much younger and explains nothing. What this node
 * decided comes before what it met, and that before what is only known.
 *
 * @unit seconds
 */
const WEIGHTS_S: Readonly<Record<ExplainedKind, number>> = {
  blocked: 90,
  'breaker-open': 60,
  'auth-revoked': 40,
  'access-denied': 40,
  'pin-mismatch': 30,
  'auth-failed': 30,
  'wrong-peer': 25,
  pruned: 20,
  'hung-up': 20,
  'rate-limited': 15,
  'dial-failed': 10,
  'no-address': 10,
  overloaded: 10,
  'too-slow': 8,
  'gave-up': 8,
  closed: 5,
  failed: 5,
  unresponsive: 5,
  isolated: 5,
  'black-holed': 5,
  'auth-denied': 5,
  'breaker-half-open': 3,
  'behaviour-troubled': 3,
  'not-direct': 0,
  reachability: 0,
  'auth-expiring': 0,
  retrying: 0,
  'breaker-closed': -60,
  authenticated: -120,
  connected: -120,
  found: -600,
}

/** How decisive a fact is. What held for a time, and does no longer, is only as old as it is. */
export function decisiveness({ kind, at, untilMs }: ExplainedFact, nowMs: number): number {
  if (untilMs !== undefined && untilMs <= nowMs) return at - 1_000
  return (untilMs === undefined ? at : nowMs) + WEIGHTS_S[kind] * 1_000
}

/** Facts in the order in which they explain. */
export function inOrderOf(facts: readonly ExplainedFact[], nowMs: number): readonly ExplainedFact[] {
  return facts.toSorted((one, other) => decisiveness(other, nowMs) - decisiveness(one, nowMs))
}

/** Whether a fact is a reason for not being connected, rather than something that is known. */
export function isReason({ kind, untilMs }: ExplainedFact, nowMs: number): boolean {
  if (untilMs !== undefined && untilMs <= nowMs) return false
  return !['connected', 'authenticated', 'found', 'breaker-closed', 'auth-expiring', 'reachability'].includes(kind)
}
