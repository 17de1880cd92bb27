import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Frame, FrameType } from '../../../../src/swarm/behaviours/chains/frames.ts'
import type { SessionEffect } from '../../../../src/swarm/behaviours/chains/sessionState.ts'
import { decisions, End, joined, rejoin, settle } from './sessionPair.ts'

const range = (length: number, from = 0) => Array.from({ length }, (_, i) => (from + i) % 251)
const frame = (type: FrameType, at = 0, payload: readonly number[] = []): Frame => ({
  type,
  at,
  payload: Uint8Array.from(payload),
})
const errorOf = (run: readonly SessionEffect[]) =>
  run.map((effect) => (effect.do === 'end' || effect.do === 'drop' ? [effect.do, effect.error?.name] : [effect.do]))

describe('sessionMachine', () => {
  it('carries bytes both ways, and ends when both have finished', () => {
    const [a, b] = joined()
    a.write(range(700))
    b.write(range(300, 7))
    settle(a, b)
    expect(b.delivered).toEqual(range(700))
    expect(a.delivered).toEqual(range(300, 7))
    a.feed({ type: 'finished' })
    settle(a, b)
    expect([b.isFinished, a.state.isOver, b.state.isOver]).toEqual([true, false, false])
    b.feed({ type: 'finished' })
    settle(a, b)
    expect([a.isFinished, a.state.isOver, b.state.isOver]).toEqual([true, true, true])
    expect(a.effects.at(-1)).toEqual({ do: 'end' })
  })
  it('stops when the window is full, and goes on when the other app has taken something', () => {
    const [a, b] = joined()
    b.isTaking = false
    expect(a.write(range(3_000)).length).toBe(decisions.windowBytes)
    settle(a, b)
    expect(b.delivered.length).toBe(decisions.windowBytes)
    expect(a.write([1])).toEqual([])
    b.isTaking = true
    b.take()
    settle(a, b)
    expect(a.write(range(3_000)).length).toBe(decisions.windowBytes)
    settle(a, b)
    expect(b.delivered.length).toBe(2 * decisions.windowBytes)
  })
  it('sends again over the next path what the last one lost, and nothing twice', () => {
    const [a, b] = joined()
    a.write(range(400))
    a.send() // and it is lost
    a.feed({ type: 'lost' })
    b.feed({ type: 'lost' })
    rejoin(a, b)
    settle(a, b)
    expect(b.delivered).toEqual(range(400))
  })
  it('takes what comes twice for what it is', () => {
    const [a, b] = joined()
    a.write(range(10))
    const [data] = a.send()
    b.feed({ type: 'frame', frame: data! })
    b.feed({ type: 'frame', frame: data! })
    b.feed({ type: 'frame', frame: frame('data', 5, range(10, 5)) }) // half of it is here already
    expect(b.delivered).toEqual(range(15))
  })
  it('sends from the middle of a frame, when the other end has its first half', () => {
    const [a, b] = joined()
    a.write(range(100))
    a.send()
    a.feed({ type: 'lost' })
    b.state = { ...b.state, received: 40, consumed: 40 }
    rejoin(a, b)
    settle(a, b)
    expect(b.delivered).toEqual(range(60, 40))
  })
  it('goes on over a path on which the answer to its end was lost', () => {
    const [a, b] = joined()
    a.feed({ type: 'finished' })
    b.feed({ type: 'finished' })
    for (const one of a.send()) b.feed({ type: 'frame', frame: one })
    b.send() // its end, and that it has ours: lost
    a.feed({ type: 'lost' })
    b.feed({ type: 'lost' })
    expect(b.state.isOver).toBe(true) // it has all, and only misses that we have its end
    expect(a.state.isOver).toBe(false)
  })
  it('drops a path with a gap, or with what must not come, and waits for another', () => {
    const dropped = (one: Frame) => {
      const [a, b] = joined()
      void a
      const run = b.feed({ type: 'frame', frame: one })
      expect(errorOf(run).at(-1)).toEqual(['drop', 'InvalidMessageError'])
      expect([b.state.isUp, b.state.isOver]).toEqual([false, false])
      expect(b.feed({ type: 'frame', frame: frame('data', 0, [1]) })).toEqual([]) // of a path that is no more
    }
    dropped(frame('data', 1, [1]))
    dropped(frame('data', 0, []))
    dropped(frame('fin', 1))
    dropped(frame('hello'))
    dropped(frame('welcome'))
    dropped(frame('refused'))
  })
  it('ends when the other end breaks what no path can mend', () => {
    const ended = (...frames: readonly Frame[]) => {
      const [, b] = joined()
      b.isTaking = false
      b.write(range(10))
      const runs = frames.flatMap((one) => b.feed({ type: 'frame', frame: one }))
      expect(errorOf(runs).at(-1)).toEqual(['end', 'InvalidMessageError'])
      expect(b.state.isOver).toBe(true)
      expect(b.send()).toEqual([])
    }
    ended(frame('ack', 1)) // nothing was sent
    ended(frame('fin', 0), frame('data', 0, [1]))
    ended(frame('data', 0, [1, 2]), frame('fin', 1))
    ended(...Array.from({ length: 13 }, (_, i) => frame('data', i * 100, range(100)))) // nobody takes it
  })
  it('refuses a path whose other end has more than was written, or less than was acknowledged', () => {
    const [a, b] = joined()
    a.write(range(10))
    settle(a, b)
    a.feed({ type: 'ticked' }, 50)
    b.feed({ type: 'ticked' }, 50)
    settle(a, b, 50)
    expect(a.state.acked).toBe(10)
    expect(errorOf(a.feed({ type: 'joined', received: 11 }))).toEqual([['end', 'InvalidMessageError']])
    const [c, d] = joined()
    c.write(range(10))
    settle(c, d)
    d.feed({ type: 'ticked' }, 50)
    settle(c, d, 50)
    expect(errorOf(c.feed({ type: 'joined', received: 9 }))).toEqual([['end', 'InvalidMessageError']])
  })
  it('goes on from what was acknowledged, when an opener has said how much it has and received more since', () => {
    const [opener, acceptor] = joined()
    acceptor.write(range(10))
    settle(opener, acceptor)
    const hello = opener.state.received
    acceptor.write(range(300, 10)) // the old path carries while the hello is under way
    settle(opener, acceptor)
    expect(acceptor.state.acked).toBeGreaterThan(hello)
    acceptor.feed({ type: 'joined', received: hello, isLeast: true })
    opener.feed({ type: 'joined', received: 0 })
    acceptor.write(range(90, 310))
    settle(opener, acceptor)
    expect(opener.delivered).toEqual(range(400))
    expect([opener.state.isOver, acceptor.state.isOver]).toEqual([false, false])
  })
  it('takes over a path the acknowledgement of what went over the one before', () => {
    const [opener, acceptor] = joined()
    const hello = opener.state.received
    acceptor.write(range(600)) // the old path carries while the hello is under way
    for (const one of acceptor.send()) opener.feed({ type: 'frame', frame: one })
    acceptor.feed({ type: 'joined', received: hello, isLeast: true })
    opener.feed({ type: 'joined', received: 0 })
    for (const one of opener.send()) acceptor.feed({ type: 'frame', frame: one }) // before anything is sent again
    expect(acceptor.state).toMatchObject({ acked: 600, sent: 600, isOver: false })
    acceptor.write(range(100, 600))
    settle(opener, acceptor)
    expect(opener.delivered).toEqual(range(700))
  })
  it('hears a reset with its reason', () => {
    const [a] = joined()
    const run = a.feed({ type: 'frame', frame: frame('reset', 0, [...new TextEncoder().encode('enough')]) })
    expect(run).toMatchObject([{ do: 'end', error: { name: 'ChainError', status: 'RESET' } }])
  })
  it('probes, answers probes, and measures', () => {
    const [a, b] = joined()
    a.feed({ type: 'ticked' }, 100)
    const [ping] = a.send()
    expect(ping).toMatchObject({ type: 'ping', at: 1 })
    b.feed({ type: 'frame', frame: ping! }, 103)
    const [pong] = b.send()
    expect(a.feed({ type: 'frame', frame: pong! }, 107)).toEqual([{ do: 'measure', rttMs: 7, lost: 0 }])
    expect(a.feed({ type: 'frame', frame: frame('pong', 9) }, 108)).toEqual([]) // nobody asked that
  })
  it('measures throughput only while there is enough to send', () => {
    const [a, b] = joined()
    for (let ms = 0; ms <= 1_200; ms += 100) {
      a.write(range(1_000))
      for (const one of a.send()) b.feed({ type: 'frame', frame: one }, ms)
      b.feed({ type: 'ticked' }, ms)
      a.feed({ type: 'ticked' }, ms)
      for (const one of b.send()) a.feed({ type: 'frame', frame: one }, ms)
    }
    const rates = a.effects.flatMap((effect) => (effect.do === 'measure' ? [effect.bytesPerSecond] : []))
    expect(rates.filter((rate) => rate !== undefined).length).toBeGreaterThan(0)
    for (const rate of rates) expect(rate ?? 5_000).toBeGreaterThan(1_000)
    const [c, d] = joined()
    c.write([1])
    for (let ms = 0; ms <= 2_000; ms += 100) {
      c.feed({ type: 'ticked' }, ms)
      d.feed({ type: 'ticked' }, ms)
      settle(c, d, ms)
    }
    expect(c.effects.some((effect) => effect.do === 'measure' && effect.bytesPerSecond !== undefined)).toBe(false)
  })
  it('gives up a silent path, and then the session', () => {
    const [a] = joined()
    a.feed({ type: 'ticked' }, 100)
    a.send()
    expect(a.feed({ type: 'ticked' }, 299)).toEqual([])
    const run = a.feed({ type: 'ticked' }, 300)
    expect(run.map((effect) => effect.do)).toEqual(['measure', 'drop'])
    expect(run[1]).toMatchObject({ error: { status: 'TIMEOUT' } })
    expect(a.feed({ type: 'ticked' }, 1_299)).toEqual([])
    expect(a.feed({ type: 'ticked' }, 1_300)).toMatchObject([{ do: 'end', error: { status: 'TIMEOUT' } }])
  })
  it('asks an end that answers no probe not for ever', () => {
    const [a] = joined()
    for (let ms = 100; ms < 10_000; ms += 100) {
      a.feed({ type: 'frame', frame: frame('ping', 1) }, ms)
      a.feed({ type: 'ticked' }, ms)
    }
    expect(a.state.probes.size).toBeLessThanOrEqual(16)
  })
  it('answers an idle end in time, without being asked', () => {
    const [a, b] = joined()
    a.write([1])
    settle(a, b)
    expect(a.state.acked).toBe(0) // a byte is not worth a frame
    b.feed({ type: 'ticked' }, 50)
    settle(a, b, 50)
    expect(a.state.acked).toBe(1)
  })

  it('property: whatever is written arrives once and in order, wherever paths are cut', () => {
    const action = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant('write' as const),
          end: fc.nat(1),
          bytes: fc.integer({ min: 1, max: 900 }),
        }),
      },
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant('carry' as const),
          end: fc.nat(1),
          frames: fc.integer({ min: 1, max: 4 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), lose: fc.nat(1), late: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('tick' as const), end: fc.nat(1) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('hold' as const), end: fc.nat(1) }) },
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        const ends = joined()
        const written: [number[], number[]] = [[], []]
        let now = 0
        for (const one of actions) {
          if (one.do === 'write') {
            const own = written[one.end]!
            own.push(...ends[one.end]!.write(range(one.bytes, own.length)))
          } else if (one.do === 'carry') {
            for (const carried of ends[one.end]!.send(one.frames))
              ends[1 - one.end]!.feed({ type: 'frame', frame: carried }, now)
          } else if (one.do === 'tick') ends[one.end]!.feed({ type: 'ticked' }, (now += 10))
          else if (one.do === 'hold') {
            const end = ends[one.end]!
            end.isTaking = !end.isTaking
            if (end.isTaking) end.take(now)
          } else {
            ends[one.lose]!.send(2) // on the way, and lost with the path
            if (one.late) ends[one.lose]!.feed({ type: 'lost' }, now)
            rejoin(ends[0], ends[1], now)
          }
        }
        for (const end of ends) {
          end.isTaking = true
          end.take(now)
          end.feed({ type: 'finished' }, now)
        }
        rejoin(ends[0], ends[1], now)
        settle(ends[0], ends[1], now)
        expect(ends[1].delivered).toEqual(written[0])
        expect(ends[0].delivered).toEqual(written[1])
        expect(ends.map(({ state }) => state.isOver)).toEqual([true, true])
        expect(ends.map(({ effects }) => effects.at(-1))).toEqual([{ do: 'end' }, { do: 'end' }])
      }),
      { numRuns: 300, seed: 5 },
    )
  })
  it('keeps nothing of a session that is over', () => {
    const a = new End()
    a.feed({ type: 'joined', received: 0 })
    a.feed({ type: 'frame', frame: frame('reset') })
    expect(a.feed({ type: 'joined', received: 0 })).toEqual([])
    expect(a.send()).toEqual([])
  })
})
