import fc from 'fast-check'
import { FairQueue, type Ticket } from 'rxswarm/operators'
import { describe, expect, it } from 'vitest'
import { FairFlow } from '../../src/operators/fair/fairFlow.ts'
import { FairLane } from '../../src/operators/fair/fairLane.ts'
import { FairTurns, type MayRun, type Turn } from '../../src/operators/fair/fairTurns.ts'

/** The items in the order in which they are taken. */
function taken<T>(queue: FairQueue<T>, most = Infinity, mayRun?: MayRun): readonly T[] {
  const items: T[] = []
  while (items.length < most) {
    const ticket = queue.take(0, mayRun)
    if (ticket === undefined) break
    items.push(ticket.item)
  }
  return items
}

/** Offers each letter as an item of the flow of that letter. */
function offerAll(queue: FairQueue<string>, lane: string, flows: string): void {
  for (const flow of flows) queue.offer(flow, lane, flow, 0)
}

/** 1 when all get the same, 1/n when one of n gets all. */
function jain(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0)
  return sum ** 2 / (shares.length * shares.reduce((a, b) => a + b ** 2, 0))
}

const times = (howMany: number, act: (index: number) => void) => {
  for (let index = 0; index < howMany; index++) act(index)
}
const problems = (act: () => unknown): readonly string[] => {
  try {
    act()
    return []
  } catch (error) {
    return (error as { problems: { path: string; message: string }[] }).problems.map(
      ({ path, message }) => `${path}: ${message}`,
    )
  }
}
const oneLane = (maxWaiting = 1_024) => new FairQueue<string>({ classes: [{ name: 'normal', maxWaiting }] })
const threeLanes = (strictBurst = 64) =>
  new FairQueue<string>({
    classes: [
      { name: 'control', strict: true, maxWaiting: 1_024 },
      { name: 'normal', weight: 4, maxWaiting: 1_024 },
      { name: 'bulk', weight: 1, maxWaiting: 1_024 },
    ],
    strictBurst,
  })

