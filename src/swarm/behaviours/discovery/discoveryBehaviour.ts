import {
  concat,
  connect,
  distinctUntilChanged,
  EMPTY,
  filter,
  ignoreElements,
  map,
  merge,
  mergeMap,
  shareReplay,
  switchMap,
  take,
  takeUntil,
  type Observable,
} from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import { InvalidCommandError } from '../../../errors/errors.ts'
import { perform } from '../../perform.ts'
import type { Behaviour, Wires } from '../../vocabulary/behaviour.ts'
import { contextOf } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import { bootstrapping, type BootstrapSettings } from './bootstrapping.ts'
import {
  SOURCES,
  type DiscoveryCommand,
  type DiscoveryEvent,
  type DiscoverySource,
  type Sighting,
  type SwitchSource,
} from './discoveryVocabulary.ts'
import { knownCount } from './knownCount.ts'
import { knowing, type KnownSettings } from './knowing.ts'
import { listening, type MdnsSettings } from './listening.ts'
import type { MdnsWord } from './mdnsIntake.ts'
import { overhearing } from './overhearing.ts'
import { vetAddresses, type ReadAddress } from './vetAddresses.ts'
import { walking, type WalkSettings } from './walking.ts'

/** Where and how the local network is listened to. */
export interface MdnsGroup extends Pick<MdnsSettings, 'interfaces' | 'announce' | 'service' | 'port'> {
  /** Asks who is there, each time it emits. */
  readonly ask$: Observable<unknown>
}

/** What discovery may call. */
export interface DiscoveryPorts {
  /** Emits once the node runs: at once if it does. */
  readonly started$: Observable<unknown>
  /** Emits once there is a DHT peer to ask. */
  readonly dhtReady$: Observable<unknown>
  /** Everybody who is connected now, then completes. */
  readonly connected$: Observable<string>
  /** Whether the node has a DHT at all. */
  readonly hasDht: boolean
  /** The node's own addresses now. */
  own(): readonly string[]
  /** Reads an address; none when it is malformed, or nobody could be reached by it. */
  read(address: string): ReadAddress | undefined
  /** Connects to a peer at these addresses, and to nobody else. One value. */
  dial(peer: string, addresses: readonly string[]): Observable<unknown>
  /** Keeps the addresses of a peer for later dials. */
  store(peer: string, addresses: readonly string[]): Observable<unknown>
  /** Whom a walk towards a key meets, each once. */
  walk(key: string): Observable<{ readonly peer: string; readonly addresses: readonly string[] }>
  /** What other nodes say on the local network; unsubscribing takes leave of it. */
  mdns(group: MdnsGroup): Observable<MdnsWord>
  /** Whether a source was switched on or off before: a crash forgets no switch. One value; `usual` if it never was. */
  switched(source: DiscoverySource, usual: boolean): Observable<boolean>
  /** Notes a switch. One value. */
  switch(source: DiscoverySource, on: boolean): Observable<unknown>
}

/** The wires of discovery. */
export type DiscoveryWires = Wires<DiscoveryCommand, DiscoveryPorts>

/** What {@link discoveryBehaviour} is made with. */
export interface DiscoverySettings extends KnownSettings {
  /** Which sources are on at the start. */
  readonly on: Readonly<Record<DiscoverySource, boolean>>
  readonly bootstrap: BootstrapSettings
  readonly mdns: MdnsSettings
  readonly dht: WalkSettings
}

/**
 * Finds peers by a bootstrap list, on the local network, in the DHT and at rendezvous points, and dials some of them.
 *
 * ```marble
 * seen  -a-a-b-
 * said  -f---g-
 * ```
 *
 * @shape  Runs from the start of the node to the beginning of its stop. Each source can be switched off, which ends its work
 *         at once; what it has found stays known for its time.
 * @errors Failures are `discovery:failed`; those of commands `command:failed`.
 * @source ours, over libp2p's peer discovery.
 */
