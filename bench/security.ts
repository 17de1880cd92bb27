import { lastValueFrom } from 'rxjs'
import { createPor } from 'rxswarm'
import { compilePolicy, type AccessPolicy, type AccessRequest } from 'rxswarm/security'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Connection, Libp2p } from '@libp2p/interface'
import { probeOf, RequestMatcher } from '../src/security/access/requestMatcher.ts'
import { hangGate, type GateComponents } from '../src/swarm/libp2p/gate.ts'
import { isSigned, namesOf } from '../src/swarm/libp2p/ownerKeys.ts'
import { decodeRequest, encodeRequest } from '../src/swarm/behaviours/xauth/porMessages.ts'
import { signedBytes } from '../src/swarm/behaviours/xauth/por.ts'
import { xauthPorts } from '../src/swarm/behaviours/xauth/xauthPorts.ts'
import { compare, type Bench } from './compare.ts'
import { interleave } from './interleave.ts'

const ROUNDS = 9
const RULES = 10_000

/** How often a second something is done. */
const rate = (times: number, work: (index: number) => unknown) => async (): Promise<number> => {
  const start = performance.now()
  for (let index = 0; index < times; index++) await work(index)
  return times / ((performance.now() - start) / 1_000)
}

/** How long one of many takes. @unit microseconds */
const each = (times: number, work: (index: number) => unknown) => (): number => {
  const start = performance.now()
  for (let index = 0; index < times; index++) work(index)
  return ((performance.now() - start) * 1_000) / times
}

const validation: Bench = {
  names: ['por-validation'],
  run: async () => {
    const [owner, node] = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
    const peer = peerIdFromPrivateKey(node)
    const por = await createPor({ owner, peer, issuedAtS: 1_700_000_000, expiresAtS: 1_700_003_600 })
    const request = encodeRequest({ por, metadata: {} })
    const bytes = signedBytes(por, peer.toString())
    const contestants = {
      ours: rate(500, () => {
        const { por: read } = decodeRequest(request)
        namesOf(read)
        return isSigned(read)
      }),
      peer: rate(500, () => owner.publicKey.verify(bytes, por.signature)),
    }
    const rates = await interleave(contestants, { rounds: ROUNDS, warmUps: 2 })
    const about = {
      name: 'por-validation',
      unit: 'proofs/s',
      better: 'more',
      peerName: "libp2p's verify alone",
    } as const
    return [compare(rates.ours, rates.peer, { ...about, oursAtLeast: 5_000 })]
  },
}

/** Ten thousand rules of all kinds, and a thousand requests, a quarter of which no rule matches. */
function mixed(): { readonly policy: AccessPolicy; readonly requests: readonly AccessRequest[] } {
  const ip = (index: number) => `10.${(index >> 8) & 255}.${index & 255}.0`
  const rules = Array.from({ length: RULES }, (_, index) => {
    const effect = index % 2 === 0 ? ('deny' as const) : ('allow' as const)
    if (index % 4 === 0) return { effect, peer: `peer${index}` }
    if (index % 4 === 1) return { effect, address: `${ip(index)}/24` }
    return index % 4 === 2 ? { effect, protocol: `/app${index}/*` } : { effect, topic: `topic${index}` }
  })
  const requests = Array.from({ length: 1_000 }, (_, index): AccessRequest => {
    const about =
      index % 4 === 0
        ? { peer: 'nobody', address: '192.0.2.1', protocol: '/none/1', topic: 'none' }
        : { peer: `peer${index * 8}`, address: ip(index * 9), protocol: `/app${index * 10}/1`, topic: `topic${index}` }
    return { action: 'open', direction: 'inbound', ...about }
  })
  return { policy: { rules, default: 'allow' }, requests }
}

