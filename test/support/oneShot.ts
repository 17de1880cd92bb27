// Starts two swarms, uses everything once, leaves work in flight, stops, and must then exit by itself.
import { writeSync } from 'node:fs'
import { connections, gossipsub, identify, kad, ping, type TransportName } from 'rxswarm'
import { bytes, connect, first, joined, startSwarm } from './swarms.ts'
import { silentTcp, silentUdp } from './silent.ts'

const transport = process.argv[2] as TransportName
const [a, b] = [await startSwarm(transport), await startSwarm(transport)]
const silent = transport === 'memory' ? undefined : await (transport === 'quic' ? silentUdp() : silentTcp())
const ignore = { error: () => undefined }

await connect(a, b)
await first(a.execute(identify.once({ peer: b.self })))
await first(a.execute(ping.once({ peer: b.self })))
await first(a.execute(kad.put({ key: '/app/one', value: bytes('1') })))
await first(b.execute(kad.get({ key: '/app/one' })))
b.execute(gossipsub.subscribe({ topic: 'news' })).subscribe(ignore)
await joined(a, 'news', 1)
await first(a.execute(gossipsub.publish({ topic: 'news', data: bytes('hello') })))

a.execute(ping.watch({ peer: b.self, intervalMs: 10 })).subscribe(ignore)
a.execute(kad.get({ key: '/app/none' })).subscribe(ignore)
if (silent !== undefined) a.execute(connections.dial({ to: silent.address }, { deadlineMs: 60_000 })).subscribe(ignore)

const [{ undrained }] = await Promise.all([a.stop({ drainMs: 0 }), b.stop()])
await silent?.[Symbol.asyncDispose]()
const stopped = performance.now()
const said = { undrained: undrained.map(({ type }) => type) }
process.on('exit', () => writeSync(1, `${JSON.stringify({ ...said, exitAfterMs: performance.now() - stopped })}\n`))
