import type { SwarmError } from '../../../errors/errors.ts'
import { costOf, rankRelays } from './rankRelays.ts'
import type { KnownRelay } from './relayMachineState.ts'
import { isWanted, RelayWork } from './relayWork.ts'

/** The first wait between two searches, and the longest. @unit milliseconds */
const SEARCH_MS = 5_000
const MOST_SEARCH_MS = 300_000

/** Another relay must cost this share at most, or the reservation stays where it is. */
const CLEARLY_BETTER = 0.5

/** What must be, whatever has happened: which relays are tried and let go, and how a reservation moves. */
export class RelayPlan extends RelayWork {
  plan(): void {
    const { reservations } = this.decisions
    for (const known of this.idle().filter(({ asked }) => asked.size > 0)) this.hold(known)
    // a trusted relay that is away keeps no place from another
    const room = reservations - this.count((known) => known.trusted && isHeldOrNew(known))
    for (const known of this.ranked((one) => one.trusted, room)) this.hold(known)
    const wanted = this.decisions.discover ? reservations - this.count(isHeldOrNew) : 0
    for (const known of this.ranked((one) => !one.trusted, wanted)) this.hold(known)
    this.stopUnneeded()
    const missing = reservations - this.count(isHeldOrNew)
    this.searchFor(missing)
    this.wakeFor(missing)
  }

  stopUnneeded(): void {
    const isFree = ({ relay, asked }: KnownRelay) =>
      asked.size === 0 && relay !== this.moving?.to && relay !== this.moving?.from
    const { reservations } = this.decisions
    const own = [...this.relays.values()].filter(({ status, asked }) => status === 'held' && asked.size === 0)
    const surplus = own.length - reservations - (this.moving === undefined ? 0 : 1)
    if (surplus > 0) {
      const worst = rankRelays(own.filter(isFree), [], this.nowMs).toReversed()
      const untrustedFirst = worst.toSorted((one, other) => Number(one.trusted) - Number(other.trusted))
      for (const { relay } of untrustedFirst.slice(0, surplus)) this.letGo(relay)
    }
    if (this.count(({ status }) => status === 'held') < reservations) return
    for (const known of this.relays.values()) {
      if (known.status === 'trying' && isFree(known) && !known.trusted) this.letGo(known.relay)
    }
  }

  searchFor(missing: number): void {
    if (missing <= 0 || !this.decisions.discover) {
      this.search = { ...this.search, inARow: 0 }
      return
    }
    if (this.search.running || this.search.dueAt > this.nowMs) return
    const waitMs = Math.min(SEARCH_MS * 2 ** this.search.inARow, MOST_SEARCH_MS)
    const dueAt = this.nowMs + Math.round((waitMs * (1 + this.random())) / 2)
    this.search = { running: true, dueAt, inARow: Math.min(this.search.inARow + 1, 10) }
    this.run.push({ do: 'search' })
  }

  wakeFor(missing: number): void {
    const dues = [...this.relays.values()]
      .filter(
        (known) =>
          known.status === 'idle' && !known.released && (isWanted(known) || (missing > 0 && this.decisions.discover)),
      )
      .map(({ dueAt }) => dueAt)
    const search = missing > 0 && this.decisions.discover && !this.search.running ? [this.search.dueAt] : []
    const next = Math.min(...[...dues, ...search].filter((dueAt) => dueAt > this.nowMs))
    if (next === Infinity) this.stop.push('wake')
    else this.run.push({ do: 'wake', inMs: next - this.nowMs })
  }

  review(): void {
    this.reviewLater()
    const free = this.free()
    for (const { relay } of free) this.run.push({ do: 'measure', relay })
    if (this.moving !== undefined) return
    const mine = [...this.relays.values()].filter(({ status, asked }) => status === 'held' && asked.size === 0)
    const worst = mine.toSorted((one, other) => costOf(other, this.nowMs) - costOf(one, this.nowMs))[0]
    const best = worst && this.replacing(worst.relay).find(({ rttMs }) => rttMs !== undefined)
    if (worst === undefined || best === undefined) return
    if (costOf(best, this.nowMs) > costOf(worst, this.nowMs) * CLEARLY_BETTER) return
    this.moving = { from: worst.relay, to: best.relay, tried: [] }
    this.hold(best)
  }

  /** Those that could take its place, the best first: a trusted one comes back at once wherever another has taken it. */
  replacing(from: string): readonly KnownRelay[] {
    const isTrusted = this.relays.get(from)?.trusted === true
    return this.free().filter(({ trusted }) => trusted || !isTrusted)
  }

  reviewLater(): void {
    const inMs = Math.round(this.decisions.rotateAfterMs * (0.9 + this.random() / 5))
    this.run.push({ do: 'review', inMs })
  }

  /** Tries the next best in a rotation. @param error What to say when there is none. */
  moveOn(error: SwarmError): void {
    if (this.moving === undefined) return
    const { from, tried, to } = this.moving
    const next = this.replacing(from).find(({ relay }) => !tried.includes(relay) && relay !== to)
    if (next === undefined) return this.stopMoving(error)
    this.moving = { ...this.moving, to: next.relay, tried: [...tried, to] }
    this.hold(next)
  }

  stopMoving(error: SwarmError): void {
    const cause = this.moving?.cause
    this.moving = undefined
    if (cause !== undefined) this.say.push({ type: 'command:failed', cause, command: 'relay/rotate', error })
  }
}

/** Has its place: it is held, or tried for the first time. */
function isHeldOrNew({ status, inARow }: KnownRelay): boolean {
  return status === 'held' || (status === 'trying' && inARow === 0)
}
