import type { Measure } from './interleave.ts'

/**
 * Time of the processor that pieces of work take, in all threads: what it costs on a busy machine as on a quiet one.
 * @unit microseconds a piece
 */
export const cpuCost =
  (work: () => Promise<unknown>, pieces: number): Measure =>
  async () => {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / pieces
  }

/** Does something again and again, one after the other. */
export const again = async (times: number, call: (index: number) => Promise<unknown>) => {
  for (let index = 0; index < times; index++) await call(index)
}