export const discoveryBehaviour =
  (settings: DiscoverySettings): Behaviour<DiscoveryCommand, DiscoveryEvent, DiscoveryPorts> =>
  (wires) => {
    const { command$, cancel$, event$, ports, self } = wires
    const stopping$ = (event$ as Observable<CoreEvent>).pipe(ofType('swarm:stopping'))
    // counted from the start: a walk that is switched on late has missed those who were found before
    const count$ = knownCount(event$).pipe(shareReplay({ bufferSize: 1, refCount: true }))
    const runs: Readonly<Record<DiscoverySource, () => Observable<Sighting | DiscoveryEvent>>> = {
      bootstrap: () => bootstrapping(settings.bootstrap, wires),
      mdns: () => listening(settings.mdns, wires),
      dht: () => walking(settings.dht, wires, count$),
      rendezvous: () => overhearing(event$),
    }
    return command$.pipe(
      ofType('discovery/switch'),
      perform(
        cancel$,
        (command) => (checkSwitch(command, ports), ports.switch(command.source, command.on)),
        (_, { source, on }): DiscoveryEvent => ({ type: 'discovery:switched', source, on }),
      ),
      connect((switched$) => {
        const switches$ = (switched$ as Observable<DiscoveryEvent>).pipe(ofType('discovery:switched'))
        const source = (name: DiscoverySource) =>
          concat(
            ports.switched(name, settings.on[name]),
            switches$.pipe(
              filter((switched) => switched.source === name),
              map(({ on }) => on),
            ),
          ).pipe(
            distinctUntilChanged(),
            switchMap((on) => (on ? runs[name]() : EMPTY)),
          )
        const found$ = ports.started$.pipe(
          take(1),
          mergeMap(() => merge(...SOURCES.map(source))),
          takeUntil(stopping$),
          mergeMap((said) => (said.type === 'seen' ? vet(said, ports, self) : [said])),
          connect((said$) =>
            merge(said$.pipe(filter(isEvent)), said$.pipe(filter(isSighting), knowing(settings, wires))),
          ),
        )
        return merge(count$.pipe(ignoreElements()), switched$, found$)
      }),
    )
  }

/** What is seen of a peer without the addresses that must not be dialled, and which these are. */
function vet(
  seen: Extract<Sighting, { type: 'seen' }>,
  ports: DiscoveryPorts,
  self: string,
): readonly (Sighting | DiscoveryEvent)[] {
  const { by, peer, isLocal } = seen
  const isOwn = peer === self && by !== 'mdns' // a DHT and a rendezvous point know this node too
  if (isOwn) return []
  const own = ports.own().map((address) => ports.read(address))
  const isAlone = own.every((address) => address?.isLoopback === true)
  const { addresses, dropped, count } = vetAddresses(peer, seen.addresses, {
    read: (address) => ports.read(address),
    own: own.flatMap((address) => address?.bare ?? []),
    self,
    keepsLoopback: by === 'bootstrap' || (isLocal ?? isAlone),
    mustName: by === 'mdns',
  })
  return [
    ...(count === 0 ? [] : [{ type: 'discovery:dropped', by, peer, addresses: dropped, count } as const]),
    ...(addresses.length === 0 && count > 0 ? [] : [{ ...seen, addresses }]),
  ]
}

function checkSwitch(command: SwitchSource, { hasDht }: Pick<DiscoveryPorts, 'hasDht'>): void {
  const { source, on } = command
  const wrong = (field: string, message: string) =>
    new InvalidCommandError(`${field}: ${message}`, { ...contextOf(command), field })
  if (!SOURCES.includes(source)) throw wrong('source', `must be one of ${SOURCES.join(', ')}, not ${String(source)}`)
  if (typeof on !== 'boolean') throw wrong('on', `must be true or false, not ${String(on)}`)
  if (on && source === 'dht' && !hasDht) throw wrong('source', 'the dht is walked only beside kad; add it to use')
}

function isSighting(said: Sighting | DiscoveryEvent): said is Sighting {
  return said.type === 'seen' || said.type === 'gone'
}

function isEvent(said: Sighting | DiscoveryEvent): said is DiscoveryEvent {
  return !isSighting(said)
}
