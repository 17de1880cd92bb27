import { describe, expect, it } from 'vitest'
import type { SchedulerLike } from 'rxjs'
import { Recorder } from '../../../src/observability/recording/recorder.ts'

describe('a recorder', () => {
  it('lets time stand still while something is worked off, whatever the clock shows', () => {
    let ms = 1_000
    const clock = { now: () => ms++ } as SchedulerLike
    const recorder = new Recorder(clock)
    const lines: string[] = []
    recorder.begin((body) => void lines.push(body), false)
    recorder.fired(1, () => recorder.called('l', () => ',"c"'))
    const [fired, left] = lines.map((line) => JSON.parse(`${line}]`) as unknown[])
    expect(fired).toEqual(['t', 1, 0, 1])
    expect(left).toEqual(['l', 1, 0, 'c'])
  })
})
