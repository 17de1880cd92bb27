import { map, mergeMap, of, type Observable } from 'rxjs'
import type { Answerer } from '../request.ts'
import type { SimulatedNode } from '../simulatedNode.ts'
import { kadId } from './kadId.ts'
import { questionSchema, type KadAnswer, type KadQuestion } from './kadMessages.ts'
import type { KadStore } from './kadStore.ts'
import type { KadTable } from './kadTable.ts'
import { decodeMessage, encodeMessage } from './modelMessage.ts'

/**
 * How a DHT server answers.
 *
 * @param met Hears of an asker that answers too.
 * @errors Fails, which resets the stream, for what is no question and for a record that is refused.
 */
export function kadAnswerer(
  node: SimulatedNode,
  table: KadTable,
  store: KadStore,
  met: (peer: string) => void,
): Answerer {
  const peersFor = (key: string, asker: string) => {
    const closest = table.closest(kadId(key)).filter((peer) => peer !== asker && peer !== key)
    const named = key === node.name || node.addressesOf(key).length > 0 ? [key] : []
    return [...named, ...closest]
      .map((peer) => ({ peer, addresses: peer === node.name ? node.addresses : node.addressesOf(peer) }))
      .filter(({ addresses }) => addresses.length > 0)
  }
  const reply = ({ ask, key }: KadQuestion, asker: string): KadAnswer => {
    const closer = peersFor(key, asker)
    const value = ask === 'get' ? store.record(key) : undefined
    const providers = ask === 'providers' ? store.providers(key) : []
    return { closer, providers, ...(value === undefined ? {} : { value }) }
  }
  const act = ({ ask, key, addresses }: KadQuestion, value: Uint8Array, asker: string): Observable<unknown> => {
    if (ask === 'put') return store.check(key, value).pipe(mergeMap(() => store.keep(key, value.slice())))
    if (ask === 'provide') store.addProvider(key, asker, addresses)
    return of(undefined)
  }
  return (bytes, { peer }) => {
    const { head, body } = decodeMessage(questionSchema, bytes)
    if (head.addresses.length > 0) node.learn(peer, head.addresses)
    if (head.serves) met(peer)
    return act(head, body, peer).pipe(
      map(() => {
        const { closer, providers, value } = reply(head, peer)
        return encodeMessage({ closer, providers, has: value !== undefined }, value)
      }),
    )
  }
}
