import { bufferCount, filter, finalize, map, merge, NEVER, pipe, take, tap, type MonoTypeOperatorFunction } from 'rxjs'
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
  it('lets out what operators give up when it is completed, and lets go of the rest', () => {
    const { chain, heard } = running(
      pipe(
        bufferCount(2),
        map((letters) => letters.join('')),
      ),
    )
    chain.next('a')
    chain.complete()
    chain.next('b')
    expect(heard()).toEqual(['a'])
    let isRunning = true
    const endless = running((source$) => merge(source$, NEVER).pipe(finalize(() => void (isRunning = false))))
    endless.chain.next('a')
    endless.chain.complete()
    expect(isRunning).toBe(false)
  })
  it('takes a value that nobody can use for a crash', () => {
    const out = vi.fn(() => {
      throw new TypeError('no event')
    })
    const crashed = vi.fn()
    runChain<string>(upper, out, crashed).next('a')
    expect(crashed).toHaveBeenCalledWith(new TypeError('no event'), 'a')
  })
})
