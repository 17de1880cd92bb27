import type { Step } from '../../../operators/stateMachine.ts'
import { OverloadedError, UnknownPeerError, type SwarmError } from '../../../errors/errors.ts'
import { contextOf, type AnyCommand } from '../../vocabulary/command.ts'
import type { Outcome } from '../../vocabulary/event.ts'
import type { Forget, Keep, KeepAliveEvent, KeepTier } from './keepAliveVocabulary.ts'
import {
  dialOf,
  probeOf,
  type Kept,
  type KeepDecisions,
  type KeepEffect,
  type KeepInput,
  type KeepState,
} from './keepState.ts'
import { keptPeer } from './keptPeer.ts'
import { isRefusal } from './isRefusal.ts'
import { retryDelay } from './retryDelay.ts'

type Said = KeepAliveEvent | Outcome

/** Each has a timer and is probed; who wants to keep more wants a topology. */
export const MOST_KEPT = 1_024

/** A connection that lasts so long shows that the peer wants us: the next retries are fast again. @unit milliseconds */
const STABLE_MS = 5_000

/** Of one peer, besides what the peer store has. */
const MOST_ADDRESSES = 16

/**
 * Decides when kept peers are dialled, probed and given up.
 *
 * @param nowMs  @unit milliseconds of the scheduler
 * @param random @unit 0 (inclusive) to 1 (exclusive)
 */
export function keepStep(
  decisions: KeepDecisions,
  state: KeepState,
  input: KeepInput,
  nowMs: number,
  random: () => number,
): Step<KeepState, KeepEffect, Said> {
  const work = new KeepMachine(decisions, state, nowMs, random)
  work.take(input)
  return { state: work.state, say: work.say, run: work.run, stop: work.stop }
}

/** What each input means. */
class KeepMachine {
  readonly say: Said[] = []
  readonly run: KeepEffect[] = []
  readonly stop: string[] = []
  readonly #decisions: KeepDecisions
  readonly #nowMs: number
  readonly #random: () => number
  state: KeepState

  constructor(decisions: KeepDecisions, state: KeepState, nowMs: number, random: () => number) {
    this.#decisions = decisions
    this.#nowMs = nowMs
    this.#random = random
    this.state = state
  }

  take(input: KeepInput): void {
    switch (input.type) {
      case 'command':
        return this.#command(input.command, input.error)
      case 'command-failed':
        return this.#fail(input.command, input.error)
      case 'cancelled':
        return void this.stop.push(input.id)
      case 'remembered':
        return this.#keep(input.command)
      case 'released':
        return this.#forget(input.command)
      case 'known':
        this.state = { ...this.state, connected: new Set([...this.state.connected, ...input.peers]) }
        for (const peer of input.peers) this.#came(peer)
        return this.#start()
      case 'came':
        this.state = { ...this.state, connected: new Set([...this.state.connected, input.peer]) }
        return this.#came(input.peer)
      case 'shaken':
        return this.#shaken()
      default:
        return this.#about(input)
    }
  }

