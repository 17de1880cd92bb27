import { MOST_HOPS, type ChainBudget, type ChainOpen, type ChainRefusal } from './chainWords.ts'

/** How many at once, and how often. */
export interface ChainLimits {
  /** Chains at once that one neighbour brings. */
  readonly perNeighbour: number
  /** Chains at once that one opener has here. */
  readonly perOpener: number
  /** Chains at once in all. */
  readonly inAll: number
  /** Asked by one neighbour, and by one opener; four times as many may come at once. @unit per second */
  readonly perSecond: number
  /** Asked by all; four times as many may come at once. @unit per second */
  readonly inAllPerSecond: number
}

/** Where a chain comes in: at a carrier, or at its end. */
export type ChainRole = 'hop' | 'end'

/** What is asked, by whom. */
export interface ChainAsked {
  /** Names the request. */
  readonly request: string
  /** Whether it is to be carried, or ends here. */
  readonly role: ChainRole
  /** The neighbour; its connection says so. */
  readonly from: string
  /** Its address. */
  readonly address: string
  /** What it is to be. */
  readonly open: ChainOpen
}

/** Who is in the books, and since when what is remembered. */
export interface Books {
  /** Chains that run or are being opened, by request. */
  readonly running: ReadonlyMap<string, { readonly from: string; readonly opener: string }>
  /** When the bucket of somebody would be full again. @unit milliseconds */
  readonly buckets: ReadonlyMap<string, number>
  /** The same of all together. @unit milliseconds */
  readonly allFullAtMs: number
  /** Chains that came by, by the tenth of a minute in which they did. */
  readonly seen: ReadonlyMap<number, ReadonlySet<string>>
}

/** Nobody was here. */
export const emptyBooks: Books = { running: new Map(), buckets: new Map(), allFullAtMs: -Infinity, seen: new Map() }

/** A clock elsewhere may differ so much from ours. @unit milliseconds */
export const MOST_SKEW_MS = 60_000

/** Chains that came by are remembered as long as their signature counts, and are forgotten so many at a time. */
const REMEMBER_MS = 2 * MOST_SKEW_MS
const SLOT_MS = 6_000

/** Those that are remembered; with more, no further one is taken. */
const MOST_SEEN = 8_192

/** Neighbours and openers whose buckets are kept; with more that are not full, no further one is taken. */
const MOST_BUCKETS = 1_024

/** A bucket holds so many seconds' worth. */
const BURST_S = 4

/** What can be seen without looking at the signature: shape, place, and whether the neighbour may. */
export function lookAt(
  { role, from, open }: Omit<ChainAsked, 'request' | 'address'>,
  self: string,
  nowMs: number,
): ChainRefusal | { readonly at: number } {
  const { opener, path, issuedAtMs } = open
  const all = [opener, ...path]
  if (path.length < 2) return refusal('MALFORMED', 'a path has a carrier and an acceptor')
  if (path.length - 1 > MOST_HOPS) return refusal('TOO_MANY_HOPS', `a path has at most ${MOST_HOPS} carriers`)
  if (new Set(all).size < all.length) return refusal('CYCLE', 'a peer is in the path twice')
  const at = path.indexOf(self)
  const isEnd = at === path.length - 1
  if (at === -1) return refusal('MALFORMED', 'the path does not lead through here')
  if (isEnd !== (role === 'end')) return refusal('MALFORMED', 'this is not our place in the path')
  if (all[at] !== from) return refusal('DENIED', 'it does not come from the peer before us in the path')
  if (Math.abs(nowMs - issuedAtMs) > MOST_SKEW_MS) {
    return refusal('DENIED', 'it was signed too long ago, or the clocks differ too much')
  }
  return { at }
}

/** What a hop grants, or that it is too little. */
export function grantOf(own: ChainBudget, { wanted, least }: ChainOpen): ChainBudget | ChainRefusal {
  const granted = { bytes: Math.min(own.bytes, wanted.bytes), ms: Math.min(own.ms, wanted.ms) }
  if (granted.bytes >= least.bytes && granted.ms >= least.ms) return granted
  return refusal('BUDGET', `at most ${own.bytes} bytes and ${own.ms} ms are granted`)
}

