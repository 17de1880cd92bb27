import { KEEP_ALIVE, type Connection, type Libp2p, type PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { Key } from 'interface-datastore'
import { catchError, defer, EMPTY, from, ignoreElements, map, mergeMap, Observable, of, timeout, toArray } from 'rxjs'
import { InvalidCommandError } from '../../../errors/errors.ts'
import { dialTo } from '../../libp2p/connectTo.ts'
import { diallingOf, internalsOf, tellOwnAddresses } from '../../libp2p/createHost.ts'
import { ownIps } from '../../libp2p/ownIps.ts'
import { parseAddress, parsePeer, peerOf } from '../../libp2p/parse.ts'
import { started } from '../../libp2p/started.ts'
import { usable } from '../../libp2p/usable.ts'
import type { LatePeer } from './isolationMachine.ts'
import type { KeepAlivePorts } from './keepAliveBehaviour.ts'
import { readLately } from './readLately.ts'

/** Tells libp2p, when it must close connections, that this one is wanted. */
const TAG = 'rxswarm:keep'
const TAG_VALUE = 100

/** How long a connection may take to show that it carries something. @unit milliseconds */
const PROBE_MS = 2_000

/** Connections that are probed at once after a change of the network. */
const PROBES_AT_ONCE = 32

/** Where who was connected lately is kept. */
const LATELY = new Key('/rxswarm/keep-alive/lately')

/** Kept peers of a libp2p node. */
export function keepAlivePorts(node: Libp2p, networkPollMs: number): KeepAlivePorts {
  const { datastore } = internalsOf(node)
  /** js-libp2p would dial a peer of its own list at once and beside us, and take it off the list after five tries. */
  const claim = async (peer: PeerId, multiaddrs: readonly Multiaddr[]) => {
    const known = await node.peerStore.merge(peer, {
      multiaddrs: [...multiaddrs],
      tags: { [TAG]: { value: TAG_VALUE } },
    })
    const rivals = [...known.tags.keys()].filter((tag) => tag.startsWith(KEEP_ALIVE))
    if (rivals.length === 0) return
    await node.peerStore.merge(peer, { tags: Object.fromEntries(rivals.map((tag) => [tag, undefined])) })
  }
  const parse = (peer: PeerId, texts: readonly string[]) =>
    texts.map((text) => {
      const address = parseAddress(text, 'addresses')
      const named = peerOf(address)
      if (named === undefined || named === peer.toString()) return address
      const message = `addresses: ${text} is an address of another peer`
      throw new InvalidCommandError(message, { field: 'addresses', address: text, peer: named })
    })
  const isAlive = (connection: Connection): Observable<boolean> =>
    usable(node, connection, false).pipe(
      timeout(PROBE_MS),
      map(() => true),
      catchError(() => of(false)),
    )
  const probeAll = (connections: readonly Connection[]) =>
    from(connections).pipe(
      mergeMap((connection) => isAlive(connection).pipe(map((alive) => ({ connection, alive }))), PROBES_AT_ONCE),
      toArray(),
    )
  const cut = (connection: Connection) => connection.abort(new Error('nothing came back: the connection is dead'))
  return {
    keep: (peer, addresses) =>
      defer(() => {
        const id = parsePeer(peer)
        return from(claim(id, parse(id, addresses))).pipe(map(() => peer))
      }),
    release: (peer) =>
      defer(() => from(node.peerStore.merge(parsePeer(peer), { tags: { [TAG]: undefined } })).pipe(map(() => peer))),
    dial: (peer, addresses) =>
      defer(() => {
        const id = parsePeer(peer)
        // the peer store forgets addresses after an hour
        return from(claim(id, parse(id, addresses))).pipe(mergeMap(() => dialTo(node, peer)))
      }),
    probe: (peer) =>
      defer(() => probeAll(node.getConnections(parsePeer(peer)))).pipe(
        map((probed) => probed.length === 0 || probed.some(({ alive }) => alive)),
      ),
    cut: (peer) =>
      defer(() => {
        for (const connection of node.getConnections(parsePeer(peer))) cut(connection)
        return EMPTY
      }),
    sweep: () =>
      defer(() => {
        diallingOf(node).networkChanged()
        tellOwnAddresses(node)
        return probeAll(node.getConnections())
      }).pipe(
        map((probed) => {
          const dead = probed.filter(({ alive }) => !alive)
          for (const { connection } of dead) cut(connection)
          return { probed: probed.length, closed: dead.length }
        }),
      ),
    save: (lately) =>
      defer(() => Promise.resolve(datastore.put(LATELY, new TextEncoder().encode(JSON.stringify(lately))))).pipe(
        ignoreElements(),
      ),
    known$: started(node).pipe(
      mergeMap(() => latelyOf(datastore)), // the store is open from now on
      map((lately) => ({ peers: node.getPeers().map(String), lately })),
    ),
    network$: new Observable((out) => {
      let before = ownIps(0)
      out.next(before)
      const timer = setInterval(() => {
        const now = ownIps(0)
        if (now.join() === before.join()) return
        before = now
        out.next(now)
      }, networkPollMs)
      timer.unref()
      return () => clearInterval(timer)
    }),
  }
}

async function latelyOf(datastore: { get(key: Key): Promise<Uint8Array> | Uint8Array }): Promise<readonly LatePeer[]> {
  try {
    return readLately(new TextDecoder().decode(await datastore.get(LATELY)))
  } catch {
    return [] // nothing was kept, or the store can't be read: then nobody is remembered
  }
}
