import { catchError, defer, mergeMap, of, throwError, type Observable } from 'rxjs'
import { InvalidRecordError, type SwarmError } from '../../../errors/errors.ts'
import { Relay } from '../../../operators/relay.ts'
import type { KadDecisions } from '../../../swarm/behaviours/kad/kadBehaviour.ts'
import type { FoundPeer } from '../../../swarm/behaviours/kad/kadCommands.ts'
import { ruleOf, selectRecord, validateRecord } from '../../../swarm/behaviours/kad/kadRules.ts'
import { asSwarmError } from '../../../swarm/perform.ts'
import { MOST_PROVIDERS } from './kadMessages.ts'

/** Records, and contents with providers, that a node keeps at most; the oldest makes room. */
const MOST_KEPT = 10_000

/**
 * What a node keeps for others: records that its rules let through, and who provides what.
 *
 * @shape  Memory: 10 000 records, 10 000 contents with 100 providers each; the oldest makes room.
 */
export class KadStore {
  readonly #decisions: KadDecisions
  readonly #records = new Map<string, Uint8Array>()
  readonly #providers = new Map<string, Map<string, readonly string[]>>()
  /** Records that a rule refused. */
  readonly refused$ = new Relay<{ readonly key: string; readonly error: SwarmError }>()

  constructor(decisions: KadDecisions) {
    this.#decisions = decisions
  }

  /** The record of a key. */
  record(key: string): Uint8Array | undefined {
    return this.#records.get(key)
  }

  /** Emits once when a value passes the rule of its key. @errors `InvalidRecordError`, which is told of too */
  check(key: string, value: Uint8Array): Observable<true> {
    const { records, maxRecordBytes } = this.#decisions
    return validateRecord(records, key, value, maxRecordBytes).pipe(
      catchError((error: unknown) => throwError(() => this.#refuse(key, error))),
    )
  }

  /** Keeps a valid record, unless the one it has is better. @errors `InvalidRecordError`, which is told of too */
  keep(key: string, value: Uint8Array): Observable<true> {
    return defer(() => {
      const kept = this.#records.get(key)
      return this.#isWorse(key, value, kept).pipe(
        catchError((error: unknown) => throwError(() => this.#refuse(key, error))),
        mergeMap((isWorse) => {
          if (this.#records.get(key) !== kept) return this.keep(key, value) // another came while the rule thought
          if (isWorse) {
            throw this.#refuse(
              key,
              new InvalidRecordError(`${key}: a better record is kept already`, { key, field: 'value' }),
            )
          }
          makeRoom(this.#records, key)
          this.#records.set(key, value)
          return of(true as const)
        }),
      )
    })
  }

  /** Notes that a peer has the content. */
  addProvider(key: string, peer: string, addresses: readonly string[]): void {
    const known = this.#providers.get(key) ?? new Map<string, readonly string[]>()
    makeRoom(this.#providers, key)
    makeRoom(known, peer, MOST_PROVIDERS)
    this.#providers.set(key, known.set(peer, addresses))
  }

  /** Who has the content. */
  providers(key: string): readonly FoundPeer[] {
    return [...(this.#providers.get(key) ?? [])].map(([peer, addresses]) => ({ peer, addresses }))
  }

  #isWorse(key: string, value: Uint8Array, kept: Uint8Array | undefined): Observable<boolean> {
    const { records } = this.#decisions
    if (kept === undefined || isSame(kept, value) || ruleOf(records, key).select === undefined) return of(false)
    return selectRecord(records, key, [kept, value]).pipe(mergeMap((best) => of(best === 0)))
  }

  #refuse(key: string, cause: unknown): SwarmError {
    const error = asSwarmError(cause)
    this.refused$.next({ key, error })
    return error
  }
}

function makeRoom<T>(kept: Map<string, T>, key: string, most = MOST_KEPT): void {
  if (kept.size < most || kept.has(key)) return
  const [oldest] = kept.keys()
  if (oldest !== undefined) kept.delete(oldest)
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
