import { inOrder } from 'rxswarm/operators'
import { describe, expect, it } from 'vitest'

describe('inOrder', () => {
  it('delivers at once', () => {
    const heard: number[] = []
    inOrder<number>((n) => heard.push(n))(1)
    expect(heard).toEqual([1])
  })
  it('lets what is sent during a delivery wait until it is done', () => {
    const log: string[] = []
    const send = inOrder<number>((n) => {
      log.push(`start ${n}`)
      if (n === 1) [2, 3].forEach((next) => send(next))
      log.push(`end ${n}`)
    })
    send(1)
    expect(log).toEqual(['start 1', 'end 1', 'start 2', 'end 2', 'start 3', 'end 3'])
  })
  it('does not grow the stack with a chain of answers', () => {
    let last = 0
    const send = inOrder<number>((n) => {
      last = n
      if (n < 100_000) send(n + 1)
    })
    send(0)
    expect(last).toBe(100_000)
  })
  it('throws at who sent first, and loses nothing', () => {
    const heard: number[] = []
    const send = inOrder<number>((n) => {
      heard.push(n)
      if (n !== 1) return
      send(2)
      throw new Error('one')
    })
    expect(() => send(1)).toThrow('one')
    send(3)
    expect(heard).toEqual([1, 2, 3])
  })
})
