import type { Step } from '../../../operators/stateMachine.ts'
import { InvalidCommandError, RelayError, UnknownPeerError, type SwarmError } from '../../../errors/errors.ts'
import { contextOf } from '../../vocabulary/command.ts'
import type { Outcome } from '../../vocabulary/event.ts'
import { costOf, NO_RECORD, rankRelays, recorded, successOf } from './rankRelays.ts'
import { attemptMs, setbackOf, waitAfter } from './relayBackoff.ts'
import type { KnownRelay, RelayEffect, RelayInput, RelayMachineState } from './relayMachineState.ts'
import { relayIn } from './relayRef.ts'
import type {
  RelayCandidate,
  RelayCommand,
  RelayEvent,
  RelayRef,
  Release,
  Reservation,
  Reserve,
  Rotate,
} from './relayVocabulary.ts'

/** What the machine is made with. */
export interface RelayDecisions {
  /** How many reservations are kept, besides those that commands ask for. */
  readonly reservations: number
  /** Relays that are trusted. */
  readonly relays: readonly RelayRef[]
  /** Whether others are found and used. */
  readonly discover: boolean
  /** How often it is looked for a better relay. @unit milliseconds */
  readonly rotateAfterMs: number
}

type Said = RelayEvent | Outcome
type RelayStep = Step<RelayMachineState, RelayEffect, Said>

/** Relays that are known at once. When there are more, the worst that is neither trusted nor in use is forgotten. */
export const MOST_RELAYS = 256

/** Addresses of a relay that are remembered. */
const MOST_ADDRESSES = 16

/** A reservation that lasts this long was worth its attempt: after its loss the waits start anew. @unit milliseconds */
const STABLE_MS = 2_000

/** A relay that has just connected to us is there: it is tried again this soon. @unit milliseconds */
const HERE_MS = 500

/** The first wait between two searches, and the longest. @unit milliseconds */
const SEARCH_MS = 5_000
const MOST_SEARCH_MS = 300_000

/** Another relay must cost this share at most, or the reservation stays where it is. */
const CLEARLY_BETTER = 0.5

/** Relays whose distance is measured again at each review. */
const MOST_MEASURED = 16

/** State before anything happened. */
export function initialRelays({ relays }: RelayDecisions): RelayMachineState {
  const known = relays.map((ref) => [ref.relay, newRelay(ref, true)] as const)
  return { started: false, relays: new Map(known), search: { running: false, dueAt: 0, inARow: 0 } }
}

function newRelay({ relay, addresses }: RelayRef, trusted: boolean): KnownRelay {
  return {
    relay,
    addresses: addresses.slice(0, MOST_ADDRESSES),
    trusted,
    status: 'idle',
    released: false,
    asked: new Set(),
    record: NO_RECORD,
    refusals: 0,
    inARow: 0,
    dueAt: 0,
    since: 0,
  }
}

/**
 * Decides at which relays there are reservations.
 *
 * @param random The only chance. @unit 0 (inclusive) to 1 (exclusive)
 * @param nowMs  @unit milliseconds since the Unix epoch
 */
export function relayStep(
  decisions: RelayDecisions,
  state: RelayMachineState,
  input: RelayInput,
  random: () => number,
  nowMs: number,
): RelayStep {
  const work = new RelayMachine(decisions, state, random, nowMs)
  work.take(input)
  if (work.started) work.plan()
  return work.step()
}

/** What each input means. */
class RelayMachine {
  readonly #decisions: RelayDecisions
  readonly #relays: Map<string, KnownRelay>
  readonly #random: () => number
  readonly #now: number
  readonly #say: Said[] = []
  readonly #run: RelayEffect[] = []
  readonly #stop: string[] = []
  started: boolean
  #moving: RelayMachineState['moving']
  #search: RelayMachineState['search']

  constructor(decisions: RelayDecisions, state: RelayMachineState, random: () => number, now: number) {
    this.#decisions = decisions
    this.#relays = new Map(state.relays)
    this.#random = random
    this.#now = now
    this.started = state.started
    this.#moving = state.moving
    this.#search = state.search
  }