  #about(input: Extract<KeepInput, { readonly peer: string }>): void {
    const { peer } = input
    if (input.type === 'went') {
      this.state = { ...this.state, connected: new Set([...this.state.connected].filter((one) => one !== peer)) }
    }
    const kept = this.state.kept.get(peer)
    if (kept === undefined) return
    switch (input.type) {
      case 'went':
        if (kept.status === 'connected') this.#went(kept)
        return
      case 'hung-up':
        this.#put({ ...kept, status: 'paused', failures: 0 })
        this.stop.push(dialOf(peer), probeOf(peer))
        this.say.push({ type: 'keep-alive:paused', peer })
        return this.#next()
      case 'identified': {
        const addresses = [...new Set([...input.addresses, ...kept.addresses])].slice(0, MOST_ADDRESSES)
        return this.#put({ ...kept, addresses })
      }
      case 'due':
        return kept.status === 'waiting' ? this.#dial(kept) : undefined
      case 'dialled':
        if (kept.status === 'dialling') this.#connect(kept)
        return
      case 'dial-failed':
        if (kept.status !== 'dialling') return
        if (this.state.connected.has(peer)) this.#connect(kept)
        else this.#failed(kept, input.error)
        return this.#next()
      case 'probe-due':
        return void this.run.push({ do: 'probe', peer })
      case 'probed':
        if (input.isAlive) return this.#probeLater(peer)
        this.say.push({ type: 'keep-alive:lost', peer })
        this.run.push({ do: 'cut', peer }) // and `went` follows
        return
    }
  }

  #command(command: Extract<KeepInput, { type: 'command' }>['command'], error: SwarmError | undefined): void {
    if (error !== undefined) return this.#fail(command, error)
    if (command.type === 'keep-alive/forget') return void this.run.push({ do: 'release', command })
    if (command.type === 'keep-alive/list') {
      this.say.push({ type: 'keep-alive:listed', kept: [...this.state.kept.values()].map(keptPeer), cause: command.id })
      return this.#complete(command)
    }
    if (this.#hasRoomFor(command.peer)) return void this.run.push({ do: 'remember', command })
    this.#refuse(command)
  }

  #hasRoomFor(peer: string): boolean {
    return this.state.kept.has(peer) || this.state.kept.size < MOST_KEPT
  }

  #refuse(command: Keep): void {
    const message = `keep: ${MOST_KEPT} peers are kept already; forget one`
    this.#fail(command, new OverloadedError(message, { ...contextOf(command), peer: command.peer, limit: MOST_KEPT }))
  }

  /** Others may have taken the last place while the port was at it. */
  #keep(command: Keep): void {
    const { peer, tier, addresses } = command
    if (!this.#hasRoomFor(peer)) {
      this.run.push({ do: 'let-go', peer })
      return this.#refuse(command)
    }
    this.say.push({ type: 'keep-alive:kept', peer, tier, cause: command.id })
    this.#complete(command)
    this.#begin(peer, tier, addresses)
  }

  /** Keeps a peer from now on, or tries again at once. */
  #begin(peer: string, tier: KeepTier, added: readonly string[]): void {
    const known = this.state.kept.get(peer)
    const addresses = [...new Set([...added, ...(known?.addresses ?? [])])].slice(0, MOST_ADDRESSES)
    const fresh = { peer, tier, addresses, failures: 0, isRefused: false, sinceMs: this.#nowMs }
    if (known?.status === 'connected') return this.#put({ ...known, tier, addresses })
    this.#put({ ...fresh, status: 'idle' })
    if (this.state.connected.has(peer)) return this.#came(peer)
    if (!this.state.isStarted) return
    this.stop.push(dialOf(peer))
    this.#dial({ ...fresh, status: 'idle' })
  }

  #forget(command: Forget): void {
    const { peer } = command
    if (!this.state.kept.has(peer)) {
      const message = `forget: ${peer} is not kept`
      return this.#fail(command, new UnknownPeerError(message, { ...contextOf(command), peer }))
    }
    this.#drop(peer)
    this.say.push({ type: 'keep-alive:forgotten', peer, cause: command.id })
    this.#complete(command)
    this.#next()
  }

  #start(): void {
    this.state = { ...this.state, isStarted: true }
    for (const kept of this.state.kept.values()) {
      if (kept.status === 'idle') this.#retry({ ...kept, sinceMs: this.#nowMs })
    }
  }

  /** Of a dial of ours, the port says when its connection is usable; until then the peer may still refuse us. */
  #came(peer: string): void {
    const kept = this.state.kept.get(peer)
    if (kept === undefined || ['connected', 'dialling', 'paused'].includes(kept.status)) return
    this.stop.push(dialOf(peer))
    this.#connect(kept)
  }

  #connect(kept: Kept): void {
    const { peer, sinceMs, status } = kept
    this.#put({ ...kept, status: 'connected', isRefused: false, sinceMs: this.#nowMs })
    this.say.push({ type: 'keep-alive:connected', peer, afterMs: status === 'idle' ? 0 : this.#nowMs - sinceMs })
    this.#probeLater(peer)
    this.#next()
  }

  /** Who lets us in and hangs up at once is no better than who does not let us in. */
  #went(kept: Kept): void {
    this.stop.push(probeOf(kept.peer))
    const wasStable = this.#nowMs - kept.sinceMs >= STABLE_MS
    this.#retry({ ...kept, failures: wasStable ? 0 : kept.failures + 1, isRefused: false, sinceMs: this.#nowMs })
  }

  #probeLater(peer: string): void {
    const { probeEveryMs } = this.#decisions
    if (probeEveryMs === 0) return
    this.run.push({ do: 'wait-to-probe', peer, waitMs: Math.round(probeEveryMs * (0.75 + this.#random() / 4)) })
  }

  #failed(kept: Kept, error: SwarmError): void {
    const afterMs = this.#nowMs - kept.sinceMs
    if (kept.tier === 'normal' && afterMs >= this.#decisions.giveUpAfterMs) {
      this.#drop(kept.peer)
      this.run.push({ do: 'let-go', peer: kept.peer })
      return void this.say.push({ type: 'keep-alive:given-up', peer: kept.peer, afterMs, error })
    }
    this.#retry({ ...kept, failures: kept.failures + 1, isRefused: isRefusal(error) }, error)
  }

  #retry(kept: Kept, error?: SwarmError): void {
    const { peer, failures, isRefused } = kept
    const { tier, inMs } = retryDelay(this.#decisions.tiers, failures, isRefused, this.#random())
    this.#put({ ...kept, status: 'waiting' })
    this.run.push({ do: 'wait', peer, waitMs: inMs })
    const why = error === undefined ? {} : { error }
    this.say.push({ type: 'keep-alive:retrying', peer, tier, attempt: failures + 1, inMs, ...why })
  }

  /** Dials, or waits until fewer are dialled. */
  #dial(kept: Kept): void {
    const { peer, addresses } = kept
    const isFull = this.#dialling >= this.#decisions.dialsAtOnce
    this.#put({ ...kept, status: isFull ? 'queued' : 'dialling' })
    if (!isFull) this.run.push({ do: 'dial', peer, addresses })
  }

  get #dialling(): number {
    return [...this.state.kept.values()].filter(({ status }) => status === 'dialling').length
  }

  /** Dials who waits for its turn, the important ones first. */
  #next(): void {
    const queued = [...this.state.kept.values()].filter(({ status }) => status === 'queued')
    if (queued.length === 0) return
    const free = this.#decisions.dialsAtOnce - this.#dialling
    const sorted = queued.toSorted(
      (one, other) => Number(other.tier === 'important') - Number(one.tier === 'important'),
    )
    for (const kept of sorted.slice(0, Math.max(0, free))) this.#dial(kept)
  }

  /** Who is away is tried at once, from the first tier on; the connected ones are probed by the sweep. */
  #shaken(): void {
    for (const kept of this.state.kept.values()) {
      if (kept.status === 'waiting') this.#retry({ ...kept, failures: 0, isRefused: false })
    }
  }

  #put(kept: Kept): void {
    this.state = { ...this.state, kept: new Map(this.state.kept).set(kept.peer, kept) }
  }

  #drop(peer: string): void {
    const kept = new Map(this.state.kept)
    kept.delete(peer)
    this.state = { ...this.state, kept }
    this.stop.push(dialOf(peer), probeOf(peer))
  }

  #complete({ id: cause, type: command }: AnyCommand): void {
    this.say.push({ type: 'command:completed', cause, command })
  }

  #fail({ id: cause, type: command }: AnyCommand, error: SwarmError): void {
    this.say.push({ type: 'command:failed', cause, command, error })
  }
}
