import { catchError, defer, finalize, tap, throwError, type Observable } from 'rxjs'
import { DialError, TimeoutError, type DialAttempt } from '../../errors/errors.ts'
import { dialError } from './dialError.ts'
import type { DroppedAddress } from '../dialling/rankAddresses.ts'
import type { Dialling } from './dialling.ts'

/** Who gives up an address this late has waited for it in vain. @unit milliseconds */
const IN_VAIN_MS = 1_000

/** An address that is being tried, or was. */
interface Tried {
  readonly address: string
  readonly afterMs: number
  error?: unknown
}

/** What one dial has tried so far. */
export class DialAttempts {
  readonly #beganAt = performance.now()
  readonly #tried: Tried[] = []
  readonly #dialling: Dialling
  #winner: Tried | undefined
  /** Addresses that are not tried, and why. */
  notTried: readonly DroppedAddress[] = []

  constructor(dialling: Dialling) {
    this.#dialling = dialling
  }

  /** Takes note of what becomes of an address, for the error and for the ranking of later dials. */
  of<T>(address: string, source$: Observable<T>): Observable<T> {
    return defer(() => {
      const tried: Tried = { address, afterMs: Math.round(this.#sinceMs) }
      this.#tried.push(tried)
      let isOver = false
      return source$.pipe(
        tap({ next: () => void ((isOver = true), (this.#winner ??= tried)) }),
        catchError((error: unknown) => {
          isOver = true
          tried.error = error
          if (error instanceof TimeoutError) this.#dialling.note(address, 'failed', this.#sinceMs - tried.afterMs)
          return throwError(() => error)
        }),
        finalize(() => void (isOver || this.#noteLoser(tried))),
      )
    })
  }

  /** In the order in which they were tried. */
  get list(): readonly DialAttempt[] {
    return this.#tried.map(({ address, afterMs, error }) => ({
      address,
      afterMs,
      error: plainly(error === undefined ? this.#noAnswer(afterMs) : dialError(error, address, { address })),
    }))
  }

  get #sinceMs(): number {
    return performance.now() - this.#beganAt
  }

  #noAnswer(afterMs: number): TimeoutError {
    return new TimeoutError(`no answer within ${Math.round(this.#sinceMs) - afterMs} ms`)
  }

  /** One that was given up: because a later one was quicker, or because nobody waits any more. */
  #noteLoser(tried: Tried): void {
    const tookMs = this.#sinceMs - tried.afterMs
    const isOvertaken = this.#winner !== undefined && this.#tried.indexOf(tried) < this.#tried.indexOf(this.#winner)
    if (isOvertaken) this.#dialling.note(tried.address, 'overtaken', tookMs)
    else if (tookMs >= IN_VAIN_MS) this.#dialling.note(tried.address, 'failed', tookMs)
  }
}

/** Of one address the reason alone: its address and its peer are told beside it. */
function plainly(error: DialAttempt['error']): DialAttempt['error'] {
  if (error.name !== 'DialError') return error
  const { address, cause } = error
  const reason = error.message.replace(`dial ${address}: `, '')
  return new DialError(reason, { ...(address !== undefined && { address }), cause })
}
