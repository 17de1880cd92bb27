import { ChainError, type SwarmError } from '../../../errors/errors.ts'
import type { ChainBudget } from '../../behaviours/chains/chainWords.ts'
import { encodeFrame, FRAME_HEADER_BYTES, MOST_DATA_BYTES, textPayload } from '../../behaviours/chains/frames.ts'
import { SendBuffer } from '../../behaviours/chains/sendBuffer.ts'
import { initialSession, nextSending, receivedBy, sessionStep } from '../../behaviours/chains/sessionMachine.ts'
import type {
  SessionDecisions,
  SessionEffect,
  SessionInput,
  SessionState,
} from '../../behaviours/chains/sessionState.ts'
import { asSwarmError } from '../../perform.ts'
import type { FramePath } from './framePath.ts'

/** Who listens to a session. */
export interface SessionListener {
  /** Bytes have come. */
  onData(bytes: Uint8Array): void
  /** It takes more. */
  onRoom(): void
  /** The other end has finished. */
  onFinish(): void
  /** It is over; without an error when both have finished. */
  onEnd(error?: SwarmError): void
}

/** Who looks after the paths of a session. */
export interface PathKeeper {
  /** The path has failed; the session waits for another. */
  onLost(path: FramePath, error: SwarmError): void
  /** The path has used most of what was granted. */
  onEnding(path: FramePath): void
  /** The session is over; without an error when both ends have finished. */
  onOver(error?: SwarmError): void
  /** The path was measured. */
  onMeasured(path: FramePath, measured: Omit<Extract<SessionEffect, { do: 'measure' }>, 'do'>): void
}

/** What {@link ChainSession} is made with. */
export interface SessionOptions extends SessionDecisions {
  /** What the whole session may use. */
  readonly total: ChainBudget
}

/** How often a session looks at its clock. @unit milliseconds */
const TICK_MS = 250

/** Frames that are kept: small ones are put together while so many wait. */
const MOST_FRAMES = 1_024

/** A path that has used so much of what was granted is replaced in good time. */
const ENDING_SHARE = 0.75

/** Small frames go together, up to what a large one has. @unit bytes */
const MOST_PACKET_BYTES = FRAME_HEADER_BYTES + MOST_DATA_BYTES

const NOTHING = new Uint8Array(0)

/** How long a path that is no longer needed may take to send what it has. @unit milliseconds */
const CLOSE_PATH_MS = 1_000

/**
 * One end of a session, with its clock, its memory and its path: it does what `sessionStep` decides.
 *
 * @shape  Memory: `windowBytes` of what was sent and is not acknowledged; what has come is handed out at once.
 */
export class ChainSession {
  /** The opener's name of it. */
  readonly id: string
  /** The other end. */
  readonly peer: string
  readonly #options: SessionOptions
  readonly #keeper: PathKeeper
  readonly #buffer = new SendBuffer()
  readonly #timer: NodeJS.Timeout
  readonly #since = performance.now()
  #state: SessionState = initialSession(performance.now())
  #listener: SessionListener | undefined
  #path: FramePath | undefined
  #isFull = false
  #isStepping = false
  #isEnding = false
  #isGathering = false
  #usedBytes = 0
  readonly #waiting: SessionInput[] = []

