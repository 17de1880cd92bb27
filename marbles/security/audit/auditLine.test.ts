import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AuditEntry } from '../../../src/security/audit/auditEntry.ts'
import { auditLine } from '../../../src/security/audit/auditLine.ts'
import { MOST_LINE_BYTES, NO_HASH } from '../../../src/security/audit/chainLine.ts'
import { readAuditLine } from '../../../src/security/audit/readAuditLine.ts'
import { AccessDeniedError } from '../../../src/errors/errors.ts'

const place = { seq: 7, at: Date.UTC(2026, 10, 25, 15, 30, 0, 123), prev: NO_HASH }
const lineOf = (entry: AuditEntry) => auditLine(place, entry).line
const fieldsOf = (entry: AuditEntry) => JSON.parse(lineOf(entry)) as Record<string, unknown>
const shown = (value: unknown) => fieldsOf({ event: 'e', value })['value']

describe('auditLine', () => {
  it('writes the fields in a fixed order', () => {
    const { line, hash } = auditLine(place, {
      zone: 1,
      ip: '192.0.2.7',
      area: true,
      event: 'access:denied',
      peer: '12D3',
    })
    expect(line).toBe(
      '{"seq":7,"time":"2026-11-25T15:30:00.123Z","event":"access:denied","peer":"12D3","ip":"192.0.2.7",' +
        `"area":true,"zone":1,"prev":"${NO_HASH}","hash":"${hash}"}`,
    )
    expect(readAuditLine(Buffer.from(line))).toMatchObject({ fits: true, seq: 7, event: 'access:denied', hash })
  })
  it('writes the same entry as the same line, whatever the order of its fields', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.jsonValue()), { maxLength: 8 }), (pairs) => {
        const fields = Object.fromEntries(pairs)
        const turned = Object.fromEntries(Object.entries(fields).toReversed())
        expect(lineOf({ ...turned, event: 'e' })).toBe(lineOf({ ...fields, event: 'e' }))
      }),
      { seed: 1 },
    )
  })
  it('reads back as it was written', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: 'binary' }), (value, text) => {
        const { value: read, text: readText } = fieldsOf({ event: 'e', value, text })
        expect(read).toEqual(JSON.parse(JSON.stringify(value)))
        expect(readText).toBe(text)
      }),
      { seed: 1 },
    )
  })
  it.each([
    [new Uint8Array([1, 2, 255]), 'AQL/'],
    [12n ** 20n, String(12n ** 20n)],
    [Number.NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [null, null],
    [
      [undefined, 1],
      [null, 1],
    ],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Map([['a', 1]]), [['a', 1]]],
    [Symbol('s'), '[symbol]'],
    [
      new TypeError('no', { cause: new Error('why') }),
      { name: 'TypeError', message: 'no', cause: { name: 'Error', message: 'why' } },
    ],
  ])('writes %s as JSON', (value, expected) => {
    expect(shown(value)).toEqual(expected)
  })
  it('writes what throws when it is read as unreadable', () => {
    const bad = Object.defineProperty({}, 'bad', {
      enumerable: true,
      get: () => {
        throw new Error('no')
      },
    })
    expect(shown(bad)).toEqual('[unreadable]')
  })
  it('writes errors of rxswarm with their code and context', () => {
    expect(shown(new AccessDeniedError('rule 3', { peer: 'p' }))).toMatchObject({
      code: 'ERR_ACCESS_DENIED',
      peer: 'p',
    })
  })
  it('leaves out what is undefined, peer and address too', () => {
    expect(Object.keys(fieldsOf({ event: 'e', peer: undefined, ip: undefined, other: undefined }))).toEqual([
      'seq',
      'time',
      'event',
      'prev',
      'hash',
    ])
  })
  it('gives names of the chain an underscore, and loses none of them', () => {
    const fields = fieldsOf({ event: 'audit:signed', seq: 1, time: 2, prev: 3, hash: 4, _hash: 5, ['__proto__']: 6 })
    expect(fields).toMatchObject({ event: '_audit:signed', seq: 7, _seq: 1, _time: 2, _prev: 3, __hash: 4, _hash: 5 })
    expect(fieldsOf({ event: '_audit:signed' })['event']).toBe('__audit:signed')
  })
  it('lets no character through that a terminal or a reader of lines would act upon', () => {
    const hostile = fc.string({
      unit: fc
        .oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0x10000, max: 0x10ffff }))
        .map((point) => String.fromCodePoint(point)),
    })
    const some = fc.constantFrom(
      '\n{"seq":1}',
      '\u2028',
      '\u2029',
      '\u001b[2J',
      '\u009b2J',
      '\u202e',
      '\ud800',
      '\udfff',
      '\u007f',
      '\u{e0041}',
      '","hash":"',
    )
    fc.assert(
      fc.property(fc.oneof(hostile, some), fc.oneof(hostile, some), (text, key) => {
        const line = lineOf({ event: text, peer: text, ip: text, [`k${key}`]: { [key]: [text] } })
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
        expect(readAuditLine(Buffer.from(line)).fits).toBe(true)
        expect((JSON.parse(line) as { seq: number }).seq).toBe(7)
      }),
      { numRuns: 500, seed: 1 },
    )
  })
  it('keeps a line within its bound, and marks what it has cut', () => {
    const long = fc.string({ unit: 'binary', minLength: 0, maxLength: 100 }).map((text) => text.repeat(1_000))
    fc.assert(
      fc.property(long, fc.nat(600), fc.nat(20), (text, width, depth) => {
        let deep: unknown = text
        for (let i = 0; i < depth; i++) deep = [deep, text]
        const wide = Object.fromEntries(Array.from({ length: width }, (_, i) => [`${text.slice(0, 50)}${i}`, text]))
        const line = lineOf({ ...wide, event: text, peer: text, ip: text, deep, wide, list: Object.values(wide) })
        expect(Buffer.byteLength(line)).toBeLessThan(MOST_LINE_BYTES)
        expect(readAuditLine(Buffer.from(line)).fits).toBe(true)
      }),
      { numRuns: 40, seed: 1 },
    )
    expect(shown('x'.repeat(100_000))).toBe(`${'x'.repeat(8_192)}…[cut, 100000 in all]`)
    expect(shown(new Uint8Array(90_000))).toBe(`${'A'.repeat(8_192)}…[cut, 120000 in all]`)
    expect(shown('😀'.repeat(10_000))).toMatch(/^(😀)+…\[cut, 20000 in all\]$/u)
  })
  it('comes to an end with values that hold themselves', () => {
    const loop: unknown[] = []
    for (let i = 0; i < 300; i++) loop.push(loop)
    expect(Buffer.byteLength(lineOf({ event: 'e', loop }))).toBeLessThan(MOST_LINE_BYTES)
  })
  it('survives entries of callers without types', () => {
    for (const entry of [
      null,
      1,
      'text',
      {},
      { event: {} },
      { event: null, peer: 3, ip: { toString: 1 } },
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('no')
          },
        },
      ),
    ]) {
      expect(readAuditLine(Buffer.from(lineOf(entry as never))).fits).toBe(true)
    }
    expect(auditLine({ ...place, at: Number.NaN }, { event: 'e' }).line).toContain('"time":"1970-01-01T00:00:00.000Z"')
  })
})

