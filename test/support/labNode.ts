import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { AnyCommand, CoreEvent, EventOf, ResultOf, Stamped, connections, identify, ping, xstream } from 'rxswarm'
import {
  catchError,
  EMPTY,
  filter,
  firstValueFrom,
  map,
  mergeMap,
  Observable,
  of,
  Subject,
  takeWhile,
  throwError,
  timeout,
} from 'rxjs'
import { fromLine, toLine, type LabCarried, type LabNodeOptions, type LabReply, type LabRequest } from './labWire.ts'

/** How long a swarm may take to start on a machine that is busy with something else. @unit milliseconds */
const START_WITHIN_MS = 30_000

/** How long anything else may take that has no deadline of its own. @unit milliseconds */
const ANSWER_WITHIN_MS = 90_000

/** What a swarm of the lab says; `ofType` narrows those of the usual behaviours. */
export type LabEvent =
  | EventOf<
      readonly [
        ReturnType<typeof connections>,
        ReturnType<typeof identify>,
        ReturnType<typeof ping>,
        ReturnType<typeof xstream>,
      ]
    >
  | Stamped<CoreEvent>

/** A swarm in a process of its own, inside a namespace. */
export interface LabNode extends AsyncDisposable {
  /** Own peer id. */
  readonly self: string
  /** Of its process. */
  readonly pid: number
  /** Where it listened when it had started. */
  readonly addresses: readonly string[]
  /** What happens there from now on; ends when it does. */
  readonly event$: Observable<LabEvent>
  /** As `execute` of a swarm, for answers that are plain data. */
  execute<C extends AnyCommand>(command: C): Observable<ResultOf<C>>
  /** Sends random bytes to a peer by xstream, and compares hashes. @param limited also through a relay with limits */
  carry(peer: string, byteLength: number, limited?: boolean): Promise<LabCarried>
  /** What libp2p says of where it is now. */
  listening(): Promise<readonly string[]>
  /** Its state, as plain data. */
  state<T>(): Promise<T>
  /** Stops it well. */
  stop(): Promise<void>
  /** Kills it at once, so that it says nothing to anybody. */
  kill(): Promise<void>
}

let requests = 0

/** Starts a swarm by a command that enters its namespace. */
export async function startLabNode(
  [command, ...args]: readonly [command: string, ...args: readonly string[]],
  options: LabNodeOptions = {},
): Promise<LabNode> {
  const path = fileURLToPath(new URL('labNodeMain.ts', import.meta.url))
  const child = spawn(command, [...args, process.execPath, '--conditions=@rxswarm/source', path], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors = `${errors}${String(chunk)}`.slice(-10_000)))
  child.stdin.on('error', () => undefined) // it has ended, which is told below
  const reply$ = new Subject<LabReply>()
  createInterface({ input: child.stdout }).on('line', (line) => reply$.next(fromLine<LabReply>(line)))
  const exited = once(child, 'close').then(() => reply$.error(new Error(`the swarm has ended. ${errors}`)))
  const tell = (request: LabRequest) => void child.stdin.write(toLine(request))
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }

  const answers = <T>(request: (id: string) => LabRequest): Observable<T> =>
    new Observable((out) => {
      const id = `lab-${++requests}`
      const heard = reply$
        .pipe(
          filter((reply) => 'id' in reply && reply.id === id),
          mergeMap((reply) => ('error' in reply ? throwError(() => revived(reply.error)) : of(reply))),
          takeWhile((reply) => !('done' in reply)),
          map((reply) => ('answer' in reply ? (reply.answer as T) : (undefined as T))),
        )
        .subscribe(out)
      tell(request(id))
      return () => {
        if (!heard.closed) tell({ cancel: id })
        heard.unsubscribe()
      }
    })
  const answer = <T>(request: (id: string) => LabRequest) =>
    firstValueFrom(answers<T>(request).pipe(timeout(ANSWER_WITHIN_MS)))

  const ready = firstValueFrom(
    reply$.pipe(
      mergeMap((reply) => ('ready' in reply ? of(reply.ready) : [])),
      timeout(START_WITHIN_MS),
    ),
  )
  tell({ start: options })
  const { self, addresses } = await ready.catch(async (error: unknown) => {
    await kill()
    throw error
  })
  return {
    self,
    pid: child.pid!,
    addresses,
    event$: reply$.pipe(
      catchError(() => EMPTY),
      mergeMap((reply) => ('event' in reply ? of(reply.event as LabEvent) : [])),
    ),
    execute: (given) => answers((id) => ({ id, command: { ...given, id } })),
    carry: (peer, byteLength, limited) =>
      answer((id) => ({ id, carry: { peer, byteLength, ...(limited === undefined ? {} : { limited }) } })),
    listening: () => answer((id) => ({ id, ask: 'addresses' })),
    state: () => answer((id) => ({ id, ask: 'state' })),
    stop: async () => {
      await answer((id) => ({ id, ask: 'stop' }))
      child.stdin.end()
      await exited
    },
    kill,
    [Symbol.asyncDispose]: kill,
  }
}

/** An error as it was told: everything of it but its class. */
function revived(told: { readonly message: string }): Error {
  return Object.assign(new Error(told.message), told)
}

/** Waits until a connection of a swarm is closed. @param withinMs @unit milliseconds */
export async function closed(node: LabNode, { id }: { readonly id: string }, withinMs: number): Promise<void> {
  const is = (event: LabEvent) => event.type === 'connection:close' && event.connection.id === id
  await firstValueFrom(node.event$.pipe(filter(is), timeout(withinMs)))
}
