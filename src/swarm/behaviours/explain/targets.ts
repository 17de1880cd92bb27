import type { AnyCommand } from '../../vocabulary/command.ts'

/** What a command is about. */
export interface Target {
  /** Its type. */
  readonly command: string
  /** The peer that it names. */
  readonly peer: string | undefined
  /** The multiaddrs that it names. */
  readonly addresses: readonly string[]
}

/** Commands whose target is remembered; what comes of an older one may not say whom it is about. */
const MOST_TARGETS = 512

/** Addresses of one command. */
const MOST_ADDRESSES = 16

/** What the latest commands were about, by their id: events name the command that caused them. */
export class Targets {
  readonly #targets = new Map<string, Target>()

  /** Remembers a command that is about a peer. */
  aim(sent: AnyCommand): undefined {
    const { peer, to } = sent as { readonly peer?: unknown; readonly to?: unknown }
    if (peer === undefined && to === undefined) return
    const named = (Array.isArray(to) ? to : [to ?? peer]).filter((one) => typeof one === 'string')
    const addresses = named.filter((one) => one.startsWith('/')).slice(0, MOST_ADDRESSES)
    const only = named.find((one) => !one.startsWith('/')) ?? addresses.map(peerAtEnd).find((one) => one !== undefined)
    this.#targets.set(sent.id, { command: sent.type, peer: only, addresses })
    if (this.#targets.size <= MOST_TARGETS) return
    const [oldest] = this.#targets.keys()
    this.#targets.delete(oldest!)
  }

  /** What a command was about. */
  of(command: unknown): Target | undefined {
    return typeof command === 'string' ? this.#targets.get(command) : undefined
  }
}

function peerAtEnd(address: string): string | undefined {
  return /\/p2p\/(?<peer>[^/]+)$/.exec(address)?.groups?.['peer']
}
