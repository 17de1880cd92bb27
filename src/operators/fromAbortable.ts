import { Observable, type Subscriber } from 'rxjs'

/**
 * A cold stream of a promise, or of an async iterable, that takes an `AbortSignal`: unsubscribing aborts it.
 *
 * ```marble
 * work    --r
 * result  --(r|)
 * ```
 *
 * @param start Starts the work; called for each subscriber. The signal aborts when that subscriber leaves.
 * @shape  Cold; one value for a promise, those of the iterable in order, at its pace (nothing is buffered). What is
 *         delivered after the subscriber left is discarded, since nobody is there to hear it.
 * @errors What `start` throws, or its promise or iterable rejects with.
 * @source RxJS `from`, which has no signal and lets an abandoned iterable run.
 */
export function fromAbortable<T>(start: (signal: AbortSignal) => PromiseLike<T> | AsyncIterable<T>): Observable<T> {
  return new Observable((out) => {
    const controller = new AbortController()
    let isOver = false
    out.add(() => void (isOver || controller.abort())) // work that is over has nothing to abort
    const fail = (error: unknown) => {
      isOver = true
      out.error(error)
    }
    const finish = () => {
      isOver = true
      out.complete()
    }
    const work = start(controller.signal)
    if (isIterable(work)) return void drain(work, out).then(finish, fail)
    work.then((value) => {
      isOver = true
      out.next(value)
      finish()
    }, fail)
  })
}

async function drain<T>(work: AsyncIterable<T>, out: Subscriber<T>): Promise<void> {
  for await (const value of work) {
    if (out.closed) return
    out.next(value)
  }
}

function isIterable<T>(work: PromiseLike<T> | AsyncIterable<T>): work is AsyncIterable<T> {
  return Symbol.asyncIterator in work
}
