import { ping } from 'rxswarm'
import { concatMap, EMPTY, filter, from, map, NEVER, of, throwError } from 'rxjs'
import { simulate, type FaultSchedule } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { echo, withEcho } from './echo.ts'

const two = (seed = 7) => simulate({ seed, nodes: ['alice', 'bob'], ...withEcho })

const problems = (body: () => unknown): readonly string[] => {
  try {
    body()
  } catch (error) {
    const { problems } = error as { problems?: readonly { path: string; message: string }[] }
    return problems?.map(({ path, message }) => `${path}: ${message}`) ?? [String(error)]
  }
  return []
}

/** Five nodes that talk at random over a bad network. */
function chatter(seed: number, faults: FaultSchedule = [], use = 5) {
  const network = simulate({
    seed,
    nodes: use,
    ...withEcho,
    link: { latencyMs: { type: 'lognormal', medianMs: 30, sigma: 0.6 }, loss: 0.05, reorder: 0.1 },
    faults,
  })
  const { names } = network
  names.forEach((name, i) => {
    for (const other of names)
      if (other !== name)
        network
          .node(name)
          .execute(echo.say(other, `${i}`))
          .subscribe({ error: () => undefined })
  })
  network.advance(2_000)
  names.forEach((name) => network.node(name).command$.next(echo.say(names[0]!)))
  network.advance(20_000)
  const { log } = network
  network.dispose()
  return log
}

const trouble: FaultSchedule = [
  { atMs: 100, fault: { type: 'partition', groups: [['n1', 'n2'], ['n3']] } },
  { atMs: 900, fault: { type: 'heal' } },
  { atMs: 1_000, fault: { type: 'crash', node: 'n4' } },
  { atMs: 1_900, fault: { type: 'restart', node: 'n4' } },
  { atMs: 2_010, fault: { type: 'block', from: 'n5', to: 'n1' } },
]

