import {
  command,
  connections,
  createSwarm,
  gossipsub,
  identify,
  kad,
  ping,
  type AnyCommand,
  type BehaviourModule,
  type Command,
  type ConfigError,
  type Outcome,
  type SwarmOptions,
} from 'rxswarm'
import { filter, map, mergeMap, NEVER, of, throwError, toArray, type Observable } from 'rxjs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  acquaint,
  bytes,
  first,
  five,
  listenAddress,
  nth,
  startSwarm,
  startSwarms,
  type FiveSwarm,
  type Group,
} from './support/swarms.ts'
import { eventually, failure, processErrors, timed, until } from './support/wait.ts'

const nobody = '12D3KooWCd3eX8r5ihRvzK7P1yPq5aakaBJhG5GNj18YTztPhoCa'

let swarms: Group
let a: FiveSwarm
let b: FiveSwarm
let errors: ReturnType<typeof processErrors>

beforeAll(async () => {
  swarms = await startSwarms(2, 'tcp')
  a = nth(swarms, 0)
  b = nth(swarms, 1)
  await acquaint(a, b)
})
afterAll(() => swarms[Symbol.asyncDispose]())
beforeEach(() => {
  errors = processErrors()
})
afterEach(async () => {
  const rttMs = await first(a.execute(ping.once({ peer: b.self })))
  expect(rttMs).toBeGreaterThanOrEqual(0)
  expect(errors.seen).toEqual([])
  errors[Symbol.dispose]()
})

type Bad = readonly [name: string, make: () => unknown, error: string, field: string | undefined]

const invalid = (name: string, make: () => unknown, field: string): Bad => [name, make, 'InvalidCommandError', field]
const raw = (type: string, payload: object = {}, rest: object = {}) => ({ ...command(type, payload), ...rest })
const listing = (rest: object) => ({ ...connections.list(), ...rest })
const deadline = (deadlineMs: unknown) => listing({ meta: { deadlineMs } })

