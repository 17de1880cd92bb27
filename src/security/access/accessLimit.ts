import { z } from 'zod'
import type { AccessMatch } from './accessPolicy.ts'
import { matchSpec, patterns, refuseTwins, ruleId } from './accessPolicySpec.ts'

/** A rate, as plain data. */
export interface AccessLimit {
  /** A name for errors, and by which `swap` knows it again; no two limits share one. */
  readonly id?: string
  /**
   * What has a bucket of its own: each peer, protocol, command type or subnet; or all together. A request that does not have it is
   * not limited by this limit. Of a command, the peer is its `meta.principal`, or else the one that it names. Peers are made
   * up for nothing: put a limit per subnet beside one per peer.
   */
  readonly per: 'peer' | 'protocol' | 'subnet' | 'command' | 'all'
  /** Tokens that come back in a second: requests in the long run. From 0.000 001 to 1 000 000. */
  readonly perSecond: number
  /** Tokens of a full bucket: requests at once. At most 1 000 000. Default: `perSecond`, rounded up. */
  readonly burst?: number
  /** Which requests it is about. Default: all. */
  readonly match?: AccessMatch & {
    /** Types of commands; `*` stands for any text: `kad/*`. */
    readonly command?: string | readonly string[]
  }
  /** Length of an IPv4 subnet. Default: 24. @unit bits */
  readonly prefix4?: number
  /** Length of an IPv6 subnet. Default: 64. @unit bits */
  readonly prefix6?: number
}

/** A request looks at every limit. */
const MOST_LIMITS = 1_000

/** Beyond it, a token's time is lost in the rounding of the clock's. */
const HIGHEST_RATE = 1_000_000

/** One in 11 days. */
const LOWEST_RATE = 0.000_001

const HIGHEST_BURST = 1_000_000

const bits = (most: number) =>
  z.int('must be a whole number').min(0, 'must not be below 0').max(most, `must be at most ${most}`)

const limit = z
  .strictObject(
    {
      id: ruleId,
      per: z.enum(['peer', 'protocol', 'subnet', 'command', 'all'], 'must be peer, protocol, subnet, command or all'),
      perSecond: z
        .number('must be a finite number')
        .min(LOWEST_RATE, `must be at least ${LOWEST_RATE.toFixed(6)}`)
        .max(HIGHEST_RATE, `must be at most ${HIGHEST_RATE}`),
      burst: z
        .int('must be a whole number')
        .positive('must be above 0')
        .max(HIGHEST_BURST, `must be at most ${HIGHEST_BURST}`)
        .optional(),
      match: z.strictObject({ ...matchSpec, command: patterns }).default({}),
      prefix4: bits(32).default(24),
      prefix6: bits(128).default(64),
    },
    'must be a limit',
  )
  .transform((parsed) => ({ ...parsed, burst: parsed.burst ?? Math.ceil(parsed.perSecond) }))

/** {@link AccessLimit}s with their defaults. */
export const accessLimitsSpec = z
  .array(limit, 'must be a list of limits')
  .max(MOST_LIMITS, `must be at most ${MOST_LIMITS} limits`)
  .superRefine(refuseTwins)

/** An {@link AccessLimit} with its defaults. */
export type ParsedLimit = z.output<typeof limit>
