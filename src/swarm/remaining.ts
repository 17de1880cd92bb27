import type { AnyCommand } from './vocabulary/command.ts'
import type { Wires } from './vocabulary/behaviour.ts'

/**
 * How much of its deadline a command has left.
 *
 * @returns Counts from when it is first asked about a command; asked again, as a retry does, it tells less.
 * @unit   milliseconds; `Infinity` for one without a deadline
 */
export function remaining({
  scheduler,
  deadlineMs,
}: Pick<Wires<never, unknown>, 'scheduler' | 'deadlineMs'>): (command: AnyCommand) => number {
  const dueAt = new WeakMap<AnyCommand, number>()
  return (command) => {
    const now = scheduler.now()
    const due = dueAt.get(command) ?? now + (command.meta?.deadlineMs ?? deadlineMs)
    dueAt.set(command, due)
    return Math.max(0, due - now)
  }
}
