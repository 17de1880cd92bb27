import { EMPTY, map, merge, mergeMap, NEVER, Observable, of, Subject } from 'rxjs'
import { z } from 'zod'
import { DialError, RelayError, UnknownPeerError } from '../../../errors/errors.ts'
import {
  HOP_PROTOCOL,
  type RelayPorts,
  type RelayRef,
  type Reservation,
  type ServedEvent,
} from '../../../swarm/behaviours/relay/relayVocabulary.ts'
import type { AnyModule } from '../../../swarm/vocabulary/behaviour.ts'
import { answer, request } from '../request.ts'
import type { SimulatedConnection, SimulatedNode } from '../simulatedNode.ts'
import { decodeMessage, encodeMessage } from './modelMessage.ts'
import { lifetimeOf } from './lifetimeOf.ts'
import { startOf } from './startOf.ts'

const MOST_BYTES = 1_024
const asked = z.object({ ask: z.enum(['reserve', 'release', 'echo']) })
const answered = z.object({ status: z.string().max(64), forMs: z.number().positive().optional() })

/** What a relay grants when its module says nothing else. */
const RESERVATIONS = 128
const RESERVATION_MS = 3_600_000

/** A reservation is renewed when this part of it has passed. */
const RENEWED_AFTER = 0.5

/**
 * Relays and reservations of a simulated node: those of circuit relay v2, without its limits of bytes and time.
 *
 * @shape  A reservation ends with the connection on which it was made. Circuits are carried, and not told of.
 */
export function simulatedRelay(node: SimulatedNode, { options }: AnyModule): RelayPorts {
  const { server = false } = (options ?? {}) as { readonly server?: boolean | Partial<Granting> }
  const start$ = startOf(node)
  return {
    ready: () => start$,
    reserve: (relay) => dialled(node, relay).pipe(mergeMap((connection) => reservation(node, connection))),
    measure: (relay) =>
      new Observable((out) => {
        const connection = node.connections.find(({ peer, info }) => peer === relay && info.direct)
        if (connection === undefined) throw new UnknownPeerError(`measure: ${relay} is not connected`, { peer: relay })
        const sentAt = node.scheduler.now()
        out.add(
          told(node, connection, 'echo')
            .pipe(map(() => node.scheduler.now() - sentAt))
            .subscribe(out),
        )
      }),
    search: () => EMPTY, // identify tells of those that are met
    upgrade: (peer, addresses) =>
      node.dial(addresses.map((address) => address.replace(`/p2p/${peer}`, ''))).pipe(
        map(({ info }) => {
          if (info.peer === peer && info.direct) return info.address
          throw new DialError(`upgrade: ${info.peer} is at the addresses of ${peer}`, { peer })
        }),
      ),
    served$: server === false ? NEVER : served(node, server === true ? {} : server),
  }
}

/** What a relay gives to others. */
interface Granting {
  readonly reservations: number
  readonly reservationMs: number
}

function dialled(node: SimulatedNode, { relay, addresses }: RelayRef): Observable<SimulatedConnection> {
  return node.dial(addresses.length === 0 ? relay : addresses).pipe(
    map((connection) => {
      if (connection.info.direct) return connection
      throw new RelayError(`${relay}: is itself behind a relay`, { peer: relay })
    }),
  )
}

function told(node: SimulatedNode, connection: SimulatedConnection, ask: z.output<typeof asked>['ask']) {
  const { peer } = connection
  return request(node, peer, HOP_PROTOCOL, encodeMessage({ ask }), { maxBytes: MOST_BYTES, connection }).pipe(
    map((bytes) => decodeMessage(answered, bytes).head),
  )
}