const bad: readonly Bad[] = [
  // addresses and peers
  ...['/ip4/999.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp', '/nonsense/x', '/', '/ip4/127.0.0.1/tcp/1/p2p/xyz', 'xyz', ''].map(
    (to) => invalid(`dial ${JSON.stringify(to)}`, () => connections.dial({ to }), 'to'),
  ),
  invalid('dial no address', () => connections.dial({ to: [] }), 'to'),
  invalid('dial one good and one bad address', () => connections.dial({ to: [...b.addresses, '/nope'] }), 'to'),
  invalid('dial undefined', () => connections.dial({ to: undefined as never }), 'to'),
  invalid('dial without a target', () => raw('connections/dial'), 'to'),
  invalid('dial a number', () => raw('connections/dial', { to: 7 }), 'to'),
  ['dial an unknown peer', () => connections.dial({ to: nobody }), 'UnknownPeerError', undefined],
  invalid('dial itself by peer id', () => connections.dial({ to: a.self }), 'to'),
  invalid('dial itself by address', () => connections.dial({ to: a.addresses }), 'to'),
  invalid(
    'dial itself by an address without peer id',
    () => connections.dial({ to: a.addresses.map((address) => address.replace(/\/p2p\/.*/, '')) }),
    'to',
  ),
  ...(
    [
      ['ping', (peer: string) => ping.once({ peer })],
      ['watch', (peer: string) => ping.watch({ peer })],
      ['identify', (peer: string) => identify.once({ peer })],
      ['find', (peer: string) => kad.findPeer({ peer })],
      ['hang up', (peer: string) => connections.hangUp({ peer })],
    ] as const
  ).flatMap(([verb, make]): Bad[] => [
    ...(verb === 'watch' ? [] : [invalid(`${verb} a malformed peer id`, () => make('xyz'), 'peer')]),
    invalid(`${verb} an empty peer id`, () => make(''), 'peer'),
    invalid(`${verb} undefined`, () => make(undefined as never), 'peer'),
    invalid(`${verb} itself`, () => make(a.self), 'peer'),
  ]),
  ['ping an unknown peer', () => ping.once({ peer: nobody }), 'UnknownPeerError', undefined],
  ['identify an unknown peer', () => identify.once({ peer: nobody }), 'UnknownPeerError', undefined],
  ['hang up on an unknown peer', () => connections.hangUp({ peer: nobody }), 'UnknownPeerError', undefined],
  ['find an unknown peer', () => kad.findPeer({ peer: nobody }), 'NotFoundError', undefined],
  ...[0, -1, Number.NaN, Infinity, '5'].map((intervalMs) =>
    invalid(
      `watch every ${String(intervalMs)} ms`,
      () => raw('ping/watch', { peer: b.self, intervalMs }),
      'intervalMs',
    ),
  ),
  invalid('listen on nonsense', () => connections.listen({ address: '/nope' }), 'address'),
  invalid('listen on nothing', () => raw('connections/listen'), 'address'),
  [
    'listen on a foreign address',
    () => connections.listen({ address: '/ip4/192.0.2.1/tcp/0' }),
    'DialError',
    undefined,
  ],
  [
    'listen on a transport not in use',
    () => connections.listen({ address: listenAddress('quic') }),
    'DialError',
    undefined,
  ],
  invalid('unlisten nonsense', () => connections.unlisten({ address: '/nope' }), 'address'),
  invalid(
    'unlisten what is not listened on',
    () => connections.unlisten({ address: '/ip4/127.0.0.1/tcp/1' }),
    'address',
  ),
  // records
  [
    'an oversize record',
    () => kad.put({ key: '/app/x', value: new Uint8Array((1 << 20) + 1) }),
    'InvalidRecordError',
    'value',
  ],
  [
    'a record that its rule refuses',
    () => kad.put({ key: '/app/x', value: new Uint8Array(1_001) }),
    'InvalidRecordError',
    'value',
  ],
  ['a record without a rule', () => kad.put({ key: '/other/x', value: bytes('x') }), 'InvalidRecordError', 'key'],
  ['a get without a rule', () => kad.get({ key: '/other/x' }), 'InvalidRecordError', 'key'],
  ['a key without a namespace', () => kad.put({ key: 'x', value: bytes('x') }), 'InvalidRecordError', 'key'],
  ['a get without a namespace', () => kad.get({ key: 'x' }), 'InvalidRecordError', 'key'],
  ['a put without a key', () => raw('kad/put', { value: bytes('x') }), 'InvalidRecordError', 'key'],
  ...['text', 7, null, undefined, [1, 2], new ArrayBuffer(2)].map((value) =>
    invalid(`a value that is ${JSON.stringify(value)}`, () => raw('kad/put', { key: '/app/x', value }), 'value'),
  ),
  ...['not a cid', '', 'bafkqqqq', undefined, 7].flatMap((cid): Bad[] => [
    invalid(`provide ${String(cid)}`, () => raw('kad/provide', { cid }), 'cid'),
    invalid(`find providers of ${String(cid)}`, () => raw('kad/find-providers', { cid, max: 1 }), 'cid'),
  ]),
  ...[0, -1, 1.5, Number.NaN, '3'].map((max) => {
    const cid = 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
    return invalid(`find ${max} providers`, () => raw('kad/find-providers', { cid, max }), 'max')
  }),
  ...['', undefined, 7].map((key) =>
    invalid(`closest to ${String(key)}`, () => raw('kad/closest-peers', { key }), 'key'),
  ),
  ...['wrong', '', undefined, 1].map((mode) =>
    invalid(`mode ${String(mode)}`, () => raw('kad/set-mode', { mode }), 'mode'),
  ),
  // messages
  invalid('publish to an empty topic', () => gossipsub.publish({ topic: '', data: bytes('x') }), 'topic'),
  invalid('publish to no topic', () => raw('gossipsub/publish', { data: bytes('x') }), 'topic'),
  invalid('subscribe to an empty topic', () => gossipsub.subscribe({ topic: '' }), 'topic'),
  invalid('subscribe to a number', () => raw('gossipsub/subscribe', { topic: 7 }), 'topic'),
  invalid('peers of an empty topic', () => gossipsub.peers({ topic: '' }), 'topic'),
  invalid('an oversize message', () => gossipsub.publish({ topic: 't', data: new Uint8Array(1 << 20) }), 'data'),
  ...['text', 7, null, undefined].map((data) =>
    invalid(`data that is ${String(data)}`, () => raw('gossipsub/publish', { topic: 't', data }), 'data'),
  ),
  ['publish to nobody', () => gossipsub.publish({ topic: 'nobody', data: bytes('x') }), 'PubsubError', undefined],
  // what is no command
  ...[null, undefined, 7, 'text', true].map((sent) => invalid(`${String(sent)} as a command`, () => sent, 'command')),
  invalid('no type', () => ({ id: 'no-type' }), 'type'),
  invalid('an empty type', () => ({ id: 'empty-type', type: '' }), 'type'),
  invalid('a type that is a number', () => ({ id: 'number-type', type: 7 }), 'type'),
  invalid('a list', () => [], 'type'),
  ...['unknown/verb', 'constructor', '__proto__', 'kad', 'kad/'].map((type): Bad => [
    `a command of type ${type}`,
    () => raw(type),
    'UnknownCommandError',
    undefined,
  ]),
  invalid('no id', () => ({ type: 'connections/list' }), 'id'),
  ...['', 7, null].map((id) => invalid(`id ${JSON.stringify(id)}`, () => listing({ id }), 'id')),
  ...[null, 'text', 7].map((meta) => invalid(`meta ${JSON.stringify(meta)}`, () => listing({ meta }), 'meta')),
  ...[0, -1, Number.NaN, Infinity, -Infinity, '5', null, {}].map((ms) =>
    invalid(`a deadline of ${JSON.stringify(ms)}`, () => deadline(ms), 'meta.deadlineMs'),
  ),
  invalid(
    'a subscription with a deadline of 0',
    () => gossipsub.subscribe({ topic: 't' }, { deadlineMs: 0 }),
    'meta.deadlineMs',
  ),
]