const rules: Bench = {
  names: ['access-10000-rules'],
  run: async () => {
    const { policy, requests } = mixed()
    const { decide } = compilePolicy(policy)
    const matchers = policy.rules.map((rule) => new RequestMatcher(rule))
    /** The definition of the order: one rule after another, each made ready beforehand. */
    const scan = (request: AccessRequest) => {
      const probe = probeOf(request, true)
      return matchers.findIndex((matcher) => matcher.matches(probe))
    }
    const differing = requests.filter((request) => decide(request).rule !== scan(request))
    if (differing.length > 0) throw new Error(`${differing.length} decisions differ from those of a scan`)
    const contestants = {
      ours: each(20_000, (index) => decide(requests[index % requests.length]!)),
      peer: each(requests.length, (index) => scan(requests[index]!)),
    }
    const times = await interleave(contestants, { rounds: ROUNDS, warmUps: 3 })
    const about = { name: 'access-10000-rules', unit: 'µs', better: 'less', peerName: 'a linear scan' } as const
    return [compare(times.ours, times.peer, { ...about, oursAtMost: 5 })]
  },
}

/** So many connections, so that what is known of one is looked up. */
const CONNECTIONS = 1_000

/** A gate with the guard of xauth in it, and connections that are authenticated; the rest of the node is not there. */
async function guardedGate() {
  const events = new EventTarget()
  type Pass = (stream: object, connection: object, next: () => void) => Promise<void>
  const registrar = {
    getMiddleware: (_protocol: string): Pass[] => [],
    _onPeerIdentify: async () => undefined,
    _onPeerUpdate: async () => undefined,
  }
  // the gate reads no more of a node than this, and the guard no more than its gate
  const components = { events, registrar, connectionManager: { getConnections: () => [] } } as unknown
  const gate = hangGate(components as GateComponents)
  const node = { peerId: 'self', handle: async () => undefined, services: { 'rxswarm:internals': { gate } } } as unknown
  const ports = xauthPorts(node as Libp2p, {
    source: { owner: await generateKeyPair('Ed25519') },
    open: new Set(['/ipfs/id/1.0.0', '/ipfs/ping/1.0.0', '/por-auth/1.0.0']),
    start: 'on-connect',
    lifetimeS: 3_600,
    renewBeforeS: 60,
    timeoutMs: 5_000,
  })
  const connections = Array.from({ length: CONNECTIONS }, (_, index) => {
    const stream = {}
    const fake = {
      id: `c${index}`,
      remotePeer: `p${index}`,
      status: 'open',
      streams: [],
      newStream: async () => stream,
    }
    return fake as unknown as Connection
  })
  for (const connection of connections) {
    events.dispatchEvent(new CustomEvent('connection:open', { detail: connection }))
    await lastValueFrom(ports.stand(connection.id, 'authenticated', 'owner'), { defaultValue: undefined })
  }
  return { pass: registrar.getMiddleware('/kad/1.0.0')[0]!, connections }
}

/** How long one of many takes that come one after the other. @unit microseconds */
const eachAwaited = (times: number, work: (index: number) => Promise<unknown>) => async (): Promise<number> =>
  1_000_000 / (await rate(times, work)())

const gate: Bench = {
  names: ['gate-inbound', 'gate-outbound'],
  run: async () => {
    const { pass, connections } = await guardedGate()
    const on = (index: number) => connections[index % CONNECTIONS]!
    const stream = { protocol: '/kad/1.0.0', direction: 'inbound' }
    let passed = 0
    const next = () => void passed++
    const bare = async (_stream: object, _connection: object, then: () => void) => then()
    const opened = {}
    const open = async (_protocol: string) => opened
    const contestants = {
      inbound: eachAwaited(50_000, (index) => pass(stream, on(index), next)),
      bareInbound: eachAwaited(50_000, (index) => bare(stream, on(index), next)),
      outbound: eachAwaited(50_000, (index) => on(index).newStream('/kad/1.0.0')),
      bareOutbound: eachAwaited(50_000, () => open('/kad/1.0.0')),
    }
    const warmUps = 4
    const times = await interleave(contestants, { rounds: ROUNDS, warmUps })
    if (passed !== 2 * 50_000 * (ROUNDS + warmUps)) throw new Error('the gate has not let all pass')
    const about = { unit: 'µs', better: 'less', peerName: 'no gate', oursAtMost: 2 } as const
    return [
      compare(times.inbound, times.bareInbound, { ...about, name: 'gate-inbound' }),
      compare(times.outbound, times.bareOutbound, { ...about, name: 'gate-outbound' }),
    ]
  },
}

/** What security costs: a proof, a decision over ten thousand rules, a look at the gate, in both directions. */
export const security: readonly Bench[] = [validation, rules, gate]
