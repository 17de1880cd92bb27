import type { BalanceEvent } from './balanceEvent.ts'
import { seat, type Seat, type TargetLoad } from './seat.ts'
import { Shedding, type Turned } from './shedding.ts'

/** What {@link Roster} goes by. */
export interface RosterOptions<Target> {
  /** Id and weight of a target; throws if the target can't be used. */
  readonly admit: (target: Target) => { readonly id: string; readonly weight: number }
  /** See `BalanceOptions`. */
  readonly decayMs: number
  /** See `BalanceOptions`. */
  readonly shedAbove: number
  /** Hears that the set or a status has changed. */
  readonly changed: () => void
  /** See `BalanceOptions`. */
  readonly report: (event: BalanceEvent) => void
}

/**
 * The live set, and what calls have taught of it.
 *
 * @shape  One seat for each id of the newest list. Who leaves is forgotten; who stays keeps its seat.
 * @errors What `report` throws, when everything has been noted.
 */
export class Roster<Target> {
  readonly #options: RosterOptions<Target>
  readonly #shedding: Shedding<Seat<Target>>
  #seats = new Map<string, Seat<Target>>()
  #known = false
  #targets: readonly Target[] | undefined
  #all: readonly Seat<Target>[] = []
  #healthy: readonly Seat<Target>[] = []
  #shed: readonly Seat<Target>[] = []

  constructor(options: RosterOptions<Target>) {
    this.#options = options
    this.#shedding = new Shedding(options.shedAbove)
  }

  /** Whether there has been a list yet. */
  get known(): boolean {
    return this.#known
  }
  /** Every seat, in the order of the newest list. */
  get all(): readonly Seat<Target>[] {
    return this.#all
  }
  /** The seats that are not shed; one at least, if there is any seat. */
  get healthy(): readonly Seat<Target>[] {
    return this.#healthy
  }
  /** The seats that are shed. */
  get shed(): readonly Seat<Target>[] {
    return this.#shed
  }

  /** Takes over the newest list. */
  replace(targets: readonly Target[], nowMs: number): void {
    if (targets === this.#targets) return // it is subscribed to anew, and has not changed
    const { admit, decayMs } = this.#options
    const before = this.#seats
    const seats = new Map<string, Seat<Target>>()
    const refused: BalanceEvent[] = []
    let differs = !this.#known
    targets.forEach((target, index) => {
      try {
        const { id, weight } = admit(target)
        const place = seats.get(id) ?? before.get(id) ?? seat(id, target, weight, decayMs)
        differs ||= !before.has(id) || place.weight !== weight
        place.target = target
        place.weight = weight
        seats.set(id, place)
      } catch (cause) {
        refused.push({ type: 'balance:refused', index, cause })
      }
    })
    differs ||= seats.size !== before.size
    this.#known = true
    this.#targets = targets
    this.#seats = seats
    this.#all = [...seats.values()]
    this.#settle(this.#shedding.restart(this.#all), differs, nowMs, refused)
  }

  /** Takes in a latency of a seat; with `atLeast`, that of a call which was given up. A seat that has left is let be. */
  learn(place: Seat<Target>, latencyMs: number, nowMs: number, atLeast = false): void {
    if (this.#seats.get(place.id) !== place) return
    if (atLeast) place.latency.observeAtLeast(latencyMs, nowMs)
    else place.latency.observe(latencyMs, nowMs)
    if (place.latency.levelMs === undefined) return
    const turned = this.#shedding.moved(place)
    if (turned.length > 0) this.#settle(turned, true, nowMs)
  }

  /** How every seat stands. */
  loads(nowMs: number): readonly TargetLoad[] {
    return this.#all.map(({ id, inFlight, latency, weight, status }) => ({
      id,
      inFlight,
      latencyMs: latency.latencyMs(nowMs),
      weight,
      status,
    }))
  }

  #settle(
    turned: readonly Turned<Seat<Target>>[],
    differs: boolean,
    nowMs: number,
    refused: readonly BalanceEvent[] = [],
  ): void {
    const { changed, report } = this.#options
    this.#healthy = this.#all.filter(({ status }) => status === 'healthy')
    this.#shed = this.#all.filter(({ status }) => status === 'shed')
    const events = turned.map(({ candidate, latencyMs, medianMs }): BalanceEvent => {
      candidate.probedAtMs = nowMs
      const type = candidate.status === 'shed' ? 'balance:shed' : 'balance:restored'
      return { type, target: candidate.id, latencyMs, medianMs }
    })
    if (differs || turned.length > 0) changed()
    for (const event of [...refused, ...events]) report(event)
  }
}
