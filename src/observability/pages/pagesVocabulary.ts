import type { SwarmError } from '../../errors/errors.ts'

/** A page that is served. */
export interface ServedPage {
  /** See `Page.path`. */
  readonly path: string
  /** See `Page.title`. */
  readonly title: string
  /** Name of the module that has it. */
  readonly module: string
  /** Whether only callers on this machine are answered. */
  readonly localOnly: boolean
}

/**
 * Why a caller was refused: its Host header names no host of this server; another site asks; the page is for this machine
 * only; all places are taken; it is no HTTP; it is too slow to ask, or to read; it sends too much.
 */
export type PagesReason = 'host' | 'origin' | 'local-only' | 'full' | 'malformed' | 'too-slow' | 'stalled' | 'too-long'

/** What pages can say. */
export type PagesEvent =
  | {
      readonly type: 'pages:listening'
      /** What a browser on this machine opens. */
      readonly url: string
      /** The IP that is listened on. */
      readonly host: string
      readonly port: number
      readonly pages: readonly ServedPage[]
    }
  | {
      readonly type: 'pages:failed'
      readonly error: SwarmError
      /** The page that failed; missing when the server did. */
      readonly path?: string
      /** When it is tried again. @unit milliseconds */
      readonly retryInMs?: number
      /** Failures before this one that are not told one by one. */
      readonly more?: number
    }
  | {
      readonly type: 'pages:refused'
      /** As it was asked for, cut at 256 characters; empty when there is none. */
      readonly path: string
      readonly reason: PagesReason
      /** IP of the caller. */
      readonly from: string
      /** Refusals before this one that are not told one by one. */
      readonly more?: number
    }
