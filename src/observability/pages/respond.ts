import type { ServerResponse } from 'node:http'

/** What every answer says unless its page says otherwise: it is for this origin alone, and nothing in it is run or kept. */
export const SAFE_HEADERS = [
  ['cache-control', 'no-store'],
  ['content-security-policy', "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['referrer-policy', 'no-referrer'],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
] as const

/** Answers with a line of text. */
export function respond(response: ServerResponse, status: number, text: string): void {
  const body = `${text}\n`
  response.statusCode = status
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.setHeader('content-length', Buffer.byteLength(body))
  response.end(body)
}
