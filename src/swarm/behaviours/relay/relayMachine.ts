import type { Step } from '../../../operators/stateMachine.ts'
import { InvalidCommandError, RelayError, UnknownPeerError, type SwarmError } from '../../../errors/errors.ts'
import { contextOf } from '../../vocabulary/command.ts'
import { costOf, rankRelays, recorded, successOf } from './rankRelays.ts'
import { setbackOf, waitAfter } from './relayBackoff.ts'
import type { KnownRelay, RelayDecisions, RelayEffect, RelayInput, RelayMachineState } from './relayMachineState.ts'
import { RelayPlan } from './relayPlan.ts'
import { relayIn } from './relayRef.ts'
import { isWanted, MOST_ADDRESSES, MOST_RELAYS, type Said } from './relayWork.ts'
import type {
  RelayCandidate,
  RelayCommand,
  RelayRef,
  RelayReport,
  Release,
  Reservation,
  Reserve,
  Rotate,
} from './relayVocabulary.ts'

/** A reservation that lasts this long was worth its attempt: after its loss the waits start anew. @unit milliseconds */
const STABLE_MS = 2_000

/** A relay that has just connected to us is there: it is tried again this soon. @unit milliseconds */
const HERE_MS = 500

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
): Step<RelayMachineState, RelayEffect, Said> {
  const work = new RelayMachine(decisions, state, random, nowMs)
  work.take(input)
  if (work.started) work.plan()
  return { state: work.state, say: work.say, run: work.run, stop: work.stop }
}

/** What each input and each command means. */
class RelayMachine extends RelayPlan {
  take(input: RelayInput): void {
    switch (input.type) {
      case 'started':
        return this.start()
      case 'seen':
        return this.seen(input, input.isHere)
      case 'command':
        if (input.error !== undefined) return this.failCommand(input.command, input.error)
        return this.command(input.command)
      case 'cancelled':
        return this.cancelled(input.id)
      case 'reserved':
        return this.reserved(input.reservation)
      case 'failed':
        return this.failed(input.relay, input.error)
      case 'measured':
        return this.change(input.relay, { rttMs: input.rttMs })
      case 'searched':
        this.search = { ...this.search, running: false }
        return undefined
      case 'review':
        return this.review()
      case 'due':
        return undefined // what is due is seen by the plan
    }
  }

  start(): void {
    if (this.started) return
    this.started = true
    for (const { relay, addresses } of this.relays.values()) {
      this.say.push({ type: 'relay:found', relay, addresses, trusted: true })
    }
    this.reviewLater()
  }

  seen({ relay, addresses }: RelayRef, isHere: boolean): void {
    const known = this.relays.get(relay)
    if (known === undefined) return this.decisions.discover ? this.found({ relay, addresses }) : undefined
    if (!known.trusted && addresses.length > 0) this.change(relay, { addresses: addresses.slice(0, MOST_ADDRESSES) })
    const isAway = known.status === 'idle' && (known.setback === 'lost' || known.setback === 'failed')
    if (isHere && isAway) this.change(relay, { dueAt: Math.min(known.dueAt, this.nowMs + HERE_MS) })
  }

  reserved(reservation: Reservation): void {
    const { relay, rttMs } = reservation
    const known = this.relays.get(relay)
    if (known === undefined || known.status === 'idle') return
    const isNew = known.status === 'trying'
    this.change(relay, {
      ...(isNew ? { status: 'held', since: this.nowMs, record: recorded(known.record, 'well', this.nowMs) } : {}),
      reservation,
      rttMs,
      refusals: 0,
    })
    this.say.push({ type: isNew ? 'relay:reserved' : 'relay:refreshed', ...reservation, causes: [...known.asked] })
    if (!isNew || this.moving?.to !== relay) return
    const { from, cause } = this.moving
    this.moving = undefined
    this.letGo(from, cause)
    this.say.push({ type: 'relay:rotated', from, to: relay, ...(cause === undefined ? {} : { cause }) })
    if (cause !== undefined) this.complete(cause, 'relay/rotate')
  }

  failed(relay: string, error: SwarmError): void {
    const known = this.relays.get(relay)
    if (known === undefined || known.status === 'idle') return
    const isLost = known.status === 'held'
    const setback = isLost ? 'lost' : setbackOf(error)
    const isStable = isLost && this.nowMs - known.since >= STABLE_MS
    const inARow = isStable ? 1 : known.inARow + 1
    const since = isLost || known.since === 0 ? this.nowMs : known.since
    const history = { trusted: isWanted(known), inARow, downForMs: this.nowMs - since }
    const retryInMs = waitAfter(setback, history, this.random())
    const refused = setback === 'refused' || setback === 'denied'
    this.change(relay, {
      status: 'idle',
      reservation: undefined,
      record: recorded(known.record, 'badly', this.nowMs),
      refusals: refused ? known.refusals + 1 : known.refusals,
      inARow,
      setback,
      since,
      dueAt: this.nowMs + retryInMs,
    })
    const { status } = error as SwarmError & { readonly status?: string }
    const said = { relay, error, retryInMs }
    if (setbackOf(error) === 'lied') this.say.push({ type: 'relay:lied', relay, error })
    if (isLost) this.say.push({ type: 'relay:lost', reason: error.message, ...said })
    else if (refused) this.say.push({ type: 'relay:refused', ...said, ...(status === undefined ? {} : { status }) })
    else this.say.push({ type: 'relay:failed', ...said })
    if (error.name === 'InvalidCommandError') this.failAsking(known, error)
    if (this.moving?.to === relay) this.moveOn(error)
  }

