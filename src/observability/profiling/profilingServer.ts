import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { firstValueFrom, fromEvent, takeUntil, throwIfEmpty, type Observable } from 'rxjs'
import { InvalidCommandError, StoppedError, SwarmError } from '../../errors/errors.ts'
import type { AnyCommand } from '../../swarm/vocabulary/command.ts'
import type { Page, Probed } from '../../swarm/vocabulary/probe.ts'
import { isOnLoopback } from './loopbackOnly.ts'
import type { CpuTaken, LoopDelay, TakeCpu, TakeHeap, TakeTiming, WatchLoop } from './profilingVocabulary.ts'
import type { TimingReport } from './timingReport.ts'

/** The commands that the pages send. */
export interface ProfilingCommands {
  cpu(asked: { readonly durationMs: number; readonly intervalUs?: number }): TakeCpu
  heap(asked: { readonly path: string }): TakeHeap
  loop(asked: { readonly everyMs: number }): WatchLoop
  timing(asked: { readonly durationMs: number }): TakeTiming
}

/** A caller that takes nothing for so long is let go. @unit milliseconds */
const STALLED_MS = 30_000

/** What a caller hears of an error, by its name. */
const STATUS: Readonly<Record<string, number>> = { InvalidCommandError: 400, OverloadedError: 503, StoppedError: 503 }

type Answer = (query: URLSearchParams, request: IncomingMessage, response: ServerResponse) => Promise<void>

/**
 * The pages of profiling, for callers on this machine alone; what acts is a POST.
 *
 * @shape  A caller that leaves ends its profile. One answer at a time: what is taken is sent before the next begins.
 */
export function profilingPages({ execute }: Probed, commands: ProfilingCommands): readonly Page[] {
  let isAnswering = false
  const alone =
    (answer: Answer): Page['answer'] =>
    async (request, response) => {
      if (!isOnLoopback({ remoteAddress: request.socket.remoteAddress, headers: request.headers })) {
        return refuse(response, 403, 'profiling is for callers on this machine')
      }
      if (isAnswering) return refuse(response, 503, 'a profile is being taken or sent already; try again later')
      isAnswering = true
      response.setTimeout(0)
      try {
        const { searchParams } = new URL(request.url ?? '', 'http://localhost')
        await answer(searchParams, request, response)
      } catch (error) {
        tell(error, response)
      } finally {
        isAnswering = false
      }
    }
  const run = <T>(command: AnyCommand, response: ServerResponse): Promise<T> =>
    firstValueFrom(
      (execute(command) as Observable<T>).pipe(
        takeUntil(fromEvent(response, 'close')),
        throwIfEmpty(() => new StoppedError('the caller has left, or the swarm stops')),
      ),
    )

  return [
    {
      path: '/debug/profile',
      title: 'CPU profile: POST ?seconds=10&intervalUs=1000, for Chrome and speedscope',
      methods: ['POST'],
      localOnly: true,
      answer: alone(async (query, _, response) => {
        const intervalUs = numberIn(query, 'intervalUs', 1_000)
        const asked = commands.cpu({ durationMs: secondsIn(query, 10), intervalUs })
        const { profile } = await run<CpuTaken>(asked, response)
        await send(response, 'rxswarm.cpuprofile', profile)
      }),
    },
    {
      path: '/debug/heap',
      title: 'Heap snapshot: POST, for Chrome; nothing else runs until it is taken, and it holds every secret',
      methods: ['POST'],
      localOnly: true,
      answer: alone(async (_query, _, response) => {
        const path = join(tmpdir(), `rxswarm-${randomUUID()}.heapsnapshot`)
        try {
          await run(commands.heap({ path }), response)
          head(response, 'rxswarm.heapsnapshot')
          await pipeline(createReadStream(path), response)
        } finally {
          await rm(path, { force: true })
        }
      }),
    },
    {
      path: '/debug/timing',
      title: 'Time by behaviour and operator: POST ?seconds=10, with &format=speedscope for speedscope',
      methods: ['POST'],
      localOnly: true,
      answer: alone(async (query, _, response) => {
        const report = await run<TimingReport>(commands.timing({ durationMs: secondsIn(query, 10) }), response)
        const isFile = query.get('format') === 'speedscope'
        await send(response, isFile ? 'rxswarm.speedscope.json' : undefined, isFile ? report.toSpeedscope() : report)
      }),
    },
    {
      path: '/debug/loop',
      title: 'Delay of the event loop: ?seconds=1',
      methods: ['GET', 'POST'],
      localOnly: true,
      answer: alone(async (query, _, response) => {
        await send(response, undefined, await run<LoopDelay>(commands.loop({ everyMs: secondsIn(query, 1) }), response))
      }),
    },
  ]
}

function numberIn(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name)
  if (text === null) return otherwise
  const value = /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(value)) throw new InvalidCommandError(`${name}: must be a number`, { field: name })
  return value
}

/** @unit milliseconds */
const secondsIn = (query: URLSearchParams, otherwise: number): number => numberIn(query, 'seconds', otherwise) * 1_000

function head(response: ServerResponse, file: string | undefined): void {
  response.statusCode = 200
  response.setHeader('content-type', 'application/json')
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  if (file !== undefined) response.setHeader('content-disposition', `attachment; filename="${file}"`)
  response.setTimeout(STALLED_MS, () => response.destroy())
}

async function send(response: ServerResponse, file: string | undefined, value: unknown): Promise<void> {
  head(response, file)
  await pipeline([Buffer.from(JSON.stringify(value))], response)
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
  response.end(`${reason}\n`)
}

/** What the caller did wrong is said to it; what went wrong here is for whoever serves the page. */
function tell(error: unknown, response: ServerResponse): void {
  if (response.destroyed || response.headersSent) return void response.destroy()
  const status = error instanceof SwarmError ? STATUS[error.name] : undefined
  if (status === undefined) throw error
  refuse(response, status, (error as SwarmError).message)
}
