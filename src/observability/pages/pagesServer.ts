import { createServer, STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import { isIPv6, type AddressInfo, type Socket } from 'node:net'
import { Observable, type Subscriber } from 'rxjs'
import { DeadlineError } from '../../errors/errors.ts'
import { asSwarmError } from '../../swarm/perform.ts'
import type { Page } from '../../swarm/vocabulary/probe.ts'
import { boundBody } from './boundBody.ts'
import { Callers, type Exchange } from './callersServer.ts'
import { isForwarded } from './isForwarded.ts'
import { listenProblem } from './listenProblem.ts'
import { placesOf, type PagesDecisions } from './pagesOptions.ts'
import type { PagesEvent, PagesReason, ServedPage } from './pagesVocabulary.ts'
import { pathIn } from './pathIn.ts'
import { respond, SAFE_HEADERS } from './respond.ts'
import { whyRefused, type Caller } from './whyRefused.ts'

/** How often callers are looked at. @unit milliseconds */
const LOOK_MS = 500

/** Callers that come when all places are taken, and are told so; more than that are dropped. */
const MOST_TURNED_AWAY = 1_024

/** Requests of one connection that are answered at once: browsers send the next when the last is answered. */
const MOST_AT_ONCE = 8

/** How long a caller that was turned away is asked to wait. @unit seconds */
const RETRY_AFTER_S = 5

/** How long paths are in events. @unit characters */
const LONGEST_PATH = 256

/** What libuv's and the parser's errors are in HTTP. */
const STATUS_OF: Readonly<Record<string, readonly [status: number, reason: PagesReason]>> = {
  HPE_HEADER_OVERFLOW: [431, 'too-long'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'too-long'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'too-slow'],
}

/** What a server serves. */
export interface Served {
  /** All of it, for whoever asks where it is. */
  readonly pages: readonly ServedPage[]
  /** What is at a path, or where it should be asked for. */
  find(path: string): Page | { readonly movedTo: string } | undefined
}

/**
 * An HTTP server.
 *
 * @shape  Cold: subscribing listens, and says where; unsubscribing closes it, and every connection, at once. Memory: what
 *         `maxConnections` callers have not read yet, at most for `stallMs` each.
 * @errors `ConfigError` when it can't listen there; a server that breaks later.
 */
export function pagesServer(options: PagesDecisions, served: Served): Observable<PagesEvent> {
  return new Observable((out) => {
    const { maxConnections, headersMs, requestMs, idleMs, stallMs, answerMs } = options
    const names = new Set([options.host, ...options.hosts].map((name) => name.toLowerCase()))
    const callers = new Callers(placesOf(options))
    const server = createServer({
      maxHeaderSize: options.maxHeaderBytes,
      headersTimeout: Math.min(headersMs, requestMs),
      requestTimeout: requestMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: LOOK_MS,
      requireHostHeader: false, // `whyRefused` says what is missing
    })
    const refused = (reason: PagesReason, from: string | undefined, url = '') =>
      out.next({ type: 'pages:refused', path: url.slice(0, LONGEST_PATH), reason, from: from ?? '' })

    server.maxConnections = maxConnections + MOST_TURNED_AWAY
    server.on('connection', (socket) => {
      if (callers.isFull) server.closeIdleConnections()
      if (callers.enter(socket)) return
      refused('full', socket.remoteAddress)
      socket.destroy()
    })
    server.on('drop', (dropped) => refused('full', dropped?.remoteAddress))
    server.on('request', (request, response) => {
      response.on('error', ignore)
      request.on('error', ignore)
      for (const [name, value] of SAFE_HEADERS) response.setHeader(name, value)
      receive(request, response)
    })
    server.on('connect', (_, socket) => end(socket as Socket, 405))
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const [status, reason] = STATUS_OF[error.code ?? ''] ?? [400, 'malformed']
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') socket.destroy()
      else if (end(socket as Socket, status)) refused(reason, (socket as Socket).remoteAddress)
    })
    server.on('error', (cause) => out.error(listenProblem(options, cause)))
    server.on('listening', () => {
      if (out.closed) server.close()
      else out.next(listening(server.address() as AddressInfo, served.pages))
    })

    const looking = setInterval(() => {
      callers.look(
        stallMs,
        answerMs,
        ({ socket, exchanges: [last] }) => refused('stalled', socket.remoteAddress, last?.request.url),
        (exchange) =>
          failed(out, exchange, new DeadlineError(`page ${exchange.page.path}: no answer`, { deadlineMs: answerMs })),
      )
    }, LOOK_MS)
    server.listen({ host: options.host, port: options.port, exclusive: true })

    function receive(request: IncomingMessage, response: ServerResponse): void {
      const { socket, method = '', url = '' } = request
      const caller = callers.get(socket)
      if (caller === undefined || caller.exchanges.size >= MOST_AT_ONCE) return void socket.destroy()
      response.once('close', () => (caller.restsAt = socket.bytesRead))
      if (!callers.seat(caller)) {
        callers.dismiss(socket)
        refused('full', socket.remoteAddress, url)
        response.setHeader('retry-after', RETRY_AFTER_S)
        response.setHeader('connection', 'close')
        return respond(response, 503, 'All places are taken. Try again later.')
      }
      const path = pathIn(url)
      const page = path === undefined ? undefined : served.find(path)
      const isLocalOnly = page !== undefined && 'answer' in page && page.localOnly === true
      const refusal = whyRefused(callerOf(request), names, isLocalOnly)
      if (refusal !== undefined) {
        refused(refusal.reason, socket.remoteAddress, url)
        if (method === 'POST') response.setHeader('connection', 'close')
        return respond(response, refusal.status, refusal.text)
      }
      if (path === undefined) return respond(response, 400, 'The path is malformed.')
      if (page === undefined) return respond(response, 404, 'There is no such page. / lists those that there are.')
      if ('movedTo' in page) {
        response.setHeader('location', encodeURI(page.movedTo))
        return respond(response, 308, `It is at ${page.movedTo}.`)
      }
      const methods: readonly string[] = page.methods ?? ['GET']
      if (!methods.includes(method === 'HEAD' ? 'GET' : method)) {
        response.setHeader('allow', methods.flatMap((one) => (one === 'GET' ? ['GET', 'HEAD'] : [one])).join(', '))
        return respond(response, 405, 'The page does not take this method.')
      }
      const isWhole = boundBody(request, response, options.maxBodyBytes, () =>
        refused('too-long', socket.remoteAddress, url),
      )
      if (isWhole) hand({ page, request, response, sinceMs: performance.now() }, caller.exchanges)
    }

    /** Hands a request to its page. */
    function hand(exchange: Exchange, exchanges: Set<Exchange>): void {
      const { page, request, response } = exchange
      exchanges.add(exchange)
      response.once('close', () => exchanges.delete(exchange))
      response.on('error', (cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ERR_STREAM_WRITE_AFTER_END') tellFailed(out, page, cause)
      })
      try {
        void Promise.resolve(page.answer(request, response)).catch((cause: unknown) => failed(out, exchange, cause))
      } catch (cause) {
        failed(out, exchange, cause)
      }
    }

    /** Says what is wrong to a caller whose request did not become one. */
    function end(socket: Socket, status: number): boolean {
      const caller = callers.get(socket)
      const isAnswering = caller !== undefined && caller.exchanges.size > 0
      if (caller === undefined || isAnswering || !socket.writable) {
        socket.destroy()
        return false
      }
      callers.dismiss(socket)
      const [text, allow] = [STATUS_CODES[status] ?? '', status === 405 ? 'Allow: GET, HEAD, POST\r\n' : '']
      const length = `Content-Length: ${text.length + 1}\r\nContent-Type: text/plain; charset=utf-8`
      socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\n${allow}${length}\r\n\r\n${text}\n`)
      return true
    }

    return () => {
      clearInterval(looking)
      server.close()
      callers.endAll()
    }
  })
}

const ignore = () => undefined

function tellFailed(out: Subscriber<PagesEvent>, { path }: Page, cause: unknown): void {
  out.next({ type: 'pages:failed', path, error: asSwarmError(cause) })
}

/** The caller hears that the page failed, and not why. */
function failed(out: Subscriber<PagesEvent>, { page, response }: Exchange, cause: unknown): void {
  if (response.destroyed) return // the caller has left, which pages may well fail at
  tellFailed(out, page, cause)
  if (response.headersSent) return void response.destroy()
  for (const name of response.getHeaderNames()) response.removeHeader(name)
  for (const [name, value] of SAFE_HEADERS) response.setHeader(name, value)
  const isLate = (cause as { readonly name?: unknown } | null)?.name === 'DeadlineError'
  response.setHeader('connection', 'close')
  respond(
    response,
    isLate ? 503 : 500,
    isLate ? 'The page took too long.' : 'The page failed. The node tells why as the event pages:failed.',
  )
}

function callerOf({ method = '', headers, headersDistinct, socket }: IncomingMessage): Caller {
  const text = (name: string) => {
    const value = headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }
  return {
    method,
    ip: socket.remoteAddress,
    host: headersDistinct['host'] ?? [],
    origin: text('origin'),
    site: text('sec-fetch-site'),
    mode: text('sec-fetch-mode'),
    isForwarded: isForwarded(headers),
  }
}

function listening({ address, port }: AddressInfo, pages: readonly ServedPage[]): PagesEvent {
  const local = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
  const url = `http://${isIPv6(local) ? `[${local}]` : local}:${port}/`
  return { type: 'pages:listening', url, host: address, port, pages }
}
