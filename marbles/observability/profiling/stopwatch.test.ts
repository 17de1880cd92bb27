import { describe, expect, it } from 'vitest'
import { partOf, Stopwatch } from '../../../src/observability/profiling/stopwatch.ts'

/** A stopwatch whose clock is turned by hand. */
function byHand() {
  let now = 0
  return { watch: new Stopwatch(() => now), pass: (ms: number) => void (now += ms) }
}
const [a, b] = [partOf('command', 'a'), partOf('port', 'b')]

describe('a stopwatch', () => {
  it('tells the time of a part with and without what it called', () => {
    const { watch, pass } = byHand()
    watch.enter(a)
    pass(10)
    watch.enter(b)
    pass(30)
    watch.leave()
    pass(2)
    watch.leave()
    const { durationMs, rows, stacks } = watch.report()
    expect(durationMs).toBe(42)
    expect(rows).toMatchObject([
      { kind: 'command', name: 'a', count: 1, totalMs: 42, selfMs: 12, meanMs: 42, maxMs: 42 },
      { kind: 'port', name: 'b', count: 1, totalMs: 30, selfMs: 30 },
    ])
    expect(stacks).toEqual([
      { stack: ['command a'], selfMs: 12 },
      { stack: ['command a', 'port b'], selfMs: 30 },
    ])
  })
  it('counts a part within itself once to the total', () => {
    const { watch, pass } = byHand()
    watch.enter(a)
    pass(1)
    watch.enter(a)
    pass(2)
    watch.leave()
    watch.leave()
    expect(watch.report().rows).toMatchObject([{ totalMs: 3, selfMs: 3, count: 1 }])
  })
  it('notes waits, which have no time of their own', () => {
    const { watch } = byHand()
    watch.note(partOf('work', 'w'), 5)
    expect(watch.report().rows).toMatchObject([{ kind: 'work', count: 1, totalMs: 5 }])
    expect(watch.report().rows[0]).not.toHaveProperty('selfMs')
  })
  it('has bounded memory: what finds no room is all others', () => {
    const { watch, pass } = byHand()
    for (let n = 0; n < 3_000; n++) {
      watch.enter(partOf('command', `c${n}`))
      pass(1)
      watch.leave()
    }
    const { rows } = watch.report()
    expect(rows.length).toBe(2_049)
    expect(rows[0]).toMatchObject({ kind: 'other', count: 952, totalMs: 952 })
    expect(rows.reduce((sum, { totalMs }) => sum + totalMs, 0)).toBe(3_000)
  })
  it('survives a leave too many', () => {
    const { watch } = byHand()
    watch.leave()
    expect(watch.report().rows).toEqual([])
  })
})

describe('a timing report', () => {
  it('is a file that speedscope opens: frames, samples of their indices, as many weights', () => {
    const { watch, pass } = byHand()
    watch.enter(a)
    watch.enter(b)
    pass(3)
    watch.leave()
    pass(1)
    watch.leave()
    expect(watch.report().toSpeedscope('mine')).toEqual({
      $schema: 'https://www.speedscope.app/file-format-schema.json',
      name: 'mine',
      activeProfileIndex: 0,
      exporter: 'rxswarm',
      shared: { frames: [{ name: 'command a' }, { name: 'port b' }] },
      profiles: [
        {
          type: 'sampled',
          name: 'mine',
          unit: 'milliseconds',
          startValue: 0,
          endValue: 4,
          samples: [[0], [0, 1]],
          weights: [1, 3],
        },
      ],
    })
  })
})
