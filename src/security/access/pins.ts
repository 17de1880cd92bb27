import { parseOptions } from '../../errors/parseOptions.ts'
import { addressText, type AddressText } from './addressText.ts'
import { MOST_COMPONENTS, pinsSpec, type Pin } from './pin.ts'
import { PrefixTrie } from './prefixTrie.ts'
import { publicKeyText } from './publicKeyText.ts'

/** Whether who answered is who was expected. */
export type PinOutcome =
  | { readonly ok: true }
  | {
      readonly ok: false
      /** The pin, united with others of the same address. */
      readonly pin: Pin
      /** The peer ids and public keys that may answer there. */
      readonly expected: readonly string[]
    }

/** Pins that check. */
export interface CompiledPins {
  /** The pins, those of one address united. */
  readonly pins: readonly Pin[]
  /**
   * Checks who answered at an address.
   *
   * @param address   As it was dialled, or of the remote, as multiaddr text. Check both: a name is pinned apart from its IPs.
   * @param peer      Peer id of who answered, as text.
   * @param publicKey Its public key as text, if known; a pin that names keys only is a mismatch without it.
   */
  check(this: void, address: string, peer: string, publicKey?: string): PinOutcome
}

/** All that is pinned at one address. */
interface Pinned {
  readonly at: AddressText
  readonly address: string
  readonly peers: Set<string>
  /** By their hex form. */
  readonly keys: Map<string, string>
}

/** Pinned behind one head. */
type Shelf = Map<string, Pinned>

const PASSES: PinOutcome = { ok: true }

/**
 * Says whether the peer that answers at a pinned address is one of those it is pinned to.
 *
 * @param pins See {@link Pin}. At most 100 000.
 * @shape  An address without a pin passes. Pins of one address are united: any peer and any key that one of them names may
 *         answer. Of pins of different reach only the closest counts: the longest prefix of the IP, then the most
 *         components. Names are compared without case and trailing dot, and whether under `dns`, `dns4`, `dns6` or
 *         `dnsaddr`; a v4-mapped IPv6 address is the IPv4 address. An address through a relay is pinned by a pin that says
 *         `p2p-circuit` only: who answers there is not the relay, whose own connection is checked by its own address.
 *         What can't be read as an address has no pin. The time of a check does not depend on the number of pins.
 * @errors `ConfigError` with every problem by its path. Checking has none.
 * @source ours, after public key pinning (RFC 7469).
 */
export function compilePins(pins: readonly Pin[]): CompiledPins {
  const byIp = new PrefixTrie<Shelf>()
  const byName = new Map<string, Shelf>()
  const all: Pinned[] = []
  for (const { address: given, peers = [], keys = [] } of parseOptions('pins', pinsSpec, pins)) {
    const at = addressText(given)!
    const shelf = shelfOf(at, byIp, byName)
    let pinned = shelf.get(behindHead(at))
    if (pinned === undefined) {
      pinned = { at, address: given, peers: new Set(), keys: new Map() }
      shelf.set(behindHead(at), pinned)
      all.push(pinned)
    }
    for (const peer of peers) pinned.peers.add(peer)
    for (const one of keys) pinned.keys.set(publicKeyText(one)!, one)
  }
  const closest = (at: AddressText): Pinned | undefined => {
    if (at.head.kind !== 'ip') return closestOn(byName.get(headText(at.head)), at)
    let found: Pinned | undefined
    byIp.some(at.head.bits, (shelf) => {
      found = closestOn(shelf, at) ?? found
      return false
    })
    return found
  }
  const check = (address: string, peer: string, publicKey?: string): PinOutcome => {
    const at = addressText(address)
    const pinned = at && closest(at)
    if (pinned === undefined || pinned.peers.has(peer)) return PASSES
    const known = publicKey === undefined ? undefined : publicKeyText(publicKey)
    if (known !== undefined && pinned.keys.has(known)) return PASSES
    return { ok: false, pin: pinOf(pinned), expected: [...pinned.peers, ...pinned.keys.values()] }
  }
  return { pins: all.map(pinOf), check }
}

function shelfOf({ head }: AddressText, byIp: PrefixTrie<Shelf>, byName: Map<string, Shelf>): Shelf {
  if (head.kind === 'ip') return byIp.at(head.bits, () => new Map())
  const shelf = byName.get(headText(head)) ?? new Map<string, Pinned>()
  byName.set(headText(head), shelf)
  return shelf
}

const headText = (head: Exclude<AddressText['head'], { kind: 'ip' }>) => `${head.kind} ${head.text}`

const behindHead = ({ rest, port }: AddressText) => (port === undefined ? rest.join('/') : `:${port}`)

/** The pin with the most components that the address begins with; a port without its transport is less than one with it. */
function closestOn(shelf: Shelf | undefined, { rest, port }: AddressText): Pinned | undefined {
  if (shelf === undefined) return undefined
  const isRelayed = rest.includes('p2p-circuit')
  for (let length = Math.min(rest.length, MOST_COMPONENTS); length >= 1; length--) {
    const pinned = shelf.get(rest.slice(0, length).join('/'))
    if (pinned !== undefined && isRelayed === pinned.at.rest.includes('p2p-circuit')) return pinned
  }
  if (isRelayed) return undefined
  const ported = port ?? /^(?:tcp|udp)\/(?<port>\d+)$/.exec(rest[0] ?? '')?.groups?.['port']
  return (ported === undefined ? undefined : shelf.get(`:${ported}`)) ?? shelf.get('')
}

function pinOf({ address: at, peers, keys }: Pinned): Pin {
  const [ids, texts] = [[...peers], [...keys.values()]]
  return { address: at, ...(ids.length > 0 && { peers: ids }), ...(texts.length > 0 && { keys: texts }) }
}
