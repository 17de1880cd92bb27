import { mergeMap, Subject, throwError, type OperatorFunction } from 'rxjs'
import { FairQueue, mergeMapFairly, type FairOptions } from '../src/operators/index.ts'
import { compare, type Bench } from './compare.ts'
import { interleave, type Measure } from './interleave.ts'

/** A turn is long enough that what is measured is compiled code. @unit milliseconds */
const TURN_MS = 300
const ROUNDS = 9
const WARM_UPS = 4
const FLOWS = 100
/** Items that wait at once: ten of each flow. */
const BATCH = 1_000
/** The flooder sends this many for one of everybody else. */
const FLOOD = 100
const unit = 'items/s'
const goal = { atLeastPerSecond: 1_000_000, index: 0.99 }
const flowNames = Array.from({ length: FLOWS }, (_, index) => `peer${index}`)

/** An item, as commands are: an object that says whose it is. */
interface Item {
  readonly flow: string
}
const items: readonly Item[] = Array.from({ length: BATCH }, (_, index) => ({ flow: flowNames[index % FLOWS]! }))

/** How many a second come out again, when a batch goes in and comes out by turns. */
const rate =
  (put: (item: Item) => void, drain: () => number): Measure =>
  () => {
    const start = performance.now()
    let came = 0
    let sent = 0
    while (performance.now() - start < TURN_MS) {
      for (const item of items) put(item)
      sent += items.length
      came += drain()
    }
    const seconds = (performance.now() - start) / 1_000
    if (came !== sent) throw new Error(`${came} of ${sent} items came out`)
    return sent / seconds
  }

/** One lane of 100 flows. */
function fairFlows(): Measure {
  const queue = new FairQueue<Item>({ classes: [{ name: 'normal', maxWaiting: BATCH }] })
  return rate(
    (item) => queue.offer(item, 'normal', item.flow, 0),
    () => drained(() => queue.take(0)),
  )
}

/** 100 lanes of one flow, every tenth strict. */
function fairLanes(): Measure {
  const classes = flowNames.map((name, index) => ({
    name,
    maxWaiting: BATCH,
    ...(index % 10 === 0 ? { strict: true } : { weight: 1 + (index % 4) }),
  }))
  const queue = new FairQueue<Item>({ classes })
  return rate(
    (item) => queue.offer(item, item.flow, 'one', 0),
    () => drained(() => queue.take(0)),
  )
}

/** First in, first out: a list and a position. */
function firstInFirstOut(): Measure {
  let list: Item[] = []
  return rate(
    (item) => list.push(item),
    () => {
      let next = 0
      const count = drained(() => list[next++])
      list = []
      return count
    },
  )
}

function drained(take: () => unknown): number {
  let count = 0
  while (take() !== undefined) count++
  return count
}

/** A hundred run at once, the others wait; each is ended in turn. */
function through(operator: (project: (item: Item) => Subject<Item>) => OperatorFunction<Item, Item>): Measure {
  const source$ = new Subject<Item>()
  let running: Subject<Item>[] = []
  let came = 0
  const project = () => {
    const end$ = new Subject<Item>()
    running.push(end$)
    return end$
  }
  source$.pipe(operator(project)).subscribe(() => came++)
  return rate(
    (item) => source$.next(item),
    () => {
      const before = came
      while (running.length > 0) {
        const ending = running
        running = []
        for (const end$ of ending) {
          end$.next(items[0]!)
          end$.complete()
        }
      }
      return came - before
    },
  )
}

const fairOptions: FairOptions<Item, Item> = {
  concurrent: FLOWS,
  lanes: { normal: {} },
  laneOf: () => 'normal',
  flowOf: ({ flow }) => flow,
  refused: (_, error) => throwError(() => error),
}

function against(name: string, ours: Measure, peer: Measure, peerName: string, oursAtLeast?: number): Bench {
  return {
    names: [name],
    run: async () => {
      const rates = await interleave({ ours, peer }, { rounds: ROUNDS, warmUps: WARM_UPS })
      const absolute = oursAtLeast === undefined ? {} : { oursAtLeast }
      return [compare(rates.ours, rates.peer, { name, unit, peerName, better: 'more', ...absolute })]
    },
  }
}

/** Jain's index of what each flow got: 1 when all got the same, 1/n when one of n got all. */
function jain(shares: readonly number[]): number {
  const sum = shares.reduce((all, share) => all + share, 0)
  return sum ** 2 / (shares.length * shares.reduce((all, share) => all + share ** 2, 0))
}

/** A flow sends a hundred times what each other sends, and as many are taken as there are flows. */
function flooded(offer: (item: Item) => void, take: () => Item | undefined): number {
  const got = new Map(flowNames.map((flow) => [flow, 0]))
  const [flooder, ...honest] = items.slice(0, FLOWS)
  for (let round = 0; round < 1_000; round++) {
    for (let sent = 0; sent < FLOOD; sent++) offer(flooder!)
    for (const item of honest) offer(item)
    for (let taken = 0; taken < FLOWS; taken++) {
      const item = take()
      if (item !== undefined) got.set(item.flow, got.get(item.flow)! + 1)
    }
  }
  return jain([...got.values()])
}

function fairness(): Bench {
  const name = 'lanes-fairness'
  const fair = () => {
    const queue = new FairQueue<Item>({ classes: [{ name: 'normal', maxWaiting: BATCH }] })
    return flooded(
      (item) => queue.offer(item, 'normal', item.flow, 0),
      () => queue.take(0)?.item,
    )
  }
  const inOrderOfArrival = () => {
    const list: Item[] = []
    return flooded(
      (item) => void (list.length < BATCH && list.push(item)),
      () => list.shift(),
    )
  }
  return {
    names: [name],
    run: async () => {
      const series = await interleave({ ours: fair, peer: inOrderOfArrival }, { rounds: 1, warmUps: 0 })
      const about = { name, unit: 'Jain', peerName: 'list, 1 floods', better: 'more' } as const
      return [compare(series.ours, series.peer, { ...about, oursAtLeast: goal.index })]
    },
  }
}

/**
 * What fairness costs: items through 100 flows and through 100 lanes of a `FairQueue`, against a plain list; through
 * `mergeMapFairly`, against `mergeMap`. And what it brings: Jain's index when one flow floods.
 *
 * @shape  A thousand items go in, then all come out. Both operators run a hundred at once, so that most items wait.
 */
export const lanes: readonly Bench[] = [
  against('lanes-flows', fairFlows(), firstInFirstOut(), 'list', goal.atLeastPerSecond),
  against('lanes-lanes', fairLanes(), firstInFirstOut(), 'list', goal.atLeastPerSecond),
  against(
    'lanes-mergeMap',
    through((project) => mergeMapFairly(project, fairOptions)),
    through((project) => mergeMap(project, FLOWS)),
    'mergeMap',
  ),
  fairness(),
]