  step(): RelayStep {
    const state = { started: this.started, relays: this.#relays, moving: this.#moving, search: this.#search }
    return { state, say: this.#say, run: this.#run, stop: this.#stop }
  }

  take(input: RelayInput): void {
    switch (input.type) {
      case 'started':
        return this.#start()
      case 'seen':
        return this.#seen(input, input.isHere)
      case 'command':
        if (input.error !== undefined) return this.#failCommand(input.command, input.error)
        return this.#command(input.command)
      case 'cancelled':
        return this.#cancelled(input.id)
      case 'reserved':
        return this.#reserved(input.reservation)
      case 'failed':
        return this.#failed(input.relay, input.error)
      case 'measured':
        return this.#change(input.relay, { rttMs: input.rttMs })
      case 'searched':
        this.#search = { ...this.#search, running: false }
        return undefined
      case 'review':
        return this.#review()
      case 'due':
        return undefined // what is due is seen by the plan
    }
  }

  #start(): void {
    if (this.started) return
    this.started = true
    for (const { relay, addresses } of this.#relays.values()) {
      this.#say.push({ type: 'relay:found', relay, addresses, trusted: true })
    }
    this.#reviewLater()
  }

  // ---- relays -------------------------------------------------------------------------------------------------------

  #seen({ relay, addresses }: RelayRef, isHere: boolean): void {
    const known = this.#relays.get(relay)
    if (known === undefined) return this.#found({ relay, addresses }, false)
    if (!known.trusted && addresses.length > 0) this.#change(relay, { addresses: addresses.slice(0, MOST_ADDRESSES) })
    const isAway = known.status === 'idle' && (known.setback === 'lost' || known.setback === 'failed')
    if (isHere && isAway) this.#change(relay, { dueAt: Math.min(known.dueAt, this.#now + HERE_MS) })
  }

  #found(ref: RelayRef, trusted: boolean): void {
    if (!this.#decisions.discover && !trusted) return
    if (this.#relays.size >= MOST_RELAYS && !this.#forgetWorst()) return
    const relay = newRelay(ref, trusted)
    this.#relays.set(ref.relay, relay)
    this.#say.push({ type: 'relay:found', relay: ref.relay, addresses: relay.addresses, trusted })
    if (this.started && !trusted) this.#run.push({ do: 'measure', relay: ref.relay })
  }

  #forgetWorst(): boolean {
    const idle = [...this.#relays.values()].filter(({ trusted, status }) => !trusted && status === 'idle')
    const worst = idle.toSorted((one, other) => costOf(other, this.#now) - costOf(one, this.#now))[0]
    if (worst === undefined) return false
    this.#relays.delete(worst.relay)
    this.#say.push({ type: 'relay:forgotten', relay: worst.relay })
    return true
  }

  #change(relay: string, change: Partial<KnownRelay>): void {
    const known = this.#relays.get(relay)
    if (known !== undefined) this.#relays.set(relay, { ...known, ...change })
  }

  // ---- what comes of attempts ---------------------------------------------------------------------------------------

  #reserved(reservation: Reservation): void {
    const { relay, rttMs } = reservation
    const known = this.#relays.get(relay)
    if (known === undefined || known.status === 'idle') return
    const isNew = known.status === 'trying'
    this.#change(relay, {
      ...(isNew ? { status: 'held', since: this.#now, record: recorded(known.record, 'well', this.#now) } : {}),
      reservation,
      rttMs,
      refusals: 0,
    })
    this.#say.push({ type: isNew ? 'relay:reserved' : 'relay:refreshed', ...reservation, causes: [...known.asked] })
    if (!isNew || this.#moving?.to !== relay) return
    const { from, cause } = this.#moving
    this.#moving = undefined
    this.#letGo(from, cause)
    this.#say.push({ type: 'relay:rotated', from, to: relay, ...(cause === undefined ? {} : { cause }) })
    if (cause !== undefined) this.#complete(cause, 'relay/rotate')
  }

  #failed(relay: string, error: SwarmError): void {
    const known = this.#relays.get(relay)
    if (known === undefined || known.status === 'idle') return
    const isLost = known.status === 'held'
    const setback = isLost ? 'lost' : setbackOf(error)
    const isStable = isLost && this.#now - known.since >= STABLE_MS
    const inARow = isStable ? 1 : known.inARow + 1
    const since = isLost || known.since === 0 ? this.#now : known.since
    const history = { trusted: isWanted(known), inARow, downForMs: this.#now - since }
    const retryInMs = waitAfter(setback, history, this.#random())
    const refused = setback === 'refused' || setback === 'denied'
    this.#change(relay, {
      status: 'idle',
      reservation: undefined,
      record: recorded(known.record, 'badly', this.#now),
      refusals: refused ? known.refusals + 1 : known.refusals,
      inARow,
      setback,
      since,
      dueAt: this.#now + retryInMs,
    })
    const { status } = error as SwarmError & { readonly status?: string }
    const said = { relay, error, retryInMs }
    if (isLost) this.#say.push({ type: 'relay:lost', reason: error.message, ...said })
    else if (refused) this.#say.push({ type: 'relay:refused', ...said, ...(status === undefined ? {} : { status }) })
    else this.#say.push({ type: 'relay:failed', ...said })
    if (error.name === 'InvalidCommandError') this.#failAsking(known, error)
    if (this.#moving?.to === relay) this.#moveOn(error)
  }

  /** What a command has named is no address at all: waiting makes it none. */
  #failAsking({ relay, asked }: KnownRelay, error: SwarmError): void {
    this.#change(relay, { asked: new Set(), released: true })
    for (const cause of asked) this.#say.push({ type: 'command:failed', cause, command: 'relay/reserve', error })
  }

  #letGo(relay: string, cause?: string): void {
    const known = this.#relays.get(relay)
    if (known === undefined || known.status === 'idle') return
    this.#stop.push(`hold ${relay}`)
    this.#change(relay, { status: 'idle', reservation: undefined, inARow: 0, setback: undefined, dueAt: this.#now })
    if (known.status === 'trying') return
    this.#say.push({ type: 'relay:released', relay, ...(cause === undefined ? {} : { cause }) })
  }

  // ---- commands -----------------------------------------------------------------------------------------------------

  #command(command: RelayCommand): void {
    switch (command.type) {
      case 'relay/reserve':
        return this.#reserve(command)
      case 'relay/release':
        return this.#release(command)
      case 'relay/rotate':
        return this.#rotate(command)
      case 'relay/list':
        this.#say.push({ type: 'relay:listed', ...this.#report(), cause: command.id })
        return this.#complete(command.id, command.type)
    }
  }

