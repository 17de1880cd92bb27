import { Observable, type Subscription } from 'rxjs'
import { z } from 'zod'
import { Relay } from '../operators/relay.ts'
import { circuitSnapshot, type CircuitSnapshot, type CircuitState } from './circuit.ts'
import { parseOptions } from '../errors/parseOptions.ts'
import { buildPolicy, shareBudget, type PolicyStack } from './definePolicy.ts'
import type { KeyedDecisions, KeyedSnapshot, KeyState } from './keyed.ts'
import { IDLE, policy, reporting, type Policy } from './policy.ts'
import type { ParsedPolicy } from './policySpec.ts'
import { Recency, type Dated } from './recency.ts'

const circuitsByKey = z.custom<object>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be circuits by key',
)

/** A key that is remembered. */
interface Entry extends Dated<Entry> {
  readonly key: string
  readonly stack: PolicyStack
  readonly policy: Policy
  /** Where it stands: with those whose circuit is closed, or not; nowhere when it has been forgotten. */
  among: Recency<Entry> | undefined
}

const CLOSED: CircuitState = { status: 'closed' }

/** A key outlives its time by at most this part of it. */
const LOOKS = 16

/** The keys of a keyed policy: a stack for each, bounded, expiring, and never too many ejected. */
export class KeyRegistry {
  readonly #decisions: KeyedDecisions
  readonly #policy: ParsedPolicy
  readonly #entries = new Map<string, Entry>()
  readonly #healthy = new Recency<Entry>()
  readonly #ejected = new Recency<Entry>()
  readonly #changes = new Relay<ReadonlyMap<string, KeyState>>()
  #isTelling = false
  #lookAt = -Infinity

  constructor(decisions: KeyedDecisions) {
    this.#decisions = decisions
    this.#policy = shareBudget(decisions.policy, decisions.scheduler)
  }

  get size(): number {
    return this.#entries.size
  }

  readonly state$ = new Observable<ReadonlyMap<string, KeyState>>((out) => {
    this.#changes.subscribe(out)
    out.next(this.#states())
  })

  policyOf(key: string): Policy {
    return this.#entryOf(key).policy
  }

  isolate(key: string): Subscription {
    const { breaker } = this.#entryOf(key).stack
    if (breaker === undefined) throw new Error('the stack has no breaker that could hold a key off')
    return breaker.isolate()
  }

  snapshot(): KeyedSnapshot {
    const circuits = [...this.#entries].flatMap(([key, { stack }]): [string, CircuitSnapshot][] =>
      stack.breaker === undefined ? [] : [[key, stack.breaker.snapshot()]],
    )
    return { circuits: Object.fromEntries(circuits) }
  }

  restore(snapshot: KeyedSnapshot): void {
    const circuits = parseOptions('restore.circuits', circuitsByKey, Object(snapshot).circuits)
    const ordered = Object.entries(circuits).map(([key, circuit]: [string, unknown]) => {
      return [key, parseOptions(`restore.circuits.${key}`, circuitSnapshot, circuit)] as const
    })
    for (const [key] of ordered) this.#entryOf(key)
    for (const [key, circuit] of ordered) this.#entries.get(key)?.stack.breaker?.restore(circuit)
    this.#letIn()
  }

  #entryOf(key: string): Entry {
    const now = this.#decisions.scheduler.now()
    if (now >= this.#lookAt) this.#expire(now)
    const known = this.#entries.get(key)
    if (known !== undefined) {
      known.usedAt = now
      return known
    }
    if (this.#entries.size >= this.#decisions.maxKeys) this.#forget(this.#healthy.oldest ?? this.#longestEjected())
    return this.#begin(String(key), now)
  }

  #begin(key: string, now: number): Entry {
    const entry = this.#make(key, now)
    this.#entries.set(key, entry)
    this.#healthy.add(entry)
    return entry
  }

  #make(key: string, usedAt: number): Entry {
    const { random, scheduler, onEvent } = this.#decisions
    const stack = buildPolicy(this.#policy, {
      scheduler,
      random,
      onEvent: onEvent && ((event) => onEvent({ key, ...event })),
      spare: () => (entry.among === this.#healthy ? this.#whySpared() : undefined),
      onState: (state) => this.#moved(entry, state),
    })
    const own = policy((next) => {
      let [used, run] = [stack, stack.layer(next)]
      return (source, call, out) => {
        const { stack: now } = this.#inUse(entry)
        if (now !== used) [used, run] = [now, now.layer(next)]
        run(source, call === IDLE ? call : reporting(call, (event) => call.report({ key, ...event })), out)
      }
    })
    const entry: Entry = {
      key,
      stack,
      policy: own,
      usedAt,
      among: this.#healthy,
      before: undefined,
      after: undefined,
      placedAt: usedAt,
    }
    return entry
  }

