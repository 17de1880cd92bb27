import type { Probed } from '../../swarm/vocabulary/probe.ts'

/** A lane of commands, as far as it shows how a node is. */
export interface LaneLook {
  readonly lane: string
  /** How long the oldest command has waited. @unit milliseconds */
  readonly oldestMs: number
  /** Commands that found no place, since the start. */
  readonly refused: number
}

/** What is seen of a swarm without an event that tells it. */
export interface Look {
  /** Whether it listens somewhere. */
  readonly isListening: boolean
  readonly isStopping: boolean
  /** Behaviours that wait for their restart, or ended. */
  readonly troubled: ReadonlyMap<string, 'restarting' | 'ended'>
  /** Connected peers. */
  readonly peers: number
  readonly lanes: readonly LaneLook[]
  /** Missing unless the node must have a place at a relay, and knows it: it is private. */
  readonly reservations?: number
  /** Missing unless keepAlive is in use. */
  readonly isIsolated?: boolean
  /** Sources of discovery that are on. */
  readonly sources: readonly string[]
}

/** What never changes of a swarm. */
export interface Built {
  /** Behaviours that answer commands. */
  readonly answering: readonly string[]
  /** All others. */
  readonly silent: readonly string[]
  /** Types of all commands. */
  readonly commands: ReadonlySet<string>
}

/** What a swarm is made of. */
export function builtOf({ modules }: Pick<Probed, 'modules'>): Built {
  const answers = (name: string) => Object.keys(modules.find((module) => module.name === name)!.commands).length > 0
  const names = modules.map(({ name }) => name)
  return {
    answering: names.filter(answers),
    silent: names.filter((name) => !answers(name)),
    commands: new Set(modules.flatMap(({ commands }) => Object.keys(commands))),
  }
}

/** The parts of other modules' state that are looked at. */
interface Parts {
  readonly relay?: { readonly reservations?: ReadonlyMap<string, unknown> }
  readonly reachability?: { readonly status?: string }
  readonly keepAlive?: { readonly isIsolated?: boolean }
  readonly discovery?: { readonly sources?: Readonly<Record<string, { readonly on: boolean }>> }
}

/** Looks at a swarm. */
export function lookAt(probed: Pick<Probed, 'modules' | 'state' | 'lanes'>): Look {
  const state = probed.state()
  const { relay, reachability, keepAlive, discovery } = state as Parts
  const options = probed.modules.find(({ name }) => name === 'relay')?.options as { readonly reservations?: number }
  const isPrivate = reachability?.status === 'private' || reachability?.status === 'relayed'
  const isRelayed = isPrivate && relay?.reservations !== undefined && (options?.reservations ?? 0) > 0
  return {
    isListening: state.addresses.length > 0,
    isStopping: state.phase !== 'running',
    troubled: state.troubled,
    peers: state.peers.size,
    lanes: probed.lanes(),
    ...(isRelayed ? { reservations: relay.reservations.size } : {}),
    ...(keepAlive?.isIsolated === undefined ? {} : { isIsolated: keepAlive.isIsolated }),
    sources: Object.entries(discovery?.sources ?? {}).flatMap(([name, { on }]) => (on ? [name] : [])),
  }
}
