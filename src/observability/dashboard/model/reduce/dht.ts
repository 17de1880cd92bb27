import { placed } from '../listOfFew.ts'
import type { LookupView, View } from '../dashboardView.ts'
import { fieldsOf, textOf } from '../plainFields.ts'
import { VIEW_BOUNDS } from '../viewBounds.ts'
import { withPart, type Reduce, type Reducers } from './reducers.ts'

const KAD = 'kad/'

function withLookup(view: View, command: string, change: (before: LookupView | undefined) => LookupView): View {
  if (command === '') return view
  const lookups = placed(view.dht.lookups, {
    is: (one) => one.command === command,
    make: change,
    most: VIEW_BOUNDS.lookups,
  })
  return lookups === view.dht.lookups ? view : withPart(view, 'dht', { ...view.dht, lookups })
}

const answered =
  (kind: string, key: 'key' | 'cid' | 'peer'): Reduce =>
  (view, event) => {
    const command = textOf(event, 'cause')
    const told = textOf(event, key)
    return withLookup(view, command, (before = { command, kind, key: told, results: 0, at: event.at }) => ({
      ...before,
      results: before.results + 1,
    }))
  }

/** The end of a question; other commands are none. */
export const lookupEnded =
  (outcome: NonNullable<LookupView['outcome']>): Reduce =>
  (view, event) => {
    const type = textOf(event, 'command')
    const command = textOf(event, 'cause')
    const kind = type.slice(KAD.length)
    if (!type.startsWith(KAD) || kind === 'set-mode') return view
    const reason = textOf(fieldsOf(event, 'error'), 'message')
    return withLookup(view, command, (before = { command, kind, key: '', results: 0, at: event.at }) => ({
      ...before,
      kind,
      outcome,
      endedAt: event.at,
      ...(reason === '' ? {} : { reason }),
    }))
  }

/** Questions to the DHT, and its mode. */
export const dhtReducers: Reducers = {
  'kad:mode-changed': (view, event) =>
    withPart(view, 'dht', { ...view.dht, mode: textOf(event, 'mode'), acts: textOf(event, 'acts') }),
  'kad:found': answered('get', 'key'),
  'kad:stored': answered('put', 'key'),
  'kad:provided': answered('provide', 'cid'),
  'kad:provider-found': answered('find-providers', 'cid'),
  'kad:peer-found': answered('find-peer', 'peer'),
}
