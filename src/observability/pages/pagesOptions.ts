import { z } from 'zod'
import { some, someWaitMs } from '../../errors/optionKinds.ts'

/** Options of {@link pages}. */
export interface PagesOptions {
  /** Which IP or name is listened on. Default: 127.0.0.1, so that only this machine is answered. */
  readonly host?: string
  /** TCP port. Default: 0, one that the system chooses; `state.pages.url` has it. */
  readonly port?: number
  /** Names by which callers may reach it, besides IPs, `localhost` and `host`; without ports. Default: none. */
  readonly hosts?: readonly string[]
  /** Callers at once; idle ones make room, and others get 503. Default: 256. */
  readonly maxConnections?: number
  /**
   * Callers at once from one other IP; of IPv6, from one network of 64 bits. The IP's idle ones make room, and others get 503.
   * Default: an eighth of `maxConnections`.
   */
  readonly maxPerIp?: number
  /** The same from one IP of the loopback. Default: seven eighths of `maxConnections`, so that others find a place. */
  readonly maxPerLocalIp?: number
  /** How long a caller may take to send its headers. Default: 10 000. @unit milliseconds */
  readonly headersMs?: number
  /** How long a caller may take to send its whole request. Default: 30 000. @unit milliseconds */
  readonly requestMs?: number
  /** How long a connection stays open between two requests. Default: 15 000. @unit milliseconds */
  readonly idleMs?: number
  /** How long a page may take until its answer begins; then the caller gets 503. Default: 120 000. @unit milliseconds */
  readonly answerMs?: number
  /** How long a caller may stop reading while there is something for it. Default: 10 000. @unit milliseconds */
  readonly stallMs?: number
  /** Default: 16 384. @unit bytes of the request line and all headers */
  readonly maxHeaderBytes?: number
  /** Default: 65 536. @unit bytes of the body of a request */
  readonly maxBodyBytes?: number
}

/** Those of {@link PagesOptions} whose default depends on another. */
type Shares = Pick<PagesOptions, 'maxPerIp' | 'maxPerLocalIp'>

/** {@link PagesOptions} with the defaults. */
export type PagesDecisions = Required<Omit<PagesOptions, keyof Shares>> & {
  readonly [Option in keyof Shares]: Shares[Option] | undefined
}

const name = z
  .string('must be a name or an IP')
  .regex(/^(?:[a-z0-9_.-]+|[0-9a-f:.]+)$/i, 'must be a name or an IP, without a port')

/** What {@link PagesOptions} are checked with. */
export const pagesSchema = z.strictObject({
  host: name.default('127.0.0.1'),
  port: z.int('must be a port').min(0, 'must be a port').max(65_535, 'must be a port').default(0),
  hosts: z.array(name, 'must be a list of names').max(64, 'must be at most 64').default([]),
  maxConnections: some.max(65_536, 'must be at most 65 536').default(256),
  maxPerIp: some.optional(),
  maxPerLocalIp: some.optional(),
  headersMs: someWaitMs.default(10_000),
  requestMs: someWaitMs.default(30_000),
  idleMs: someWaitMs.default(15_000),
  answerMs: someWaitMs.default(120_000),
  stallMs: someWaitMs.default(10_000),
  maxHeaderBytes: some.min(512, 'must be at least 512').max(1_048_576, 'must be at most 1 048 576').default(16_384),
  maxBodyBytes: some.default(65_536),
})

/** How many callers there may be at once. */
export interface Places {
  readonly all: number
  /** From one IP of the loopback. */
  readonly perLocalIp: number
  /** From one other IP. */
  readonly perIp: number
}

/** The places that callers have. */
export function placesOf({ maxConnections: all, maxPerIp, maxPerLocalIp }: PagesDecisions): Places {
  return {
    all,
    perLocalIp: maxPerLocalIp ?? Math.max(1, Math.floor((all * 7) / 8)),
    perIp: maxPerIp ?? Math.max(1, Math.floor(all / 8)),
  }
}
