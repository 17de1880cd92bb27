import { Subject, type MonoTypeOperatorFunction } from 'rxjs'

/** A user's operators in the swarm's own pipeline. */
export interface Chain<T> {
  /** Sends a value through. */
  next(value: T): void
  /** Completes the chain, so that what it holds back comes out. */
  complete(): void
}

/**
 * Runs user code inside the pipeline: a chain that errors or completes is built again for the next value.
 *
 * @param operator The user's operators; none means that values pass as they are.
 * @param out      Hears what comes out.
 * @param crashed  Hears that the chain broke, and with which value in hand (none if it broke by itself).
 * @shape  Delivers before `next` returns, unless the operators delay. Memory: what the operators keep.
 * @errors None; a crash is told to `crashed`.
 */
export function runChain<T>(
  operator: MonoTypeOperatorFunction<T> | undefined,
  out: (value: T) => void,
  crashed: (error: unknown, value: T | undefined) => void,
): Chain<T> {
  if (operator === undefined) return { next: out, complete: () => undefined }
  let in$: Subject<T> | undefined
  let inHand: T | undefined
  const build = () => {
    const fresh$ = new Subject<T>()
    in$ = fresh$
    const broke = (error: unknown) => {
      if (in$ !== fresh$) return
      in$ = undefined
      crashed(error, inHand)
    }
    try {
      fresh$.pipe(operator).subscribe({
        next: out,
        error: broke,
        complete: () => broke(new Error('an operator completed the chain; operators here must let it run')),
      })
    } catch (error) {
      broke(error)
    }
  }
  return {
    next(value) {
      const outer = inHand
      inHand = value
      if (in$ === undefined) build()
      in$?.next(value)
      inHand = outer
    },
    complete() {
      const last$ = in$
      in$ = undefined
      last$?.complete()
    },
  }
}
