import { readRecording, recordingSummary, replay } from 'rxswarm/observability'
import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { ping } from 'rxswarm'
import { delay, of } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { recorded } from './recorded.ts'

const text = recorded([ping()], { ping: { ping: () => of(7).pipe(delay(5)) } }, (swarm) => {
  for (const peer of ['a', 'b', 'c']) swarm.execute(ping.once({ peer })).subscribe()
})
const lines = text.trimEnd().split('\n')
const whole = readRecording(text)
const allEvents = replay(whole, { use: [ping()] }).eventLines

/** The error of a text that is no recording. */
function refusal(wrong: string, options = {}): string {
  try {
    readRecording(wrong, options)
  } catch (error) {
    const { name, message } = error as Error
    return `${name}: ${message}`
  }
  return 'none'
}

/** Lines with checks that fit. */
function forged(bodies: readonly string[]): string {
  let check = 0
  return bodies
    .map((body) => {
      check = crc32(body, check)
      return `${body},"${check.toString(16).padStart(8, '0')}"]\n`
    })
    .join('')
}
const header = lines[0]!.slice(0, -12)

describe('a recording that is read', () => {
  it('tells what is in it', () => {
    expect(whole.header).toMatchObject({ self: 'self', from: 'start', deadlineMs: 5_000, redacted: false })
    const { commands, events, durationMs, spans } = recordingSummary(whole)
    expect(commands).toEqual([['ping/once', 3]])
    expect(Object.fromEntries(events)).toMatchObject({ 'ping:measured': 3, 'command:completed': 3, 'swarm:stopped': 1 })
    expect(spans.reduce((sum, span) => sum + span.events, 0)).toBe(whole.lines.filter(([kind]) => kind === 'e').length)
    expect(durationMs).toBe(5_000)
  })
  it.each([
    ['removed', () => [...lines.slice(0, 4), ...lines.slice(5)], 5],
    ['doubled', () => [...lines.slice(0, 4), lines[3]!, ...lines.slice(4)], 5],
    ['changed', () => lines.map((line, i) => (i === 6 ? line.replace('"a"', '"x"') : line)), 7],
    ['exchanged', () => [...lines.slice(0, 4), lines[5]!, lines[4]!, ...lines.slice(6)], 5],
    ['added at the end', () => [...lines, lines.at(-1)!], lines.length + 1],
  ])('is refused when a line was %s, and says where', (_what, change, line) => {
    expect(refusal(`${change().join('\n')}\n`)).toMatch(new RegExp(`^InvalidMessageError: recording: line ${line}: `))
  })
  it.each([
    ['nothing', ''],
    ['something else', '{"a":1}\n'],
    ['bytes', '\u0000\u0001\n'],
    ['a header that is none', forged(['["rxswarm",7'])],
    ['a header of another kind', forged(['["other",{}'])],
    ['a version to come', forged([header.replace('"version":1', '"version":2')])],
    ['a version that is no number', forged([header.replace('"version":1', '"version":{"toString":null}')])],
    ['an unknown kind', forged([header, '["?",1'])],
    ['the kind of a prototype', forged([header, '["constructor",1'])],
    ['a field that is missing', forged([header, '["n",1,0'])],
    ['a field of another type', forged([header, '["n","1",0,1,2'])],
    ['a field too many', forged([header, '["k",1,0,1,2'])],
    ['a line that is deep', forged([header, `["e",${'['.repeat(5_000)}${']'.repeat(5_000)}`])],
    ['a line that is no list', `${lines[0]}\n{"a":1}\n`],
  ])('is refused when it is %s', (_what, wrong) => {
    expect(refusal(wrong)).toMatch(/^InvalidMessageError: recording: line [12]: /)
  })
  it('is refused when a line is too long', () => {
    expect(refusal(`${lines[0]}\n${'x'.repeat(2_000)}`, { maxLineChars: 1_000 })).toMatch(
      /^TooLongError: recording: line 2 /,
    )
  })
  it('is as it was, or is refused: whatever is changed', () => {
    const place = fc.tuple(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 3 }))
    fc.assert(
      fc.property(place, ([at, put]) => {
        const changed = text.slice(0, at) + put + text.slice(at + put.length)
        fc.pre(changed !== text)
        expect(refusal(changed)).toMatch(/^InvalidMessageError: recording: line \d+: |^none$/)
        if (refusal(changed) === 'none') expect(readRecording(changed).cut).toMatch(/without its end/)
      }),
      { numRuns: 300 },
    )
  })
  it('that was cut is replayed as far as it goes', () => {
    fc.assert(
      fc.property(fc.integer({ min: lines[0]!.length + 1, max: text.length - 1 }), (at) => {
        const read = readRecording(text.slice(0, at))
        expect(read.cut).toMatch(/^it ends after line \d+, without its end$/)
        const { same, eventLines, notes, diverged } = replay(read, { use: [ping()] })
        expect({ same, diverged }).toEqual({ same: true, diverged: undefined })
        expect(eventLines).toEqual(allEvents.slice(0, eventLines.length))
        expect(notes).toContain(read.cut)
      }),
      { numRuns: 100 },
    )
  })
  it('keeps keys that are traps as what they are', () => {
    const event = '["e",{"type":"x","at":0,"__proto__":{"polluted":true}}'
    const read = readRecording(forged([header, '["b",0,0', event]))
    expect(replay(read, { use: [ping()] }).same).toBe(false)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    const sent = '["c",0,0,{"type":"ping/once","id":"1","__proto__":{"polluted":true}},0'
    expect(() => replay(readRecording(forged([header, ...whole.bodies.slice(0, 5), sent])), { use: [ping()] })).toThrow(
      /the field __proto__ is not what a recording has/,
    )
  })
})