  #reserve(command: Reserve): void {
    const ref = relayIn(command.relay)
    if (ref === undefined) return
    if (!this.#relays.has(ref.relay)) this.#found(ref, true)
    const known = this.#relays.get(ref.relay)
    if (known === undefined) {
      const message = `relay: ${MOST_RELAYS} relays are in use already; release some`
      return this.#failCommand(command, new RelayError(message, { ...contextOf(command), limit: MOST_RELAYS }))
    }
    const asked = new Set(known.asked).add(command.id)
    const dueAt = known.status === 'idle' ? this.#now : known.dueAt
    this.#change(ref.relay, {
      asked,
      released: false,
      dueAt,
      ...(ref.addresses.length > 0 ? { addresses: ref.addresses } : {}),
    })
    const { reservation } = known
    if (reservation === undefined) return
    this.#say.push({ type: 'relay:refreshed', ...reservation, causes: [command.id] })
  }

  #release(command: Release): void {
    const relay = relayIn(command.relay)?.relay ?? command.relay
    const known = this.#relays.get(relay)
    if (known === undefined) {
      const message = `relay: ${relay} is not known`
      return this.#failCommand(command, new UnknownPeerError(message, { ...contextOf(command), peer: relay }))
    }
    this.#letGo(relay, command.id)
    this.#change(relay, { released: true, asked: new Set() })
    if (known.status !== 'held') this.#say.push({ type: 'relay:released', relay, cause: command.id })
    this.#complete(command.id, command.type)
    for (const id of known.asked) this.#complete(id, 'relay/reserve')
    if (this.#moving?.from === relay || this.#moving?.to === relay) {
      this.#stopMoving(new RelayError(`${relay} was released`, { peer: relay }))
    }
  }

  #rotate(command: Rotate): void {
    const mine = [...this.#relays.values()].filter(({ status, asked }) => status === 'held' && asked.size === 0)
    const named = command.relay === undefined ? undefined : (relayIn(command.relay)?.relay ?? command.relay)
    const from =
      named === undefined ? rankRelays(mine, [], this.#now).at(-1) : mine.find(({ relay }) => relay === named)
    if (from === undefined) {
      const message = `relay: ${named ?? 'no relay'} is held, other than by a command`
      return this.#failCommand(command, new InvalidCommandError(message, { ...contextOf(command), field: 'relay' }))
    }
    if (this.#moving !== undefined) {
      const message = `relay: ${this.#moving.from} is being rotated already`
      return this.#failCommand(command, new RelayError(message, contextOf(command)))
    }
    this.#moving = { from: from.relay, to: '', tried: [], cause: command.id }
    this.#moveOn(
      new RelayError(`relay: there is no other relay to take the place of ${from.relay}`, contextOf(command)),
    )
  }

  /** Tries the next best in a rotation. @param error What to say when there is none. */
  #moveOn(error: SwarmError): void {
    if (this.#moving === undefined) return
    const { tried, to } = this.#moving
    const next = this.#free().find(({ relay }) => !tried.includes(relay) && relay !== to)
    if (next === undefined) return this.#stopMoving(error)
    this.#moving = { ...this.#moving, to: next.relay, tried: [...tried, to] }
    this.#hold(next)
  }

  #stopMoving(error: SwarmError): void {
    const cause = this.#moving?.cause
    this.#moving = undefined
    if (cause !== undefined) this.#say.push({ type: 'command:failed', cause, command: 'relay/rotate', error })
  }

  #cancelled(id: string): void {
    if (this.#moving?.cause === id) this.#moving = undefined
    for (const { relay, asked } of this.#relays.values()) {
      if (!asked.has(id)) continue
      const left = new Set([...asked].filter((one) => one !== id))
      this.#change(relay, { asked: left })
      const others = this.#count((known) => known.relay !== relay && known.status === 'held')
      if (left.size === 0 && others >= this.#decisions.reservations) this.#letGo(relay)
    }
  }

  #complete(cause: string, command: RelayCommand['type']): void {
    this.#say.push({ type: 'command:completed', cause, command })
  }

  #failCommand({ id: cause, type: command }: RelayCommand, error: SwarmError): void {
    this.#say.push({ type: 'command:failed', cause, command, error })
  }

  #report(): { readonly reservations: readonly Reservation[]; readonly candidates: readonly RelayCandidate[] } {
    const all = [...this.#relays.values()]
    const candidates = all.map((known): RelayCandidate => {
      const { relay, addresses, trusted, rttMs, record, status, released, dueAt } = known
      const waits = status === 'idle' && dueAt > this.#now ? 'waiting' : status
      return {
        relay,
        addresses,
        trusted,
        status: released ? 'released' : waits,
        success: successOf(record, this.#now),
        cost: costOf(known, this.#now),
        ...(rttMs === undefined ? {} : { rttMs }),
      }
    })
    return {
      reservations: all.flatMap(({ reservation }) => reservation ?? []),
      candidates: candidates.toSorted((one, other) => one.cost - other.cost),
    }
  }

  // ---- rotation -----------------------------------------------------------------------------------------------------

  #review(): void {
    this.#reviewLater()
    const free = this.#free()
    for (const { relay } of free) this.#run.push({ do: 'measure', relay })
    if (this.#moving !== undefined) return
    const mine = [...this.#relays.values()].filter(({ status, asked }) => status === 'held' && asked.size === 0)
    const worst = mine.toSorted((one, other) => costOf(other, this.#now) - costOf(one, this.#now))[0]
    const best = free.find(({ rttMs }) => rttMs !== undefined)
    if (worst === undefined || best === undefined) return
    if (costOf(best, this.#now) > costOf(worst, this.#now) * CLEARLY_BETTER) return
    this.#moving = { from: worst.relay, to: best.relay, tried: [] }
    this.#hold(best)
  }

  #reviewLater(): void {
    const inMs = Math.round(this.#decisions.rotateAfterMs * (0.9 + this.#random() / 5))
    this.#run.push({ do: 'review', inMs })
  }

  // ---- the plan: what must be, whatever has happened ----------------------------------------------------------------

  plan(): void {
    const { reservations } = this.#decisions
    for (const known of this.#idle().filter(({ asked }) => asked.size > 0)) this.#hold(known)
    // a trusted relay that is away keeps no place from another
    const room = reservations - this.#count((known) => known.trusted && isHeldOrNew(known))
    for (const known of this.#ranked((one) => one.trusted, room)) this.#hold(known)
    const wanted = reservations - this.#count(isHeldOrNew)
    for (const known of this.#ranked((one) => !one.trusted, wanted)) this.#hold(known)
    this.#stopUnneeded()
    const missing = reservations - this.#count(isHeldOrNew)
    this.#searchFor(missing)
    this.#wakeFor(missing)
  }

  #stopUnneeded(): void {
    const isFree = ({ relay, asked }: KnownRelay) =>
      asked.size === 0 && relay !== this.#moving?.to && relay !== this.#moving?.from
    const { reservations } = this.#decisions
    const own = [...this.#relays.values()].filter(({ status, asked }) => status === 'held' && asked.size === 0)
    const surplus = own.length - reservations - (this.#moving === undefined ? 0 : 1)
    if (surplus > 0) {
      const worst = rankRelays(own.filter(isFree), [], this.#now).toReversed()
      const untrustedFirst = worst.toSorted((one, other) => Number(one.trusted) - Number(other.trusted))
      for (const { relay } of untrustedFirst.slice(0, surplus)) this.#letGo(relay)
    }
    if (this.#count(({ status }) => status === 'held') < reservations) return
    for (const known of this.#relays.values()) {
      if (known.status === 'trying' && isFree(known) && !known.trusted) this.#letGo(known.relay)
    }
  }

  #searchFor(missing: number): void {
    if (missing <= 0 || !this.#decisions.discover) {
      this.#search = { ...this.#search, inARow: 0 }
      return
    }
    if (this.#search.running || this.#search.dueAt > this.#now) return
    const waitMs = Math.min(SEARCH_MS * 2 ** this.#search.inARow, MOST_SEARCH_MS)
    const dueAt = this.#now + Math.round((waitMs * (1 + this.#random())) / 2)
    this.#search = { running: true, dueAt, inARow: Math.min(this.#search.inARow + 1, 10) }
    this.#run.push({ do: 'search' })
  }

  #wakeFor(missing: number): void {
    const dues = [...this.#relays.values()]
      .filter((known) => known.status === 'idle' && !known.released && (isWanted(known) || missing > 0))
      .map(({ dueAt }) => dueAt)
    const search = missing > 0 && this.#decisions.discover && !this.#search.running ? [this.#search.dueAt] : []
    const next = Math.min(...[...dues, ...search].filter((dueAt) => dueAt > this.#now))
    if (next === Infinity) this.#stop.push('wake')
    else this.#run.push({ do: 'wake', inMs: next - this.#now })
  }

  /** Those that may be tried now. */
  #idle(): readonly KnownRelay[] {
    return [...this.#relays.values()].filter(
      ({ status, released, dueAt }) => status === 'idle' && !released && dueAt <= this.#now,
    )
  }

  /** The same, the best first. */
  #free(): readonly KnownRelay[] {
    return this.#ranked(() => true, MOST_MEASURED)
  }

  #ranked(test: (known: KnownRelay) => boolean, most: number): readonly KnownRelay[] {
    if (most <= 0) return []
    const taken = [...this.#relays.values()].filter(({ status }) => status !== 'idle')
    return rankRelays(this.#idle().filter(test), taken, this.#now, most)
  }

  #count(test: (known: KnownRelay) => boolean): number {
    return [...this.#relays.values()].filter(test).length
  }

  #hold({ relay, addresses, inARow, since }: KnownRelay): void {
    this.#change(relay, { status: 'trying', since: since === 0 ? this.#now : since })
    this.#run.push({ do: 'hold', relay, addresses, withinMs: attemptMs(inARow) })
  }
}

function isWanted({ trusted, asked }: KnownRelay): boolean {
  return trusted || asked.size > 0
}

/** Has its place: it is held, or tried for the first time. */
function isHeldOrNew({ status, inARow }: KnownRelay): boolean {
  return status === 'held' || (status === 'trying' && inARow === 0)
}
