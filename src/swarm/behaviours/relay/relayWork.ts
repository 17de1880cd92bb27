import type { SwarmError } from '../../../errors/errors.ts'
import type { Outcome } from '../../vocabulary/event.ts'
import { costOf, NO_RECORD, rankRelays } from './rankRelays.ts'
import { attemptMs } from './relayBackoff.ts'
import type { KnownRelay, Moving, RelayDecisions, RelayEffect, RelayMachineState } from './relayMachineState.ts'
import type { RelayCommand, RelayEvent, RelayRef } from './relayVocabulary.ts'

/** What a step says: events, and how commands end. */
export type Said = RelayEvent | Outcome

/** Relays that are known at once. When there are more, the worst that is neither trusted nor in use is forgotten. */
export const MOST_RELAYS = 256

/** Addresses of a relay that are remembered. */
export const MOST_ADDRESSES = 16

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

/** Is never given up: the options name it, or a command. */
export function isWanted({ trusted, asked }: KnownRelay): boolean {
  return trusted || asked.size > 0
}

/** One step in the making: what it has said, started and ended so far. Never outlives the step. */
export class RelayWork {
  readonly say: Said[] = []
  readonly run: RelayEffect[] = []
  readonly stop: string[] = []
  started: boolean
  protected readonly decisions: RelayDecisions
  protected readonly relays: Map<string, KnownRelay>
  protected readonly random: () => number
  protected readonly nowMs: number
  protected moving: Moving | undefined
  protected search: RelayMachineState['search']

  constructor(decisions: RelayDecisions, state: RelayMachineState, random: () => number, nowMs: number) {
    this.decisions = decisions
    this.relays = new Map(state.relays)
    this.random = random
    this.nowMs = nowMs
    this.started = state.started
    this.moving = state.moving
    this.search = state.search
  }

  get state(): RelayMachineState {
    return { started: this.started, relays: this.relays, moving: this.moving, search: this.search }
  }

  found(ref: RelayRef): void {
    if (this.relays.size >= MOST_RELAYS && !this.forgetWorst()) return
    const relay = newRelay(ref, false)
    this.relays.set(ref.relay, relay)
    this.say.push({ type: 'relay:found', relay: ref.relay, addresses: relay.addresses, trusted: false })
    if (this.started) this.run.push({ do: 'measure', relay: ref.relay })
  }

  forgetWorst(): boolean {
    const idle = [...this.relays.values()].filter((known) => known.status === 'idle' && !isWanted(known))
    const worst = idle.toSorted((one, other) => costOf(other, this.nowMs) - costOf(one, this.nowMs))[0]
    if (worst !== undefined) this.forget(worst)
    return worst !== undefined
  }

  forget({ relay }: KnownRelay): void {
    this.relays.delete(relay)
    this.say.push({ type: 'relay:forgotten', relay })
  }

  change(relay: string, change: Partial<KnownRelay>): void {
    const known = this.relays.get(relay)
    if (known !== undefined) this.relays.set(relay, { ...known, ...change })
  }

  hold({ relay, addresses, inARow, since }: KnownRelay): void {
    this.change(relay, { status: 'trying', since: since === 0 ? this.nowMs : since })
    this.run.push({ do: 'hold', relay, addresses, withinMs: attemptMs(inARow) })
  }

  letGo(relay: string, cause?: string): void {
    const known = this.relays.get(relay)
    if (known === undefined || known.status === 'idle') return
    this.stop.push(`hold ${relay}`)
    this.change(relay, { status: 'idle', reservation: undefined, inARow: 0, setback: undefined, dueAt: this.nowMs })
    if (known.status === 'trying') return
    this.say.push({ type: 'relay:released', relay, ...(cause === undefined ? {} : { cause }) })
  }

  /** Those that may be tried now. */
  idle(): readonly KnownRelay[] {
    return [...this.relays.values()].filter(
      ({ status, released, dueAt }) => status === 'idle' && !released && dueAt <= this.nowMs,
    )
  }

  /** The same, the best first. */
  free(): readonly KnownRelay[] {
    return this.ranked(() => true, MOST_MEASURED)
  }

  ranked(test: (known: KnownRelay) => boolean, most: number): readonly KnownRelay[] {
    if (most <= 0) return []
    const taken = [...this.relays.values()].filter(({ status }) => status !== 'idle')
    return rankRelays(this.idle().filter(test), taken, this.nowMs, most)
  }

  count(test: (known: KnownRelay) => boolean): number {
    return [...this.relays.values()].filter(test).length
  }

  complete(cause: string, command: RelayCommand['type']): void {
    this.say.push({ type: 'command:completed', cause, command })
  }

  failCommand({ id: cause, type: command }: RelayCommand, error: SwarmError): void {
    this.say.push({ type: 'command:failed', cause, command, error })
  }
}
