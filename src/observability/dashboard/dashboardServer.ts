import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { lastValueFrom } from 'rxjs'
import { InvalidCommandError } from '../../errors/errors.ts'
import { command } from '../../swarm/vocabulary/command.ts'
import type { Page } from '../../swarm/vocabulary/probe.ts'
import { loadAssets, type Asset } from './assetsServer.ts'
import type { DashboardDecisions } from './dashboardOptions.ts'
import type { DashboardWatch } from './dashboardWatch.ts'
import { Feed } from './feedServer.ts'
import { PastAnswers } from './historyServer.ts'

/** Where the page is. */
const HOME = '/dashboard/'

/** What an acknowledgement may take. @unit bytes */
const MOST_BYTES = 4_096

/** Names of alerts are shorter. @unit characters */
const LONGEST_ALERT = 256

/** The page of a swarm, its feed, its past, and the word of who looks after an alert. */
export function dashboardPages(watch: DashboardWatch, options: DashboardDecisions): readonly Page[] {
  const feed = new Feed(watch, options)
  const past = new PastAnswers(watch)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?', 1)[0]!
    const isPost = request.method === 'POST'
    if (path === `${HOME}acknowledge`) {
      return isPost ? acknowledge(watch, request, response) : notThus(response, 'POST')
    }
    if (isPost) return notThus(response, 'GET, HEAD')
    if (path === `${HOME}feed`) return feed.admit(request, response)
    if (path === `${HOME}history`) return sendPast(past, request, response)
    return sendAsset(path, request, response)
  }
  return [{ path: HOME, title: 'Dashboard: the network as it lives', methods: ['GET', 'POST'], answer }]
}

async function sendAsset(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { index, policy, version, files } = await loadAssets()
  if (path === HOME) {
    response.setHeader('content-security-policy', policy)
    response.setHeader('cache-control', 'no-cache')
    return send(index, version, request, response)
  }
  const asset = files.get(path)
  if (asset === undefined) return refuse(response, 404, 'There is no such file.')
  response.setHeader('cache-control', 'public, max-age=31536000, immutable')
  return send(asset, version, request, response)
}

function send(asset: Asset, version: string, request: IncomingMessage, response: ServerResponse): void {
  const { type, body, gzipped } = asset
  response.setHeader('etag', `"${version}"`)
  response.setHeader('vary', 'accept-encoding')
  if (request.headers['if-none-match'] === `"${version}"`) {
    response.statusCode = 304
    return void response.end()
  }
  const isGzipped = gzipped !== undefined && takesGzip(request)
  const bytes = isGzipped ? gzipped : body
  response.statusCode = 200
  response.setHeader('content-type', type)
  if (isGzipped) response.setHeader('content-encoding', 'gzip')
  response.setHeader('content-length', bytes.length)
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

async function sendPast(past: PastAnswers, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!takesGzip(request)) return refuse(response, 406, 'The past is sent compressed by gzip only.')
  const bytes = await past.answer()
  response.statusCode = 200
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.setHeader('content-encoding', 'gzip')
  response.setHeader('content-length', bytes.length)
  response.setHeader('cache-control', 'no-store')
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

const takesGzip = ({ headers }: IncomingMessage) => /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''))

/** Only from the page itself: JSON can't be sent by a form, and a browser says where a request comes from. */
async function acknowledge(watch: DashboardWatch, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (isForeign(request)) return refuse(response, 403, 'Pages of other sites are not answered.')
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    return refuse(response, 415, 'The body must be application/json.')
  if (!(Number(request.headers['content-length']) <= MOST_BYTES))
    return refuse(response, 413, `The body must say its length, at most ${MOST_BYTES} bytes.`)
  const body: unknown = await json(request).catch(() => undefined)
  const alert = (body as { readonly alert?: unknown } | null | undefined)?.alert
  if (typeof alert !== 'string' || alert.length > LONGEST_ALERT)
    return refuse(response, 400, 'The body must be { "alert": "name" }.')
  try {
    await lastValueFrom(watch.probed.execute(command('dashboard/acknowledge', { alert })))
  } catch (cause) {
    if (!(cause instanceof InvalidCommandError)) throw cause
    return refuse(response, 404, 'There is no such alert, or it is resolved.')
  }
  response.statusCode = 204
  response.end()
}

function isForeign({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  return origin !== undefined && origin !== `http://${host ?? ''}` && origin !== `https://${host ?? ''}`
}

function notThus(response: ServerResponse, allow: string): void {
  response.setHeader('allow', allow)
  refuse(response, 405, 'It does not take this method.')
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  if (status === 413) response.setHeader('connection', 'close')
  response.end(`${text}\n`)
}