describe('FairQueue', () => {
  it('gives nothing when nothing waits', () => {
    expect(threeLanes().take(0)).toBeUndefined()
  })
  it('keeps the order of a flow', () => {
    const queue = oneLane()
    for (const item of 'abc') queue.offer(item, 'normal', 'one', 0)
    expect(taken(queue).join('')).toBe('abc')
  })
  it('lets the flows of a lane take turns', () => {
    const queue = oneLane()
    offerAll(queue, 'normal', 'aaaabbc')
    expect(taken(queue).join('')).toBe('abcabaa')
  })
  it('reckons by cost: a flow of dear items gets fewer of them', () => {
    const queue = oneLane()
    times(12, () => queue.offer('d', 'normal', 'dear', 0, 3))
    times(12, () => queue.offer('c', 'normal', 'cheap', 0, 1))
    expect(taken(queue, 12).join('')).toBe('ccdcccdcccdc')
  })
  it('serves an item that costs far more than a quantum without walking every round', () => {
    const queue = oneLane()
    queue.offer('a', 'normal', 'a', 0, Number.MAX_SAFE_INTEGER)
    queue.offer('b', 'normal', 'b', 0, 1e15)
    expect(taken(queue)).toEqual(['b', 'a'])
  })
  it('reckons with quanta and shares that are no whole numbers', () => {
    const queue = new FairQueue<string>({
      classes: [
        { name: 'few', weight: 1e-6, maxWaiting: 100 },
        { name: 'many', weight: 0.3, maxWaiting: 100 },
      ],
      quantum: 0.1,
    })
    times(50, () => queue.offer('f', 'few', 'f', 0, 0.7))
    times(50, () => queue.offer('m', 'many', 'm', 0, 1e9))
    expect(taken(queue)).toHaveLength(100)
  })

  describe('lanes', () => {
    it('serves strict lanes first, in the order given', () => {
      const queue = new FairQueue<string>({
        classes: [
          { name: 'normal', maxWaiting: 9 },
          { name: 'first', strict: true, maxWaiting: 9 },
          { name: 'second', strict: true, maxWaiting: 9 },
        ],
      })
      for (const lane of ['normal', 'second', 'first', 'second', 'first', 'normal']) queue.offer(lane, lane, 'one', 0)
      expect(taken(queue)).toEqual(['first', 'first', 'second', 'second', 'normal', 'normal'])
    })
    it('starves nobody: one other is served after each burst of strict items', () => {
      const queue = threeLanes(3)
      offerAll(queue, 'control', 'cccccccc')
      offerAll(queue, 'normal', 'nn')
      expect(taken(queue).join('')).toBe('cccncccncc')
    })
    it('starves no later strict lane', () => {
      const queue = new FairQueue<string>({
        classes: [
          ...['a', 'b', 'c'].map((name) => ({ name, strict: true, maxWaiting: 999 })),
          { name: 'n', maxWaiting: 9 },
        ],
        strictBurst: 4,
      })
      for (const lane of ['a', 'b', 'c', 'n']) times(lane === 'n' ? 9 : 90, () => queue.offer(lane, lane, 'one', 0))
      const first = taken(queue, 45).join('')
      expect(first.slice(0, 11)).toBe('aaaanbaaana')
      expect(first.match(/c/g)).not.toBeNull()
    })
    it('counts a burst only while somebody waits for its end', () => {
      const queue = threeLanes(3)
      offerAll(queue, 'control', 'cccccc')
      expect(taken(queue, 3).join('')).toBe('ccc')
      offerAll(queue, 'normal', 'n')
      expect(taken(queue).join('')).toBe('cccn')
    })
    it('lets no later strict lane go first for bursts in which it had nothing', () => {
      const classes = ['a', 'b'].map((name) => ({ name, strict: true, maxWaiting: 9 }))
      const queue = new FairQueue<string>({ classes, strictBurst: 2 })
      times(4, () => queue.offer('a', 'a', 'one', 0))
      expect(taken(queue, 3).join('')).toBe('aaa')
      queue.offer('b', 'b', 'one', 0)
      expect(taken(queue).join('')).toBe('ab')
    })
    it('shares by weight, exactly', () => {
      const queue = threeLanes()
      times(800, () => offerAll(queue, 'normal', 'n'))
      times(800, () => offerAll(queue, 'bulk', 'b'))
      for (let round = 0; round < 100; round++) expect(taken(queue, 5).join('')).toBe('nnnnb')
    })
    it('shares costs by weight, too', () => {
      const queue = threeLanes()
      times(1_000, () => queue.offer('n', 'normal', 'one', 0, 8))
      times(1_000, () => queue.offer('b', 'bulk', 'one', 0, 2))
      const first = taken(queue, 1_000)
      const spent = { n: 0, b: 0 }
      for (const item of first) spent[item as 'n' | 'b'] += item === 'n' ? 8 : 2
      expect(spent.n / spent.b).toBeCloseTo(4, 1)
    })
    it('gives a lane nothing for the time in which it had nothing to do', () => {
      const queue = threeLanes()
      times(100, () => offerAll(queue, 'bulk', 'b'))
      taken(queue, 50)
      times(100, () => offerAll(queue, 'normal', 'n'))
      const next = taken(queue, 10).join('')
      expect(next.match(/n/g)).toHaveLength(8)
    })
  })

  describe('a flood', () => {
    it('of 100 to 1 takes nothing from equal flows: Jain 0.99 or more', () => {
      const queue = oneLane()
      const honest = Array.from({ length: 99 }, (_, index) => `peer${index}`)
      const served = new Map<string, number>(['flood', ...honest].map((flow) => [flow, 0]))
      times(200, () => {
        times(100, () => queue.offer('flood', 'normal', 'flood', 0))
        for (const flow of honest) queue.offer(flow, 'normal', flow, 0)
        for (const flow of taken(queue, 100)) served.set(flow, served.get(flow)! + 1)
      })
      expect(jain([...served.values()])).toBeGreaterThanOrEqual(0.99)
      expect(Math.min(...served.values())).toBeGreaterThan(190)
    })
    it('of many flows of one item each drives out itself, not who waits already', () => {
      const queue = oneLane(10)
      offerAll(queue, 'normal', 'abcdefghi')
      times(1_000, (index) => queue.offer('!', 'normal', `made up ${index}`, 0))
      expect(taken(queue).join('')).toBe('abcdefghi!')
    })
  })

  describe('a full lane', () => {
    it('lets the newest item of the longest flow make room', () => {
      const queue = oneLane(4)
      for (const item of ['a1', 'a2', 'a3', 'b1']) queue.offer(item, 'normal', item[0]!, 0)
      const { ticket, refused } = queue.offer('c1', 'normal', 'c', 0)
      expect([ticket?.item, refused?.item, refused?.state]).toEqual(['c1', 'a3', 'refused'])
      expect(queue.size).toBe(4)
      expect(taken(queue)).toEqual(['a1', 'b1', 'c1', 'a2'])
    })
    it('refuses a newcomer whose flow is the longest', () => {
      const queue = oneLane(3)
      offerAll(queue, 'normal', 'aab')
      const { ticket, refused } = queue.offer('a', 'normal', 'a', 0)
      expect([ticket, refused?.item, refused?.state]).toEqual([undefined, 'a', 'refused'])
      expect(queue.cancel(refused!)).toBe(false)
      expect(queue.size).toBe(3)
    })
    it('refuses a newcomer whose flow is as long as the longest', () => {
      const queue = oneLane(6)
      offerAll(queue, 'normal', 'aabbcc')
      expect(queue.offer('a', 'normal', 'a', 0).refused?.flow).toBe('a')
    })
    it('leaves the other lanes alone', () => {
      const queue = new FairQueue<string>({ classes: ['x', 'y'].map((name) => ({ name, maxWaiting: 1 })) })
      queue.offer('x', 'x', 'one', 0)
      expect(queue.offer('y', 'y', 'one', 0).refused).toBeUndefined()
    })
    it('goes on after its only item made room', () => {
      const queue = oneLane(1)
      queue.offer('a', 'normal', 'a', 0)
      expect(queue.offer('b', 'normal', 'b', 0).refused?.item).toBe('a')
      expect(taken(queue)).toEqual(['b'])
    })
  })

  describe('cancel', () => {
    it('takes an item out, wherever it stands in its flow', () => {
      for (const gone of [0, 1, 2]) {
        const queue = oneLane()
        const tickets = ['a', 'b', 'c'].map((item) => queue.offer(item, 'normal', 'one', 0).ticket!)
        expect(queue.cancel(tickets[gone]!)).toBe(true)
        expect(tickets[gone]!.state).toBe('cancelled')
        expect(queue.size).toBe(2)
        expect(taken(queue).join('')).toBe('abc'.replace('abc'[gone]!, ''))
      }
    })
    it('forgets a flow and a lane with their last item', () => {
      const queue = threeLanes()
      const { ticket } = queue.offer('n', 'normal', 'one', 0)
      queue.cancel(ticket!)
      expect(queue.report(0)[1]).toMatchObject({ waiting: 0, flows: 0, cancelled: 1 })
      expect(queue.take(0)).toBeUndefined()
      offerAll(queue, 'normal', 'n')
      offerAll(queue, 'bulk', 'b')
      expect(taken(queue).join('')).toBe('nb')
    })
    it('is false for what was taken, was cancelled, or waits elsewhere', () => {
      const [queue, other] = [oneLane(), oneLane()]
      const { ticket: mine } = queue.offer('a', 'normal', 'a', 0)
      const { ticket: theirs } = other.offer('a', 'normal', 'a', 0)
      expect(queue.cancel(theirs!)).toBe(false)
      expect([queue.cancel(mine!), queue.cancel(mine!)]).toEqual([true, false])
      expect(other.cancel(other.take(0)!)).toBe(false)
      expect(queue.cancel({ ...theirs!, lane: 'normal', flow: 'a', state: 'waiting' })).toBe(false)
    })
  })

  describe('mayRun', () => {
    it('passes over a flow without costing it its turn', () => {
      const queue = oneLane()
      offerAll(queue, 'normal', 'aabbcc')
      expect(taken(queue, 3, (flow) => flow !== 'a').join('')).toBe('bcb')
      expect(taken(queue).join('')).toBe('aca')
    })
    it('saves nothing up for a flow that was passed over', () => {
      const queue = oneLane()
      times(40, () => offerAll(queue, 'normal', 'ab'))
      taken(queue, 20, (flow) => flow === 'b')
      expect(taken(queue, 8).join('')).toMatch(/^(ab){4}$/)
    })
    it('saves nothing up for it in rounds that are granted at once, either', () => {
      const queue = oneLane()
      for (let i = 0; i < 40; i++) for (const flow of 'ab') queue.offer(flow, 'normal', flow, 0, 10)
      taken(queue, 20, (flow) => flow === 'b')
      expect(taken(queue, 8).join('').match(/a/g)).toHaveLength(4)
    })
    it('passes over a lane of which no flow may run', () => {
      const queue = threeLanes()
      offerAll(queue, 'control', 'c')
      offerAll(queue, 'normal', 'n')
      offerAll(queue, 'bulk', 'b')
      expect(taken(queue, 9, (_, lane) => lane === 'bulk').join('')).toBe('b')
      expect(taken(queue).join('')).toBe('cn')
    })
    it('gives nothing when nobody may run', () => {
      const queue = threeLanes()
      offerAll(queue, 'control', 'cc')
      offerAll(queue, 'normal', 'nn')
      expect(queue.take(0, () => false)).toBeUndefined()
      expect(queue.size).toBe(4)
    })
    it('comes to an end with answers that change all the time', () => {
      const queue = threeLanes()
      times(20, () => offerAll(queue, 'normal', 'abc'))
      let asked = 0
      for (let calls = 0; queue.size > 0 && calls < 1_000; calls++) queue.take(0, () => asked++ % 3 === 0)
      expect(queue.size).toBe(0)
    })
    it('loses nothing when it throws', () => {
      const queue = oneLane()
      offerAll(queue, 'normal', 'ab')
      expect(() => queue.take(0, () => { throw new Error('no') })).toThrow('no') // prettier-ignore
      expect(taken(queue).join('')).toBe('ab')
    })
  })

  it('reports how long the oldest waits and the longest has waited', () => {
    const queue = threeLanes()
    queue.offer('a', 'normal', 'a', 100)
    queue.offer('b', 'normal', 'b', 130)
    expect(queue.report(150)[1]).toEqual({
      lane: 'normal',
      waiting: 2,
      flows: 2,
      oldestMs: 50,
      maxWaitedMs: 0,
      waitedMs: 0,
      waits: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      served: 0,
      refused: 0,
      cancelled: 0,
    })
    queue.take(160)
    queue.take(20_130)
    const waits = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]
    const report = { waiting: 0, oldestMs: 0, maxWaitedMs: 20_000, waitedMs: 20_060, waits, served: 2 }
    expect(queue.report(20_140)[1]).toMatchObject(report)
    expect(queue.report(0).map(({ lane }) => lane)).toEqual(['control', 'normal', 'bulk'])
  })

  describe('refuses', () => {
    it('a lane that it does not have, and a cost that is none', () => {
      expect(problems(() => threeLanes().offer('a', 'constructor', 'a', 0))).toEqual([
        "FairQueue.offer.lane: no lane is called 'constructor': control, normal, bulk",
      ])
      for (const cost of [0, -1, NaN, Infinity]) {
        expect(problems(() => oneLane().offer('a', 'normal', 'a', 0, cost))).toHaveLength(1)
      }
    })
    it('options that can not be used, with all that is wrong', () => {
      expect(problems(() => new FairQueue({ classes: [] }))).toEqual(['FairQueue.classes: must have at least one lane'])
      const classes = [
        { name: '', maxWaiting: Infinity },
        { name: 'a', weight: NaN, maxWaiting: 1.5 },
        { name: 'b', weight: Infinity, maxWaiting: 0 },
        { name: 'a', weight: 0, maxWaiting: 1 },
        { name: 'c', strict: true, weight: 2, maxWaiting: 1 },
      ]
      expect(problems(() => new FairQueue({ classes, strictBurst: 0, quantum: -1 }))).toEqual([
        'FairQueue.classes[0].name: must not be empty',
        'FairQueue.classes[0].maxWaiting: must be a whole number',
        'FairQueue.classes[1].weight: must be a number',
        'FairQueue.classes[1].maxWaiting: must be a whole number',
        'FairQueue.classes[2].weight: must be a number',
        'FairQueue.classes[2].maxWaiting: must be at least 1',
        'FairQueue.classes[3].weight: must be at least 0.000001',
        'FairQueue.classes[4].weight: a strict lane has no weight: it is served first',
        'FairQueue.classes[3].name: is the name of classes[1] too',
        'FairQueue.strictBurst: must be at least 1',
        'FairQueue.quantum: must be at least 0.000001',
      ])
    })
  })

  it('loses nothing: every item is taken, refused, cancelled or waits, and a flow keeps its order', () => {
    const lane = fc.constantFrom('control', 'normal', 'bulk')
    const flow = fc.constantFrom('a', 'b', 'c', 'd')
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('offer'), lane, flow, cost: fc.double({ min: 0.01, max: 50, noNaN: true }) }) }, // prettier-ignore
      { weight: 2, arbitrary: fc.record({ do: fc.constant('take'), blocked: fc.subarray(['a', 'b', 'c', 'd']) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel'), which: fc.nat() }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 4 }), (steps, maxWaiting) => {
        const queue = new FairQueue<number>({
          classes: [
            { name: 'control', strict: true, maxWaiting },
            { name: 'normal', weight: 3, maxWaiting },
            { name: 'bulk', weight: 0.5, maxWaiting },
          ],
          strictBurst: 2,
        })
        const waiting = new Map<number, Ticket<number>>()
        const last = new Map<string, number>()
        const seen = { taken: 0, refused: 0, cancelled: 0 }
        let offered = 0
        const gone = (ticket: Ticket<number>, how: keyof typeof seen) => {
          expect(ticket.state).toBe(how)
          seen[how]++
          waiting.delete(ticket.item)
        }
        const tookOne = (mayRun: MayRun) => {
          const ticket = queue.take(0, mayRun)
          if (ticket === undefined) return false
          expect(waiting.has(ticket.item)).toBe(true)
          const key = `${ticket.lane} ${ticket.flow}`
          expect(ticket.item).toBeGreaterThan(last.get(key) ?? -1)
          last.set(key, ticket.item)
          gone(ticket, 'taken')
          return true
        }
        for (const each of steps) {
          if ('lane' in each) {
            const item = offered++
            const { ticket, refused } = queue.offer(item, each.lane, each.flow, 0, each.cost)
            if (ticket !== undefined) waiting.set(item, ticket)
            else expect(refused?.item).toBe(item)
            if (refused !== undefined) gone(refused, 'refused')
          } else if ('blocked' in each) {
            const mayRun: MayRun = (name) => !each.blocked.includes(name)
            const someMay = [...waiting.values()].some((ticket) => mayRun(ticket.flow, ticket.lane))
            expect(tookOne(mayRun)).toBe(someMay)
          } else {
            const ticket = [...waiting.values()][each.which % Math.max(1, waiting.size)]
            if (ticket === undefined) continue
            expect(queue.cancel(ticket)).toBe(true)
            gone(ticket, 'cancelled')
          }
          expect(queue.size).toBe(waiting.size)
          expect(seen.taken + seen.refused + seen.cancelled + waiting.size).toBe(offered)
          const lanes = queue.report(0)
          expect(lanes.reduce((sum, { waiting: here }) => sum + here, 0)).toBe(waiting.size)
          for (const { waiting: here } of lanes) expect(here).toBeLessThanOrEqual(maxWaiting)
        }
        while (tookOne(() => true));
        expect([queue.size, waiting.size]).toEqual([0, 0])
      }),
      { numRuns: 200 },
    )
  })
})

