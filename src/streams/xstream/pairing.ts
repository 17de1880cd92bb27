import { PairingError } from '../../errors/errors.ts'
import type { XStreamRole } from './xstreamWire.ts'

/** How long a half waits for the other. @unit milliseconds */
export const PAIR_WITHIN_MS = 15_000

/** What two halves must have in common: an id is unique only for its opener, on one connection. */
export interface PairKey {
  /** Who opened it: the peer, or we. */
  readonly direction: 'inbound' | 'outbound'
  /** Id of the connection. */
  readonly connection: string
  /** From the opener's counter. */
  readonly id: bigint
}

/** A half that has said what it is. */
export interface ArrivedHalf<H> extends PairKey {
  /** What it is for. */
  readonly role: XStreamRole
  /** The half itself. */
  readonly half: H
}

/** What comes of a half that arrives. */
export type PairOutcome<H> =
  | { readonly type: 'pair'; readonly main: H; readonly error: H }
  | { readonly type: 'waiting' }
  | { readonly type: 'refused'; readonly error: PairingError }

/** Bounds of {@link Pairing}. */
export interface PairingOptions {
  /** How long a half waits. Default: 15 000. @unit milliseconds */
  readonly withinMs?: number
  /** Halves that may wait on one connection. Default: 128. */
  readonly mostWaitingOfConnection?: number
  /** Halves that may wait on all. Default: 1 024. */
  readonly mostWaiting?: number
}

interface Waiting<H> extends ArrivedHalf<H> {
  readonly sinceMs: number
}

const keyOf = ({ direction, connection, id }: PairKey) => `${direction} ${id} ${connection}`

/**
 * Finds the halves that belong together, in whichever order they come.
 *
 * @shape  Pure: no clock, no timer, no stream. A pair is remembered until `release`, so that a third half of its id is
 *         refused. Every operation but `drop` takes constant time, `expire` one for each half that it gives back. Memory: `mostWaiting`, and one key for each
 *         pair that is open.
 * @errors `PairingError` for the newcomer only: its id is in use, its role has come before, or too many wait
 * @source xstream
 */
export class Pairing<H> {
  readonly #withinMs: number
  readonly #mostOfConnection: number
  readonly #most: number
  /** In the order of their arrival, which is that of their expiry. */
  readonly #waiting = new Map<string, Waiting<H>>()
  readonly #counts = new Map<string, number>()
  readonly #open = new Set<string>()

  constructor({ withinMs = PAIR_WITHIN_MS, mostWaitingOfConnection = 128, mostWaiting = 1_024 }: PairingOptions = {}) {
    this.#withinMs = withinMs
    this.#mostOfConnection = mostWaitingOfConnection
    this.#most = mostWaiting
  }

  /** How many halves wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** A half has come. @param nowMs The time, which does not go back. */
  arrived(half: ArrivedHalf<H>, nowMs: number): PairOutcome<H> {
    const key = keyOf(half)
    const { id, role, connection } = half
    if (this.#open.has(key)) return refuse(`xstream ${id}: the id is in use on this connection`)
    const other = this.#waiting.get(key)
    if (other?.role === role) return refuse(`xstream ${id}: a second ${role} half`)
    if (other !== undefined) {
      this.#remove(other)
      this.#open.add(key)
      const [main, error] = role === 'main' ? [half.half, other.half] : [other.half, half.half]
      return { type: 'pair', main, error }
    }
    const ofConnection = this.#counts.get(connection) ?? 0
    if (ofConnection >= this.#mostOfConnection)
      return refuse(`xstream ${id}: too many halves wait`, this.#mostOfConnection)
    if (this.#waiting.size >= this.#most) return refuse(`xstream ${id}: too many halves wait in all`, this.#most)
    this.#waiting.set(key, { ...half, sinceMs: nowMs })
    this.#counts.set(connection, ofConnection + 1)
    return { type: 'waiting' }
  }

  /** When the next half is to expire. @unit milliseconds, on the clock of `arrived` */
  get nextExpiryMs(): number | undefined {
    const [first] = this.#waiting.values()
    return first === undefined ? undefined : first.sinceMs + this.#withinMs
  }

  /** Gives back the halves that have waited too long; they are to be reset. */
  expire(nowMs: number): readonly ArrivedHalf<H>[] {
    const late: Waiting<H>[] = []
    for (const half of this.#waiting.values()) {
      if (half.sinceMs + this.#withinMs > nowMs) break
      late.push(half)
    }
    for (const half of late) this.#remove(half)
    return late
  }

  /** A half that waits is gone. Without effect when it no longer waits. */
  leave(half: ArrivedHalf<H>): void {
    const waiting = this.#waiting.get(keyOf(half))
    if (waiting?.half === half.half) this.#remove(waiting)
  }

  /** A pair is over, so that its id may come again. */
  release(key: PairKey): void {
    this.#open.delete(keyOf(key))
  }

  /** A connection is gone: gives back the halves that waited on it. */
  drop(connection: string): readonly ArrivedHalf<H>[] {
    const lost = [...this.#waiting.values()].filter((half) => half.connection === connection)
    for (const half of lost) this.#remove(half)
    return lost
  }

  #remove(half: Waiting<H>): void {
    this.#waiting.delete(keyOf(half))
    const left = (this.#counts.get(half.connection) ?? 1) - 1
    if (left === 0) this.#counts.delete(half.connection)
    else this.#counts.set(half.connection, left)
  }
}

function refuse(message: string, limit?: number): { readonly type: 'refused'; readonly error: PairingError } {
  return { type: 'refused', error: new PairingError(message, limit === undefined ? {} : { limit }) }
}
