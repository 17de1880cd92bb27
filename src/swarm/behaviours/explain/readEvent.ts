import type { ExplainedKind } from './explainVocabulary.ts'
import type { ConnectionInfo, Fact, Stamped } from '../../vocabulary/event.ts'
import {
  about,
  errorIn,
  listIn,
  textIn,
  wordIn,
  type Heard,
  type Loose,
  type Reader,
  type Readers,
} from './looseEvent.ts'
import { keyOf } from './peerMemory.ts'
import { closed, failed, found, known, leftAlone, opened, pruned, retrying, triedInVain } from './readConnections.ts'
import { authenticated, breaker, denied, limited, rejected, revoked } from './readRules.ts'

const own =
  <Event extends Stamped<Fact>>(
    kind: ExplainedKind,
    words: (event: Event) => string,
    detail: (event: Event) => string = () => '',
  ): Reader<Event> =>
  (event, memory) =>
    memory.noteOwn({ kind, detail: detail(event), text: words(event), event: event.type }, event.at)
const noLonger =
  <Event>(kind: ExplainedKind, detail: (event: Event) => string = () => ''): Reader<Event> =>
  (event, memory) =>
    memory.forgetOwn(keyOf(kind, detail(event)))

type Behaved = Heard<'behaviour:crashed' | 'behaviour:ended' | 'behaviour:restarted'>
const behaviourOf = ({ behaviour }: Behaved) => wordIn(behaviour)
const kindOf = ({ kind }: Heard<'address:black-holed' | 'address:recovered'>) => wordIn(kind)

const reserved: Reader<Heard<'relay:reserved' | 'relay:refreshed'>> = (event, memory) => {
  const relay = textIn(event.relay)
  if (relay !== undefined) memory.reserved(relay, listIn(event.addresses))
}
const unreserved: Reader<Heard<'relay:lost' | 'relay:released'>> = ({ relay }, memory) =>
  void memory.relays.delete(wordIn(relay))

const readers: Readers = {
  'connection:open': opened,
  'connection:close': closed,
  'connection:prune': pruned,
  'connections:hung-up': about('hung-up', () => 'this node hung up'),
  'connections:dialed': (event, memory) => {
    const { peer: dialed } = Object(event.connection) as Loose<ConnectionInfo>
    const peer = textIn(dialed)
    if (peer !== undefined) memory.record(peer, true)
  },
  'command:failed': failed,
  'peer:discovery': found(() => 'by libp2p'),
  'peer:found': found(({ by }) => `by ${wordIn(by)}`),
  'peer:updated': found(({ by }) => `again by ${wordIn(by)}`),
  'rendezvous:found': found(({ namespace }) => `at a rendezvous point, under ${wordIn(namespace)}`),
  'peer:update': known,
  'peer:identify': known,
  'peer:reconnect-failure': about('gave-up', () => 'libp2p tried to reconnect several times, and has given up'),
  'discovery:failed': triedInVain,
  'discovery:impostor': about('wrong-peer', (event) => `somebody else answers there: ${errorIn(event.error).message}`),
  'keep-alive:kept': (event, memory) => {
    const peer = textIn(event.peer)
    if (peer === undefined) return
    memory.record(peer, true)
    memory.forget(peer, keyOf('gave-up'))
  },
  'keep-alive:retrying': (event, memory) => retrying(event, memory, event.inMs),
  'keep-alive:paused': leftAlone(),
  'keep-alive:forgotten': leftAlone(() => 'it is kept no more'),
  'keep-alive:given-up': leftAlone(
    ({ afterMs, error }) => `it is tried no more, after ${wordIn(afterMs)} ms: ${errorIn(error).message}`,
  ),
  'keep-alive:lost': about('hung-up', () => 'this node hung up, because nothing came back when it was probed'),
  'ping:missed': about('unresponsive', (event) => `a ping was not answered: ${errorIn(event.error).message}`),
  'relay:upgrade-failed': about(
    'not-direct',
    (event) => `the way through the relay could not be made direct: ${errorIn(event.error).message}`,
  ),
  'relay:reserved': reserved,
  'relay:refreshed': reserved,
  'relay:lost': unreserved,
  'relay:released': unreserved,
  'access:denied': denied,
  'access:limited': limited,
  'access:pin-mismatch': about(
    'pin-mismatch',
    ({ address, expected }) => `${wordIn(address)} is pinned to ${listIn(expected).map(wordIn).join(', ')}`,
  ),
  'access:blocked': (event, memory) => {
    memory.blocked = listIn(event.blocked).filter((name) => typeof name === 'string')
  },
  'access:changed': (event, memory) => {
    if (event.what === 'policy') memory.rulesChangedAt = event.at
  },
  'xauth:authenticated': authenticated,
  'xauth:failed': about(
    'auth-failed',
    ({ direction, reason, ended }) =>
      `${direction === 'outbound' ? "this node's proof" : 'its proof'} was not accepted: ${wordIn(reason)}` +
      (ended === true ? '' : '; the one before still holds'),
    false,
  ),
  'xauth:denied': about(
    'auth-denied',
    ({ protocol, reason }) => `${wordIn(protocol)} may not run: ${wordIn(reason)}`,
    false,
  ),
  'xauth:expiring': about('auth-expiring', ({ direction }) =>
    direction === 'outbound' ? "this node's proof ends soon" : 'its proof ends soon',
  ),
  'xauth:renewed': (event, memory) => {
    const peer = textIn(event.peer)
    if (peer !== undefined) memory.forget(peer, keyOf('auth-expiring'))
  },
  'xauth:revoked': revoked,
  'policy:tripped': breaker('breaker-open'),
  'policy:probed': breaker('breaker-half-open'),
  'policy:recovered': breaker('breaker-closed'),
  'policy:rejected': rejected,
  'address:black-holed': own(
    'black-holed',
    (event) => `everything over ${kindOf(event)} fails, so it is left out of dials`,
    kindOf,
  ),
  'address:recovered': noLonger('black-holed', kindOf),
  'behaviour:crashed': own(
    'behaviour-troubled',
    (event) => `the behaviour ${behaviourOf(event)} crashed: ${errorIn(event.error).message}`,
    behaviourOf,
  ),
  'behaviour:ended': own('behaviour-troubled', (event) => `the behaviour ${behaviourOf(event)} has ended`, behaviourOf),
  'behaviour:restarted': noLonger('behaviour-troubled', behaviourOf),
  'network:isolated': own('isolated', () => 'this node has lost every connection'),
  'network:recovered': noLonger('isolated'),
  'reachability:changed': own('reachability', ({ status, reasons }) => {
    const [first] = listIn(reasons) as readonly { readonly text?: unknown }[]
    return `others reach this node: ${wordIn(status)}${first?.text === undefined ? '' : `; ${wordIn(first.text)}`}`
  }),
}

/** Every event that is remembered, by its type; the others cost one look-up. */
export const READERS = new Map(Object.entries(readers)) as ReadonlyMap<string, Reader>