describe('the filter for fail2ban in docs/audit.md', () => {
  const [, failregex] = /^failregex = (.*)$/m.exec(readFileSync('docs/audit.md', 'utf8'))!
  // What fail2ban puts in place of <HOST>, without its names of hosts.
  const host = String.raw`(?:::f{4,6}:)?(?<host>(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4})`
  const filter = new RegExp(failregex!.replace('<HOST>', host))
  const hostIn = (entry: AuditEntry) => filter.exec(lineOf(entry))?.groups?.['host']

  it('finds the address of who was refused', () => {
    expect(hostIn({ event: 'access:denied', peer: '12D3', ip: '192.0.2.7', why: 'x' })).toBe('192.0.2.7')
    expect(hostIn({ event: 'access:denied', ip: '2001:db8::7' })).toBe('2001:db8::7')
    expect(hostIn({ event: 'xauth:failed', peer: 'a","ip":"198.51.100.1"', ip: '::ffff:192.0.2.9' })).toBe('192.0.2.9')
  })
  it('can not be made to ban somebody else', () => {
    const line = '{"seq":1,"time":"","event":"access:denied","ip":"198.51.100.4"'
    const entries = [
      { event: 'other', peer: 'p', text: '"event":"access:denied","ip":"198.51.100.2"' },
      { event: 'other', detail: { event: 'access:denied', ip: '198.51.100.3' } },
      { event: 'access:denied', peer: `\n${line}` },
      { event: 'access:denied', peer: `\\"${line}` },
      { event: 'access:denied', peer: 'p', detail: { ip: '198.51.100.5' } },
      { event: 'access:denied","ip":"198.51.100.6', ip: '192.0.2.7' },
    ]
    expect(entries.map(hostIn)).toEqual(entries.map(() => undefined))
  })
})