describe('fairTurns', () => {
  const member = (quantum: number, cost: number): Member => ({
    deficit: 0,
    quantum,
    lacks: 0,
    next: undefined,
    prev: undefined,
    cost: () => cost,
  })
  interface Member extends Turn<Member> {}

  it('grants at once the rounds in which nobody can pay', () => {
    const turns = new FairTurns<Member>()
    let asked = 0
    const dear = { ...member(1, 1e12), cost: () => (asked++, 1e12) }
    turns.add(dear)
    expect(turns.turn(undefined)).toBe(dear)
    expect(asked).toBeLessThan(5)
  })
  it('gives everybody the same number of rounds, so that shares are those of the quanta', () => {
    const turns = new FairTurns<Member>()
    const [small, big] = [member(1, 10), member(3, 10)]
    turns.add(small)
    turns.add(big)
    let bigs = 0
    times(400, () => {
      const one = turns.turn(undefined)!
      if (one === big) bigs++
      turns.spend(one, 10, 10)
    })
    expect(bigs).toBe(300)
  })
  it('is empty after its last one went', () => {
    const turns = new FairTurns<Member>()
    const [one, two] = [member(1, 1), member(1, 1)]
    turns.add(one)
    turns.add(two)
    turns.remove(one)
    expect(turns.turn(undefined)).toBe(two)
    turns.remove(two)
    expect([turns.turn(undefined), turns.size, turns.first]).toEqual([undefined, 0, undefined])
  })
})

