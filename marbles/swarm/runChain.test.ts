import { delay, filter, map, pipe, take, tap, type MonoTypeOperatorFunction } from 'rxjs'
import { marbles } from 'rxswarm/testing'
import { describe, expect, it, vi } from 'vitest'
import { runChain } from '../../src/swarm/runChain.ts'

const upper = map((letter: string) => letter.toUpperCase())
function running(operator: MonoTypeOperatorFunction<string> | undefined) {
  const [out, crashed] = [vi.fn<(value: string) => void>(), vi.fn<(error: unknown, value?: string) => void>()]
  return { chain: runChain(operator, out, crashed), out, crashed, heard: () => out.mock.calls.flat() }
}

describe('runChain', () => {
  it('without an operator lets values pass as they are', () => {
    const { chain, heard } = running(undefined)
    chain.next('a')
    expect(heard()).toEqual(['a'])
  })
  it('sends values through the operators, before it returns', () => {
    const { chain, heard } = running(
      pipe(
        upper,
        filter((letter) => letter !== 'B'),
      ),
    )
    for (const letter of 'abc') chain.next(letter)
    expect(heard()).toEqual(['A', 'C'])
  })
  it('tells which value broke the chain, and builds it again for the next', () => {
    const bomb = tap((letter: string) => {
      if (letter === 'b') throw new Error('mine')
    })
    const { chain, heard, crashed } = running(bomb)
    for (const letter of 'abc') chain.next(letter)
    expect(heard()).toEqual(['a', 'c'])
    expect(crashed.mock.calls).toEqual([[new Error('mine'), 'b']])
  })
  it('does the same when an operator completes the chain', () => {
    const { chain, heard, crashed } = running(take(1))
    for (const letter of 'ab') chain.next(letter)
    expect(heard()).toEqual(['a', 'b'])
    expect(crashed).toHaveBeenCalledTimes(2)
  })
  it('does the same when the operators can not even be put together', () => {
    const { chain, heard, crashed } = running(() => {
      throw new Error('mine')
    })
    chain.next('a')
    expect([heard(), crashed.mock.calls]).toEqual([[], [[new Error('mine'), 'a']]])
  })
  marbles('lets out what operators hold back, also when it is completed', ({ expectObservable, cold, flush }) => {
    const { chain, heard } = running(delay(5))
    expectObservable(cold('a-|').pipe(tap({ next: chain.next, complete: chain.complete }))).toBe('a-|')
    flush()
    expect(heard()).toEqual(['a'])
  })
})
