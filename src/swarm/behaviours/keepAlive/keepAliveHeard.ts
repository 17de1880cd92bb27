import { EMPTY, of, type Observable } from 'rxjs'
import type { CoreEvent, Stamped } from '../../vocabulary/event.ts'
import type { IsolationInput } from './isolationMachine.ts'
import type { KeepAliveEvent } from './keepAliveVocabulary.ts'
import type { KeepInput } from './keepState.ts'

/** What `connections` says of a hang-up that the app has asked for. */
interface HungUp {
  readonly type: 'connections:hung-up'
  readonly peer: string
}

/** What keepAlive listens to. */
export type Heard = Stamped<CoreEvent> | Stamped<KeepAliveEvent> | HungUp

/** What an event means for kept peers. */
export function keepInput(event: Heard): Observable<KeepInput> {
  switch (event.type) {
    case 'peer:connect':
      return of({ type: 'came', peer: event.peer })
    case 'peer:disconnect':
      return of({ type: 'went', peer: event.peer })
    case 'connections:hung-up':
      return of({ type: 'hung-up', peer: event.peer })
    case 'peer:identify':
      return of({ type: 'identified', peer: event.peer, addresses: event.addresses })
    case 'network:changed':
    case 'network:isolated':
      return of({ type: 'shaken' })
    default:
      return EMPTY
  }
}

/** What an event means for the node as a whole. */
export function isolationInput(event: Heard): Observable<IsolationInput> {
  switch (event.type) {
    case 'peer:connect':
      return of({ type: 'came', peer: event.peer })
    case 'peer:disconnect':
      return of({ type: 'went', peer: event.peer })
    case 'connections:hung-up':
      return of({ type: 'hung-up', peer: event.peer })
    case 'peer:identify':
      return of({ type: 'identified', peer: event.peer, addresses: event.addresses })
    case 'network:changed':
      return of({ type: 'network-changed' })
    default:
      return EMPTY
  }
}

/** Who was there before. */
export function knownInput(known: Omit<Extract<IsolationInput, { type: 'known' }>, 'type'>): IsolationInput {
  return { type: 'known', ...known }
}
