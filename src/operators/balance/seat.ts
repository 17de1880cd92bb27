import { hash32 } from './hash32.ts'
import { PeakEwma } from './peakEwma.ts'

/** What a balancer knows of one target. */
export interface TargetLoad {
  /** As `idOf` says. */
  readonly id: string
  /** Calls that run now. */
  readonly inFlight: number
  /** Average latency, which fades while there are no answers; 0 before the first. @unit milliseconds */
  readonly latencyMs: number
  /** As `weightOf` says. */
  readonly weight: number
  /** Whether it is shed: too slow beside the others. */
  readonly status: 'healthy' | 'shed'
}

/** A target of the live set and what calls have taught of it. */
export interface Seat<Target> {
  /** As `idOf` says. */
  readonly id: string
  /** Hash of the id. */
  readonly hash: number
  /** What the last calls took. */
  readonly latency: PeakEwma
  /** The target, as the newest list has it. */
  target: Target
  /** As `weightOf` says. */
  weight: number
  /** How near its turn is in the weighted round. */
  turn: number
  /** Calls that run now. */
  inFlight: number
  /** Whether it is shed. */
  status: TargetLoad['status']
  /** When it was shed, or given a call since. @unit milliseconds */
  probedAtMs: number
}

/** A seat nobody has used. */
export function seat<Target>(id: string, target: Target, weight: number, decayMs: number): Seat<Target> {
  return {
    id,
    hash: hash32(id),
    latency: new PeakEwma(decayMs),
    target,
    weight,
    turn: 0,
    inFlight: 0,
    status: 'healthy',
    probedAtMs: 0,
  }
}