describe('fairLane', () => {
  it('takes what it has named the cost of', () => {
    const lane = new FairLane<string>({ name: 'normal', quantum: 1, share: 1, maxWaiting: 2 })
    lane.offer('a', 'one', 0, 7)
    expect(lane.take(0)).toBeUndefined()
    expect(lane.cost(undefined)).toBe(7)
    expect(lane.take(0)).toMatchObject({ item: 'a', lane: 'normal', flow: 'one', cost: 7 })
  })
})

describe('fairFlow', () => {
  const lane = new FairLane<string>({ name: 'normal', quantum: 1, share: 1, maxWaiting: 9 })

  it('costs what its oldest item costs, and nothing can pay for it when it may not run', () => {
    const flow = new FairFlow('one', lane, 1)
    expect(flow.cost(undefined)).toBe(Infinity)
    const first = flow.push('a', 0, 2)
    flow.push('b', 0, 3)
    expect([flow.cost(undefined), flow.cost(() => false)]).toEqual([2, Infinity])
    flow.remove(first)
    expect([flow.cost(() => true), flow.length]).toEqual([3, 1])
  })
})

describe('fairTicket', () => {
  it('is its own answer to an offer that nobody had to make room for', () => {
    const offer = oneLane().offer('a', 'normal', 'one', 5, 2)
    expect(offer.ticket).toBe(offer)
    expect(offer.refused).toBeUndefined()
    expect(offer.ticket).toMatchObject({ item: 'a', lane: 'normal', flow: 'one', cost: 2, offeredAtMs: 5 })
  })
})
