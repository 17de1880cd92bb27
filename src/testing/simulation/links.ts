import { Link, type LinkOptions, type LinkTime } from './link.ts'
import type { Seeded } from './seeded.ts'

/** What links are made from. */
export interface LinksOptions {
  /** True time. */
  readonly time: LinkTime
  /** The network's chance; each link has a fork of it. */
  readonly random: Seeded
  /** What all do to packets. */
  readonly link: LinkOptions
  /** What single ones do, by direction: `'alice>bob'`. */
  readonly links: Readonly<Record<string, LinkOptions>>
  /** Hears that some are blocked, or free again. */
  readonly changed: () => void
}

/** How long a packet is under way when nobody says. @unit milliseconds */
const LATENCY_MS = 20

/** Every direction between two nodes, made when it is first used; and which of them are blocked. */
export class Links {
  readonly #options: LinksOptions
  readonly #links = new Map<string, Link>()
  readonly #blocked = new Set<string>()
  #groups: ReadonlyMap<string, number> = new Map()

  constructor(options: LinksOptions) {
    this.#options = options
  }

  /** The direction from one node to another. */
  from(from: string, to: string): Link {
    const key = `${from}>${to}`
    const known = this.#links.get(key)
    if (known !== undefined) return known
    const { time, random, link, links } = this.#options
    const fresh = new Link(time, random.fork(`link ${key}`), { latencyMs: LATENCY_MS, ...link, ...links[key] })
    fresh.isBlocked = this.#isCut(key)
    this.#links.set(key, fresh)
    return fresh
  }

  /** Nothing passes between groups; those that none names are one more. No groups end a partition. */
  partition(groups: readonly (readonly string[])[]): void {
    this.#groups = new Map(groups.flatMap((group, i) => group.map((name) => [name, i] as const)))
    this.#cut()
  }

  /** Nothing passes in this direction. */
  block(from: string, to: string): void {
    this.#blocked.add(`${from}>${to}`)
    this.#cut()
  }

  /** Takes back what {@link Links.block} did; a partition may still be in between. */
  unblock(from: string, to: string): void {
    this.#blocked.delete(`${from}>${to}`)
    this.#cut()
  }

  #isCut(key: string): boolean {
    if (this.#blocked.has(key)) return true
    if (this.#groups.size === 0) return false
    const [from = '', to = ''] = key.split('>')
    return this.#groups.get(from) !== this.#groups.get(to)
  }

  #cut(): void {
    for (const [key, link] of this.#links) {
      const isCut = this.#isCut(key)
      if (isCut === link.isBlocked) continue
      if (isCut) link.isBlocked = true
      else link.unblock()
    }
    this.#options.changed()
  }
}
