import { simulate } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { echo, withEcho } from './echo.ts'

describe('simulate', () => {
  it('runs a behaviour in virtual time: a dial, a stream and an answer are a round trip each', () => {
    const network = simulate({ seed: 7, nodes: ['alice', 'bob'], ...withEcho })
    expect(network.until(network.node('alice').execute(echo.say('bob')))).toBe('hello')
    expect(network.now).toBe(120)
  })
})