  /** What a command has named is no address at all: waiting makes it none. */
  failAsking({ relay, asked }: KnownRelay, error: SwarmError): void {
    this.change(relay, { asked: new Set(), released: true })
    for (const cause of asked) this.say.push({ type: 'command:failed', cause, command: 'relay/reserve', error })
  }

  command(command: RelayCommand): void {
    switch (command.type) {
      case 'relay/reserve':
        return this.reserve(command)
      case 'relay/release':
        return this.release(command)
      case 'relay/rotate':
        return this.rotate(command)
      case 'relay/list':
        this.say.push({ type: 'relay:listed', ...this.report(), cause: command.id })
        return this.complete(command.id, command.type)
    }
  }

  reserve(command: Reserve): void {
    const ref = relayIn(command.relay)
    if (ref === undefined) return
    if (!this.relays.has(ref.relay)) this.found(ref)
    const known = this.relays.get(ref.relay)
    if (known === undefined) {
      const message = `relay: ${MOST_RELAYS} relays are in use already; release some`
      return this.failCommand(command, new RelayError(message, { ...contextOf(command), limit: MOST_RELAYS }))
    }
    const asked = new Set(known.asked).add(command.id)
    const dueAt = known.status === 'idle' ? this.nowMs : known.dueAt
    this.change(ref.relay, {
      asked,
      released: false,
      dueAt,
      ...(ref.addresses.length > 0 ? { addresses: ref.addresses } : {}),
    })
    const { reservation } = known
    if (reservation === undefined) return
    this.say.push({ type: 'relay:refreshed', ...reservation, causes: [command.id] })
  }

  release(command: Release): void {
    const relay = relayIn(command.relay)?.relay ?? command.relay
    const known = this.relays.get(relay)
    if (known === undefined) {
      const message = `relay: ${relay} is not known`
      return this.failCommand(command, new UnknownPeerError(message, { ...contextOf(command), peer: relay }))
    }
    this.letGo(relay, command.id)
    this.change(relay, { released: true, asked: new Set() })
    if (known.status !== 'held') this.say.push({ type: 'relay:released', relay, cause: command.id })
    this.complete(command.id, command.type)
    for (const id of known.asked) this.complete(id, 'relay/reserve')
    if (this.moving?.from === relay || this.moving?.to === relay) {
      this.stopMoving(new RelayError(`${relay} was released`, { peer: relay }))
    }
  }

  rotate(command: Rotate): void {
    const mine = [...this.relays.values()].filter(({ status, asked }) => status === 'held' && asked.size === 0)
    const named = command.relay === undefined ? undefined : (relayIn(command.relay)?.relay ?? command.relay)
    const from =
      named === undefined ? rankRelays(mine, [], this.nowMs).at(-1) : mine.find(({ relay }) => relay === named)
    if (from === undefined) {
      const message = `relay: ${named ?? 'no relay'} is held, other than by a command`
      return this.failCommand(command, new InvalidCommandError(message, { ...contextOf(command), field: 'relay' }))
    }
    if (this.moving !== undefined) {
      const message = `relay: ${this.moving.from} is being rotated already`
      return this.failCommand(command, new RelayError(message, contextOf(command)))
    }
    this.moving = { from: from.relay, to: '', tried: [], cause: command.id }
    this.moveOn(new RelayError(`relay: there is no other relay to take the place of ${from.relay}`, contextOf(command)))
  }

  cancelled(id: string): void {
    if (this.moving?.cause === id) this.moving = undefined
    for (const known of this.relays.values()) {
      const { relay, asked, trusted } = known
      if (!asked.has(id)) continue
      const left = new Set([...asked].filter((one) => one !== id))
      this.change(relay, { asked: left })
      const others = this.count((known) => known.relay !== relay && known.status === 'held')
      if (left.size > 0) continue
      const isOfUse = trusted || this.decisions.discover
      const isMovedTo = this.moving?.to === relay
      if (!isOfUse || (others >= this.decisions.reservations && !isMovedTo)) this.letGo(relay)
      if (isOfUse) continue
      this.forget(known)
      if (isMovedTo) this.moveOn(new RelayError(`${relay} is wanted no more`, { peer: relay }))
    }
  }

  report(): RelayReport {
    const all = [...this.relays.values()]
    const candidates = all.map((known): RelayCandidate => {
      const { relay, addresses, trusted, rttMs, record, status, released, dueAt } = known
      const waits = status === 'idle' && dueAt > this.nowMs ? 'waiting' : status
      return {
        relay,
        addresses,
        trusted,
        status: released ? 'released' : waits,
        success: successOf(record, this.nowMs),
        cost: costOf(known, this.nowMs),
        ...(rttMs === undefined ? {} : { rttMs }),
      }
    })
    return {
      reservations: all.flatMap(({ reservation }) => reservation ?? []),
      candidates: candidates.toSorted((one, other) => one.cost - other.cost),
    }
  }
}
