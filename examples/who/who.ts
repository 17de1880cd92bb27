import { command, ofType, perform } from 'rxswarm'
import type { Behaviour, BehaviourModule, Command, Slice } from 'rxswarm'
import { map, merge, type Observable } from 'rxjs'
import { whoPorts } from './whoPorts.ts'

// What it may call: functions that give cold streams. Unsubscribing aborts the work.
export interface WhoPorts {
  ask(peer: string): Observable<string>
  readonly asked$: Observable<string>
}

// What it can be asked, and what it can say: plain data.
export type WhoAsk = Command<'who/ask', { readonly peer: string }, string>
export type WhoEvent =
  | { readonly type: 'who:answered'; readonly peer: string; readonly nick: string; readonly cause?: string }
  | { readonly type: 'who:asked'; readonly peer: string }

// What it does: one pipe, from wires to events. No class, no subscribe, no timer, no libp2p.
export const whoBehaviour: Behaviour<WhoAsk, WhoEvent, WhoPorts> = ({ command$, cancel$, ports }) =>
  merge(
    command$.pipe(
      ofType('who/ask'),
      perform(
        cancel$,
        ({ peer }) => ports.ask(peer),
        (nick, { peer }): WhoEvent => ({ type: 'who:answered', peer, nick }),
      ),
    ),
    ports.asked$.pipe(map((peer): WhoEvent => ({ type: 'who:asked', peer }))),
  )

// What ties it to a node: its name, how commands are answered, its part of the state, its adapter.
const module = (nick: string): BehaviourModule<'who', WhoAsk, WhoEvent, WhoPorts, ReadonlyMap<string, string>> => ({
  name: 'who',
  commands: { 'who/ask': { answers: { 'who:answered': (event) => event.nick } } },
  state: nicks,
  ports: (node) => whoPorts(node, nick),
  behaviour: whoBehaviour,
})

const nicks: Slice<ReadonlyMap<string, string>, WhoEvent> = {
  initial: new Map(),
  on: { 'who:answered': (known, { peer, nick }) => new Map(known).set(peer, nick) },
}

/** `who('alice')` for `use`, `who.ask({ peer })` to learn the nick of a peer. */
export const who = Object.assign(module, {
  ask: (payload: { readonly peer: string }): WhoAsk => command('who/ask', payload),
})
