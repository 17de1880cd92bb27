import { Subject, Subscription, type MonoTypeOperatorFunction } from 'rxjs'

/** A user's operators in the swarm's own pipeline. */
export interface Chain<T> {
  /** Sends a value through. */
  next(value: T): void
  /** Completes the chain, so that what it holds back comes out, and lets go of it. */
  complete(): void
}

/**
 * Runs user code inside the pipeline: a chain that errors or completes is built again for the next value.
 *
 * @param operator The user's operators; none means that values pass as they are.
 * @param out      Hears what comes out.
 * @param crashed  Hears that the chain broke, and with which value in hand (none if it broke by itself).
 * @shape  Delivers before `next` returns, unless the operators delay. Memory: what the operators keep.
 * @errors None; a crash is told to `crashed`, and so is a value that `out` can't take.
 */
export function runChain<T>(
  operator: MonoTypeOperatorFunction<T> | undefined,
  out: (value: T) => void,
  crashed: (error: unknown, value: T | undefined) => void,
): Chain<T> {
  if (operator === undefined) return { next: out, complete: () => undefined }
  let in$: Subject<T> | undefined
  let running = Subscription.EMPTY
  let inHand: T | undefined
  let closed = false
  const build = () => {
    const fresh$ = new Subject<T>()
    in$ = fresh$
    const broke = (error: unknown) => {
      if (in$ !== fresh$) return
      in$ = undefined
      running.unsubscribe()
      crashed(error, inHand)
    }
    try {
      running = fresh$.pipe(operator).subscribe({
        next: (value) => {
          try {
            out(value)
          } catch (error) {
            broke(error)
          }
        },
        error: broke,
        complete: () => broke(new Error('an operator completed the chain; operators here must let it run')),
      })
    } catch (error) {
      broke(error)
    }
  }
  return {
    next(value) {
      if (closed) return
      const outer = inHand
      inHand = value
      if (in$ === undefined) build()
      in$?.next(value)
      inHand = outer
    },
    complete() {
      const last$ = in$
      closed = true
      in$ = undefined
      last$?.complete()
      running.unsubscribe()
    },
  }
}
