import { createHash } from 'node:crypto'
import { parseOptions } from '../../errors/parseOptions.ts'
import { accessLimitsSpec, type AccessLimit, type ParsedLimit } from './accessLimit.ts'
import type { AccessRequest } from './accessPolicy.ts'
import { BucketTable } from './bucketTable.ts'
import { probeOf, RequestMatcher, type Probe } from './requestMatcher.ts'
import { subnetText } from './subnetOf.ts'

/** What is to be limited: a request, or a command. */
export interface LimitedRequest extends AccessRequest {
  /** Type of the command, such as `kad/put`. */
  readonly command?: string
}

/** Whether a request has its tokens. */
export type LimitOutcome =
  | { readonly ok: true }
  | {
      readonly ok: false
      /** The limit that makes it wait longest. */
      readonly limit: AccessLimit
      /** Whose bucket is empty: a peer, a protocol, a subnet as text, a command type; empty text for `all`. Of long ones the hash. */
      readonly key: string
      /** When it may be tried again, if nobody takes the tokens before. @unit whole milliseconds */
      readonly retryInMs: number
    }

/** Rate limits at work. */
export interface AccessLimiter {
  /** The limits in force, with their defaults. */
  readonly limits: readonly AccessLimit[]
  /** Buckets that are remembered, of all limits. */
  readonly size: number
  /** Takes a token of each limit that the request matches, or of none. @param now @unit milliseconds */
  take(this: void, request: LimitedRequest, now: number): LimitOutcome
  /**
   * Puts other limits in force. A limit with the id of an earlier one, or without ids equal to an earlier one, keeps what
   * its buckets owe, also at another rate; other subnets or another `per` begin anew.
   */
  swap(this: void, limits: readonly AccessLimit[], now: number): void
}

/** Buckets of a limit that are remembered. */
const MOST_KEYS = 65_536

/** Longer keys are remembered by their hash. @unit characters */
const LONGEST_KEY = 128

interface Active {
  readonly limit: ParsedLimit
  readonly matcher: RequestMatcher
  readonly buckets: BucketTable
}

/** A token to take. */
interface Due {
  readonly one: Active
  readonly key: string
}

const GRANTED: LimitOutcome = { ok: true }

/**
 * Limits how often peers, subnets, protocols and commands may do something.
 *
 * @param limits See {@link AccessLimit}. At most 1 000, each of which is looked at for each request.
 * @unit   A request is one token of each limit that it matches.
 * @shape  A request that is refused takes no token at all. Memory: at most 65 536 buckets a limit; full ones are forgotten. When
 *         so many are not full, a new key takes over the one that owes least, with what it owes: a flood of made-up peers fills
 *         no memory, and resets no limit. It does get a bucket for each peer that it makes up, and beyond
 *         65 536 × `perSecond` a second new peers have to wait: what holds it is a limit per subnet beside, since what one
 *         limit refuses takes nothing from another.
 * @errors `ConfigError` with every problem by its path; a swap that fails changes nothing. Taking has none.
 * @source The generic cell rate algorithm (ITU-T I.371), as `withRateLimit`.
 */
export function accessLimiter(limits: readonly AccessLimit[]): AccessLimiter {
  let active = activeOf(limits, [], 0)
  let reads = active.some(readsAddress)
  return {
    get limits() {
      return active.map(({ limit }) => limit as AccessLimit)
    },
    get size() {
      return active.reduce((sum, { buckets }) => sum + buckets.size, 0)
    },
    take(request, now) {
      const probe = probeOf(request, reads)
      const due: Due[] = []
      let refused: Due | undefined
      let longest = 0
      for (const one of active) {
        if (!one.matcher.matches(probe)) continue
        const key = keyOf(one.limit, probe)
        if (key === undefined) continue
        const each = { one, key }
        due.push(each)
        const waitMs = one.buckets.wait(key, now)
        if (waitMs <= longest) continue
        longest = waitMs
        refused = each
      }
      if (refused !== undefined) return refusal(refused, longest)
      for (const { one, key } of due) one.buckets.take(key, now)
      return GRANTED
    },
    swap(others, now) {
      active = activeOf(others, active, now)
      reads = active.some(readsAddress)
    },
  }
}

function activeOf(limits: readonly AccessLimit[], earlier: readonly Active[], now: number): readonly Active[] {
  const parsed = parseOptions('limits', accessLimitsSpec, limits)
  const left = new Map<string, Active[]>()
  for (const one of earlier) {
    const name = nameOf(one.limit)
    left.set(name, [...(left.get(name) ?? []), one])
  }
  return parsed.map((limit) => {
    const before = left.get(nameOf(limit))?.shift()
    const buckets =
      before !== undefined && isKeyedAlike(before.limit, limit)
        ? before.buckets.at(limit.perSecond, limit.burst, now)
        : new BucketTable(limit.perSecond, limit.burst, MOST_KEYS)
    return { limit, matcher: new RequestMatcher(limit.match), buckets }
  })
}

/** By what a limit is known again. The fields are in the order of the schema, whatever order they came in. */
const nameOf = (limit: ParsedLimit) => (limit.id === undefined ? `=${JSON.stringify(limit)}` : `#${limit.id}`)

function isKeyedAlike(a: ParsedLimit, b: ParsedLimit): boolean {
  if (a.per !== b.per) return false
  return a.per !== 'subnet' || (a.prefix4 === b.prefix4 && a.prefix6 === b.prefix6)
}

const readsAddress = ({ limit, matcher }: Active) => limit.per === 'subnet' || matcher.address !== undefined

/** Whose bucket it is; undefined when the request does not have it. A subnet is known by its bits, which are quicker than its text. */
function keyOf({ per, prefix4, prefix6 }: ParsedLimit, probe: Probe): string | undefined {
  if (per === 'all') return ''
  if (per === 'subnet') return probe.address?.slice(0, 1 + (probe.address.startsWith('4') ? prefix4 : prefix6))
  const key = probe[per]
  if (key === undefined || key.length <= LONGEST_KEY) return key
  return `sha256:${createHash('sha256').update(key).digest('hex')}`
}

function refusal({ one: { limit }, key }: Due, waitMs: number): LimitOutcome {
  const own = limit.per === 'subnet' ? subnetText(key) : key
  return { ok: false, limit: limit as AccessLimit, key: own, retryInMs: Math.ceil(waitMs) }
}