describe('simulate', () => {
  it('runs a behaviour in virtual time: a dial, a stream and an answer are a round trip each', () => {
    const network = two()
    expect(network.until(network.node('alice').execute(echo.say('bob')))).toBe('hello')
    expect(network.now).toBe(120)
  })
  it('takes the commands of what is in use, and no others', () => {
    const network = two()
    const result: string = network.until(network.node('alice').execute(echo.say('bob')))
    expect(result).toBe('hello')
    // @ts-expect-error nobody answers pings here
    expect(() => network.until(network.node('alice').execute(ping.once({ peer: 'bob' })))).toThrow(
      'no behaviour in use',
    )
  })
  it('gives the same log for the same seed, 100 times out of 100', () => {
    const first = chatter(7, trouble).join('\n')
    expect(first).toContain('echo:heard')
    expect(first).toContain('peer:disconnect')
    for (let i = 0; i < 100; i++) {
      if (chatter(7, trouble).join('\n') !== first) expect.fail(`run ${i} differs`)
    }
  })
  it('gives the same log when the process has made other commands in between', () => {
    const first = chatter(7)
    for (let i = 0; i < 10; i++) ping.once({ peer: 'somebody' })
    expect(chatter(7)).toEqual(first)
  })
  it('gives another log for another seed', () => {
    expect(chatter(8)).not.toEqual(chatter(7))
  })
  it('names commands by node, connections by network', () => {
    const network = two()
    network.node('bob').command$.next(echo.say('alice'))
    network.until(network.node('alice').execute(echo.say('bob')))
    const events = network.log.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events.filter(({ type }) => type === 'echo:heard').map(({ cause }) => cause)).toEqual(['bob-1', 'alice-1'])
    const ids = events.flatMap(({ connection }) =>
      connection === undefined ? [] : [(connection as { id: string }).id],
    )
    expect(ids).toEqual(['c1', 'c2', 'c1', 'c2'])
  })
  it('writes no log when it is not to', () => {
    const network = simulate({ seed: 7, nodes: 2, log: false, ...withEcho })
    network.until(network.node('n1').execute(echo.say('n2')))
    expect(network.log).toEqual([])
  })
  it('tells the state of a node, which starts over with a restart', () => {
    const network = two()
    const alice = network.node('alice')
    const peers: number[] = []
    alice.state$.subscribe((state) => peers.push(state.peers.size))
    network.until(alice.execute(echo.say('bob')))
    expect([...alice.state().peers.keys()]).toEqual(['bob'])
    alice.restart()
    expect(alice.state().peers.size).toBe(0)
    expect(alice.state().addresses).toEqual(['/sim/alice/1/p2p/alice'])
    expect(peers.at(-1)).toBe(0)
    expect(Math.max(...peers)).toBe(1)
  })
  it('settles what was asked of a node that crashes, and refuses what is asked then', () => {
    const network = two()
    const alice = network.node('alice')
    const failed: string[] = []
    const hear = { error: ({ name }: Error) => void failed.push(name) }
    const events: string[] = []
    alice.event$.subscribe(({ type }) => events.push(type))
    alice.execute(echo.say('bob')).subscribe(hear)
    network.advance(50)
    alice.crash()
    expect(failed).toEqual(['StoppedError'])
    alice.execute(echo.say('bob')).subscribe(hear)
    expect(failed).toEqual(['StoppedError', 'StoppedError'])
    const before = events.length
    alice.command$.next(echo.say('bob'))
    expect(events.slice(before)).toEqual(['command:failed'])
    alice.restart()
    expect(network.until(alice.execute(echo.say('bob')))).toBe('hello')
  })
  it('crashes and restarts by its schedule', () => {
    const network = simulate({
      seed: 7,
      nodes: ['alice', 'bob'],
      ...withEcho,
      faults: [
        { atMs: 1_000, fault: { type: 'crash', node: 'bob' } },
        { atMs: 9_000, fault: { type: 'restart', node: 'bob' } },
      ],
    })
    const alice = network.node('alice')
    network.advance(2_000)
    expect(() => network.until(alice.execute(echo.say('bob')))).toThrow('not settled within 5000 ms')
    network.advance(4_000)
    expect(network.until(alice.execute(echo.say('bob')))).toBe('hello')
  })
  it('waits for commands in flight when a node stops, as long as it may', () => {
    const network = two()
    const alice = network.node('alice')
    const heard: string[] = []
    alice.execute(echo.say('bob')).subscribe((said) => heard.push(said))
    alice.stop()
    network.advance(1_000)
    expect(heard).toEqual(['hello'])
    expect(network.log.findLast((line) => line.includes('alice","type'))).toContain('swarm:stopped')
    expect(alice.state().phase).toBe('stopped')
    alice.stop()
    alice.restart()
    expect(alice.state().phase).toBe('running')
  })
  it('gives each node its own clock', () => {
    const nodes = { alice: {}, bob: { clockSkewMs: 250, driftPpm: 100_000 } }
    const network = simulate({ seed: 7, nodes, ...withEcho })
    const at: number[] = []
    network.node('bob').event$.subscribe((event) => at.push(event.at))
    network.until(network.node('alice').execute(echo.say('bob')))
    expect(at[0]).toBe(250 + 20 * 1.1)
    network.inject({ type: 'skew', node: 'bob', offsetMs: -1_000 })
    network.advance(880)
    network.node('bob').execute(echo.say('alice')).subscribe()
    network.advance(200)
    expect(at.at(-1)).toBe(Math.round((1_080 * 1.1 - 1_000) * 1_000) / 1_000)
  })
  it('shows virtual time as Date.now while it moves, and only then', () => {
    const network = two()
    const dates: number[] = []
    network.node('alice').event$.subscribe(() => dates.push(Date.now()))
    network.until(network.node('alice').execute(echo.say('bob')))
    expect(dates.at(-1)).toBe(120)
    expect(Date.now()).toBeGreaterThan(1e12)
  })
  it('lets promises of user code run between moments when it settles', async () => {
    const network = two()
    const alice = network.node('alice')
    const heard: string[] = []
    from(Promise.resolve('bob'))
      .pipe(
        concatMap((to) => alice.execute(echo.say(to))),
        concatMap(async (said) => Promise.resolve(`${said} at ${network.now}`)),
      )
      .subscribe((said) => heard.push(said))
    await network.settle(1_000)
    expect(heard).toEqual(['hello at 120'])
    expect(network.now).toBe(1_000)
  })
  describe('until', () => {
    it('gives the first value, and what comes at once without moving the time', () => {
      const network = two()
      expect(network.until(of(1, 2))).toBe(1)
      expect(network.now).toBe(0)
      const peers$ = network.node('alice').state$.pipe(
        map(({ peers }) => peers.size),
        filter((size) => size > 0),
      )
      network.node('alice').command$.next(echo.say('bob'))
      expect(network.until(peers$)).toBe(1)
      expect(network.now).toBe(40)
    })
    it('throws what the source does, or that there was nothing in time', () => {
      const network = two()
      expect(() => network.until(throwError(() => new Error('broken')))).toThrow('broken')
      expect(() => network.until(NEVER, 500)).toThrow('no value within 500 ms')
      expect(network.now).toBe(500)
      expect(() => network.until(EMPTY)).toThrow('no elements in sequence')
    })
  })
  it('throws what a subscriber threw: in a test it is an assertion', () => {
    const network = two()
    network.node('alice').event$.subscribe(() => expect.fail('not this'))
    network.node('alice').command$.next(echo.say('bob'))
    expect(() => network.advance(1_000)).toThrow('not this')
  })
  it('runs nothing after it has been disposed of', () => {
    const network = two()
    const heard: string[] = []
    network
      .node('alice')
      .execute(echo.say('bob'))
      .subscribe({ error: ({ name }: Error) => heard.push(name) })
    network.node('alice').event$.subscribe({ complete: () => heard.push('over') })
    network.dispose()
    network.advance(10_000)
    expect(heard).toEqual(['StoppedError', 'over'])
  })
  it('says all that is wrong with its options', () => {
    const bad = {
      seed: null,
      nodes: ['alice', 'bob', 'alice'],
      use: 3,
      link: { latencyMs: -1, loss: 1, bandwidthBytesPerSecond: 0, speed: 3 },
      transport: 'pigeon',
      idleTimeoutMs: 0,
      faults: [{ atMs: -1, fault: { type: 'flood' } }],
    }
    expect(problems(() => simulate(bad as never)).map((line) => line.split(':')[0])).toEqual([
      'seed',
      'nodes',
      'use',
      'link.latencyMs',
      'link.loss',
      'link.bandwidthBytesPerSecond',
      'link.speed',
      'transport',
      'faults[0].atMs',
      'faults[0].fault.type',
      'idleTimeoutMs',
    ])
  })
  it('says which nodes are not there, and which behaviours have no simulated ports', () => {
    const faults: FaultSchedule = [
      { atMs: 0, fault: { type: 'partition', groups: [['alice'], ['eve']] } },
      { atMs: 0, fault: { type: 'block', from: 'alice', to: 'mallory' } },
    ]
    expect(
      problems(() =>
        simulate({ seed: 1, nodes: ['alice'], use: () => [echo()], links: { 'alice>bob': {}, x: {} }, faults }),
      ),
    ).toEqual([
      "links['alice>bob']: there is no node bob",
      "links['x']: must name a direction, as in alice>bob",
      'faults[0].fault.groups[1][0]: there is no node eve',
      'faults[1].fault.to: there is no node mallory',
      "ports.echo: use('alice') has the behaviour echo, which has no simulated ports; give them here",
    ])
    const network = two()
    expect(problems(() => network.inject({ type: 'crash', node: 'eve' }))).toEqual(['fault.node: there is no node eve'])
    expect(problems(() => network.node('eve'))).toEqual(['name: there is no node eve; there are alice, bob'])
    expect(problems(() => network.advance(Number.NaN))).toHaveLength(1)
  })
})
