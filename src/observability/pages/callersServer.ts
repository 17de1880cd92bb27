import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Page } from '../../swarm/vocabulary/probe.ts'
import { stallOf, type Stall, type Unread } from './stall.ts'

/** A request that a page has in hand. */
export interface Exchange {
  readonly page: Page
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** @unit milliseconds of `performance.now` */
  readonly sinceMs: number
}

/** Whoever is connected. */
export interface Connected {
  readonly socket: Socket
  /** Whether it came when all places were taken. */
  isLate: boolean
  /** When it is cut off, whatever it does: it has been turned away. @unit milliseconds of `performance.now` */
  endsAtMs: number
  /** What is being answered. */
  readonly exchanges: Set<Exchange>
  stall: Stall
}

/** Who was turned away has so long to read why. @unit milliseconds */
const FAREWELL_MS = 2_000

/** Who came when all places were taken has so long to ask, and so to hear it. @unit milliseconds */
const LATE_MS = 5_000

/** Everybody who is connected, and how many of them have a place. */
export class Callers {
  readonly #open = new Map<Socket, Connected>()
  readonly #places: number
  #seated = 0

  constructor(places: number) {
    this.#places = places
  }

  get isFull(): boolean {
    return this.#seated >= this.#places
  }

  enter(socket: Socket): void {
    const nowMs = performance.now()
    const isLate = this.isFull
    if (!isLate) this.#seated++
    const caller: Connected = {
      socket,
      isLate,
      endsAtMs: isLate ? nowMs + LATE_MS : Infinity,
      exchanges: new Set(),
      stall: { inHand: 0, taken: 0, sinceMs: nowMs },
    }
    this.#open.set(socket, caller)
    socket.once('close', () => {
      this.#open.delete(socket)
      if (!caller.isLate) this.#seated--
    })
  }

  get(socket: Socket): Connected | undefined {
    return this.#open.get(socket)
  }

  /** Whether there is a place for a caller: it has one, or has come late and one is free by now. */
  seat(caller: Connected): boolean {
    if (!caller.isLate) return true
    if (this.isFull) return false
    caller.isLate = false
    caller.endsAtMs = Infinity
    this.#seated++
    return true
  }

  /** Gives a caller a last moment. */
  dismiss(socket: Socket): void {
    const caller = this.#open.get(socket)
    if (caller !== undefined) caller.endsAtMs = Math.min(caller.endsAtMs, performance.now() + FAREWELL_MS)
  }

  /**
   * Looks at everybody: to be called again and again.
   *
   * @param stalled Hears of who has stopped reading, and is cut off.
   * @param slow    Hears of an exchange whose answer has not begun in time.
   */
  look(
    stallMs: number,
    answerMs: number,
    stalled: (caller: Connected) => void,
    slow: (exchange: Exchange) => void,
  ): void {
    const nowMs = performance.now()
    for (const caller of this.#open.values()) {
      const { socket, exchanges } = caller
      caller.stall = stallOf(caller.stall, unread(socket), nowMs)
      if (nowMs >= caller.endsAtMs) socket.destroy()
      else if (nowMs - caller.stall.sinceMs >= stallMs) {
        stalled(caller)
        socket.destroy()
      } else {
        for (const exchange of exchanges) {
          if (!exchange.response.headersSent && nowMs - exchange.sinceMs >= answerMs) slow(exchange)
        }
      }
    }
  }

  endAll(): void {
    for (const socket of this.#open.keys()) socket.destroy()
  }
}

/** What waits for the other end. */
function unread(socket: Socket): Unread {
  // a large chunk leaves little by little, and only the handle knows how much of it has
  const handle = (socket as { readonly _handle?: { readonly writeQueueSize?: unknown } | null })._handle
  const size = handle?.writeQueueSize
  const waiting = socket.writableLength
  return { waiting, inHand: typeof size === 'number' ? size : 0, taken: socket.bytesWritten - waiting }
}
