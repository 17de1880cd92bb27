import { ACCESS_ACTIONS, DIRECTIONS, type AccessMatch, type AccessRequest } from './accessPolicy.ts'
import { ipBits } from './ipBits.ts'
import { ipPrefix } from './ipMatch.ts'
import { coversAll, prefixesOf, textsOf, type ValueSet } from './valueSet.ts'

/** A request, as matchers look at it. */
export interface Probe {
  /** Of the action and the direction. */
  readonly bit: number
  /** Peer id, if known. */
  readonly peer: string | undefined
  /** Owner key, if the peer has authenticated. */
  readonly owner: string | undefined
  /** Protocol id, if it is about one. */
  readonly protocol: string | undefined
  /** Topic or namespace, if it is about one. */
  readonly topic: string | undefined
  /** The bits of the IP, if there is one, and somebody asks for it. */
  readonly address: string | undefined
  /** Type of the command, if it is one. */
  readonly command: string | undefined
}

/** What a matcher can be told: an {@link AccessMatch}, and commands. */
export type MatchFields = { readonly [Field in keyof AccessMatch]?: AccessMatch[Field] | undefined } & {
  /** Types of commands; `*` stands for any text. */
  readonly command?: string | readonly string[] | undefined
}

const FIELDS = ['peer', 'owner', 'protocol', 'topic', 'command'] as const

/** An action or a direction that there is not has a place of its own, so that only what names none matches it. */
const ACTION_PLACES = new Map<string, number>(ACCESS_ACTIONS.map((action, place) => [action, place]))
const [UNKNOWN_ACTION, WAYS] = [ACCESS_ACTIONS.length, DIRECTIONS.length + 1]
const EVERY_ACTION = Array.from({ length: ACCESS_ACTIONS.length + 1 }, (_, place) => place)

const wayOf = (direction: string) => (direction === 'inbound' ? 0 : direction === 'outbound' ? 1 : 2)

/** The request, as matchers look at it. @param readsAddress Whether one of them asks for the address */
export function probeOf(request: AccessRequest & { readonly command?: string }, readsAddress: boolean): Probe {
  const { action, direction, peer, owner, protocol, topic, address, command } = request
  return {
    bit: 1 << ((ACTION_PLACES.get(action) ?? UNKNOWN_ACTION) * WAYS + wayOf(direction)),
    peer,
    owner,
    protocol,
    topic,
    address: readsAddress && address !== undefined ? ipBits(address) : undefined,
    command,
  }
}

/** What a rule or a limit is about, made ready. */
export class RequestMatcher {
  readonly #mask: number
  readonly peer: ValueSet | undefined
  readonly owner: ValueSet | undefined
  readonly protocol: ValueSet | undefined
  readonly topic: ValueSet | undefined
  readonly address: ValueSet | undefined
  readonly command: ValueSet | undefined

  constructor(fields: MatchFields) {
    this.#mask = maskOf(fields)
    const [peer, owner, protocol, topic, command] = FIELDS.map((field) => {
      const values = fields[field]
      return values === undefined ? undefined : textsOf(values)
    })
    this.peer = peer
    this.owner = owner
    this.protocol = protocol
    this.topic = topic
    this.command = command
    const { address } = fields
    this.address = address === undefined ? undefined : prefixesOf([address].flat().map((one) => ipPrefix(one).bits!))
  }

  /** Whether every field that is present matches. */
  matches(probe: Probe): boolean {
    return (
      (this.#mask & probe.bit) !== 0 &&
      this.peer?.matches(probe.peer) !== false &&
      this.owner?.matches(probe.owner) !== false &&
      this.protocol?.matches(probe.protocol) !== false &&
      this.topic?.matches(probe.topic) !== false &&
      this.address?.matches(probe.address) !== false &&
      this.command?.matches(probe.command) !== false
    )
  }

  /** Whether it matches whatever the other does; see {@link coversAll}. */
  covers(other: RequestMatcher): boolean {
    if ((other.#mask & ~this.#mask) !== 0) return false
    return ([...FIELDS, 'address'] as const).every((field) => {
      const [outer, inner] = [this[field], other[field]]
      return outer === undefined || (inner !== undefined && coversAll(outer, inner))
    })
  }

  /** A request that whoever covers this matches: its first values, the wildcards as they stand. */
  get sample(): Probe {
    const [peer, owner, protocol, topic, command] = FIELDS.map((field) => this[field]?.values[0])
    const address = this.address?.values[0]
    return { bit: this.#mask & -this.#mask, peer, owner, protocol, topic, address, command }
  }
}

function maskOf({ action, direction }: MatchFields): number {
  const actions = action === undefined ? EVERY_ACTION : [action].flat().map((one) => ACTION_PLACES.get(one)!)
  const ways = direction === undefined ? [0, 1, 2] : [wayOf(direction)]
  return actions.flatMap((place) => ways.map((way) => 1 << (place * WAYS + way))).reduce((mask, bit) => mask | bit, 0)
}
