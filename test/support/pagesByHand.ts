// Callers of an HTTP server, by hand: what no HTTP client would send, and who does not read.
import { connect, type Socket } from 'node:net'
import { createSwarm, type BehaviourModule, type Page, type Swarm } from 'rxswarm'
import { pages, type PagesOptions } from 'rxswarm/observability'
import { NEVER } from 'rxjs'
import { until } from './wait.ts'

/** A module that has pages, and does nothing else. */
export function showing(...shown: readonly Page[]): BehaviourModule<'showing', never, never> {
  return { name: 'showing', commands: {}, ports: () => undefined, pages: () => shown, behaviour: () => NEVER }
}

/** A page that answers with a text. */
export function saying(path: string, text: string, more: Partial<Page> = {}): Page {
  return { path, title: `Says ${text}`, answer: (_, response) => void response.end(text), ...more }
}

/** A swarm that shows pages. */
export type ShowingSwarm = Swarm<readonly [ReturnType<typeof showing>, ReturnType<typeof pages>]>

/** Starts a swarm with pages, and waits until they are there. */
export async function startPages(
  shown: readonly Page[],
  options: PagesOptions = {},
): Promise<{ readonly swarm: ShowingSwarm; readonly url: string; readonly port: number }> {
  const swarm = await createSwarm({
    use: [showing(...shown), pages(options)],
    transports: ['memory'],
    listen: [`/memory/pages-${process.pid}-${++swarms}`],
  })
  const { url, port } = (await until(swarm.state$, (state) => state.pages.url !== undefined)).pages
  return { swarm, url: url!, port: port! }
}
let swarms = 0

/** What comes back for some bytes, until the other end closes, or says nothing for a moment. */
export async function raw(port: number, sent: string, quietMs = 3_000): Promise<string> {
  const socket = await dialled(port)
  socket.write(sent)
  return heard(socket, quietMs)
}

/** A connection. @param from The IP of the loopback that it comes from. */
export function dialled(port: number, from = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from }, () => resolve(socket))
    socket.on('error', reject)
  })
}

/** Everything that a connection has to say. */
export function heard(socket: Socket, quietMs = 3_000): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.setTimeout(quietMs, () => socket.destroy())
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
  })
}

/** The status of an answer. */
export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
