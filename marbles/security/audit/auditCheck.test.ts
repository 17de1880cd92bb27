import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auditLine } from '../../../src/security/audit/auditLine.ts'
import { chainLine, NO_HASH } from '../../../src/security/audit/chainLine.ts'
import { readAuditLine } from '../../../src/security/audit/readAuditLine.ts'
import { chain, check, places, text } from './support.ts'

const entry = fc
  .tuple(fc.string({ unit: 'binary' }), fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }))
  .map(([event, fields]) => ({ ...fields, event }))
const entries = fc.array(entry, { minLength: 3, maxLength: 12 })
const some = chain(Array.from({ length: 9 }, (_, i) => ({ event: 'access:denied', ip: `192.0.2.${i}` })))
const hashOf = (line: string) => readAuditLine(Buffer.from(line)).hash!

describe('AuditCheck', () => {
  it('finds nothing wrong with any entries', () => {
    fc.assert(
      fc.property(entries, (list) => {
        expect(check(text(chain(list)))).toMatchObject({
          problems: [],
          problemCount: 0,
          entries: list.length + 1,
          firstSeq: 1,
          lastSeq: list.length + 1,
        })
      }),
      { numRuns: 60, seed: 1 },
    )
  })
  it('finds any byte that is changed, at its line', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), (list, place, by) => {
        const bytes = Buffer.from(text(chain(list)))
        const at = place % bytes.length
        const line = bytes.subarray(0, at).filter((byte) => byte === 10).length + 1
        bytes[at]! ^= by
        const [first, ...others] = check(bytes).problems
        expect(first).toMatchObject({ line })
        expect(['changed', 'not-json', 'torn']).toContain(first!.kind)
        // A line break that comes or goes makes two lines of one, or one of two.
        expect(others.length).toBeLessThanOrEqual(bytes[at] === 10 || (bytes[at]! ^ by) === 10 ? 1 : 0)
      }),
      { numRuns: 150, seed: 1 },
    )
  })
  it('finds every change of every byte of a line', () => {
    const start = text(some.slice(0, 4)).length
    for (let at = start; at < start + some[4]!.length; at++) {
      const bytes = Buffer.from(text(some))
      for (const by of [1, 2, 4, 8, 16, 32, 64, 128]) {
        bytes[at]! ^= by
        const [first] = check(bytes).problems
        expect(first).toMatchObject({ line: 5 })
        bytes[at]! ^= by
      }
    }
  })
  it('finds any line that is removed, where it stood', () => {
    for (let at = 0; at < some.length - 1; at++) {
      expect(places(check(text(some.toSpliced(at, 1))))).toEqual([`removed ${at + 1}`])
    }
    expect(places(check(text(some.toSpliced(3, 4))))).toEqual(['removed 4'])
    expect(check(text(some.toSpliced(3, 4))).problems[0]!.message).toBe('lines 4 to 7 are missing before it')
  })
  it('can not tell a tail that is cut off from one that was never written', () => {
    expect(check(text(some.slice(0, 5)))).toMatchObject({ problems: [], lastSeq: 5 })
  })
  it('finds any line that is there twice', () => {
    for (let at = 0; at < some.length; at++) {
      expect(places(check(text(some.toSpliced(at, 0, some[at]!))))).toEqual([`inserted ${at + 2}`])
    }
  })
  it('finds the copy of a line, wherever it was put', () => {
    for (let from = 0; from < some.length; from++) {
      for (let to = 0; to <= some.length; to++) {
        if (to === from || to === from + 1) continue
        const copied = some.toSpliced(to, 0, some[from]!)
        expect(places(check(text(copied))), `${from} to ${to}`).toEqual([`inserted ${to + 1}`])
      }
    }
  })
  it('finds any two lines that are swapped', () => {
    for (let a = 0; a < some.length; a++) {
      for (let b = a + 1; b < some.length; b++) {
        const swapped = some.with(a, some[b]!).with(b, some[a]!)
        const found = check(text(swapped))
        const second = b === a + 1 ? [] : [`reordered ${b === a + 2 ? b : b + 1}`]
        expect(places(found), `${a} and ${b}`).toEqual([`reordered ${a + 1}`, ...second])
        expect(found.entries).toBeGreaterThanOrEqual(some.length - 2)
      }
    }
  })
  it('finds a line that was put in, with or without a hash that fits', () => {
    const prev = hashOf(some[3]!)
    const forged = auditLine({ seq: 5, at: 0, prev }, { event: 'forged' }).line
    expect(places(check(text(some.toSpliced(4, 0, forged))))).toEqual(['inserted 5'])
    expect(places(check(text(some.toSpliced(4, 0, forged.replace('forged', 'f')))))).toEqual(['inserted 5'])
    expect(places(check(text(some.toSpliced(4, 0, 'hello'))))).toEqual(['not-json 5'])
    expect(places(check(text(some.toSpliced(4, 0, ''))))).toEqual(['not-json 5'])
  })
  it('finds a line that was written anew, with a hash that fits', () => {
    const prev = hashOf(some[3]!)
    const anew = auditLine({ seq: 5, at: 0, prev }, { event: 'harmless' }).line
    expect(places(check(text(some.with(4, anew))))).toEqual(['changed 5'])
  })
  it('finds every one of several', () => {
    const hurt = some.with(2, some[2]!.replace('192', '193')).with(3, 'x').toSpliced(6, 1)
    expect(places(check(text(hurt)))).toEqual(['changed 3', 'not-json 4', 'removed 7'])
  })
  it('follows a chain from file to file', () => {
    const header = (seq: number, prev: string) => chainLine({ seq, at: 0, prev }, '"event":"audit:opened","version":1')
    const second = header(11, hashOf(some[9]!))
    const line = auditLine({ seq: 12, at: 0, prev: second.hash }, { event: 'e' }).line
    const [one, two] = [text(some), text([second.line, line])]
    expect(check(one, two).problems).toEqual([])
    expect(places(check(text(some.slice(0, 8)), two))).toEqual(['gap-between-files 1'])
    expect(places(check(two, one)).slice(0, 1)).toEqual(['gap-between-files 1'])
    expect(places(check(one, text([header(11, hashOf(some[8]!)).line, line])))).toContain('gap-between-files 1')
    expect(places(check(one, text([header(11, NO_HASH).line])))).toEqual(['gap-between-files 1'])
    expect(places(check(one, text([line])))).toEqual(['gap-between-files 1'])
    expect(places(check(two))).toEqual(['gap-between-files 1'])
  })
  it('takes a beginning that is missing for pruned when the log says so', () => {
    const header = chainLine({ seq: 11, at: 0, prev: hashOf(some[9]!) }, '"event":"audit:opened","version":1')
    const pruned = (head: string) =>
      chainLine({ seq: 12, at: 0, prev: header.hash }, `"event":"audit:pruned","file":"f","last":10,"head":"${head}"`)
    expect(check(text([header.line, pruned(hashOf(some[9]!)).line])).problems).toEqual([])
    expect(places(check(text([header.line, pruned(NO_HASH).line])))).toEqual(['gap-between-files 1'])
  })
  it('lists 100 problems and counts the others', () => {
    const many = chain(Array.from({ length: 500 }, () => ({ event: 'e' })))
    const found = check(text(many.map((line) => line.replace('"e"', '"f"'))))
    expect(found.problems.map(({ line }) => line)).toEqual(Array.from({ length: 100 }, (_, i) => i + 2))
    expect(found.problemCount).toBe(500)
  })
  it('survives any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((part) => Buffer.from(part))
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            bytes,
            fc.constantFrom(...some).map((line) => Buffer.from(`${line}\n`)),
          ),
        ),
        (parts) => {
          const { entries: count, problemCount } = check(Buffer.concat(parts))
          expect(count + problemCount).toBeGreaterThanOrEqual(0)
        },
      ),
      { numRuns: 150, seed: 1 },
    )
  })
})
