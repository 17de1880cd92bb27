import type { SwarmError } from '../../errors/errors.ts'
import type { HealAction, HealthEvent } from './healthVocabulary.ts'

/** What is to be done about a check that fails. */
export type Remedy =
  | { readonly check: string; readonly action: 'restart'; readonly behaviour: string }
  | { readonly check: string; readonly action: 'redial'; readonly peer: string; readonly isConnected: boolean }
  | { readonly check: string; readonly action: 'reserve' }
  | { readonly check: string; readonly action: 'discover'; readonly sources: readonly string[] }

/** What has been done about a check. */
interface Treated {
  readonly action: HealAction
  readonly attempts: number
  readonly isRunning: boolean
  readonly isGivenUp: boolean
  /** When the next attempt is due. @unit milliseconds of the scheduler */
  readonly dueAtMs: number
  /** Since when the check has passed again. @unit milliseconds of the scheduler */
  readonly wellSinceMs: number | undefined
}

/** What has been done about which check. */
export type Healing = ReadonlyMap<string, Treated>

/** A check that fails for a moment heals by itself. @unit milliseconds */
const GRACE_MS = 2_000

/** From an attempt to the next; doubled each time, half of it left to chance. @unit milliseconds */
const FIRST_MS = 5_000
const LONGEST_MS = 120_000

/** Attempts for one check; then it is given up. */
export const MOST_ATTEMPTS = 5

/** Attempts at once. */
const AT_ONCE = 4

/** A check that fails again within that time goes on with its attempts where it was: no healing loops. @unit milliseconds */
const CALM_MS = 300_000

/** What is decided about healing. */
export interface HealingStep {
  readonly healing: Healing
  readonly say: readonly HealthEvent[]
  /** To be done now. */
  readonly run: readonly Remedy[]
}

/** Whether something is being done about a check. */
export function isHealing(healing: Healing, check: string): boolean {
  return healing.get(check)?.isRunning === true
}

/** Whether nothing more is done about a check. */
export function isGivenUp(healing: Healing, check: string): boolean {
  return healing.get(check)?.isGivenUp === true
}

/**
 * Decides what is done now.
 *
 * @param remedies What could be done about the checks that fail now.
 * @shape  Pure. After 2 s of failing, then after 5 s, twice that each time, at most 2 min, five times in all; four at once. A
 *         check that has passed for 5 min is forgotten.
 */
export function healStep(
  healing: Healing,
  remedies: readonly Remedy[],
  nowMs: number,
  random: () => number,
): HealingStep {
  const now = new Map<string, Treated>()
  const say: HealthEvent[] = []
  const run: Remedy[] = []
  const failing = new Set(remedies.map(({ check }) => check))
  let running = [...healing.values()].filter((treated) => treated.isRunning).length
  for (const [check, treated] of healing) {
    if (failing.has(check)) continue
    const well = passed(check, treated, nowMs, say)
    if (well !== undefined) now.set(check, well)
  }
  for (const remedy of remedies) {
    const { check, action } = remedy
    const before = healing.get(check)
    const treated: Treated = before
      ? { ...before, wellSinceMs: undefined }
      : { action, attempts: 0, isRunning: false, isGivenUp: false, dueAtMs: nowMs + GRACE_MS, wellSinceMs: undefined }
    const isDue = !treated.isRunning && !treated.isGivenUp && nowMs >= treated.dueAtMs
    if (isDue && treated.attempts >= MOST_ATTEMPTS) {
      now.set(check, { ...treated, isGivenUp: true })
    } else if (isDue && running < AT_ONCE) {
      running++
      const attempt = treated.attempts + 1
      now.set(check, {
        ...treated,
        action,
        attempts: attempt,
        isRunning: true,
        dueAtMs: nowMs + delayMs(attempt, random),
      })
      say.push({ type: 'health:healing', check, action, by: 'health', attempt, inMs: 0 })
      run.push(remedy)
    } else now.set(check, treated)
  }
  return { healing: now, say, run }
}

/** An attempt is over; whether it helped is for the check to say. */
export function attempted(
  healing: Healing,
  check: string,
  error: SwarmError | undefined,
  nowMs: number,
): Omit<HealingStep, 'run'> {
  const treated = healing.get(check)
  if (treated === undefined) return { healing, say: [] }
  const { action, attempts, dueAtMs } = treated
  const isLast = attempts >= MOST_ATTEMPTS
  const next = new Map(healing).set(check, { ...treated, isRunning: false })
  if (error === undefined) return { healing: next, say: [] }
  const retry = isLast ? {} : { retryInMs: Math.max(0, Math.round(dueAtMs - nowMs)) }
  return { healing: next, say: [{ type: 'health:healing-failed', check, action, error, ...retry }] }
}

function passed(check: string, treated: Treated, nowMs: number, say: HealthEvent[]): Treated | undefined {
  if (treated.attempts === 0) return undefined
  if (treated.wellSinceMs === undefined) {
    say.push({ type: 'health:healed', check, action: treated.action, by: 'health' })
    return { ...treated, wellSinceMs: nowMs }
  }
  return nowMs - treated.wellSinceMs < CALM_MS ? treated : undefined
}

function delayMs(attempt: number, random: () => number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1)) * (0.5 + random() / 2)
}