  /** The entry of a policy that was handed out: its key may have been forgotten since. */
  #inUse(entry: Entry): Entry {
    if (entry.among === undefined) return this.#entryOf(entry.key)
    entry.usedAt = this.#decisions.scheduler.now()
    return entry
  }

  /** How many keys may be ejected now. */
  #cap(): number {
    const { share, atLeast, known = () => this.#entries.size } = this.#decisions.ejection
    const all = known()
    return Math.max(0, Math.min(all - 1, Math.max(atLeast, Math.floor(all * share))))
  }

  #whySpared(): string | undefined {
    const cap = this.#cap()
    if (this.#ejected.size < cap) return undefined
    return `${this.#ejected.size} keys are ejected, and no more than ${cap} may be`
  }

  #moved(entry: Entry, { status }: CircuitState): void {
    const among = status === 'closed' ? this.#healthy : this.#ejected
    if (entry.among === undefined) return
    if (entry.among !== among) {
      entry.among.remove(entry)
      among.add(entry)
      entry.among = among
    }
    this.#tell()
  }

  #expire(now: number): void {
    this.#lookAt = now + this.#decisions.expireAfterMs / LOOKS
    const before = now - this.#decisions.expireAfterMs
    let expired = false
    for (const all of [this.#healthy, this.#ejected]) {
      for (let oldest = all.oldest; oldest !== undefined && oldest.usedAt <= before; oldest = all.oldest) {
        if (isHeld(oldest)) oldest.usedAt = now
        else {
          this.#forget(oldest)
          expired = true
        }
      }
    }
    if (expired) this.#letIn()
  }

  #forget(entry: Entry | undefined): void {
    if (entry === undefined) return
    entry.among?.remove(entry)
    entry.among = undefined
    this.#entries.delete(entry.key)
    this.#tell()
  }

  /** Fewer keys are known than before: the longest ejected begin anew. Those that are held by hand stay. */
  #letIn(): void {
    while (this.#ejected.size > this.#cap()) {
      const entry = this.#longestEjected()
      if (entry === undefined) return
      this.#forget(entry)
      this.#begin(entry.key, this.#decisions.scheduler.now())
    }
  }

  /** Of those that are not held by hand. */
  #longestEjected(): Entry | undefined {
    let entry = this.#ejected.oldest
    while (entry !== undefined && isIsolated(entry)) entry = entry.after
    return entry
  }

  #tell(): void {
    if (this.#isTelling || !this.#changes.observed) return
    this.#isTelling = true
    this.#decisions.scheduler.schedule(() => {
      this.#isTelling = false
      this.#changes.next(this.#states())
    })
  }

  #states(): ReadonlyMap<string, KeyState> {
    return new Map(
      [...this.#entries].map(
        ([
          key,
          {
            stack: { breaker, bulkhead },
          },
        ]): [string, KeyState] => [
          key,
          { circuit: breaker?.state ?? CLOSED, running: bulkhead?.running ?? 0, waiting: bulkhead?.waiting ?? 0 },
        ],
      ),
    )
  }
}

const isIsolated = ({ stack }: Entry) => stack.breaker?.state.status === 'isolated'

/** Not to be forgotten for its age: somebody holds its circuit, or a place in its bulkhead. */
const isHeld = (entry: Entry) => isIsolated(entry) || (entry.stack.bulkhead?.running ?? 0) > 0
