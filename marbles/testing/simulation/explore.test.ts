import { explore, faults, simulate, type FaultSchedule } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { echo, withEcho } from './echo.ts'

const network = (schedule: FaultSchedule, seed: number) =>
  simulate({ seed, nodes: 3, faults: schedule, log: false, ...withEcho })

/** Planted: it believes that an answer comes within two seconds, which a crash prevents. */
const alwaysAnswered = (of: ReturnType<typeof network>) => {
  of.advance(4_000)
  const heard = of.until(of.node('n1').execute(echo.say('n2')), 60_000)
  expect(heard).toBe('hello')
}

describe('explore', () => {
  it('finds a schedule under which something does not hold, and makes it as small as it gets', async () => {
    const found: unknown = await explore({
      network,
      holds: alwaysAnswered,
      faults: ['crash', 'heal'],
      frames: 4,
    }).catch((error: unknown) => error)
    const { message, cause } = found as Error
    expect(message).toContain('does not hold under 1 fault')
    expect(message).toMatch(
      /simulate\(\{ seed: \d+, …, faults: faults\('c', \{ c: \{ type: 'crash', node: 'n[12]' \} \}, \{ frameMs: 1000 \}\) \}\)/,
    )
    expect((cause as Error).name).toMatch(/DeadlineError|StoppedError/)
    const again: unknown = await explore({
      network,
      holds: alwaysAnswered,
      faults: ['crash', 'heal'],
      frames: 4,
    }).catch((error: unknown) => error)
    expect((again as Error).message).toBe(message)
  })
  it('gives what it found as code that fails in the same way', () => {
    const pasted = faults('c', { c: { type: 'crash', node: 'n2' } }, { frameMs: 1000 })
    expect(() => alwaysAnswered(network(pasted, 1))).toThrow('not settled within 5000 ms')
  })
  it('is content when everything holds', async () => {
    let runs = 0
    await explore({
      network,
      runs: 25,
      holds: async (of) => {
        runs++
        await of.settle(1_000)
      },
    })
    expect(runs).toBe(25)
  })
  it('says what is wrong with its options', async () => {
    const bad = { network, holds: () => undefined, runs: 0, faults: ['flood'] }
    await expect(explore(bad as never)).rejects.toThrow(/explore\.runs: must be above 0.*|explore\.faults\[0\]/)
  })
})