describe.each(bad)('%s', (_name, make, name, field) => {
  const expected = { name, ...(field === undefined ? {} : { field }) }

  it(`fails execute with ${name}${field === undefined ? '' : ` that names ${field}`}`, async () => {
    const error = await failure(first(a.execute(make() as never)))
    expect(error).toMatchObject(expected)
    expect(error.message).not.toBe('')
  })

  it('fails command$ with an event that names the command', async () => {
    const sent = make()
    const id = (sent as AnyCommand | null | undefined)?.id
    const heard = until(
      a.event$,
      (event) => event.type === 'command:failed' && (event.cause === id || typeof id !== 'string' || id === ''),
    )
    a.command$.next(sent as never)
    const event = await heard
    expect(event).toMatchObject({ type: 'command:failed', error: expected })
  })
})

describe('a duplicate id', () => {
  it('in flight on command$ fails the second, and the first goes on', async () => {
    const one = ping.once({ peer: b.self })
    const outcomes: Outcome[] = []
    const listening = a.event$.pipe(filter(isOutcome)).subscribe((outcome) => outcomes.push(outcome))
    a.command$.next(one)
    a.command$.next(one)
    await eventually(() => outcomes.length === 2)
    listening.unsubscribe()
    expect(outcomes[0]).toMatchObject({ type: 'command:failed', error: { name: 'InvalidCommandError', field: 'id' } })
    expect(outcomes[0]?.cause).toBeUndefined()
    expect(outcomes[1]).toMatchObject({ type: 'command:completed', cause: one.id })
  })

  it('by execute is given an id of its own, and both are answered', async () => {
    const answer$ = a.execute(ping.once({ peer: b.self }))
    const both = await Promise.all([first(answer$), first(answer$)])
    expect(both).toHaveLength(2)
  })

  it('is free again when the first has settled', async () => {
    const one = connections.list()
    for (let again = 0; again < 3; again++) {
      const settled = until(a.event$, (event) => isOutcome(event) && event.cause === one.id)
      a.command$.next(one)
      expect((await settled).type).toBe('command:completed')
    }
  })
})

describe('a command after the stop', () => {
  it('is a StoppedError whatever it is, unless it is none', async () => {
    const stopped = await startSwarm('tcp')
    await stopped.stop()
    expect((await failure(first(stopped.execute(connections.list())))).name).toBe('StoppedError')
    expect((await failure(first(stopped.execute(null as never)))).name).toBe('InvalidCommandError')
  })
})

