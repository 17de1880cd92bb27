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
export function withPolicy(cockatiel: IPolicy<ICancellationContext, unknown>): Policy {
  if (typeof (cockatiel as Partial<IPolicy> | null | undefined)?.execute !== 'function') {
    throw new ConfigError([{ path: 'withPolicy', message: 'must be a policy of cockatiel' }])
  }
  return policy((next) => (source, call, out) => {
    const controller = new AbortController()
    const isSource = Symbol('the source has spoken for itself')
    const run = ({ signal }: ICancellationContext) =>
      new Promise<symbol>((resolve, reject) => {
        if (signal.aborted) return reject(new TaskCancelledError()) // a retry of cockatiel's sleeps through it
        const running = new Subscriber<unknown>({
          next: (value) => out.next(value as never),
          error: reject,
          complete: () => resolve(isSource),
        })
        const stop = () => {
          running.unsubscribe()
          queueMicrotask(() => reject(new TaskCancelledError())) // the policy that aborts it has the first word
        }
        running.add(() => signal.removeEventListener('abort', stop))
        next(source, call, running as Subscriber<never>)
        if (signal.aborted) stop()
        else if (!running.closed) signal.addEventListener('abort', stop, { once: true })
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
