import type { IncomingMessage, ServerResponse } from 'node:http'
import { respond } from './respond.ts'

/**
 * Lets a page read a body up to a bound.
 *
 * @param tooLong Hears that it is longer; the caller gets 413, and is cut off.
 * @shape  Whether the page may be asked. What a body says of its length is believed when it is too much; else it is counted as
 *         it comes, and a page that reads it then sees it cut off.
 */
export function boundBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  tooLong: () => void,
): boolean {
  const refuse = () => {
    tooLong()
    if (response.headersSent) return void request.destroy()
    response.once('finish', () => request.destroy())
    response.setHeader('connection', 'close')
    respond(response, 413, `The body is too long: at most ${maxBytes} bytes are taken.`)
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    refuse()
    return false
  }
  let count = 0
  const push = request.push.bind(request)
  request.push = (chunk: unknown, encoding) => {
    if (count > maxBytes) return true // it is cut off as soon as it has heard why
    count += (chunk as Uint8Array | null)?.length ?? 0
    if (count <= maxBytes) return push(chunk, encoding)
    refuse()
    return true
  }
  return true
}
