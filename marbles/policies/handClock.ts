import { asapScheduler, type SchedulerLike } from 'rxjs'

/** A scheduler whose clock is set by hand, for what looks at the time and never waits. */
export function handClock(at: number): SchedulerLike & { at: number } {
  const clock = { at, now: () => clock.at, schedule: asapScheduler.schedule.bind(asapScheduler) }
  return clock
}
