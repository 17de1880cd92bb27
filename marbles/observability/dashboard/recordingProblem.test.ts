import fc from 'fast-check'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { crc32, recordingProblem } from '../../../src/observability/dashboard/model/recordingProblem.ts'
import { readRecording } from '../../../src/observability/dashboard/page/feed/readRecording.ts'
import { VERSION } from '../../../src/observability/recording/recordingHeader.ts'
import { sealed } from '../../../src/observability/recording/recordingLine.ts'

const header = { format: 'rxswarm-recording', version: VERSION, self: 'me', startedAt: 1_000, modules: [] }
const bodies = [
  ['rxswarm', header],
  ['e', { type: 'gossipsub:joined', at: 1_010, topic: 'grüße' }],
  ['e', { type: 'gossipsub:left', at: 1_020, topic: 'grüße' }],
  ['z', 20, {}],
]

/** The lines of a file, each with its check. */
function written(all: readonly unknown[] = bodies): readonly string[] {
  let check = 0
  return all.map((one) => {
    const line = sealed(JSON.stringify(one).slice(0, -1), check)
    check = line.check
    return line.text
  })
}
const file = (lines: readonly string[]) => `${lines.join('\n')}\n`
const problemOf = (lines: readonly string[]) => {
  const read = readRecording(file(lines))
  return 'problem' in read ? read.problem : undefined
}

describe('recordingProblem', () => {
  it('has nothing against a recording as it was written, nor against one that was cut', () => {
    const text = file(written())
    for (let end = 0; end <= text.length; end++) expect(recordingProblem(text.slice(0, end)), `${end}`).toBe(undefined)
  })
  it('names the line that was changed, removed, moved, doubled or put in', () => {
    const [head, joined, left, end] = written() as [string, string, string, string]
    expect(problemOf([head, joined.replace('1010', '1011'), left, end])).toMatch(/^line 2, or what was before it/)
    expect(problemOf([head, left, end])).toMatch(/^line 2, /)
    expect(problemOf([head, left, joined, end])).toMatch(/^line 2, /)
    expect(problemOf([head, joined, joined, left, end])).toMatch(/^line 3, /)
    expect(problemOf([head, joined, '["e",{"type":"x","at":1015}]', left, end])).toMatch(/^line 3 has no check/)
    expect(problemOf([head.replace('"me"', '"it"'), joined, left, end])).toMatch(/^line 1, /)
    expect(problemOf([head, joined, left, end])).toBe(undefined)
  })
  it('knows the version that is written now, and no other', () => {
    const [, ...rest] = bodies
    expect(problemOf(written([['rxswarm', { ...header, version: VERSION + 1 }], ...rest]))).toBe(
      `it is of version ${VERSION + 1}, and only ${VERSION} is known here`,
    )
    expect(problemOf(written([['rxswarm', { ...header, version: { toString: null } }], ...rest]))).toMatch(
      /^it is of version /,
    )
  })
})

describe('crc32', () => {
  it('is that of zlib, in one part or in several', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (one, other) => {
        expect(crc32(other, crc32(one, 0))).toBe(zlibCrc32(other, zlibCrc32(one)))
      }),
    )
  })
})
