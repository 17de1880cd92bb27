import { defer, ignoreElements, merge, of, tap } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import { perform } from '../../perform.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import { checkPeer } from '../checkPeer.ts'
import type { ExplainCommand, ExplainEvent } from './explainVocabulary.ts'
import { explanationOf, selfExplanationOf } from './explanationOf.ts'
import type { LooseEvent } from './looseEvent.ts'
import type { PeerMemory } from './peerMemory.ts'
import { READERS } from './readEvent.ts'

/**
 * Remembers what happens between this node and its peers, and explains it when asked.
 *
 * ```marble
 * event$    -o-----(cf)---
 * command$  ---p---------p-
 * said      ---(ed)------(gd)
 * ```
 *
 * @param remember Makes the memory, empty: it is forgotten when the behaviour is started anew.
 * @shape  Says nothing unasked. An event of a type that it does not know costs one look-up; another one a note in place of the
 *         last of its kind. Memory: see `ExplainOptions.memory`.
 * @errors `InvalidCommandError` for what is no peer id, or this node's own.
 * @source ours: everything that is explained was an event.
 */
export const explainBehaviour =
  (remember: () => PeerMemory): Behaviour<ExplainCommand, ExplainEvent, object> =>
  ({ command$, cancel$, event$, self, scheduler }) =>
    defer(() => {
      const memory = remember()
      return merge(
        event$.pipe(
          tap((event) => READERS.get(event.type)?.(event as LooseEvent, memory)),
          ignoreElements(),
        ),
        command$.pipe(
          ofType('explain/peer'),
          perform(
            cancel$,
            ({ peer }) => (checkPeer(peer, self), of(explanationOf(memory, peer, scheduler.now()))),
            (explanation): ExplainEvent => ({ type: 'explain:explained', explanation }),
          ),
        ),
        command$.pipe(
          ofType('explain/self'),
          perform(
            cancel$,
            () => of(selfExplanationOf(memory, scheduler.now())),
            (explanation): ExplainEvent => ({ type: 'explain:explained-self', explanation }),
          ),
        ),
      )
    })
