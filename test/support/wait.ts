import { filter, firstValueFrom, timeout, type Observable } from 'rxjs'

/** How long a condition may take on a machine that is busy with something else. @unit milliseconds */
export const PATIENCE_MS = 12_000

/** The first value that meets a condition; fails when none does in time. */
export function until<T>(source$: Observable<T>, test: (value: T) => boolean, withinMs = PATIENCE_MS): Promise<T> {
  return firstValueFrom(source$.pipe(filter(test), timeout({ first: withinMs })))
}

/** Waits until a condition holds that nothing announces; fails when it does not in time. */
export async function eventually(test: () => boolean | Promise<boolean>, withinMs = PATIENCE_MS): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await test())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${test.toString()}`)
    await pause(10)
  }
}

/** Lets so much time pass; for what must not happen, which nothing announces. @unit milliseconds */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** What a promise rejects with; fails when it resolves. */
export async function failure(promise: Promise<unknown>): Promise<Error & { readonly field?: string }> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error as Error
  }
  throw new Error(`it resolved with ${JSON.stringify(value)}`)
}

/** How long something took, with what came of it. @unit milliseconds */
export async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly tookMs: number }> {
  const start = performance.now()
  const value = await work()
  return { value, tookMs: performance.now() - start }
}

/** Errors that reached the process, from here to the end of the block. */
export function processErrors(): { readonly seen: readonly unknown[] } & Disposable {
  const seen: unknown[] = []
  const record = (error: unknown) => void seen.push(error)
  process.on('uncaughtException', record)
  process.on('unhandledRejection', record)
  return {
    seen,
    [Symbol.dispose]: () => {
      process.off('uncaughtException', record)
      process.off('unhandledRejection', record)
    },
  }
}
