import type { SchedulerAction, SchedulerLike, Subscription } from 'rxjs'
import type { Recorder } from './recorder.ts'

/**
 * The clock of a swarm that is recorded: while something comes in and is worked off, time stands still, and every timer that
 * goes off is noted.
 */
export class RecordingClock implements SchedulerLike {
  /** Whom it tells. */
  readonly recorder: Recorder
  readonly #inner: SchedulerLike

  constructor(inner: SchedulerLike, recorder: Recorder) {
    this.#inner = inner
    this.recorder = recorder
  }

  /** What the clock shows. @unit milliseconds */
  now(): number {
    return this.recorder.now()
  }

  /** Schedules work as RxJS does. */
  schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
    const { recorder } = this
    const timer = recorder.scheduled(delay)
    return this.#inner.schedule<T>(
      function (this: SchedulerAction<T>, given?: T) {
        recorder.fired(timer, () => work.call(this, given))
      },
      delay,
      state,
    )
  }
}
