import { decorrelatedJitterGenerator, ExponentialBackoff } from 'cockatiel'
import { decorrelatedJitter, fullJitter, halfJitter } from 'rxswarm/policies'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { checkChance } from '../../src/errors/checkChance.ts'

/** Gives these numbers, over and over. */
function chance(...numbers: readonly number[]): () => number {
  let next = 0
  return () => numbers[next++ % numbers.length]!
}

/** The first delays of a backoff. */
function delays(backoff: ExponentialBackoff<never>, count = 4): readonly number[] {
  let at = backoff.next()
  return Array.from({ length: count }, () => {
    const { duration } = at
    at = at.next(undefined)
    return duration
  })
}

const curve = { initialDelay: 100, maxDelay: 500 }
const of = (generator: unknown) => new ExponentialBackoff({ ...curve, generator: generator as never })

afterEach(() => void vi.restoreAllMocks())

describe('halfJitter', () => {
  it('leaves the upper half of each delay to chance', () => {
    expect(delays(of(halfJitter(() => 0)))).toEqual([50, 100, 200, 250])
    expect(delays(of(halfJitter(() => 0.5)))).toEqual([75, 150, 300, 375])
    // the first number was looked at when it was made
    expect(delays(of(halfJitter(chance(0.9, 0, 0.5, 0.25, 0.75))))).toEqual([50, 150, 250, 437.5])
  })
})

describe('fullJitter', () => {
  it('leaves the whole of each delay to chance', () => {
    expect(delays(of(fullJitter(() => 0)))).toEqual([0, 0, 0, 0])
    expect(delays(of(fullJitter(() => 0.5)))).toEqual([50, 100, 200, 250])
    expect(delays(of(fullJitter(chance(0.9, 0, 0.5, 0.25, 0.75))))).toEqual([0, 100, 100, 375])
  })
})

describe('decorrelatedJitter', () => {
  it('gives what cockatiel’s own generator gives with the same chance, to the last digit', () => {
    for (const number of [0, 0.001, 0.25, 0.5, 0.999]) {
      vi.spyOn(Math, 'random').mockReturnValue(number)
      expect(delays(of(decorrelatedJitter(() => number)))).toEqual(delays(of(decorrelatedJitterGenerator)))
    }
  })
  it('follows its curve', () => {
    expect(delays(of(decorrelatedJitter(() => 0.5))).map(Math.round)).toEqual([90, 109, 204, 405])
    expect(delays(of(decorrelatedJitter(chance(0.9, 0, 0.5, 0.25, 0.75)))).map(Math.round)).toEqual([0, 199, 139, 500])
  })
  it('never goes beyond the longest delay, also when its numbers do', () => {
    expect(delays(of(decorrelatedJitter(() => 0.99)), 2_000).at(-1)).toBe(500)
    expect(Math.max(...delays(of(decorrelatedJitter(() => 0.99)), 2_000))).toBe(500)
  })
  it('starts at nothing with the smallest chance', () => {
    expect(delays(of(decorrelatedJitter(() => 0)), 1)).toEqual([0])
  })
})

describe('checkChance', () => {
  const problems: readonly (readonly [unknown, string])[] = [
    [undefined, 'must be a function'],
    [() => 1, 'must give numbers from 0 up to, not including, 1, and gave 1'],
    [() => -0.1, 'must give numbers from 0 up to, not including, 1, and gave -0.1'],
    [() => Number.NaN, 'must give numbers from 0 up to, not including, 1, and gave NaN'],
    [() => '0.5', 'must give numbers from 0 up to, not including, 1, and gave 0.5'],
    [
      () => {
        throw new Error('empty')
      },
      'must give numbers, and threw Error: empty',
    ],
  ]
  it.each(problems)('refuses %s', (random, message) => {
    for (const [at, make] of Object.entries({ halfJitter, fullJitter, decorrelatedJitter })) {
      expect(() => make(random as never)).toThrow(`configuration: ${at}.random: ${message}`)
    }
  })
  it('gives back what it looked at', () => {
    const random = () => 0.25
    expect(checkChance('x', random)).toBe(random)
  })
})
