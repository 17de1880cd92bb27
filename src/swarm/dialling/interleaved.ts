import type { AddressKind } from './addressKind.ts'

const TRANSPORTS: readonly AddressKind['transport'][] = ['memory', 'quic', 'tcp', 'websocket', 'other']
const FAMILIES: readonly AddressKind['family'][] = ['none', 'ip6', 'name', 'ip4']

/** The place of an address by its transport, then its IP family. */
export function sortOfDial({ transport, family }: AddressKind): number {
  return TRANSPORTS.indexOf(transport) * FAMILIES.length + FAMILIES.indexOf(family)
}

/**
 * Addresses in turns of transport and IP family: each next one differs from the one before in as much as it can.
 *
 * @param kinds In the order in which those of one transport and family are to stay.
 * @shape  Pure; every address once. Each turn takes one of every transport and family that is left, preferred ones first.
 * @source RFC 8305, section 4, with the transport as a second thing to take turns of.
 */
export function interleaved(kinds: readonly AddressKind[]): readonly AddressKind[] {
  const queues = [...Map.groupBy(kinds, sortOfDial).entries()].toSorted(([one], [other]) => one - other)
  const turns = Math.max(0, ...queues.map(([, queue]) => queue.length))
  return Array.from({ length: turns }, (_, turn) =>
    inTurn(queues.flatMap(([, queue]) => (turn < queue.length ? [queue[turn]!] : []))),
  ).flat()
}

/** One of each sort, the preferred first, then always what differs most from the one before. */
function inTurn(kinds: readonly AddressKind[]): readonly AddressKind[] {
  const left = [...kinds]
  const taken: AddressKind[] = []
  while (left.length > 0) {
    const before = taken.at(-1)
    const most = before === undefined ? 0 : Math.max(...left.map((kind) => difference(kind, before)))
    const next = before === undefined ? 0 : left.findIndex((kind) => difference(kind, before) === most)
    taken.push(...left.splice(next, 1))
  }
  return taken
}

function difference(one: AddressKind, other: AddressKind): number {
  return Number(one.transport !== other.transport) + Number(one.family !== other.family)
}
