import { VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { within } from '../../../src/observability/metrics/within.ts'

describe('within', () => {
  it('is what the work comes to, and leaves no timer', async () => {
    const scheduler = new VirtualTimeScheduler()
    expect(await within(Promise.resolve(7), scheduler)).toBe(7)
    scheduler.flush()
    expect(scheduler.now()).toBe(0)
    await expect(within(Promise.reject(new RangeError('mine')), scheduler)).rejects.toThrow('mine')
  })
  it('gives up after 2 s', async () => {
    const scheduler = new VirtualTimeScheduler()
    const waiting = within(new Promise(() => undefined), scheduler)
    const failure = waiting.catch((error: Error) => error.name)
    scheduler.flush()
    expect([await failure, scheduler.now()]).toEqual(['TimeoutError', 2_000])
  })
})
