import { Observable, take, throwIfEmpty } from 'rxjs'
import { DhtError, type SwarmError } from '../../../errors/errors.ts'
import { asSwarmError } from '../../../swarm/perform.ts'
import type { KadAnswer } from './kadMessages.ts'
import type { KadLookup } from './kadLookup.ts'

/** What a peer that was asked has answered, or why it has not. */
export type KadStep =
  { readonly peer: string; readonly answer: KadAnswer } | { readonly peer: string; readonly error: SwarmError }

/** Requests of one lookup at once. @source Kademlia's alpha */
const ALPHA = 3

/**
 * Runs an iterative lookup: asks the closest peers, three at a time, for ever closer ones.
 *
 * @param lookup Whom to ask; a new one for each subscriber.
 * @param ask    Asks one peer.
 * @shape  Cold; a step for each peer that was asked, as it answers or fails. Bound: that of the lookup.
 * @errors `DhtError` when peers were asked, and none has answered.
 */
export function kadQuery(lookup: () => KadLookup, ask: (peer: string) => Observable<KadAnswer>): Observable<KadStep> {
  return new Observable((out) => {
    const path = lookup()
    const errors: SwarmError[] = []
    let answers = 0
    let pending = 0
    const finish = () => {
      if (answers > 0 || errors.length === 0) return out.complete()
      const message = `none of the ${errors.length} peers that were asked has answered`
      out.error(new DhtError(message, { cause: new AggregateError(errors, message) }))
    }
    const settle = (step: KadStep) => {
      pending--
      path.settle(step.peer, 'answer' in step ? 'answered' : 'failed')
      if ('answer' in step) {
        answers++
        path.hear(step.answer.closer.map(({ peer }) => peer))
      } else errors.push(step.error)
      out.next(step)
      pump()
    }
    const pump = () => {
      while (pending < ALPHA && !out.closed) {
        const peer = path.next()
        if (peer === undefined) break
        pending++
        out.add(
          ask(peer)
            .pipe(take(1), throwIfEmpty())
            .subscribe({
              next: (answer) => settle({ peer, answer }),
              error: (error: unknown) => settle({ peer, error: asSwarmError(error) }),
            }),
        )
      }
      if (pending === 0 && !out.closed) finish()
    }
    pump()
  })
}
