import type { PolicyEvent } from '../../policies/policyEvent.ts'
import type { Stamped } from '../../swarm/vocabulary/event.ts'

/** Circuits that are remembered at once; of more, the one that was heard of longest ago is forgotten. */
const MOST_CIRCUITS = 4_096

/** A circuit of which nothing is heard so long after its probe was due is nobody's any more. @unit milliseconds */
const FORGET_AFTER_MS = 600_000

interface Circuit {
  readonly behaviour: string
  readonly state: 'open' | 'half-open'
  readonly staleAt: number
}

/**
 * Which circuit breakers are not closed, by what policies tell.
 *
 * @shape  Keeps at most 4 096 circuits that are open or half-open, each until it recovers or 10 minutes after its probe is
 *         due: nobody tells when a key is forgotten.
 */
export class Circuits {
  readonly #circuits = new Map<string, Circuit>()

  /** Takes note of what a policy told. */
  note(event: Stamped<PolicyEvent>, behaviour: string): void {
    if (event.policy !== 'breaker') return
    const name = `${behaviour} ${event.key ?? ''}`
    if (event.type === 'policy:tripped') this.#put(name, behaviour, 'open', event.at + event.openMs)
    if (event.type === 'policy:probed') this.#put(name, behaviour, 'half-open', event.at)
    if (event.type === 'policy:recovered') this.#circuits.delete(name)
  }

  /** Tells each circuit that is not closed. */
  forEach(nowMs: number, tell: (state: string, behaviour: string) => void): void {
    for (const [name, { state, behaviour, staleAt }] of this.#circuits) {
      if (staleAt < nowMs) this.#circuits.delete(name)
      else tell(state, behaviour)
    }
  }

  #put(name: string, behaviour: string, state: Circuit['state'], dueAt: number): void {
    this.#circuits.delete(name)
    this.#circuits.set(name, { behaviour, state, staleAt: dueAt + FORGET_AFTER_MS })
    if (this.#circuits.size <= MOST_CIRCUITS) return
    for (const oldest of this.#circuits.keys()) return void this.#circuits.delete(oldest)
  }
}
