import { TaskCancelledError, type ICancellationContext, type IPolicy } from 'cockatiel'
import { Subscriber } from 'rxjs'
import { ConfigError } from '../errors/errors.ts'
import { policy, type Policy } from './policy.ts'

/**
 * Puts a whole policy of cockatiel's around a source.
 *
 * It lives in **real time**: cockatiel awaits promises and calls `setTimeout`, so it does not run under a `TestScheduler`;
 * use vitest's fake timers there, or the policies of this room.
 *
 * @param cockatiel A policy, such as `wrap(retry(…), circuitBreaker(…))`.
 * @shape  As the source, of each attempt that the policy makes: values pass at once, also those of an attempt that fails
 *         later. What the policy returns without asking the source, such as a fallback, is emitted as a value.
 *         Unsubscribing aborts the policy's signal and lets go of the source.
 * @errors What the policy throws: cockatiel's own errors, or those of the source. `ConfigError` at construction.
 * @source cockatiel's `IPolicy`.
 */
export function withPolicy(cockatiel: IPolicy<ICancellationContext>): Policy {
  if (typeof (cockatiel as Partial<IPolicy> | null | undefined)?.execute !== 'function') {
    throw new ConfigError([{ path: 'withPolicy', message: 'must be a policy of cockatiel' }])
  }
  return policy((next) => (source, call, out) => {
    const controller = new AbortController()
    const isSource = Symbol('the source has spoken for itself')
    const run = ({ signal }: ICancellationContext) =>
      new Promise<symbol>((resolve, reject) => {
        const running = new Subscriber<never>({
          next: (value) => out.next(value),
          error: reject,
          complete: () => resolve(isSource),
        })
        const stop = () => {
          running.unsubscribe()
          reject(new TaskCancelledError())
        }
        running.add(() => signal.removeEventListener('abort', stop))
        if (signal.aborted) return stop()
        next(source as never, call, running)
        if (!running.closed) signal.addEventListener('abort', stop, { once: true })
      })
    cockatiel.execute(run, controller.signal).then(
      (result: unknown) => {
        if (result !== isSource) out.next(result as never)
        out.complete()
      },
      (error: unknown) => out.error(error),
    )
    out.add(() => controller.abort())
  })
}
