import { describe, expect, it } from 'vitest'
import { hash32 } from '../../../src/operators/balance/hash32.ts'
import { mix32 } from '../../../src/operators/balance/mix32.ts'
import { rendezvous } from '../../../src/operators/balance/rendezvous.ts'

const KEYS = 10_000
const keys = Array.from({ length: KEYS }, (_, i) => hash32(`key-${i}`))
const candidate = (id: string, weight = 1) => ({ id, hash: hash32(id), weight })
const ten = Array.from({ length: 10 }, (_, i) => candidate(`peer-${i}`))

describe('rendezvous', () => {
  const homes = (candidates: readonly ReturnType<typeof candidate>[]) =>
    keys.map((key) => rendezvous(candidates, key).id)
  const share = (ids: readonly string[], id: string) => ids.filter((other) => other === id).length

  it('spreads the keys evenly', () => {
    const ids = homes(ten)
    // Four standard deviations of a binomial distribution.
    for (const { id } of ten) expect(Math.abs(share(ids, id) - 1_000)).toBeLessThan(4 * 30)
  })
  it('spreads them by weight', () => {
    const ids = homes([candidate('a', 1), candidate('b', 2), candidate('c', 0.5), candidate('d', 1.5)])
    const expected = { a: 2_000, b: 4_000, c: 1_000, d: 3_000 }
    for (const [id, keysOfIt] of Object.entries(expected)) {
      expect(Math.abs(share(ids, id) - keysOfIt)).toBeLessThan(4 * Math.sqrt(keysOfIt * (1 - keysOfIt / KEYS)))
    }
  })
  it.each(ten.map(({ id }) => id))('moves only the keys of the one that goes, to all the others: %s', (gone) => {
    const before = homes(ten)
    const after = homes(ten.filter(({ id }) => id !== gone))
    const moved = before.flatMap((id, i) => (id === after[i] ? [] : [{ from: id, to: after[i] }]))
    expect(new Set(moved.map(({ from }) => from))).toEqual(new Set([gone]))
    expect(moved.length).toBe(share(before, gone))
    expect(new Set(moved.map(({ to }) => to)).size).toBe(9)
  })
  it('moves keys only to the one that comes or whose weight grows', () => {
    const before = homes(ten)
    for (const others of [
      [...ten, candidate('new')],
      ten.map((one) => (one.id === 'peer-3' ? { ...one, weight: 2 } : one)),
    ]) {
      const after = homes(others)
      const to = new Set(after.filter((id, i) => id !== before[i]))
      expect([...to]).toEqual([others.length > 10 ? 'new' : 'peer-3'])
    }
  })
  it('does not depend on the order of the candidates', () => {
    expect(homes(ten.toReversed())).toEqual(homes(ten))
  })
})

describe('hash32', () => {
  it('is FNV-1a with a finaliser: the empty text and a known one', () => {
    expect(hash32('')).toBe(mix32(0x811c9dc5))
    // FNV-1a of the bytes 'a', 0.
    expect(hash32('a')).toBe(mix32(Math.imul(0xe40c292c, 0x01000193) >>> 0))
  })
  it('tells similar texts and characters beyond Latin apart', () => {
    const texts = ['', 'a', 'aa', 'ab', 'ba', 'š', 'a\u0000', '日本', '本日', '\u{1f600}', '\u{1f601}']
    expect(new Set(texts.map(hash32)).size).toBe(texts.length)
  })
})

describe('mix32', () => {
  it('is fmix32 of MurmurHash3', () => {
    expect([0, 1, 2, 0xffffffff].map(mix32)).toEqual([0, 0x514e28b7, 0x30f4c306, 0x81f16f39])
  })
  it('turns half of the output for each bit of the input', () => {
    for (let bit = 0; bit < 32; bit++) {
      let turned = 0
      for (let i = 0; i < 256; i++) {
        const value = Math.imul(i, 0x9e3779b1) >>> 0
        turned += (mix32(value) ^ mix32((value ^ (1 << bit)) >>> 0)).toString(2).replaceAll(/[^1]/g, '').length
      }
      expect(Math.abs(turned / 256 - 16)).toBeLessThan(2)
    }
  })
})