describe('a configuration', () => {
  const rejected = async (options: unknown) => (await failure(createSwarm(options as never))) as ConfigError

  it('with many problems names them all', async () => {
    const error = await rejected({
      use: [
        connections,
        ping(),
        ping(),
        kad({
          mode: 'wrong' as never,
          protocol: 'x',
          maxRecordBytes: -1,
          records: { 'a/b': { validate: () => true } },
        }),
        gossipsub({ maxMessageBytes: 1e9, validators: { '': () => true, t: 5 as never }, extra: 1 } as never),
        { name: 'half' },
      ],
      transports: ['pigeon'],
      listen: ['/nonsense', '/ip4/127.0.0.1/tcp/0', 7],
      maxConnections: 0,
      deadlineMs: -1,
      limits: { intake: 0, openEnded: 1.5, extra: 1 },
      identity: 'me',
      commandChain: 'no function',
      random: 5,
      scheduler: {},
      libp2p: {},
      wrong: true,
    })
    expect(error.name).toBe('ConfigError')
    const paths = error.problems.map(({ path }) => path)
    for (const path of [
      'wrong',
      'use[0]',
      'use[2].name',
      'use[5]',
      'transports[0]',
      'listen[0]',
      'listen[2]',
      'maxConnections',
      'deadlineMs',
      'limits.intake',
      'limits.openEnded',
      'limits.extra',
      'identity',
      'commandChain',
      'random',
      'scheduler',
      'libp2p',
      'use[3]: kad.mode',
      'use[3]: kad.protocol',
      'use[3]: kad.maxRecordBytes',
      'use[4]: gossipsub.maxMessageBytes',
      'use[4]: gossipsub.extra',
      'use[4]: gossipsub.validators.t',
    ]) {
      expect(paths).toContain(path)
    }
    const about = (text: string) => error.problems.find(({ message }) => message.includes(text))
    expect(about('call its factory')?.path).toBe('use[0]')
    expect(about('needs identify')?.path).toBe('use[3]')
    expect(paths.some((path) => path.startsWith('use[3]: kad.records'))).toBe(true)
    expect(paths).not.toContain('listen[1]')
    for (const { message } of error.problems) expect(message).not.toBe('')
    expect(error.message).toContain('wrong')
  })

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['text', 'text'],
    ['an empty object', {}],
    ['use that is no list', { use: ping() }],
    ['no transport', { use: [], transports: [] }],
    ['a module that is null', { use: [null] }],
    ['a deadline of NaN', { use: [], deadlineMs: Number.NaN }],
  ])('that is %s is a ConfigError', async (_name, options) => {
    const error = await rejected(options)
    expect(error.name).toBe('ConfigError')
    expect(error.problems.length).toBeGreaterThan(0)
  })

  it('whose address no transport can listen on is a ConfigError', async () => {
    const error = await rejected({ use: [], transports: ['tcp'], listen: [listenAddress('quic')] })
    expect(error).toMatchObject({ name: 'ConfigError', field: 'listen' })
  })
})

describe('a subscriber that throws', () => {
  const boom = () => {
    throw new Error('mine')
  }
  const throwing: readonly [name: string, subscribe: (swarm: FiveSwarm) => { unsubscribe(): void } | undefined][] = [
    ['event$', (swarm) => swarm.event$.subscribe(boom)],
    [
      'event$ through operators',
      (swarm) =>
        swarm.event$
          .pipe(
            filter(() => true),
            map((event) => event.type),
          )
          .subscribe(boom),
    ],
    ['state$', (swarm) => swarm.state$.subscribe(boom)],
    ['state$ through operators', (swarm) => swarm.state$.pipe(map(({ phase }) => phase)).subscribe({ next: boom })],
    ['execute()', (swarm) => swarm.execute(connections.list()).subscribe(boom)],
    ['execute() through operators', (swarm) => swarm.execute(connections.list()).pipe(toArray()).subscribe(boom)],
    ['execute() on error', (swarm) => swarm.execute(kad.get({ key: 'x' })).subscribe({ error: boom })],
    ['execute() on completion', (swarm) => swarm.execute(connections.list()).subscribe({ complete: boom })],
  ]

  it.each(throwing)('to %s is told as subscriber:failed, and everybody else goes on', async (_name, subscribe) => {
    await using swarm = await startSwarm('tcp')
    await acquaint(swarm, b)
    const failed = until(swarm.event$, (event) => event.type === 'subscriber:failed')
    const types: string[] = []
    swarm.event$.subscribe(({ type }) => types.push(type))
    const subscription = subscribe(swarm)
    await first(swarm.execute(connections.list()))
    expect(await failed).toMatchObject({ error: { name: 'UnexpectedError', message: expect.stringContaining('mine') } })
    expect(await first(swarm.execute(ping.once({ peer: b.self })))).toBeGreaterThanOrEqual(0)
    expect(types).toContain('ping:measured')
    subscription?.unsubscribe()
  })

  it('by an operator without an error callback brings nothing down', async () => {
    await using swarm = await startSwarm('tcp')
    swarm.event$.pipe(map(boom)).subscribe()
    swarm.execute(connections.list()).pipe(map(boom)).subscribe()
    swarm.execute(kad.get({ key: 'x' })).subscribe()
    await first(swarm.execute(connections.list()))
  })
})

