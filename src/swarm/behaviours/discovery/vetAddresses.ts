import type { AddressFlaw, FlawedAddress } from './discoveryVocabulary.ts'

/** An address, read. */
export interface ReadAddress {
  /** Without the peer id at its end. */
  readonly bare: string
  /** The peer id at its end. */
  readonly peer?: string | undefined
  /** Every peer id in it: those of relays too. */
  readonly through: readonly string[]
  /** Whether only the host itself can reach it. */
  readonly isLoopback: boolean
}

/** By what addresses are judged. */
export interface VettingRules {
  /** Reads an address; none when it is malformed, or nobody could be reached by it. */
  read(address: string): ReadAddress | undefined
  /** This node's own addresses, without its peer id. */
  readonly own: readonly string[]
  readonly self: string
  /** Whether loopback addresses are of this host. */
  readonly keepsLoopback: boolean
  /** Whether each address must name its peer. */
  readonly mustName: boolean
}

/** What is left of the addresses of a peer. */
export interface Vetted {
  /** Without the peer id, each once. */
  readonly addresses: readonly string[]
  /** The first few that are not kept. */
  readonly dropped: readonly FlawedAddress[]
  /** How many are not kept. */
  readonly count: number
}

/** Addresses of one peer that one source may name: more than a node with two transports on eight interfaces has. */
export const MOST_ADDRESSES = 16

/** The longest address: a relayed one with certificate hashes has some 400. @unit characters */
export const LONGEST_ADDRESS = 512

/** Dropped addresses that are told of, and how much of each. */
const MOST_TOLD = 4
const TOLD_CHARACTERS = 128

/** Separates the addresses of a peer that may be dialled from those that must not be, and says why not. */
export function vetAddresses(peer: string, addresses: readonly string[], rules: VettingRules): Vetted {
  const kept = new Set<string>()
  const dropped: FlawedAddress[] = []
  let count = 0
  for (const address of addresses) {
    const read = address.length > LONGEST_ADDRESS ? undefined : rules.read(address)
    const flaw = flawOf(peer, address, read, kept, rules)
    if (flaw === undefined) kept.add(read!.bare)
    else if (++count <= MOST_TOLD) dropped.push({ address: address.slice(0, TOLD_CHARACTERS), reason: flaw })
  }
  return { addresses: [...kept], dropped, count }
}

function flawOf(
  peer: string,
  address: string,
  read: ReadAddress | undefined,
  kept: ReadonlySet<string>,
  { own, self, keepsLoopback, mustName }: VettingRules,
): AddressFlaw | undefined {
  if (address.length > LONGEST_ADDRESS) return 'too-long'
  if (read === undefined || (mustName && read.peer === undefined)) return 'malformed'
  if (peer === self || read.through.includes(self) || own.includes(read.bare)) return 'self'
  if (read.peer !== undefined && read.peer !== peer) return 'foreign-peer'
  if (read.isLoopback && !keepsLoopback) return 'loopback'
  return kept.size >= MOST_ADDRESSES && !kept.has(read.bare) ? 'too-many' : undefined
}
