import type { RelayRef } from './relayVocabulary.ts'

const WITH_ID = /^\/.+\/p2p\/(?<relay>[A-Za-z0-9]+)$/
const ONLY_ID = /^(?:\/p2p\/)?(?<relay>[A-Za-z0-9]{32,128})$/

/**
 * The relay that a text names: its peer id, or an address with its peer id at the end.
 *
 * @shape  Looks at the form only; what is dialled is parsed by who dials.
 * @errors None: undefined for what names none, such as an address without a peer id, or one behind a relay.
 */
export function relayIn(text: unknown): RelayRef | undefined {
  if (typeof text !== 'string' || text.includes('/p2p-circuit')) return undefined
  const only = ONLY_ID.exec(text)?.groups?.['relay']
  if (only !== undefined) return { relay: only, addresses: [] }
  const relay = WITH_ID.exec(text)?.groups?.['relay']
  return relay === undefined ? undefined : { relay, addresses: [text] }
}

/** Relays by peer id: several addresses of one are one relay. */
export function relaysIn(texts: readonly string[]): readonly RelayRef[] {
  const relays = new Map<string, string[]>()
  for (const text of texts) {
    const ref = relayIn(text)
    if (ref !== undefined) relays.set(ref.relay, [...(relays.get(ref.relay) ?? []), ...ref.addresses])
  }
  return [...relays].map(([relay, addresses]) => ({ relay, addresses }))
}