  constructor(id: string, peer: string, options: SessionOptions, keeper: PathKeeper) {
    this.id = id
    this.peer = peer
    this.#options = options
    this.#keeper = keeper
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Whether it is over. */
  get isOver(): boolean {
    return this.#state.isOver
  }

  /** Its path now; the last one while it has none. */
  get path(): FramePath | undefined {
    return this.#path
  }

  /** What the other end is told, so that it sends the rest. */
  get received(): number {
    return receivedBy(this.#state)
  }

  /** In both directions, over all paths. @unit bytes */
  get bytes(): number {
    return this.#usedBytes + (this.#path?.bytes ?? 0)
  }

  /** Hands everything to a listener. */
  listen(listener: SessionListener): void {
    this.#listener = listener
  }

  /**
   * Takes a path into use; the one before is let go of.
   *
   * @param received How much the other end has. @unit bytes
   * @param isLeast  Whether it may have more by now: an opener says it over a new path while the old one still carries.
   */
  join(path: FramePath, received: number, isLeast = false): void {
    const before = this.#path
    this.#usedBytes += before?.bytes ?? 0
    this.#path = path
    this.#isFull = false
    this.#isEnding = false
    if (before !== path) before?.close(CLOSE_PATH_MS)
    this.#feed({ type: 'joined', received, isLeast })
    path.listen({
      onFrame: (frame) => void (path === this.#path && this.#feed({ type: 'frame', frame })),
      onDrain: () => {
        this.#isFull = false
        if (path === this.#path) this.#flush()
      },
      onGone: (error) => void (path === this.#path && this.#lose(path, error)),
    })
  }

  /** Whether it takes bytes now. */
  get hasRoom(): boolean {
    return this.#room > 0
  }

  get #room(): number {
    if (this.#buffer.length >= MOST_FRAMES) return 0
    return Math.max(0, this.#options.windowBytes - (this.#state.written - this.#state.acked))
  }

  /** Takes as many of these bytes as there is room for. @returns how many */
  write(bytes: Iterable<Uint8Array> & { readonly byteLength: number }): number {
    const most = Math.min(this.#room, bytes.byteLength)
    let took = 0
    for (const part of bytes) {
      const piece = part.subarray(0, most - took)
      took += piece.byteLength
      this.#buffer.write(piece, most - took)
    }
    if (took > 0) this.#feed({ type: 'wrote', bytes: took }, false)
    return took
  }

  /** Tells the other end that no more comes. */
  finish(): void {
    this.#feed({ type: 'finished' })
  }

  /** Our app has taken all that was handed out, and the end if it was told. */
  consumed(): void {
    this.#feed({ type: 'consumed', to: this.received })
  }

  /** Ends it at once, and tells the other end. */
  reset(error: SwarmError): void {
    if (this.#state.isOver) return
    this.#path?.send({ type: 'reset', at: 0, payload: textPayload(error.message) })
    this.#state = { ...this.#state, isOver: true, isUp: false }
    this.#end(error)
  }

  #lose(path: FramePath, cause: Error): void {
    if (!this.#state.isUp) return
    this.#feed({ type: 'lost' })
    if (!this.#state.isOver) this.#keeper.onLost(path, asSwarmError(cause))
  }

  #tick(): void {
    this.#feed({ type: 'ticked' })
    const path = this.#path
    if (path === undefined || !this.#state.isUp) return
    const { total } = this.#options
    if (this.bytes > total.bytes || performance.now() - this.#since > total.ms) {
      const message = `chain: its budget of ${total.bytes} bytes, ${total.ms} ms is used up`
      return this.reset(new ChainError(message, 'BUDGET', { peer: this.peer }))
    }
    const { granted } = path
    const isNear = path.bytes >= granted.bytes * ENDING_SHARE || path.ms >= granted.ms * ENDING_SHARE
    if (!isNear || this.#isEnding) return
    this.#isEnding = true
    this.#keeper.onEnding(path)
  }

  /** One input at a time: what an effect causes waits. What is written at once is put together. */
  #feed(input: SessionInput, isUrgent = true): void {
    this.#waiting.push(input)
    if (this.#isStepping) return
    this.#isStepping = true
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const { state, run } = sessionStep(this.#options, this.#state, next, performance.now())
        this.#state = state
        for (const effect of run) this.#do(effect)
      }
    } finally {
      this.#isStepping = false
    }
    if (isUrgent) this.#flush()
    else if (!this.#isGathering) {
      this.#isGathering = true
      setImmediate(() => {
        this.#isGathering = false
        this.#flush()
      })
    }
  }

  #do(effect: SessionEffect): void {
    switch (effect.do) {
      case 'free':
        this.#buffer.free(effect.before)
        if (this.hasRoom) this.#listener?.onRoom()
        return
      case 'deliver':
        return this.#listener?.onData(effect.payload.subarray(effect.skip))
      case 'finish':
        return this.#listener?.onFinish()
      case 'drop': {
        const path = this.#path!
        path.drop(effect.error)
        return this.#keeper.onLost(path, effect.error)
      }
      case 'measure': {
        const { do: _, ...measured } = effect
        if (this.#path !== undefined) this.#keeper.onMeasured(this.#path, measured)
        return
      }
      case 'end':
        return this.#end(effect.error)
    }
  }

  #flush(): void {
    const path = this.#path
    if (path === undefined || this.#isStepping) return
    const gathered: Uint8Array[] = []
    let gatheredBytes = 0
    const send = () => {
      if (gatheredBytes === 0) return
      const bytes = gathered.length === 1 ? gathered[0]! : Buffer.concat(gathered)
      gathered.length = gatheredBytes = 0
      this.#isFull = !path.sendBytes(bytes) && path === this.#path
    }
    while (!this.#isFull && this.#state.isUp) {
      const next = nextSending(this.#state, (at) => this.#buffer.endOf(at))
      if (next === undefined) break
      this.#state = next.state
      const { send: type, at } = next.sending
      const frame = type === 'data' ? this.#buffer.frame(at) : encodeFrame({ type, at, payload: NOTHING })
      if (gatheredBytes + frame.byteLength > MOST_PACKET_BYTES) send()
      gathered.push(frame)
      gatheredBytes += frame.byteLength
    }
    send()
    const { state, run } = sessionStep(this.#options, this.#state, { type: 'flushed' }, performance.now())
    this.#state = state
    for (const effect of run) this.#do(effect)
  }

  #end(error?: SwarmError): void {
    clearInterval(this.#timer)
    this.#path?.close(CLOSE_PATH_MS)
    this.#buffer.free(Infinity)
    this.#listener?.onEnd(error)
    this.#keeper.onOver(error)
  }
}
