import { ipOf } from '../../../security/access/ipOf.ts'
import { subnetOf } from '../../../security/access/subnetOf.ts'

/** How a relay has done until now. */
export interface RelayRecord {
  /** Attempts that went well, and attempts and reservations that did not, each halved with every {@link HALF_LIFE_MS}. */
  readonly good: number
  readonly bad: number
  /** When they were counted. @unit milliseconds */
  readonly at: number
}

/** What a relay is judged by. */
export interface RankedRelay {
  readonly relay: string
  readonly addresses: readonly string[]
  /** Named by the options. */
  readonly trusted: boolean
  /** To it and back, when measured. @unit milliseconds */
  readonly rttMs?: number | undefined
  readonly record: RelayRecord
  /** Refusals in a row: it is full, or does not want us. */
  readonly refusals: number
}

/** What a relay did long ago counts less: half after ten minutes, a thousandth after a hundred. @unit milliseconds */
const HALF_LIFE_MS = 600_000

/** What is assumed of a relay that was never measured: so that a near one is preferred, and a far one is not. */
const UNKNOWN_RTT_MS = 150

/** Below this, distance makes no difference. @unit milliseconds */
const NEAR_MS = 10

/** A trusted relay may be this much further away. */
const TRUST = 0.5

/** A second relay at the same IP, or in the same subnet, goes with the first: it must be this much nearer to be worth it. */
const SAME_IP = 8
const SAME_SUBNET = 3

/** A record without anything in it. */
export const NO_RECORD: RelayRecord = { good: 0, bad: 0, at: 0 }

/** The record with one more attempt, or loss. @unit `now`: milliseconds */
export function recorded(record: RelayRecord, went: 'well' | 'badly', now: number): RelayRecord {
  const left = 0.5 ** ((now - record.at) / HALF_LIFE_MS)
  const [good, bad] = [record.good * left, record.bad * left]
  return went === 'well' ? { good: good + 1, bad, at: now } : { good, bad: bad + 1, at: now }
}

/** Share of what went well; a half when nothing is known, and again as what is known gets old. @unit `now`: milliseconds */
export function successOf({ good, bad, at }: RelayRecord, now: number): number {
  const left = 0.5 ** ((now - at) / HALF_LIFE_MS)
  return (good * left + 1) / ((good + bad) * left + 2)
}

/** What a relay costs: its distance, times how badly it has done. Less is better. @unit milliseconds, weighted */
export function costOf({ rttMs = UNKNOWN_RTT_MS, trusted, record, refusals }: RankedRelay, now: number): number {
  const failure = 1 - successOf(record, now)
  return (NEAR_MS + rttMs) * (trusted ? TRUST : 1) * (0.5 + failure) ** 2 * (1 + refusals)
}

/**
 * Orders relays: near ones before far ones, those that have served well before those that have not, trusted ones first,
 * and none beside another at the same place if it can be helped.
 *
 * @param relays What there is to choose from; of those alike the first stays first.
 * @param taken  Those that are in use already: what stands beside them is worth less.
 * @param most   How many are wanted. Default: all.
 * @unit   `now`: milliseconds
 * @source ours; spread as go-libp2p's relay does for its clients, by IP and subnet.
 */
export function rankRelays<Relay extends RankedRelay>(
  relays: readonly Relay[],
  taken: readonly RankedRelay[],
  now: number,
  most = relays.length,
): readonly Relay[] {
  if (most <= 0) return []
  const places = placesOf(taken)
  const left = new Map(relays.map((relay) => [relay, { cost: costOf(relay, now), places: placesOf([relay]) }]))
  const ranked: Relay[] = []
  while (left.size > 0 && ranked.length < most) {
    const [best] = [...left].reduce((one, other) => (crowded(other[1], places) < crowded(one[1], places) ? other : one))
    for (const place of left.get(best)!.places) places.add(place)
    left.delete(best)
    ranked.push(best)
  }
  return ranked
}

interface Placed {
  readonly cost: number
  readonly places: ReadonlySet<string>
}

function crowded({ cost, places: own }: Placed, places: ReadonlySet<string>): number {
  const shared = [...own].filter((place) => places.has(place))
  if (shared.some((place) => !place.includes('/'))) return cost * SAME_IP
  return shared.length > 0 ? cost * SAME_SUBNET : cost
}

/** IPs, and subnets, which have a slash. */
function placesOf(relays: readonly RankedRelay[]): Set<string> {
  const ips = relays.flatMap(({ addresses }) => addresses.map(ipOf)).filter((ip) => ip !== undefined)
  return new Set([...ips, ...ips.map((ip) => subnetOf(ip)).filter((subnet) => subnet !== undefined)])
}
