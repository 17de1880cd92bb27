import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Page } from '../../swarm/vocabulary/probe.ts'
import { ipShareOf, type IpShare } from './ipShare.ts'
import type { Places } from './pagesOptions.ts'
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
  /** Who else comes from where it comes from. */
  readonly share: IpShare
  /** Whether it came when all places were taken, or all of its IP. */
  isLate: boolean
  /** What it had sent when its last answer was out; it is idle until it sends more. @unit bytes */
  restsAt: number
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

/** Callers of one IP that come when all its places are taken, and are told so; more than that are dropped. */
const MOST_LATE = { local: 960, remote: 64 }

/** Who comes from one IP. */
interface FromIp {
  readonly sockets: Set<Socket>
  seated: number
}

/** Everybody who is connected, and how many of them have a place. */
export class Callers {
  readonly #open = new Map<Socket, Connected>()
  readonly #byIp = new Map<string, FromIp>()
  readonly #places: Places
  #seated = 0

  constructor(places: Places) {
    this.#places = places
  }

  get isFull(): boolean {
    return this.#seated >= this.#places.all
  }

  /** How many IPs somebody is connected from. */
  get ips(): number {
    return this.#byIp.size
  }

  /** Takes in who has connected. @returns Whether it may stay, and ask. */
  enter(socket: Socket): boolean {
    const nowMs = performance.now()
    const share = ipShareOf(socket.remoteAddress)
    const from = this.#byIp.get(share.key) ?? { sockets: new Set(), seated: 0 }
    const isTaken = this.#isTaken(share, from)
    if (isTaken) this.#closeIdle(from)
    const isLate = isTaken || this.isFull
    if (isLate && from.sockets.size - from.seated >= MOST_LATE[share.isLocal ? 'local' : 'remote']) return false
    const caller: Connected = {
      socket,
      share,
      isLate,
      restsAt: NaN,
      endsAtMs: isLate ? nowMs + LATE_MS : Infinity,
      exchanges: new Set(),
      stall: { inHand: 0, taken: 0, sinceMs: nowMs },
    }
    this.#byIp.set(share.key, from)
    this.#open.set(socket, caller)
    from.sockets.add(socket)
    if (!isLate) this.#take(from, 1)
    socket.once('close', () => {
      this.#open.delete(socket)
      from.sockets.delete(socket)
      if (!caller.isLate) this.#take(from, -1)
      if (from.sockets.size === 0) this.#byIp.delete(share.key)
    })
    return true
  }

  get(socket: Socket): Connected | undefined {
    return this.#open.get(socket)
  }

  /** Whether there is a place for a caller: it has one, or has come late and one is free by now. */
  seat(caller: Connected): boolean {
    if (!caller.isLate) return true
    const from = this.#byIp.get(caller.share.key)
    if (this.isFull || from === undefined || this.#isTaken(caller.share, from)) return false
    caller.isLate = false
    caller.endsAtMs = Infinity
    this.#take(from, 1)
    return true
  }

  #isTaken({ isLocal }: IpShare, { seated }: FromIp): boolean {
    return seated >= (isLocal ? this.#places.perLocalIp : this.#places.perIp)
  }

  #take(from: FromIp, places: 1 | -1): void {
    this.#seated += places
    from.seated += places
  }

  /** Connections of an IP that are kept for another request make room. */
  #closeIdle({ sockets }: FromIp): void {
    for (const socket of sockets) {
      const { exchanges, restsAt } = this.#open.get(socket)!
      if (exchanges.size === 0 && socket.bytesRead === restsAt) socket.destroy()
    }
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
