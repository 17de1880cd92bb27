import type { GossipSub, Message } from '@libp2p/gossipsub'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import { publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Connection, ConnectionGater, Libp2p, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { defer, of } from 'rxjs'
import type { SwarmError } from '../../../errors/errors.ts'
import { ipOf } from '../../../security/access/ipOf.ts'
import { dialledAddress } from '../../libp2p/transports.ts'
import { gateOf, internalsOf } from '../../libp2p/createHost.ts'
import type { StreamRequest } from '../../libp2p/gate.ts'
import type { AccessControl } from './accessControl.ts'
import type { AccessPorts } from './accessBehaviour.ts'
import type { AccessSubject } from './accessVocabulary.ts'
import { HOP_PROTOCOL } from '../relay/relayVocabulary.ts'
import { namespaceOf, PROVIDERS } from './wantedBy.ts'

/** Gossip's parts that its public type leaves out. */
interface GossipInternals {
  handleReceivedSubscription(from: PeerId, topic: string, subscribe: boolean): boolean
}

/** The DHT's parts that its public type leaves out. */
interface KadInternals {
  readonly rpc: { handleMessage(peer: PeerId, message: KadMessage): Promise<unknown> }
}

interface KadMessage {
  readonly type: string
  readonly key?: Uint8Array
}

/** Hangs the rules into a node: its gate, its gater, its gossip and its DHT. */
export function accessPorts(node: Libp2p, control: AccessControl, open: ReadonlySet<string>): AccessPorts {
  const gate = gateOf(node)
  const nowMs = () => Date.now()

  const subjectOf = ({ connection, protocol, direction }: StreamRequest): AccessSubject => ({
    action: 'open',
    direction,
    protocol,
    ...whoIsAt(connection, gate.owners.get(connection.id)),
  })
  const isRelaying = ({ protocol, direction }: StreamRequest) => protocol === HOP_PROTOCOL && direction === 'inbound'
  gate.guard({
    rank: 1,
    verdict: (request) => {
      if (open.has(request.protocol)) return 'pass'
      const subject = subjectOf(request)
      return (
        control.refusal(subject) ??
        (isRelaying(request) ? control.refusal({ ...subject, action: 'relay' }) : undefined) ??
        'pass'
      )
    },
    charge: (request) => control.charge(subjectOf(request), nowMs()),
    settled: (request, refusal) => {
      if (open.has(request.protocol)) return
      const subject = subjectOf(request)
      const subjects = isRelaying(request) ? [subject, { ...subject, action: 'relay' } as const] : [subject]
      for (const one of subjects) {
        if (refusal === undefined || control.refusal(one) !== undefined) control.judge(one)
      }
    },
  })
  guardConnections(node, control, nowMs)
  guardGossip(node, control, gate.owners, nowMs)
  guardDht(node, control, gate.owners, nowMs)

  /** Connections that the rules do not allow any more, now closed; streams likewise. */
  const reassess = (): readonly string[] => {
    const closed: string[] = []
    for (const connection of gate.connections.values()) {
      const subject: AccessSubject = {
        action: connection.direction === 'inbound' ? 'accept' : 'dial',
        direction: connection.direction,
        ...whoIsAt(connection, undefined),
      }
      const refusal = control.refusal(subject)
      if (refusal === undefined) {
        gate.review(connection)
        continue
      }
      control.judge(subject)
      closed.push(connection.id)
      connection.abort(refusal)
    }
    return closed
  }
  return {
    decision$: control.event$,
    setPolicy: (policy) =>
      defer(() => {
        const rules = control.setPolicy(policy)
        return of({ rules, closed: reassess() })
      }),
    setShadow: (policy) => defer(() => of(control.setShadow(policy))),
    report: () => defer(() => of(control.report())),
    setLimits: (limits) => defer(() => of(control.setLimits(limits, nowMs()))),
    setPins: (pins) => defer(() => of(control.setPins(pins))),
    block: (add, remove) =>
      defer(() => {
        const blocked = control.block(add, remove)
        reassess()
        return of(blocked)
      }),
    explain: (request) => defer(() => of(control.explain(request))),
  }
}

/** Where a connection leads, which stays; read once for all of its streams and messages. */
const places = new WeakMap<Connection, Pick<AccessSubject, 'connection' | 'peer' | 'address' | 'ip'>>()

function whoIsAt(connection: Connection, owner: string | undefined) {
  let place = places.get(connection)
  if (place === undefined) {
    const ip = ipOf(connection.remoteAddr.toString())
    const peer = connection.remotePeer.toString()
    place = { connection: connection.id, peer, ...(ip === undefined ? {} : { address: ip, ip }) }
    places.set(connection, place)
  }
  return owner === undefined ? place : { ...place, owner }
}

/** Decides over connections where libp2p asks: before a dial, and as soon as the peer is known. */
function guardConnections(node: Libp2p, control: AccessControl, nowMs: () => number): void {
  const gater: ConnectionGater = internalsOf(node).connectionGater
  const before = { ...gater }
  const about = (action: 'dial' | 'accept', { remoteAddr }: MultiaddrConnection, peer?: PeerId): AccessSubject => {
    const ip = ipOf(remoteAddr.toString())
    return {
      action,
      direction: action === 'dial' ? 'outbound' : 'inbound',
      ...(peer === undefined ? {} : { peer: peer.toString() }),
      ...(ip === undefined ? {} : { address: ip, ip }),
    }
  }
  const insist = (refusal: SwarmError | undefined) => {
    if (refusal !== undefined) throw refusal
  }
  const known = (action: 'dial' | 'accept', peer: PeerId, connection: MultiaddrConnection) => {
    const subject = about(action, connection, peer)
    insist(control.judge(subject))
    const addresses = [dialledAddress(connection), connection.remoteAddr.toString()].filter((one) => one !== undefined)
    insist(control.mismatch(addresses, subject.peer!, keyOf(peer), subject.ip))
  }
  gater.denyDialPeer = async (peer) => {
    if (control.isBlocked({ peer: peer.toString() })) {
      insist(control.judge({ action: 'dial', direction: 'outbound', peer: peer.toString() }))
    }
    return (await before.denyDialPeer?.(peer)) ?? false
  }
  gater.denyDialMultiaddr = async (address) => {
    const ip = ipOf(address.toString())
    if (ip !== undefined && control.isBlocked({ address: ip })) {
      control.judge({ action: 'dial', direction: 'outbound', address: ip, ip })
      return true
    }
    return (await before.denyDialMultiaddr?.(address)) ?? false
  }
  gater.denyInboundConnection = async (connection) => {
    const subject = about('accept', connection)
    if (subject.address !== undefined && control.isBlocked({ address: subject.address })) insist(control.judge(subject))
    insist(control.charge(subject, nowMs()))
    return (await before.denyInboundConnection?.(connection)) ?? false
  }
  gater.denyInboundEncryptedConnection = async (peer, connection) => {
    known('accept', peer, connection)
    return (await before.denyInboundEncryptedConnection?.(peer, connection)) ?? false
  }
  gater.denyOutboundEncryptedConnection = async (peer, connection) => {
    known('dial', peer, connection)
    return (await before.denyOutboundEncryptedConnection?.(peer, connection)) ?? false
  }
  gater.denyInboundRelayReservation = async (peer) => {
    const refusal = control.judge({ action: 'relay', direction: 'inbound', peer: peer.toString() })
    return refusal !== undefined || ((await before.denyInboundRelayReservation?.(peer)) ?? false)
  }
}

function keyOf({ publicKey }: PeerId): string | undefined {
  return publicKey === undefined ? undefined : Buffer.from(publicKeyToProtobuf(publicKey)).toString('base64')
}

/** Decides over messages as they come in, and over who may listen. */
function guardGossip(
  node: Libp2p,
  control: AccessControl,
  owners: ReadonlyMap<string, string>,
  nowMs: () => number,
): void {
  const service = node.services['gossipsub'] as (GossipSub & GossipInternals) | undefined
  if (service === undefined) return
  const validators = service.topicValidators
  const own = validators.get.bind(validators)
  const about = (action: 'publish' | 'subscribe', peer: PeerId, topic: string): AccessSubject => ({
    action,
    direction: 'inbound',
    topic,
    ...whoIs(node, peer, owners),
  })
  validators.get = (topic) => async (sender, message: Message) => {
    const author = message.type === 'signed' ? message.from : sender
    const subjects = [
      about('publish', author, topic),
      ...(author.equals(sender) ? [] : [about('publish', sender, topic)]),
    ]
    for (const subject of subjects) {
      if (control.judge(subject) !== undefined) return TopicValidatorResult.Ignore
    }
    if (control.charge(about('publish', sender, topic), nowMs()) !== undefined) return TopicValidatorResult.Ignore
    return (await own(topic)?.(sender, message)) ?? TopicValidatorResult.Accept
  }
  const subscribe = service.handleReceivedSubscription.bind(service)
  service.handleReceivedSubscription = (peer, topic, isJoin) =>
    isJoin && control.judge(about('subscribe', peer, topic)) !== undefined ? false : subscribe(peer, topic, isJoin)
}

/** Decides over what others want to have kept. */
function guardDht(
  node: Libp2p,
  control: AccessControl,
  owners: ReadonlyMap<string, string>,
  nowMs: () => number,
): void {
  const service = node.services['kad'] as KadInternals | undefined
  if (service === undefined) return
  const { rpc } = service
  const handle = rpc.handleMessage.bind(rpc)
  rpc.handleMessage = async (peer, message) => {
    const isPut = message.type === 'PUT_VALUE'
    if (isPut || message.type === 'ADD_PROVIDER') {
      const topic = isPut ? namespaceOf(new TextDecoder().decode(message.key ?? new Uint8Array())) : PROVIDERS
      const subject: AccessSubject = { action: 'dht-write', direction: 'inbound', topic, ...whoIs(node, peer, owners) }
      const refusal = control.judge(subject) ?? control.charge(subject, nowMs())
      if (refusal !== undefined) throw refusal
    }
    return handle(peer, message)
  }
}

/** What is known of a peer by its connections; of one that is not connected, such as the author of a message, its id. */
function whoIs(node: Libp2p, peer: PeerId, owners: ReadonlyMap<string, string>) {
  const connections = node.getConnections(peer)
  const connection = connections.find(({ id }) => owners.has(id)) ?? connections[0]
  return connection === undefined ? { peer: peer.toString() } : whoIsAt(connection, owners.get(connection.id))
}
