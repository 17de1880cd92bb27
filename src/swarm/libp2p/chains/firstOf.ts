import { firstValueFrom, fromEvent, mergeMap, raceWith, type Observable } from 'rxjs'

/** The first value of a stream, unless a signal aborts before it. @errors those of the stream; the reason of the signal */
export function firstOf<T>(source$: Observable<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const aborted$ = fromEvent(signal, 'abort').pipe(
    mergeMap((): Promise<never> => Promise.reject(signal.reason as Error)),
  )
  return firstValueFrom(source$.pipe(raceWith(aborted$)))
}
