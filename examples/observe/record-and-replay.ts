import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connections, createSwarm, ping } from 'rxswarm'
import { openRecording, recording, recordingMarbles, replay } from 'rxswarm/observability'
import { catchError, EMPTY, lastValueFrom, take } from 'rxjs'

const folder = await mkdtemp(join(tmpdir(), 'recording-'))
const path = join(folder, 'node.jsonl')
const patient = () => ping({ policy: { timeout: { timeoutMs: 1_000 } } })
const again = (retries: number) => ({ retries, backoff: { type: 'constant', delayMs: 10 } }) as const
const stubborn = () => ping({ policy: { retry: { ...again(2), retryOn: () => true } } })

const start = (more: readonly ReturnType<typeof recording>[] = []) =>
  createSwarm({
    use: [connections(), patient(), ...more],
    transports: ['memory'],
    listen: [`/memory/recorded-${more.length}`],
  })

// record
const [bob, alice] = [await start(), await start([recording({ path })])]
await lastValueFrom(alice.execute(connections.dial({ to: bob.addresses })))
await lastValueFrom(alice.execute(ping.watch({ peer: bob.self, intervalMs: 20 })).pipe(take(3)))
await bob.stop()
await lastValueFrom(alice.execute(ping.once({ peer: bob.self })).pipe(catchError(() => EMPTY)), {
  defaultValue: undefined,
})
await alice.stop()

// replay: the same behaviours do the same, without a network
const recorded = await openRecording(path)
const same = replay(recorded, { use: [connections(), patient()] })
console.log(`replayed: ${same.same ? 'the same' : 'different'}`)

// what would another policy have done?
const other = replay(recorded, { use: [connections(), stubborn()] })
const added = other.differences.filter(({ got }) => got?.includes('"policy:retried"'))
console.log(
  `with another policy: ${other.same ? 'the same' : 'different'}, ${added.length > 0 ? 'it would have tried again' : ''}`,
)

// a part of it, as a test
const test = recordingMarbles(recorded, { behaviour: 'ping', types: ['ping:measured'] })
console.log(
  test
    .split('\n')
    .find((line) => line.startsWith('marbles('))
    ?.replace(/\d+ ms/, '… ms'),
)
await rm(folder, { recursive: true })
