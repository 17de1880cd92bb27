import type { SwarmError } from '../../../errors/errors.ts'
import type { XStream } from '../../../streams/xstream/XStream.ts'
import type { Command, TraceContext } from '../../vocabulary/command.ts'

/** A peer that wants to open an xstream. Its id is not known yet. */
export interface XStreamOffer {
  /** Names the offer in `xstream.decide`. */
  readonly offer: string
  /** libp2p's id of the connection. */
  readonly connection: string
  /** The remote peer. */
  readonly peer: string
  /** Remote multiaddr. */
  readonly address: string
  /** The owner that it represents, when it has authenticated. */
  readonly owner?: string
  /** How long the peer still waits for a decision, when it has said so. @unit milliseconds */
  readonly deadlineMs?: number
  /** The trace that it is a part of, when the peer has named one. */
  readonly trace?: TraceContext
}

/** What this side says to an {@link XStreamOffer}. */
export interface XStreamDecision {
  /** Which offer. */
  readonly offer: string
  /** Whether the xstream may open. */
  readonly accept: boolean
  /** Told to a peer whose xstream may not. Default: `rejected`. */
  readonly reason?: string
}

/** Open an xstream to a peer. */
export type OpenStream = Command<'xstream/open', { readonly peer: string; readonly limited?: boolean }, XStream>
/** Take the xstreams that peers open, until the subscriber leaves. */
export type AcceptStreams = Command<'xstream/accept', { readonly peer?: string }, XStream>
/** Decide over an offer that waits for it. */
export type DecideStream = Command<'xstream/decide', XStreamDecision>

/** What can be asked of xstream. */
export type XStreamCommand = OpenStream | AcceptStreams | DecideStream

/** What xstream can say. The stream itself is there for who executes the command; as JSON it is its names and its status. */
export type XStreamEvent =
  | ({ readonly type: 'xstream:offered' } & XStreamOffer)
  | ({ readonly type: 'xstream:refused'; readonly reason: string } & XStreamOffer)
  /** The peer has let go of an offer, or is gone, before anybody decided. */
  | ({ readonly type: 'xstream:withdrawn' } & XStreamOffer)
  | { readonly type: 'xstream:opened'; readonly peer: string; readonly stream: XStream; readonly cause?: string }
  | { readonly type: 'xstream:accepted'; readonly peer: string; readonly stream: XStream; readonly cause: string }
  | {
      readonly type: 'xstream:closed'
      readonly peer: string
      readonly connection: string
      /** From the opener's counter. */
      readonly id: string
      readonly direction: 'inbound' | 'outbound'
      /** What ended it, unless both sides had finished. */
      readonly error?: SwarmError
    }
  /** What a peer opened came to nothing: no header in time, half a pair, an id twice. */
  | { readonly type: 'xstream:failed'; readonly peer: string; readonly connection: string; readonly error: SwarmError }
  /** The app's operator threw or ended; offers that wait for it time out, and it is started again. */
  | { readonly type: 'xstream:approval-failed'; readonly error: SwarmError }