describe('operators that throw', () => {
  type Chains = Pick<SwarmOptions<ReturnType<typeof five>>, 'commandChain' | 'eventChain'>
  const withChain = async (chains: Chains) => {
    const swarm = await startSwarm('tcp', chains)
    await acquaint(swarm, b)
    return swarm
  }

  it('in the command chain fail the command in hand, and the next one passes', async () => {
    await using swarm = await withChain({
      commandChain: map((sent) => {
        if (sent.type === 'kad/get') throw new Error('mine')
        return sent
      }),
    })
    for (let again = 0; again < 3; again++) {
      const crashed = until(swarm.event$, ({ type }) => type === 'chain:crashed')
      const error = await failure(first(swarm.execute(kad.get({ key: '/app/x' }))))
      expect(error).toMatchObject({ name: 'UnexpectedError', message: expect.stringContaining('mine') })
      expect(await crashed).toMatchObject({ chain: 'commands' })
      expect(await first(swarm.execute(ping.once({ peer: b.self })))).toBeGreaterThanOrEqual(0)
    }
  })

  it('in the event chain are told, and execute hears its answers all the same', async () => {
    await using swarm = await withChain({
      eventChain: map((event) => {
        if (event.type === 'ping:measured') throw new Error('mine')
        return event
      }),
    })
    for (let again = 0; again < 3; again++) {
      const crashed = until(swarm.event$, ({ type }) => type === 'chain:crashed')
      expect(await first(swarm.execute(ping.once({ peer: b.self })))).toBeGreaterThanOrEqual(0)
      expect(await crashed).toMatchObject({ chain: 'events', error: { message: expect.stringContaining('mine') } })
    }
    const listed = until(swarm.event$, ({ type }) => type === 'connections:listed')
    await first(swarm.execute(connections.list()))
    await listed
  })

  it('when they are built fail no more than the commands in hand', async () => {
    await using swarm = await startSwarm('tcp', {
      commandChain: () => {
        throw new Error('mine')
      },
    })
    expect((await failure(first(swarm.execute(connections.list())))).name).toBe('UnexpectedError')
    expect((await failure(first(swarm.execute(connections.list())))).name).toBe('UnexpectedError')
  })

  it('that drop a command leave it to its deadline, those that double it deliver it once', async () => {
    await using swarm = await withChain({
      commandChain: (source$) =>
        source$.pipe(
          filter(({ type }) => type !== 'kad/get'),
          mergeMap((sent) => of(sent, sent)),
        ),
    })
    const dropped = await failure(first(swarm.execute(kad.get({ key: '/app/x' }, { deadlineMs: 200 }))))
    expect(dropped).toMatchObject({ name: 'DeadlineError', message: expect.stringContaining('command chain') })
    expect(await first(swarm.execute(ping.once({ peer: b.self })).pipe(toArray()))).toHaveLength(1)
  })
})

// ---- modules of the tests' own -----------------------------------------------------------------------------------------

type Echo = Command<'fragile/echo', { readonly text: string }, string>
type Hang = Command<'fragile/hang', object, string>
type Crash = Command<'fragile/crash', object, string>
type FragileCommand = Echo | Hang | Crash
interface FragileEvent {
  readonly type: 'fragile:echoed'
  readonly text: string
  readonly cause?: string
}

/** Echoes, hangs, or crashes as told. */
const fragile = (): BehaviourModule<'fragile', FragileCommand, FragileEvent, undefined, undefined> => ({
  name: 'fragile',
  commands: {
    'fragile/echo': { answers: { 'fragile:echoed': ({ text }) => text } },
    'fragile/hang': { answers: { 'fragile:echoed': ({ text }) => text } },
    'fragile/crash': { answers: { 'fragile:echoed': ({ text }) => text } },
  },
  ports: () => undefined,
  behaviour: ({ command$ }) =>
    command$.pipe(
      mergeMap((sent): Observable<FragileEvent | Outcome> => {
        if (sent.type === 'fragile/crash') return throwError(() => new Error('mine'))
        if (sent.type === 'fragile/hang') return NEVER
        const { id: cause, type, text } = sent
        return of<(FragileEvent | Outcome)[]>(
          { type: 'fragile:echoed', text, cause },
          { type: 'command:completed', cause, command: type },
        )
      }),
    ),
})

