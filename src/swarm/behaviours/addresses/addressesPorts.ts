import type { Libp2p } from '@libp2p/interface'
import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr'
import { defer, from, map, of, Subject } from 'rxjs'
import { InvalidCommandError, OverloadedError, UnknownPeerError } from '../../../errors/errors.ts'
import type { BlackHoleRules } from '../../dialling/blackHole.ts'
import { diallingOf, gateOf, internalsOf, tellOwnAddresses } from '../../libp2p/createHost.ts'
import { parseAddress, parsePeer, peerOf } from '../../libp2p/parse.ts'
import type { AddressesPorts } from './addressesBehaviour.ts'
import type { OwnAddress } from './addressesVocabulary.ts'

/** What the ports are made with. */
interface Settings {
  readonly announce: readonly string[]
  readonly blackHole: BlackHoleRules
}

/** Addresses that the app announces or holds back; each is told to every peer. */
const MOST_NAMED = 256

const FROM = {
  transport: 'listener',
  announce: 'announced',
  observed: 'observed',
  'ip-mapping': 'gateway',
  'dns-mapping': 'name',
} as const satisfies Record<string, OwnAddress['from']>

/** Own addresses of a libp2p node. */
export function addressesPorts(node: Libp2p, { announce, blackHole }: Settings): AddressesPorts {
  const { addressManager } = internalsOf(node)
  const dialling = diallingOf(node)
  const confirmed = new Subject<string>()
  const withheld = new Set<string>()
  dialling.configure(blackHole)

  const self = node.peerId.toString()
  const plain = (address: Multiaddr) => (peerOf(address) === self ? address.decapsulateCode(CODE_P2P) : address)
  const full = (address: Multiaddr) => `${plain(address).toString()}/p2p/${self}`
  /** The addresses that are announced instead of all others, if there are any, else those besides them. */
  const named = () => (addressManager.announce.size > 0 ? addressManager.announce : addressManager.appendAnnounce)
  const add = (address: Multiaddr) => {
    if (named().size >= MOST_NAMED) {
      throw new OverloadedError(`announce: ${MOST_NAMED} addresses are announced already`, { limit: MOST_NAMED })
    }
    named().add(plain(address).toString())
  }
  for (const text of announce) add(parseAddress(text))

  const { announceFilter } = addressManager
  addressManager.announceFilter = (own) => announceFilter(own).filter((address) => !withheld.has(full(address)))
  const confirm = addressManager.confirmObservedAddr.bind(addressManager)
  addressManager.confirmObservedAddr = (address, options) => {
    const before = isTold(full(address))
    confirm(address, options)
    if (!before) confirmed.next(plain(address).toString())
  }
  const isTold = (text: string) => node.getMultiaddrs().some((own) => own.toString() === text)
  const own = (text: string): Multiaddr => {
    const address = parseAddress(text)
    const peer = peerOf(address)
    if (peer === undefined || peer === self || text.includes('/p2p-circuit')) return address
    const message = `address: ${text} is an address of another peer`
    throw new InvalidCommandError(message, { field: 'address', address: text, peer })
  }
  return {
    announce: (text) =>
      defer(() => {
        const address = own(text)
        if (!named().has(plain(address).toString()) && !withheld.delete(full(address))) add(address)
        tellOwnAddresses(node)
        return of(full(address))
      }),
    withdraw: (text) =>
      defer(() => {
        const address = own(text)
        const name = full(address)
        if (!isTold(name)) {
          const message = `address: others are not told of ${text}`
          throw new InvalidCommandError(message, { field: 'address', address: text })
        }
        addressManager.announce.delete(plain(address).toString())
        addressManager.appendAnnounce.delete(plain(address).toString())
        addressManager.removeObservedAddr(plain(address))
        if (isTold(name)) withheld.add(name)
        for (const oldest of withheld) if (withheld.size > MOST_NAMED) withheld.delete(oldest)
        tellOwnAddresses(node)
        return of(name)
      }),
    confirm: (text) =>
      defer(() => {
        const address = own(text)
        withheld.delete(full(address))
        confirm(plain(address), { type: 'observed' })
        tellOwnAddresses(node)
        return of(text)
      }),
    list: () =>
      defer(() => {
        const told = new Set(node.getMultiaddrs().map(String))
        return of(
          addressManager.getAddressesWithMetadata().map(({ multiaddr, type, verified }): OwnAddress => ({
            address: full(multiaddr),
            from: FROM[type],
            isConfirmed: verified,
            isAnnounced: told.has(full(multiaddr)),
          })),
        )
      }),
    rank: (to) =>
      defer(() => {
        if (typeof to !== 'string')
          return of({ addresses: to.map((text) => parseAddress(text, 'to')), peer: undefined })
        if (to.startsWith('/')) return of({ addresses: [parseAddress(to, 'to')], peer: undefined })
        const peer = parsePeer(to, 'to')
        return from(node.peerStore.has(peer).then((known) => (known ? node.peerStore.get(peer) : undefined))).pipe(
          map((known) => {
            const addresses = known?.addresses.map(({ multiaddr }) => multiaddr) ?? []
            if (addresses.length > 0) return { addresses, peer: to }
            throw new UnknownPeerError(`rank: no address of ${to} is known`, { peer: to })
          }),
        )
      }).pipe(
        map(({ addresses, peer }) => {
          const expected = peer ?? addresses.map(peerOf).find((one) => one !== undefined)
          return dialling.look(node, addresses.map(String), expected)
        }),
      ),
    placeOf: (id) =>
      defer(() => {
        const connection = gateOf(node).connections.get(id)
        if (connection === undefined) return of()
        return of({ address: connection.remoteAddr.toString(), direction: connection.direction })
      }),
    confirmed$: confirmed.asObservable(),
    blackHole$: dialling.change$,
  }
}
