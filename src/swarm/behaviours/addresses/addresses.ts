import type { Multiaddr } from '@multiformats/multiaddr'
import { z } from 'zod'
import { some } from '../../../errors/optionKinds.ts'
import { problemsIn } from '../../../errors/problemsIn.ts'
import { addressKind } from '../../dialling/addressKind.ts'
import type { BlackHoleRules } from '../../dialling/blackHole.ts'
import type { BlackHoleKind } from '../../dialling/blackHoles.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { PeerRef } from '../checkPeer.ts'
import { addressesBehaviour, type AddressesPorts } from './addressesBehaviour.ts'
import { addressesPorts } from './addressesPorts.ts'
import type {
  AddressesCommand,
  AddressesEvent,
  Announce,
  Confirm,
  ConfirmedBy,
  ListAddresses,
  Rank,
  Withdraw,
} from './addressesVocabulary.ts'
import type { Tally } from './observations.ts'

/** What is known of own addresses, and of what gets through. */
export interface AddressesState {
  /** What others are told. */
  readonly announced: readonly string[]
  /** What peers see of us, the latest 64. */
  readonly observed: ReadonlyMap<string, Tally>
  /** Addresses that others reach, and who has confirmed it; the latest 64. */
  readonly confirmed: ReadonlyMap<string, ConfirmedBy>
  /** Left out of dials, because nothing gets through. */
  readonly blackHoled: readonly BlackHoleKind[]
}

/** Entries that are kept of what peers can make long. */
const MOST_KEPT = 64

function kept<Value>(map: ReadonlyMap<string, Value>, key: string, value: Value): ReadonlyMap<string, Value> {
  return new Map([...[...map].filter(([one]) => one !== key), [key, value] as const].slice(-MOST_KEPT))
}

const state: Slice<AddressesState, AddressesEvent | CoreEvent> = {
  initial: { announced: [], observed: new Map(), confirmed: new Map(), blackHoled: [] },
  on: {
    'address:announced': (known, { address }) =>
      known.announced.includes(address) ? known : { ...known, announced: [...known.announced, address] },
    'address:withdrawn': (known, { address }) => ({
      ...known,
      announced: known.announced.filter((one) => one !== address),
      confirmed: new Map([...known.confirmed].filter(([one]) => !address.startsWith(one))),
    }),
    'address:observed': (known, { type: _type, at: _at, ...tally }) => ({
      ...known,
      observed: kept(known.observed, tally.address, tally),
    }),
    'address:confirmed': (known, { address, by }) => ({ ...known, confirmed: kept(known.confirmed, address, by) }),
    'address:black-holed': (known, { kind }) => ({ ...known, blackHoled: [...known.blackHoled, kind] }),
    'address:recovered': (known, { kind }) => ({
      ...known,
      blackHoled: known.blackHoled.filter((one) => one !== kind),
    }),
  },
}

/** Options of {@link addresses}. */
export interface AddressesOptions {
  /** Addresses to tell others besides those that are listened on. Default: none. */
  readonly announce?: readonly string[]
  /**
   * So many different subnets of peers must see us under a public address before others are told of it. Default: 4.
   */
  readonly confirmAfterSubnets?: number
  /** When UDP or IPv6 counts as a black hole. Default: fewer than 5 of the latest 100 dials worked. */
  readonly blackHole?: BlackHoleRules
}

const readable = z
  .string('must be a multiaddr as text')
  .refine((text) => addressKind(text) !== undefined, 'must be a multiaddr')

const schema = z.strictObject({
  announce: z.array(readable).default([]),
  confirmAfterSubnets: some.default(4),
  blackHole: z
    .strictObject({ window: some.default(100), minSuccesses: some.default(5), probeOneIn: some.default(100) })
    .prefault({}),
})

function module(
  options: AddressesOptions = {},
): BehaviourModule<'ownAddresses', AddressesCommand, AddressesEvent, AddressesPorts, AddressesState> {
  const { value, problems } = problemsIn('addresses', schema, options)
  return {
    name: 'ownAddresses', // `addresses` is a part of the swarm's own state
    problems,
    needs: ['identify'],
    commands: {
      'addresses/announce': { answers: { 'address:announced': ({ address }) => address } },
      'addresses/withdraw': { answers: { 'address:withdrawn': ({ address }) => address } },
      'addresses/confirm': { answers: { 'address:confirmed': ({ address }) => address } },
      'addresses/list': { answers: { 'address:listed': ({ addresses: own }) => own } },
      'addresses/rank': { answers: { 'address:ranked': ({ ranking }) => ranking } },
    },
    state,
    ports: (node) => addressesPorts(node, value),
    behaviour: addressesBehaviour(value),
  }
}

/** Announces own addresses, and says what others see of us: `addresses()` for `use`, and its commands. */
export const addresses = Object.assign(module, {
  /**
   * Tells others of an address, while the node runs: a name, a forwarded port. Peers hear of it at once.
   *
   * @shape `execute` emits the address with the peer id.
   */
  announce: ({ address }: { readonly address: string | Multiaddr }, meta?: CommandMeta): Announce =>
    command('addresses/announce', { address: String(address) }, meta),
  /**
   * Tells others of an address no more, wherever it comes from; who listens on it goes on.
   *
   * @errors `InvalidCommandError` when others are not told of it.
   */
  withdraw: ({ address }: { readonly address: string | Multiaddr }, meta?: CommandMeta): Withdraw =>
    command('addresses/withdraw', { address: String(address) }, meta),
  /** Takes an address for one that others reach, and so tells them of it. */
  confirm: ({ address }: { readonly address: string | Multiaddr }, meta?: CommandMeta): Confirm =>
    command('addresses/confirm', { address: String(address) }, meta),
  /** Reports own addresses. @shape `execute` emits one list. */
  list: (meta?: CommandMeta): ListAddresses => command('addresses/list', {}, meta),
  /**
   * Says in which order a peer, or some addresses, would be dialled, and which not, and why. Dials nothing.
   *
   * @errors `UnknownPeerError` for a peer of which no address is known.
   */
  rank: ({ to }: { readonly to: PeerRef | readonly (string | Multiaddr)[] }, meta?: CommandMeta): Rank =>
    command('addresses/rank', { to: Array.isArray(to) ? to.map(String) : String(to) }, meta),
})