/** Takes a token of the bucket of a neighbour, and of that of all; or says that there is none. */
export function takeNeighbour(books: Books, limits: ChainLimits, from: string, nowMs: number): Books | ChainRefusal {
  const taken = take(books, `from ${from}`, limits.perSecond, nowMs)
  if (isRefusal(taken)) return taken
  const allFullAtMs = refilled(taken.allFullAtMs, limits.inAllPerSecond, nowMs)
  if (allFullAtMs === undefined)
    return refusal('OVERLOADED', `all together ask more than ${limits.inAllPerSecond} a second`)
  return { ...taken, allFullAtMs }
}

function take(books: Books, key: string, perSecond: number, nowMs: number): Books | ChainRefusal {
  const buckets = books.buckets.size < MOST_BUCKETS ? books.buckets : stillFilling(books.buckets, nowMs)
  if (buckets.size >= MOST_BUCKETS && !buckets.has(key)) return refusal('OVERLOADED', 'too many peers ask at once')
  const fullAtMs = refilled(buckets.get(key) ?? nowMs, perSecond, nowMs)
  if (fullAtMs === undefined) return refusal('OVERLOADED', `more is asked than ${perSecond} a second: ${key}`)
  return { ...books, buckets: new Map(buckets).set(key, fullAtMs) }
}

/** When a bucket is full again after a token was taken; none is there otherwise. */
function refilled(fullAtMs: number, perSecond: number, nowMs: number): number | undefined {
  const next = Math.max(nowMs, fullAtMs) + 1_000 / perSecond
  return next - nowMs > BURST_S * 1_000 ? undefined : next
}

function stillFilling(buckets: ReadonlyMap<string, number>, nowMs: number): ReadonlyMap<string, number> {
  return new Map([...buckets].filter(([, fullAtMs]) => fullAtMs > nowMs))
}

/** Enters a chain whose neighbour may bring it, before its signature is looked at. */
export function enter(books: Books, limits: ChainLimits, asked: ChainAsked): Books | ChainRefusal {
  const running = [...books.running.values()]
  if (running.length >= limits.inAll) return refusal('OVERLOADED', `${limits.inAll} chains run here already`)
  const ofNeighbour = running.filter(({ from }) => from === asked.from).length
  if (ofNeighbour >= limits.perNeighbour) return refusal('OVERLOADED', `${ofNeighbour} chains come from there already`)
  const { request, from } = asked
  return { ...books, running: new Map(books.running).set(request, { from, opener: '' }) }
}

/** Books a chain whose opener has signed it. */
export function book(books: Books, limits: ChainLimits, asked: ChainAsked, nowMs: number): Books | ChainRefusal {
  const { opener, chain } = asked.open
  const slot = Math.floor(nowMs / SLOT_MS)
  const seen = new Map([...books.seen].filter(([since]) => (slot - since) * SLOT_MS <= REMEMBER_MS))
  const sets = [...seen.values()]
  if (sets.some((chains) => chains.has(chain))) return refusal('CYCLE', 'this chain came by here before')
  if (sets.reduce((sum, { size }) => sum + size, 0) >= MOST_SEEN) {
    return refusal('OVERLOADED', 'too many chains came by lately')
  }
  const ofOpener = [...books.running.values()].filter((running) => running.opener === opener).length
  if (ofOpener >= limits.perOpener) return refusal('OVERLOADED', `${opener} has ${ofOpener} chains here already`)
  const taken = take(books, `by ${opener}`, limits.perSecond, nowMs)
  if (isRefusal(taken)) return taken
  return {
    ...taken,
    seen: seen.set(slot, new Set(seen.get(slot)).add(chain)),
    running: new Map(books.running).set(asked.request, { from: asked.from, opener }),
  }
}

/** Strikes a chain out that is over. */
export function leave(books: Books, request: string): Books {
  if (!books.running.has(request)) return books
  const running = new Map(books.running)
  running.delete(request)
  return { ...books, running }
}

/** Whether it is a refusal. */
export function isRefusal(value: object): value is ChainRefusal {
  return 'status' in value
}

function refusal(status: ChainRefusal['status'], text: string): ChainRefusal {
  return { status, text }
}
