import { generateKeyPair } from '@libp2p/crypto/keys'
import { connections, ofType, ping, relay, xstream, type RelayEvent } from 'rxswarm'
import { firstValueFrom, scan } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { HopMessage_Type, HopMessageSchema, Status } from '../src/generated/circuit_pb.ts'
import { startBareNode } from './support/bareNode.ts'
import { startBareHidden, startBareRelay } from './support/bareRelay.ts'
import { multiaddr } from '@multiformats/multiaddr'
import { startLiar } from './support/liar.ts'
import { startChild } from './support/child.ts'
import { runExample } from './support/runExample.ts'
import { startHidden, startRelayed, type RelayedSwarm } from './support/relays.ts'
import { bytes, first, text, wires } from './support/swarms.ts'
import { eventually, failure, pause, timed, until } from './support/wait.ts'

const reserved = (swarm: RelayedSwarm, count = 1) =>
  until(swarm.state$, (state) => state.relay.reservations.size >= count)
const through = (relayed: { readonly addresses: readonly string[] }, swarm: { readonly self: string }) =>
  `${relayed.addresses[0]}/p2p-circuit/p2p/${swarm.self}`
const nextOf = <Type extends RelayEvent['type']>(swarm: RelayedSwarm, type: Type) =>
  until(swarm.event$, (event) => event.type === type) as Promise<unknown> as Promise<
    Extract<RelayEvent, { type: Type }>
  >
const dial = (from: RelayedSwarm, to: string, deadlineMs = 5_000) =>
  first(from.execute(connections.dial({ to }, { deadlineMs })))
const HOP = '/libp2p/circuit/relay/0.2.0/hop'
const requestTo = (init: MessageInitShape<typeof HopMessageSchema>) =>
  toBinary(HopMessageSchema, create(HopMessageSchema, init))
/** What of libp2p's relay is slowed down, to have things happen at the same time. */
const relayInnards = ({ node }: RelayedSwarm) =>
  node.services['relayServer'] as {
    stopHop: (...request: unknown[]) => Promise<unknown>
    makeReservation: (...request: unknown[]) => Promise<unknown>
  }
const abortRequests = ({ node }: RelayedSwarm) => {
  const streams = node.getConnections().flatMap((connection) => connection.streams)
  for (const stream of streams) if (stream.protocol === HOP) stream.abort(new Error('gone'))
}
const withoutPeer = (address: string) => address.replace(/\/p2p\/.*/, '')

describe('examples/finding/relayed', () => {
  it('shows how a node is reached through a relay', async () => {
    const { code, stdout, stderr } = await runExample('finding/relayed.ts')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.trim().split('\n')).toEqual([
      'bob is reached through the relay, with 1000000 bytes a connection',
      'alice is connected, through a relay',
      'hello from behind the relay',
    ])
  })
})

