// A swarm of the lab in a process of its own. Reads requests, one a line, and writes what happens, one a line; see labWire.ts.
// Ends when its standard input does, and after LIFE_MS at the latest.
import { createHash, randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import * as rxswarm from 'rxswarm'
import type { AnyCommand, AnyModule, Swarm, XStream } from 'rxswarm'
import { firstValueFrom, type Observable, type Subscription } from 'rxjs'
import {
  fromLine,
  toLine,
  usualListen,
  type LabCarried,
  type LabNodeOptions,
  type LabReply,
  type LabRequest,
} from './labWire.ts'

/** Longer than any test. @unit milliseconds */
const LIFE_MS = 300_000

/** How long bytes may be under way. @unit milliseconds */
const CARRY_MS = 60_000

const DEFAULT_USE = { connections: {}, identify: {}, ping: {}, xstream: {} }

/** What can't be told as plain data. */
const FUNCTIONS: Readonly<Record<string, object>> = { kad: { records: { app: { validate: () => true } } } }

/** How much more than its ends say may come before a stream is given up. @unit bytes */
const MOST_BYTES = 64 << 20

const say = (reply: LabReply) => void process.stdout.write(toLine(reply))
const running = new Map<string, Subscription>()
let swarm: Swarm<readonly AnyModule[]> | undefined

async function start(options: LabNodeOptions): Promise<void> {
  const { use = DEFAULT_USE, seed, transports = ['quic', 'tcp'], announce = [], listen } = options
  const factories = rxswarm as unknown as Record<string, (options: object) => AnyModule>
  const identity =
    seed === undefined ? {} : { identity: await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed)) }
  swarm = await rxswarm.createSwarm({
    use: Object.entries(use).map(([name, of]) => factories[name]!({ ...FUNCTIONS[name], ...of })),
    transports,
    listen: listen ?? usualListen('0.0.0.0', transports),
    libp2p: (own) => ({ ...own, addresses: { ...own.addresses, appendAnnounce: [...announce] } }),
    ...identity,
  })
  swarm.event$.subscribe((event) => say({ event }))
  if ('xstream' in use) execute<XStream>(rxswarm.xstream.accept()).subscribe((stream) => void hash(stream))
  say({ ready: { self: swarm.self, addresses: swarm.addresses } })
}

/** The types of commands and answers are those of whoever asks. */
const execute = <T>(command: AnyCommand): Observable<T> =>
  (swarm as unknown as { execute(command: AnyCommand): Observable<T> }).execute(command)

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest()

/** Answers what comes with its hash. */
async function hash(stream: XStream): Promise<void> {
  try {
    await stream.write(sha256(await stream.readToEnd(MOST_BYTES)))
    await stream.end()
  } catch {
    // whoever sent it hears of it
  }
}

async function carry({ byteLength, ...to }: { peer: string; byteLength: number; limited?: boolean }) {
  const start = performance.now()
  const data = randomBytes(byteLength)
  const stream = await firstValueFrom(execute<XStream>(rxswarm.xstream.open(to, { deadlineMs: CARRY_MS })))
  const signal = AbortSignal.timeout(CARRY_MS)
  await stream.write(data, { signal })
  await stream.end()
  const answer = await stream.readToEnd(1_024, { signal })
  return { intact: sha256(data).equals(answer), tookMs: performance.now() - start } satisfies LabCarried
}

async function ask(what: 'addresses' | 'state' | 'stop'): Promise<unknown> {
  if (what === 'addresses') return swarm!.node.getMultiaddrs().map(String)
  return what === 'state' ? firstValueFrom(swarm!.state$) : swarm!.stop()
}

function serve(id: string, answer$: Observable<unknown>): void {
  const subscription = answer$.subscribe({
    next: (answer) => say({ id, answer }),
    error: (error: Error) => (running.delete(id), say({ id, error })),
    complete: () => (running.delete(id), say({ id, done: true })),
  })
  if (!subscription.closed) running.set(id, subscription)
}

async function serveOnce(id: string, work: Promise<unknown>): Promise<void> {
  try {
    say({ id, answer: await work })
    say({ id, done: true })
  } catch (error) {
    say({ id, error: error as Error })
  }
}

function take(request: LabRequest): unknown {
  if ('start' in request) return start(request.start)
  if ('cancel' in request) return running.get(request.cancel)?.unsubscribe()
  if ('command' in request) return serve(request.id, execute(request.command))
  return serveOnce(request.id, 'ask' in request ? ask(request.ask) : carry(request.carry))
}

setTimeout(() => process.exit(3), LIFE_MS).unref()
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => void take(fromLine<LabRequest>(line)))
lines.on('close', () => process.exit(0))
