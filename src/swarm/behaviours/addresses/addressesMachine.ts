import type { Step } from '../../../operators/stateMachine.ts'
import type { SwarmError } from '../../../errors/errors.ts'
import { addressKind } from '../../dialling/addressKind.ts'
import type { AddressesEvent } from './addressesVocabulary.ts'
import { observe, tallyOf, type Observation, type Votes } from './observations.ts'

/** What is known of own addresses. */
export interface AddressesMachineState {
  readonly votes: Votes
  /** Confirmed because of the votes: these may be taken back. */
  readonly byPeers: ReadonlySet<string>
  /** What others are told now. */
  readonly announced: ReadonlySet<string>
}

/** What happens to own addresses. */
export type AddressesInput =
  | { readonly type: 'observed'; readonly observation: Observation }
  /** What others are told, as a whole. */
  | { readonly type: 'told'; readonly addresses: readonly string[] }
  /** One of our own facts, as everybody hears it. */
  | { readonly type: 'said'; readonly address: string; readonly isAnnounced: boolean }
  | { readonly type: 'confirmed'; readonly address: string }
  | { readonly type: 'failed'; readonly address: string; readonly error: SwarmError }

/** What is to be done about them. */
export interface AddressesEffect {
  readonly do: 'confirm' | 'withdraw'
  readonly address: string
}

/** Before anything happened. */
export const initialAddresses: AddressesMachineState = { votes: new Map(), byPeers: new Set(), announced: new Set() }

/** A node has a handful; more are a lie that many tell. */
const MOST_BY_PEERS = 16

type AddressesStep = Step<AddressesMachineState, AddressesEffect, AddressesEvent>

/**
 * Decides which observed addresses are confirmed, and what is new in what others are told.
 *
 * @param confirmAfterSubnets how many subnets must agree
 * @shape Pure. Only public addresses that peers see when they have dialled us are confirmed. One that was is withdrawn when
 *        another of its transport and IP family is, and too few still see it: this node has moved.
 */
export function addressesStep(
  confirmAfterSubnets: number,
  state: AddressesMachineState,
  input: AddressesInput,
  nowMs: number,
): AddressesStep {
  switch (input.type) {
    case 'observed':
      return observed(confirmAfterSubnets, state, input.observation, nowMs)
    case 'told':
      return told(state, input.addresses)
    case 'said': {
      const announced = new Set(state.announced)
      if (input.isAnnounced) announced.add(input.address)
      else announced.delete(input.address)
      return { state: { ...state, announced } }
    }
    case 'confirmed': {
      const isOld = (address: string) =>
        sortOf(address) === sortOf(input.address) &&
        address !== input.address &&
        tallyOf(state.votes, address, 'inbound', nowMs).subnets < confirmAfterSubnets
      const old = [...state.byPeers].filter(isOld)
      return {
        state: { ...state, byPeers: new Set([...state.byPeers].filter((address) => !old.includes(address))) },
        say: [{ type: 'address:confirmed', address: input.address, by: 'peers' }],
        run: old.map((address) => ({ do: 'withdraw', address })),
      }
    }
    case 'failed': {
      const byPeers = new Set(state.byPeers)
      byPeers.delete(input.address)
      const { address, error } = input
      return { state: { ...state, byPeers }, say: [{ type: 'address:failed', address, error }] }
    }
  }
}

function observed(
  confirmAfterSubnets: number,
  state: AddressesMachineState,
  observation: Observation,
  nowMs: number,
): AddressesStep {
  const { votes, tally } = observe(state.votes, observation, nowMs)
  if (tally === undefined) return { state: { ...state, votes } }
  const { address, direction, subnets } = tally
  const isNew = !state.byPeers.has(address) && state.byPeers.size < MOST_BY_PEERS
  const isEnough = direction === 'inbound' && subnets >= confirmAfterSubnets
  const isConfirmed = isNew && isEnough && addressKind(address)?.scope === 'public'
  return {
    state: { ...state, votes, byPeers: isConfirmed ? new Set([...state.byPeers, address]) : state.byPeers },
    say: [{ type: 'address:observed', ...tally }],
    run: isConfirmed ? [{ do: 'confirm', address }] : [],
  }
}

function told(state: AddressesMachineState, addresses: readonly string[]): AddressesStep {
  const now = new Set(addresses)
  const added = [...now].filter((address) => !state.announced.has(address))
  const gone = [...state.announced].filter((address) => !now.has(address))
  return {
    state: { ...state, announced: now },
    say: [
      ...added.map((address): AddressesEvent => ({ type: 'address:announced', address })),
      ...gone.map((address): AddressesEvent => ({ type: 'address:withdrawn', address })),
    ],
  }
}

function sortOf(address: string): string {
  const kind = addressKind(address)
  return `${kind?.transport} ${kind?.family}`
}
