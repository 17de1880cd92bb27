import type { Fact, Stamped } from '../../swarm/vocabulary/event.ts'
import type { Meters } from './meters.ts'

/** What the events of a union do to the metrics, by type. Runs for each event: it changes numbers in place, and makes nothing. */
export type EffectsOf<E extends Fact> = {
  readonly [Type in E['type']]?: (meters: Meters, event: Stamped<Extract<E, { readonly type: Type }>>) => void
}

/** A table of effects, whatever its events. */
export type Effects = Readonly<Record<string, ((meters: Meters, event: never) => void) | undefined>>

/** The class of an error by its name; what is thrown may be anything. */
export function errorName(error: unknown): string {
  const name: unknown = (error as { readonly name?: unknown } | null | undefined)?.name
  return typeof name === 'string' && name !== '' ? name : 'unknown'
}
