import { KEEP_ALIVE, type Connection, type Libp2p, type PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { catchError, defer, map, of, throwError } from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { connectionInfo } from '../../libp2p/connectionInfo.ts'
import { dialTo } from '../../libp2p/connectTo.ts'
import { internalsOf, type Internals } from '../../libp2p/createHost.ts'
import { parseAddress, parsePeer } from '../../libp2p/parse.ts'
import { DialError, InvalidCommandError, UnknownPeerError } from '../../../errors/errors.ts'
import type { ConnectionSnapshot, ConnectionsPorts } from './connectionsBehaviour.ts'

type Listener = ReturnType<Internals['transportManager']['getListeners']>[number]

/** Connections of a libp2p node. */
export function connectionsPorts(node: Libp2p): ConnectionsPorts {
  const { transportManager } = internalsOf(node)
  const listening = (address: string): Listener | undefined =>
    transportManager
      .getListeners()
      .find((listener) => listener.getAddrs().some((own) => isWithin(own.toString(), address)))
  /** Libp2p does not say which listener a call made, so they are made one after the other. */
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }
  const listen = async (multiaddr: Multiaddr, signal: AbortSignal): Promise<readonly string[]> => {
    signal.throwIfAborted()
    const before = new Set(transportManager.getListeners())
    await transportManager.listen([multiaddr])
    const added = transportManager.getListeners().filter((listener) => !before.has(listener))
    if (signal.aborted) await Promise.all(added.map((listener) => listener.close())) // nobody waits for it any more
    return added.flatMap((listener) => listener.getAddrs().map((own) => `${own.toString()}/p2p/${node.peerId}`))
  }
  /** A peer that something wants to keep, as the DHT does, would be dialled again at once. */
  const hangUp = async (peer: PeerId, signal: AbortSignal) => {
    const { tags } = await node.peerStore.get(peer, { signal })
    const keepers = [...tags.keys()].filter((tag) => tag.startsWith(KEEP_ALIVE))
    await node.peerStore.merge(peer, { tags: Object.fromEntries(keepers.map((tag) => [tag, undefined])) }, { signal })
    await node.hangUp(peer, { signal })
  }
  return {
    dial: (to, dueInMs) =>
      defer(() => dialTo(node, targetOf(to), { dueInMs })).pipe(
        map(connectionInfo),
        catchError((error: unknown) => throwError(() => selfDial(error, to) ?? error)),
      ),
    hangUp: (peer) =>
      defer(() => {
        const id = parsePeer(peer)
        const closed = node.getConnections(id).length
        if (closed === 0) throw new UnknownPeerError(`hang up: ${peer} is not connected`, { peer })
        return fromAbortable((signal) => hangUp(id, signal)).pipe(map(() => closed))
      }),
    listen: (address) =>
      defer(() => {
        const multiaddr = parseAddress(address)
        return fromAbortable((signal) => inTurn(() => listen(multiaddr, signal))).pipe(
          catchError((cause: unknown) => throwError(() => cannotListen(address, cause))),
        )
      }),
    unlisten: (address) =>
      defer(() => {
        const listener = listening(parseAddress(address).toString())
        if (listener !== undefined) return fromAbortable(() => listener.close())
        const message = `address: ${address} is not listened on`
        throw new InvalidCommandError(message, { field: 'address', address })
      }),
    list: () => defer(() => of(node.getConnections().map(snapshot))),
  }
}

function targetOf(to: string | readonly string[]) {
  const targets = typeof to === 'string' ? [to] : to
  const [only] = targets
  if (targets.length === 1 && only !== undefined && !only.startsWith('/')) return parsePeer(only, 'to').toString()
  return targets.map((text) => parseAddress(text, 'to'))
}

function selfDial(error: unknown, to: string | readonly string[]): InvalidCommandError | undefined {
  const cause = (error as { cause?: { name?: string } } | undefined)?.cause
  if (cause?.name !== 'InvalidPeerIdError') return undefined
  return new InvalidCommandError(`to: ${String(to)} is this node itself`, { field: 'to', cause })
}

function cannotListen(address: string, cause: unknown): DialError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new DialError(`listen ${address}: ${reason}`, { address, cause })
}

/** A listener on every interface has one address for each of them; with or without the peer id they are the same. */
function isWithin(own: string, address: string): boolean {
  return address === own || address.startsWith(`${own}/p2p/`)
}

function snapshot(connection: Connection): ConnectionSnapshot {
  return {
    ...connectionInfo(connection),
    encryption: connection.encryption ?? 'none',
    multiplexer: connection.multiplexer ?? 'none',
    streams: connection.streams.map(({ id, protocol, direction, status }) => ({ id, protocol, direction, status })),
  }
}