const echo = (text: string): Echo => command('fragile/echo', { text })
const hang = (deadlineMs?: number): Hang => command('fragile/hang', {}, deadlineMs === undefined ? {} : { deadlineMs })
const crash = (): Crash => command('fragile/crash', {})

const startFragile = () =>
  createSwarm({ use: [...five(), fragile()] as const, transports: ['tcp'], listen: [listenAddress('tcp')] })

describe('a behaviour that crashes', () => {
  it('is restarted, its commands in flight fail, later ones succeed, and the others never notice', async () => {
    await using swarm = await startFragile()
    await acquaint(swarm as unknown as FiveSwarm, b)
    const types: string[] = []
    swarm.event$.subscribe(({ type }) => types.push(type))
    for (let again = 0; again < 3; again++) {
      const restarted = until(swarm.event$, ({ type }) => type === 'behaviour:restarted')
      const rtt = first(swarm.execute(ping.once({ peer: b.self })))
      const inFlight = failure(first(swarm.execute(hang())))
      const crashing = failure(first(swarm.execute(crash())))
      for (const error of [await inFlight, await crashing]) {
        expect(error).toMatchObject({ name: 'BehaviourCrashedError', behaviour: 'fragile', retryable: true })
      }
      expect((await first(swarm.state$)).troubled.get('fragile')).toBe('restarting')
      const waiting = first(swarm.execute(echo(`waits ${again}`)))
      expect(await rtt).toBeGreaterThanOrEqual(0)
      await restarted
      expect(await waiting).toBe(`waits ${again}`)
      expect(await first(swarm.execute(echo('later')))).toBe('later')
      expect((await first(swarm.state$)).troubled.size).toBe(0)
    }
    expect(types.filter((type) => type === 'behaviour:crashed')).toHaveLength(3)
    expect(types.filter((type) => type === 'behaviour:restarted')).toHaveLength(3)
  })
})

describe('an overload', () => {
  it('of 2 000 commands that nobody answers refuses 976 and settles the rest at their deadline', async () => {
    await using swarm = await startFragile()
    await acquaint(swarm as unknown as FiveSwarm, b)
    const failed = new Map<string, number>()
    const causes = new Set<string>()
    swarm.event$.subscribe((event) => {
      if (event.type !== 'command:failed') return
      failed.set(event.error.name, (failed.get(event.error.name) ?? 0) + 1)
      if (event.cause !== undefined) causes.add(event.cause)
    })
    const { tookMs } = await timed(async () => {
      for (let count = 0; count < 2_000; count++) swarm.command$.next(hang(1_000))
      expect(failed.get('OverloadedError')).toBe(976)
      expect((await failure(first(swarm.execute(echo('no room'))))).name).toBe('OverloadedError')
      await eventually(() => failed.get('DeadlineError') === 1_024)
    })
    expect(failed.get('OverloadedError')).toBe(977)
    expect(causes.size).toBe(2_001)
    expect(tookMs).toBeLessThan(8_000)
    expect(await first(swarm.execute(echo('room again')))).toBe('room again')
    expect(await first(swarm.execute(ping.once({ peer: b.self })))).toBeGreaterThanOrEqual(0)
    expect(await swarm.stop()).toEqual({ undrained: [] })
  })

  it('of 2 000 executions settles every one', async () => {
    await using swarm = await startFragile()
    const names = await Promise.all(
      Array.from({ length: 2_000 }, async () => (await failure(first(swarm.execute(hang(500))))).name),
    )
    expect(names.filter((name) => name === 'OverloadedError')).toHaveLength(976)
    expect(names.filter((name) => name === 'DeadlineError')).toHaveLength(1_024)
  })

  it('of open-ended commands has a bound of its own', async () => {
    await using swarm = await startSwarm('tcp', { limits: { openEnded: 10 } })
    const refused: string[] = []
    const running = Array.from({ length: 15 }, (_, index) =>
      swarm.execute(gossipsub.subscribe({ topic: `t${index}` })).subscribe({
        error: (error: Error) => refused.push(error.name),
      }),
    )
    expect(refused).toEqual(Array.from({ length: 5 }, () => 'OverloadedError'))
    await first(swarm.execute(connections.list()))
    running[0]?.unsubscribe()
    const again = swarm.execute(gossipsub.subscribe({ topic: 'again' })).subscribe()
    expect(again.closed).toBe(false)
  })
})

function isOutcome(event: { readonly type: string }): event is Outcome & { readonly at: number } {
  return ['command:completed', 'command:failed', 'command:cancelled'].includes(event.type)
}
