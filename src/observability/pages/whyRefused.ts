import { ipBits } from '../../security/access/ipBits.ts'
import { hostName, isLoopbackIp, isLoopbackName } from './hostName.ts'
import type { PagesReason } from './pagesVocabulary.ts'

/** What is looked at of who asks. */
export interface Caller {
  /** GET, HEAD, POST. */
  readonly method: string
  /** IP of the other end of the socket. */
  readonly ip: string | undefined
  /** Every Host header of the request. */
  readonly host: readonly string[]
  /** The Origin header. */
  readonly origin: string | undefined
  /** The Sec-Fetch-Site header, and Sec-Fetch-Mode. */
  readonly site: string | undefined
  readonly mode: string | undefined
  /** Whether a header says that somebody else asks through whoever is at the other end. */
  readonly isForwarded: boolean
}

/** What a caller gets instead of the page. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number
  readonly reason: PagesReason
  /** What is wrong and what to do, for the caller. */
  readonly text: string
}

/**
 * Why a caller is not answered.
 *
 * @param names     Names in Host headers that are this server's, besides IPs and those of the loopback; in lower case.
 * @param localOnly Whether the page is for callers on this machine only.
 * @shape  A browser that was led here by a name that means another host now (DNS rebinding) sends that name; the page of
 *         another site sends its Origin, or `Sec-Fetch-Site`. From another site only a link to a page is followed, and not to
 *         one that is for this machine only. Who is no browser sends none of it, and is judged by its IP alone.
 * @source Fetch Metadata (W3C), "Resource Isolation Policy"; the names are ours.
 */
export function whyRefused(caller: Caller, names: ReadonlySet<string>, localOnly: boolean): Refusal | undefined {
  const [header, ...others] = caller.host
  const name = header === undefined || others.length > 0 ? undefined : hostName(header)
  if (name === undefined) {
    return { status: 400, reason: 'malformed', text: 'The request must have one Host header, with a name or an IP.' }
  }
  const isLocalName = isLoopbackName(name)
  if (!isLocalName && ipBits(name) === undefined && !names.has(name)) {
    return {
      status: 421,
      reason: 'host',
      text: 'This server is not known by the name in the Host header. Use its IP, or name it in the option "hosts" of pages.',
    }
  }
  if (isForeign(caller, header!, localOnly)) {
    return { status: 403, reason: 'origin', text: 'Pages of other sites are not answered.' }
  }
  if (!localOnly || (isLocalName && isLoopbackIp(caller.ip) && !caller.isForwarded)) return undefined
  return {
    status: 403,
    reason: 'local-only',
    text: 'This page is for callers on the same machine only: ask by 127.0.0.1 or localhost, without a proxy.',
  }
}

function isForeign({ method, origin, site, mode }: Caller, host: string, localOnly: boolean): boolean {
  if (origin !== undefined && !isOwn(origin, host)) return true
  if (site === undefined || site === 'same-origin' || site === 'none') return false
  const isLink = mode === 'navigate' && (method === 'GET' || method === 'HEAD')
  return !isLink || localOnly
}

function isOwn(origin: string, host: string): boolean {
  try {
    const { protocol, host: of } = new URL(origin)
    if (protocol !== 'http:' && protocol !== 'https:') return false
    return of === new URL(`${protocol}//${host}`).host
  } catch {
    return false
  }
}
