import { runInThisContext } from 'node:vm'
import fc from 'fast-check'
import { drawFaults, faults, faultSchedules, type Fault } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'

const partition: Fault = { type: 'partition', groups: [['a', 'b'], ['c']] }
const heal: Fault = { type: 'heal' }
const crash: Fault = { type: 'crash', node: 'a' }

const problems = (body: () => unknown): readonly string[] => {
  try {
    body()
  } catch (error) {
    return (error as { problems: readonly { path: string; message: string }[] }).problems.map(
      ({ path, message }) => `${path}: ${message}`,
    )
  }
  return []
}

describe('faults', () => {
  it('reads a schedule from marbles', () => {
    const diagram = '--p----h--'
    expect(faults(diagram, { p: partition, h: heal })).toEqual([
      { atMs: 2_000, fault: partition },
      { atMs: 7_000, fault: heal },
    ])
  })
  it("reads groups, time that passes, and spaces as RxJS's marbles do", () => {
    const values = { p: partition, h: heal, c: crash }
    expect(faults('(pc)h 500ms c 1.5s h|', values, { frameMs: 10 })).toEqual([
      { atMs: 0, fault: partition },
      { atMs: 0, fault: crash },
      { atMs: 40, fault: heal },
      { atMs: 550, fault: crash },
      { atMs: 2_060, fault: heal },
    ])
    expect(faults('1m c', values)).toEqual([{ atMs: 60_000, fault: crash }])
    expect(faults('  - -c', values, { frameMs: 0.1 })).toEqual([{ atMs: 0.2, fault: crash }])
  })
  it('says all that is wrong', () => {
    expect(
      problems(() => faults('-x(p-(', { p: { type: 'crash' } as never, q: { type: 'flood' } as never })).map((line) =>
        line.replace(/must be a fault.*/, 'must be a fault'),
      ),
    ).toEqual([
      'values.p.node: must be the name of a node',
      'values.q.type: must be a fault',
      'marbles[1]: x means nothing; give it in values',
      'marbles[4]: - means nothing; give it in values',
      'marbles[5]: a group within a group',
      'marbles[6]: a group does not end',
    ])
    expect(problems(() => faults('-', {}, { frameMs: 0 }))).toEqual(['faults.frameMs: must be above 0'])
  })
})

describe('drawFaults', () => {
  /** Runs what was drawn, as one who pastes it. */
  const pasted = (code: string) => (runInThisContext(`(faults) => ${code}`) as (of: typeof faults) => unknown)(faults)

  it('draws a schedule as code', () => {
    const schedule = faults('--p----h--p', { p: partition, h: heal })
    expect(drawFaults(schedule)).toBe(
      "faults('--p----h--p', { p: { type: 'partition', groups: [['a', 'b'], ['c']] }, h: { type: 'heal' } }, { frameMs: 1000 })",
    )
    expect(drawFaults([])).toBe("faults('', {}, { frameMs: 1000 })")
  })
  it('draws several at once as a group, and long gaps as time', () => {
    const schedule = [
      { atMs: 1_000, fault: heal },
      { atMs: 1_000, fault: crash },
      { atMs: 200_500, fault: heal },
    ]
    expect(drawFaults(schedule)).toContain("'-(hc) 195500ms h'")
    expect(pasted(drawFaults(schedule))).toEqual(schedule)
  })
  it('takes a finer frame when faults are too close', () => {
    const schedule = [
      { atMs: 1_000, fault: heal },
      { atMs: 1_000, fault: crash },
      { atMs: 1_000.5, fault: heal },
    ]
    expect(pasted(drawFaults(schedule))).toEqual(schedule)
  })
  it('draws what faults reads back, whatever it is', () => {
    const kinds = ['partition', 'heal', 'crash', 'restart', 'block', 'unblock', 'link', 'skew', 'nat'] as const
    const options = { nodes: ["it's", 'b\\c', 'd'], mostFaults: 12, faults: kinds }
    const pace = fc.constantFrom(1_000, 250, 3, 0.5)
    fc.assert(
      fc.property(faultSchedules(fc, options), pace, pace, (schedule, by, frameMs) => {
        const timed = schedule.map(({ atMs, fault }) => ({ atMs: (atMs / 1_000) * by, fault }))
        expect(pasted(drawFaults(timed, { frameMs }))).toEqual(timed)
      }),
      { seed: 1, numRuns: 200 },
    )
  })
  it('has letters for any number of faults', () => {
    const schedule = Array.from({ length: 100 }, (_, i) => ({
      atMs: i,
      fault: { type: 'crash', node: `n${i}` } as const,
    }))
    expect(pasted(drawFaults(schedule, { frameMs: 1 }))).toEqual(schedule)
  })
})