describe.each(wires)('relay over %s', (transport) => {
  it('reserves at two relays, announces both, and is dialled through either', async () => {
    await using one = await startRelayed(transport, { server: true })
    await using other = await startRelayed(transport, { server: true })
    await using hidden = await startHidden(transport, { relays: [...one.addresses, ...other.addresses] })
    await using dialler = await startHidden(transport, { reservations: 0 })
    await reserved(hidden, 2)
    await until(hidden.state$, ({ addresses }) => addresses.length >= 2)
    expect(hidden.addresses.toSorted()).toEqual([through(one, hidden), through(other, hidden)].toSorted())

    const connection = await dial(dialler, through(one, hidden))
    expect(connection).toMatchObject({ peer: hidden.self, transport: 'relay', direct: false, limited: true })
    expect(await first(dialler.execute(ping.once({ peer: hidden.self })))).toBeGreaterThan(0)
    expect((await dial(dialler, through(other, hidden))).id).toBe(connection.id)
    const { relay: state } = await first(one.state$)
    expect(state.server).toMatchObject({ reservations: 1, circuits: 1 })
  })

  it('runs streams over a limited connection only where they ask for it', async () => {
    await using server = await startRelayed(transport, { server: true })
    await using hidden = await startHidden(transport, { relays: server.addresses, reservations: 1 })
    await using dialler = await startHidden(transport, { reservations: 0 })
    await reserved(hidden)
    await dial(dialler, through(server, hidden))
    hidden.execute(xstream.accept()).subscribe((stream) => void stream.write(bytes('hello')).then(() => stream.end()))

    const refused = await failure(first(dialler.execute(xstream.open({ peer: hidden.self }))))
    expect(refused).toMatchObject({ name: 'RelayError', peer: hidden.self })
    const stream = await first(dialler.execute(xstream.open({ peer: hidden.self, limited: true })))
    expect(text(await stream.readToEnd(1_000_000))).toBe('hello')
    expect(dialler.node.getConnections().filter(({ direct }) => !direct).length).toBe(1)
  })

  it('tells its peers where it is reached now', async () => {
    await using server = await startRelayed(transport, { server: true })
    await using hidden = await startHidden(transport, { reservations: 0 })
    await using peer = await startRelayed(transport, { reservations: 0 })
    await dial(hidden, peer.addresses[0]!)
    await until(peer.state$, (state) => state.identify.has(hidden.self))
    const told = (count: number) =>
      until(
        peer.event$,
        (event) => event.type === 'peer:identify' && event.peer === hidden.self && event.addresses.length === count,
      )
    const announced = told(1)
    const keeping = hidden.execute(relay.reserve({ relay: server.addresses[0]! })).subscribe()
    expect(await announced).toMatchObject({ addresses: [`${server.addresses[0]}/p2p-circuit`] })
    const withdrawn = told(0)
    keeping.unsubscribe()
    await withdrawn
    expect(hidden.addresses).toEqual([])
  })

  it('is reachable again within five seconds after its only relay was killed and is back', async () => {
    const key = Buffer.from((await generateKeyPair('Ed25519')).raw).toString('hex')
    let server = startChild('relayServer.ts', transport, key)
    const { self, addresses } = await server.said<{ self: string; addresses: string[] }>()
    await using hidden = await startHidden(transport, { relays: addresses })
    await using dialler = await startHidden(transport, { reservations: 0 })
    await reserved(hidden)
    await dial(dialler, through({ addresses }, hidden))
    try {
      for (let round = 0; round < 2; round++) {
        const lost = nextOf(hidden, 'relay:lost')
        server.kill('SIGKILL')
        await server.ended()
        expect(await lost).toMatchObject({ relay: self })
        server = startChild('relayServer.ts', transport, key, withoutPeer(addresses[0]!))
        await server.said()
        const { tookMs } = await timed(async () => {
          await reserved(hidden)
          await eventually(
            async () =>
              (await dial(dialler, through({ addresses }, hidden), 1_000).catch(() => undefined)) !== undefined,
          )
        })
        expect(tookMs).toBeLessThan(5_000)
      }
    } finally {
      await server[Symbol.asyncDispose]()
    }
  })

  it('another relay takes over from one that stops, and addresses follow', async () => {
    await using stays = await startRelayed(transport, { server: true })
    await using goes = await startRelayed(transport, { server: true })
    await using hidden = await startHidden(transport, { relays: goes.addresses, reservations: 1 })
    await reserved(hidden)
    await dial(hidden, stays.addresses[0]!)
    await until(hidden.state$, (state) => state.relay.candidates.has(stays.self))
    const taken = until(hidden.state$, (state) => state.relay.reservations.has(stays.self))
    await goes.stop()
    await taken
    await until(hidden.state$, ({ addresses }) => addresses.length === 1 && addresses[0]!.includes(stays.self))
  })

  it('releases one reservation alone, rotates to another relay, and lists them', async () => {
    await using one = await startRelayed(transport, { server: true })
    await using other = await startRelayed(transport, { server: true })
    await using third = await startRelayed(transport, { server: true })
    const relays = [one, other].flatMap(({ addresses }) => addresses)
    await using hidden = await startHidden(transport, { relays })
    await reserved(hidden, 2)
    expect(await first(hidden.execute(relay.release({ relay: one.self })))).toBe(one.self)
    const { reservations, candidates } = await first(hidden.execute(relay.list()))
    expect(reservations.map((reservation) => reservation.relay)).toEqual([other.self])
    expect(candidates.find((candidate) => candidate.relay === one.self)).toMatchObject({ status: 'released' })
    expect(hidden.addresses.every((address) => address.includes(other.self))).toBe(true)

    expect(await failure(first(hidden.execute(relay.rotate())))).toMatchObject({ name: 'RelayError' })
    await dial(hidden, third.addresses[0]!)
    await reserved(hidden, 2)
  })

  it('a relay that is full refuses, and has a place again as soon as a peer has gone', async () => {
    await using server = await startRelayed(transport, { server: { reservations: 1 } })
    const has = await startHidden(transport, { relays: server.addresses })
    await reserved(has)
    await using wants = await startHidden(transport, { relays: server.addresses })
    expect(await nextOf(wants, 'relay:refused')).toMatchObject({ relay: server.self, status: 'RESERVATION_REFUSED' })
    expect((await first(server.state$)).relay.server.denied).toBeGreaterThan(0)
    await has.stop()
    await reserved(wants)
  })

  it('a relay bounds the reservations of an IP, the circuits of a peer, and what a peer may ask', async () => {
    await using server = await startRelayed(transport, {
      server: { reservationsPerIp: 1, circuitsPerPeer: 1, requestsPerMinute: 4 },
    })
    await using hidden = await startHidden(transport, { relays: server.addresses })
    await reserved(hidden)
    await using second = await startHidden(transport, { relays: server.addresses })
    const refused = await nextOf(second, 'relay:refused')
    expect(refused).toMatchObject({ relay: server.self, status: 'RESERVATION_REFUSED' })

    await using dialler = await startHidden(transport, { reservations: 0 })
    await dial(dialler, through(server, hidden))
    const denied = nextOf(server, 'relay:denied')
    const error = await failure(dialler.node.dial(multiaddr(through(server, hidden)), { force: true }))
    expect(error.message).toContain('RESOURCE_LIMIT_EXCEEDED')
    expect(await denied).toMatchObject({ request: 'connect', status: 'RESOURCE_LIMIT_EXCEEDED', to: hidden.self })
  })

  it('a relayed connection ends at its limit of bytes, and at its limit of time', async () => {
    await using server = await startRelayed(transport, { server: { circuitBytes: 65_536, circuitMs: 2_000 } })
    await using hidden = await startHidden(transport, { relays: server.addresses })
    await using dialler = await startHidden(transport, { reservations: 0 })
    await reserved(hidden)
    expect([...(await first(hidden.state$)).relay.reservations.values()][0]).toMatchObject({
      limit: { seconds: 2, bytes: 65_536 },
    })
    hidden.execute(xstream.accept()).subscribe((stream) => void stream.readToEnd(1_000_000).catch(() => undefined))

    await dial(dialler, through(server, hidden))
    const overBytes = nextOf(server, 'relay:circuit-closed')
    const stream = await first(dialler.execute(xstream.open({ peer: hidden.self, limited: true })))
    const closed = until(dialler.event$, (event) => event.type === 'connection:close' && !event.connection.direct)
    await stream.write(new Uint8Array(200_000)).catch(() => undefined)
    expect((await overBytes).reason).toBe('data limit of 65536 bytes exceeded')
    await closed

    await dial(dialler, through(server, hidden))
    expect((await nextOf(server, 'relay:circuit-closed')).reason).toBe('duration limit of 2000 ms exceeded')
  })

  it('a silent relay and one that lies are told, and not waited for', async () => {
    await using silent = await startLiar(transport, 'silent')
    await using expired = await startLiar(transport, 'expired')
    await using foreign = await startLiar(transport, 'foreign')
    await using huge = await startLiar(transport, 'huge')
    await using garbage = await startLiar(transport, 'garbage')
    const all = { silent, expired, foreign, huge, garbage }
    const relays = Object.values(all).flatMap(({ addresses }) => addresses)
    await using hidden = await startHidden(transport, { relays, reservations: 5 })
    const failures$ = hidden.event$.pipe(
      ofType('relay:failed'),
      scan((names, event) => names.set(event.relay, event.error.name), new Map<string, string>()),
    )
    const names = await until(failures$, (seen) => seen.size === 5)
    const nameOf = (liar: { readonly self: string }) => names.get(liar.self)
    expect(Object.fromEntries(Object.entries(all).map(([what, liar]) => [what, nameOf(liar)]))).toEqual({
      silent: 'TimeoutError',
      expired: 'InvalidMessageError',
      foreign: 'InvalidMessageError',
      huge: 'InvalidMessageError',
      garbage: 'InvalidMessageError',
    })
    expect(hidden.addresses).toEqual([])
  })

  it('takes no connection from a relay that it has no reservation at', async () => {
    await using liar = await startLiar(transport, 'silent')
    await using hidden = await startHidden(transport, { reservations: 0 })
    await dial(hidden, liar.addresses[0]!)
    expect(await liar.stop(hidden.self)).toBe(202)
    expect(hidden.node.getConnections().length).toBe(1)
    expect(hidden.addresses).toEqual([])
  })

  it('a relayed connection is replaced by a direct one when the peer can be reached', async () => {
    await using server = await startRelayed(transport, { server: true })
    await using open = await startRelayed(transport, { relays: server.addresses })
    await using dialler = await startHidden(transport, { reservations: 0 })
    await reserved(open)
    const upgraded = nextOf(dialler, 'relay:upgraded')
    await dial(dialler, through(server, open))
    expect(await upgraded).toMatchObject({ peer: open.self })
    await until(dialler.state$, ({ peers }) =>
      [...peers.get(open.self)!.connections.values()].some(({ direct }) => direct),
    )
    await eventually(() => dialler.node.getConnections(open.node.peerId).every(({ direct }) => direct))
  })

  it('who was dialled connects back, and what runs over the relay meanwhile may finish', async () => {
    await using server = await startRelayed(transport, { server: true })
    await using hidden = await startHidden(transport, { relays: server.addresses })
    await using dialler = await startRelayed(transport, { reservations: 0 })
    await reserved(hidden)
    const accepted = first(hidden.execute(xstream.accept()))
    const upgraded = nextOf(hidden, 'relay:upgraded')
    await dial(dialler, through(server, hidden))
    const stream = await first(dialler.execute(xstream.open({ peer: hidden.self, limited: true })))
    expect(await upgraded).toMatchObject({ peer: dialler.self })
    await pause(1_500)
    await stream.write(bytes('still here'))
    await stream.end()
    const taken = await accepted
    expect(text(await taken.readToEnd(100))).toBe('still here')
    await taken.end()
    await eventually(() => hidden.node.getConnections(dialler.node.peerId).every(({ direct }) => direct))
  })

  it('stops in the middle of everything, and twice', async () => {
    await using server = await startRelayed(transport, { server: true })
    const hidden = await startHidden(transport, { relays: server.addresses })
    hidden.execute(relay.reserve({ relay: server.self })).subscribe({ error: () => undefined })
    await Promise.all([hidden.stop({ drainMs: 0 }), hidden.stop()])
    await eventually(async () => (await firstValueFrom(server.state$)).relay.server.reservations === 0)
  })

  it('serves and uses libp2p nodes that have nothing of rxswarm', async () => {
    await using server = await startRelayed(transport, { server: true })
    await using bareServer = await startBareRelay(transport)
    await using bareHidden = await startBareHidden(transport, server.addresses[0]!)
    await using hidden = await startHidden(transport, { relays: bareServer.getMultiaddrs() })
    await reserved(hidden)
    const [atUs] = bareHidden.getMultiaddrs().map(String)
    const [atThem] = [...(await first(hidden.state$)).relay.reservations.values()].flatMap(({ addresses }) => addresses)

    await using dialler = await startHidden(transport, { reservations: 0 })
    expect(await dial(dialler, atUs!)).toMatchObject({ peer: bareHidden.peerId.toString(), limited: true })
    const connection = await bareHidden.dial(multiaddr(atThem))
    expect(connection.remotePeer.toString()).toBe(hidden.self)
    expect(await first(dialler.execute(ping.once({ peer: bareHidden.peerId })))).toBeGreaterThan(0)
  })

  it('answers what is no request as the specification has it, and reads no more than a message', async () => {
    await using server = await startRelayed(transport, { server: true })
    await using hidden = await startHidden(transport, { relays: server.addresses })
    await reserved(hidden)
    await using bare = await startBareNode(transport, { withIdentify: true })
    const connection = await bare.dial(server.node.getMultiaddrs())
    const ask = async (message: Uint8Array) => {
      const stream = await connection.newStream(HOP)
      const over = new Promise<Error | undefined>((resolve) => {
        stream.addEventListener('close', ({ error }) => resolve(error))
      })
      const messages = lpStream(stream)
      await messages.write(message).catch(() => undefined)
      const { status } = fromBinary(HopMessageSchema, (await messages.read()).subarray())
      await stream.close()
      return { status, error: await Promise.race([over, pause(1_000).then(() => 'still open')]) }
    }
    const id = bare.peerId.toMultihash().bytes
    const told = (status: Status) => ({ status, error: undefined })
    expect(await ask(new Uint8Array([0xff, 0xff, 0xff]))).toEqual(told(Status.MALFORMED_MESSAGE))
    expect(await ask(new Uint8Array(0))).toEqual(told(Status.MALFORMED_MESSAGE))
    expect(await ask(requestTo({ type: HopMessage_Type.STATUS }))).toEqual(told(Status.UNEXPECTED_MESSAGE))
    expect(await ask(requestTo({ type: HopMessage_Type.CONNECT }))).toEqual(told(Status.MALFORMED_MESSAGE))
    const toNobody = requestTo({ type: HopMessage_Type.CONNECT, peer: { id } })
    expect(await ask(toNobody)).toEqual(told(Status.NO_RESERVATION))
    expect(await ask(new Uint8Array(5_000))).toMatchObject({ status: Status.MALFORMED_MESSAGE })
    const { relay: state } = await first(server.state$)
    expect(state.server).toMatchObject({ reservations: 1, denied: 6 })
  })

  it('bounds the circuits of a peer that asks for all of them at once', async () => {
    await using server = await startRelayed(transport, { server: { circuitsPerPeer: 2 } })
    await using hidden = await startHidden(transport, { relays: server.addresses })
    await reserved(hidden)
    await using bare = await startBareNode(transport)
    const connection = await bare.dial(server.node.getMultiaddrs())
    const connect = requestTo({
      type: HopMessage_Type.CONNECT,
      peer: { id: hidden.node.peerId.toMultihash().bytes },
    })
    const ask = async () => {
      const messages = lpStream(await connection.newStream(HOP, { maxOutboundStreams: 10 }))
      await messages.write(connect)
      return fromBinary(HopMessageSchema, (await messages.read()).subarray()).status
    }
    const statuses = await Promise.all(Array.from({ length: 8 }, ask))
    expect(statuses.filter((status) => status === Status.OK).length).toBe(2)
    expect(statuses.filter((status) => status === Status.RESOURCE_LIMIT_EXCEEDED).length).toBe(6)
  })

  it('lets go of who was asked for, and of the place, when who has asked is gone before the answer', async () => {
    await using server = await startRelayed(transport, { server: { circuitsPerPeer: 1 } })
    await using hidden = await startHidden(transport, { relays: server.addresses })
    await reserved(hidden)
    await using bare = await startBareNode(transport)
    const connection = await bare.dial(server.node.getMultiaddrs())
    const service = relayInnards(server)
    const { stopHop } = service
    const onward: Stream[] = []
    service.stopHop = async (...request) => {
      const stream = await stopHop(...request)
      onward.push(stream as Stream)
      abortRequests(server)
      return stream
    }
    const denied = nextOf(server, 'relay:denied')
    const id = hidden.node.peerId.toMultihash().bytes
    const messages = lpStream(await connection.newStream(HOP))
    await messages.write(requestTo({ type: HopMessage_Type.CONNECT, peer: { id } }))
    expect(await denied).toMatchObject({ request: 'connect', to: hidden.self, status: 'CONNECTION_FAILED' })
    expect(onward.map(({ status }) => status)).toEqual(['aborted'])
    service.stopHop = stopHop
    await using dialler = await startHidden(transport, { reservations: 0 })
    await dial(dialler, through(server, hidden))
    expect((await first(server.state$)).relay.server).toMatchObject({ reservations: 1, circuits: 1 })
  })

  it('tells of a reservation only when its answer has reached the peer', async () => {
    await using server = await startRelayed(transport, { server: true })
    await using bare = await startBareNode(transport)
    const connection = await bare.dial(server.node.getMultiaddrs())
    const service = relayInnards(server)
    const { makeReservation } = service
    const reserve = async () => {
      const messages = lpStream(await connection.newStream(HOP))
      await messages.write(requestTo({ type: HopMessage_Type.RESERVE }))
      return fromBinary(HopMessageSchema, (await messages.read()).subarray()).status
    }
    const said: string[] = []
    server.event$.subscribe(({ type }) => type.startsWith('relay:') && said.push(type))
    let lost = 0
    const losing = async (...request: unknown[]) => {
      const made = await makeReservation.apply(service, request)
      abortRequests(server)
      lost++
      return made
    }
    const loseOne = async () => {
      const before = lost
      service.makeReservation = losing
      void reserve().catch(() => undefined)
      await eventually(() => lost > before)
      service.makeReservation = makeReservation
    }
    await loseOne()
    expect(await reserve()).toBe(Status.OK)
    await eventually(() => said.length > 0)
    expect(said).toEqual(['relay:accepted'])
    await loseOne()
    await eventually(() => said.length > 1)
    expect(said).toEqual(['relay:accepted', 'relay:ended'])
  })

  it('does not carry a reservation, or a relay, over another relay', async () => {
    await using server = await startRelayed(transport, { server: true })
    await using hidden = await startRelayed(
      transport,
      { server: true, relays: server.addresses, reservations: 1 },
      { listen: [] },
    )
    await using dialler = await startHidden(transport, { reservations: 0 })
    await reserved(hidden)
    await dial(dialler, through(server, hidden))
    const wrong = await failure(first(dialler.execute(relay.reserve({ relay: through(server, hidden) }))))
    expect(wrong).toMatchObject({ name: 'InvalidCommandError', field: 'relay' })
    const failed = nextOf(dialler, 'relay:failed')
    const keeping = dialler.execute(relay.reserve({ relay: hidden.self })).subscribe({ error: () => undefined })
    expect((await failed).error.name).toMatch(/^(DialError|UnknownPeerError)$/)
    keeping.unsubscribe()
  })

  it('ends its process when it has stopped', async () => {
    await using child = startChild('relayOnce.ts', transport)
    const { exitAfterMs } = await child.said<{ exitAfterMs: number }>()
    expect(await child.ended()).toEqual({ code: 0, errors: '' })
    expect(exitAfterMs).toBeLessThan(3_000)
  })
})