/** One reservation, for as long as somebody wants it and its connection lasts. */
function reservation(node: SimulatedNode, connection: SimulatedConnection): Observable<Reservation> {
  const { peer: relay, info } = connection
  return new Observable((out) => {
    let withdraw = () => {}
    const ask = () => {
      const askedAt = node.scheduler.now()
      out.add(
        told(node, connection, 'reserve').subscribe({
          next: ({ status, forMs = 0 }) => {
            if (status !== 'OK') {
              return out.error(new RelayError(`${relay} refuses a reservation: ${status}`, { peer: relay }, status))
            }
            const at = node.addressesOf(relay).filter((address) => !address.includes('/p2p-circuit'))
            const own = (at.length === 0 ? [info.address] : at).map(
              (address) => `${address}/p2p-circuit/p2p/${node.name}`,
            )
            withdraw()
            withdraw = node.announce(own)
            const now = node.scheduler.now()
            out.next({ relay, addresses: own, expiresAt: now + forMs, limit: {}, rttMs: now - askedAt })
            out.add(node.scheduler.schedule(ask, forMs * RENEWED_AFTER))
          },
          error: (error: unknown) => out.error(error),
        }),
      )
    }
    out.add(
      node.event$.subscribe((event) => {
        if (event.type !== 'connection:close' || event.connection.id !== info.id) return
        out.error(new RelayError(`${relay}: the connection closed`, { peer: relay }))
      }),
    )
    out.add(() => {
      withdraw()
      if (connection.isOpen) told(node, connection, 'release').subscribe({ error: () => undefined })
    })
    ask()
  })
}

/** The relay itself. What it does is said to who listens; it works as long as the node runs. */
function served(node: SimulatedNode, granting: Partial<Granting>): Observable<ServedEvent> {
  const { reservations = RESERVATIONS, reservationMs = RESERVATION_MS } = granting
  const said$ = new Subject<ServedEvent>()
  const held = new Map<string, { readonly connection: string; readonly expiresAt: number }>()
  const life = lifetimeOf(node)
  const isHeld = (peer: string) => (held.get(peer)?.expiresAt ?? 0) > node.scheduler.now()
  const end = (peer: string, reason: string) => {
    if (held.delete(peer)) said$.next({ type: 'relay:ended', peer, reason })
  }
  const deny = (peer: string, to: string, status: 'NO_RESERVATION') => {
    said$.next({ type: 'relay:denied', peer, request: 'connect', to, status, reason: `${to} has no reservation` })
    return status
  }
  life.add(
    answer(
      node,
      HOP_PROTOCOL,
      (bytes, { peer }) => {
        const { ask } = decodeMessage(asked, bytes).head
        const [connection] = node.connections.filter((one) => one.peer === peer && one.info.direct)
        if (ask === 'release') end(peer, 'given up')
        if (ask !== 'reserve') return of(encodeMessage({ status: 'OK' }))
        for (const [other] of held) if (!isHeld(other)) end(other, 'expired')
        if (connection === undefined) return of(encodeMessage({ status: 'PERMISSION_DENIED' }))
        if (!held.has(peer) && held.size >= reservations) {
          const [status, reason] = ['RESERVATION_REFUSED', `all ${reservations} are taken`] as const
          said$.next({ type: 'relay:denied', peer, request: 'reserve', status, reason })
          return of(encodeMessage({ status }))
        }
        const type = held.has(peer) ? 'relay:renewed' : 'relay:accepted'
        const expiresAt = node.scheduler.now() + reservationMs
        held.set(peer, { connection: connection.info.id, expiresAt })
        said$.next({ type, peer, address: connection.info.address, expiresAt })
        return of(encodeMessage({ status: 'OK', forMs: reservationMs }))
      },
      { maxBytes: MOST_BYTES },
    ),
  )
  life.add(node.relay((from, to) => (isHeld(to) ? undefined : deny(from, to, 'NO_RESERVATION'))))
  life.add(
    node.event$.subscribe((event) => {
      if (event.type !== 'connection:close') return
      const { peer, id } = event.connection
      if (held.get(peer)?.connection === id) end(peer, 'the connection closed')
    }),
  )
  return merge(said$, NEVER)
}
