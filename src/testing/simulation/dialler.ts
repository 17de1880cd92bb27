import { catchError, defer, mergeMap, Observable, of, share, throwError, timer } from 'rxjs'
import { DialError, InvalidCommandError, SwarmError, UnknownPeerError } from '../../errors/errors.ts'
import { staggered } from '../../operators/staggered.ts'
import { addressOf, circuitOf } from './address.ts'
import { dialCircuit } from './circuit.ts'
import type { ConnectionEnd } from './connectionEnd.ts'
import { dialAddress } from './dialAddress.ts'
import type { Medium } from './medium.ts'
import type { VirtualNode } from './virtualNode.ts'

/** How long an open connection that carries nothing now may take before a new one is dialled beside it. @unit milliseconds */
const STILL_USABLE_WITHIN_MS = 2_000

/**
 * The dials of a node.
 *
 * @shape  Those of the same addresses at the same time share one attempt.
 * @errors Those of `SimulatedNode.dial`.
 */
export class Dialler {
  readonly #medium: Medium
  readonly #node: VirtualNode
  readonly #dials = new Map<string, Observable<ConnectionEnd>>()

  constructor(medium: Medium, node: VirtualNode) {
    this.#medium = medium
    this.#node = node
  }

  /** A usable connection: the open one, else a new one. */
  dial(to: string | readonly string[]): Observable<ConnectionEnd> {
    return defer(() => {
      const targets = typeof to === 'string' ? [to] : to
      const [only] = targets
      const named = targets.length === 1 && only !== undefined && !only.startsWith('/') ? only : undefined
      if (named === this.#node.name) {
        throw new InvalidCommandError(`to: ${named} is this node itself`, { field: 'to', peer: named })
      }
      const peer =
        named ??
        targets
          .map((text) => circuitOf(text)?.peer ?? addressOf(text, 'to').peer)
          .find((expected) => expected !== undefined)
      const fresh$ = defer(() => this.#dialAll(named === undefined ? targets : this.#known(named), peer))
      const open = peer === undefined ? undefined : this.#node.openTo(peer)
      if (open === undefined) return fresh$
      return open.isUsable ? of(open) : this.#unlessUsable(open, fresh$)
    })
  }

  #known(peer: string): readonly string[] {
    const known = this.#node.addressesOf(peer)
    if (known.length > 0) return known
    throw new UnknownPeerError(`${peer}: neither connected nor is an address known; dial it by address first`, { peer })
  }

  /** The open connection carries nothing now: it has a while to do so again. */
  #unlessUsable(open: ConnectionEnd, fresh$: Observable<ConnectionEnd>): Observable<ConnectionEnd> {
    const waited$ = timer(STILL_USABLE_WITHIN_MS, this.#node.scheduler)
    return waited$.pipe(mergeMap(() => (open.isUsable ? of(open) : fresh$)))
  }

  #dialOne(address: string): Observable<ConnectionEnd> {
    const circuit = circuitOf(address)
    if (circuit === undefined) return dialAddress(this.#medium, this.#node, address)
    return this.dial([circuit.relay]).pipe(mergeMap((leg) => dialCircuit(this.#medium, leg, circuit.peer, address)))
  }

  #dialAll(addresses: readonly string[], peer: string | undefined): Observable<ConnectionEnd> {
    const key = addresses.join(' ')
    const shared = this.#dials.get(key)
    if (shared !== undefined) return shared
    const direct = addresses.filter((address) => circuitOf(address) === undefined)
    const relayed = addresses.filter((address) => circuitOf(address) !== undefined)
    const sources = [...direct, ...relayed].map((address) => this.#dialOne(address))
    const target = peer ?? addresses.join(', ')
    const dial$ = new Observable<ConnectionEnd>((out) => {
      out.add(() => void this.#dials.delete(key))
      out.add(staggered(sources, { scheduler: this.#node.scheduler }).subscribe(out))
    }).pipe(
      catchError((cause: unknown) => throwError(() => dialError(target, peer, cause))),
      share(),
    )
    this.#dials.set(key, dial$)
    return dial$
  }
}

/** One of ours as it is; several attempts that all failed as one. */
function dialError(target: string, peer: string | undefined, cause: unknown): unknown {
  if (cause instanceof SwarmError) return cause
  const message = `dial ${target}: ${cause instanceof Error ? cause.message : String(cause)}`
  return new DialError(message, { cause, ...(peer === undefined ? {} : { peer }) })
}
